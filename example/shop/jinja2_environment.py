"""The Jinja2 environment of the shop."""

from __future__ import annotations

from typing import Any

from django.templatetags.static import static
from django.urls import reverse
from jinja2 import Environment


def url(name: str, *args: Any, **kwargs: Any) -> str:
    """The address of a view, as ``{% url %}`` gives it in Django templates."""
    return reverse(name, args=args or None, kwargs=kwargs or None)


def environment(**options: Any) -> Environment:
    """An environment that knows ``url()`` and ``static()``."""
    made = Environment(trim_blocks=True, lstrip_blocks=True, **options)
    made.globals.update(static=static, url=url)
    return made
