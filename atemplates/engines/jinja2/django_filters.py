"""Django's template filters as Jinja2 filters, with the same names and the same output."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.template.defaultfilters import filesizeformat as djangos_filesizeformat
from django.utils.safestring import SafeData, SafeString, mark_safe
from django.utils.timezone import template_localtime  # type: ignore[attr-defined]
from jinja2.filters import do_filesizeformat
from jinja2.nodes import EvalContext
from jinja2.utils import pass_eval_context
from markupsafe import Markup

BUILTIN_LIBRARIES = (
    "django.template.defaultfilters",
    "django.templatetags.i18n",
    "django.templatetags.l10n",
    "django.templatetags.static",
    "django.templatetags.tz",
)
HUMANIZE = "django.contrib.humanize.templatetags.humanize"


def adapted(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a filter of a Django library usable in Jinja2.

    What Django's engine does around a filter is done here: local time, the ``autoescape``
    argument, and text that stays safe.

    Args:
        function: a filter as it stands in a library's ``filters``.
    """
    expects_localtime = getattr(function, "expects_localtime", False)
    needs_autoescape = getattr(function, "needs_autoescape", False)
    is_safe = getattr(function, "is_safe", False)

    @pass_eval_context
    @wraps(function)
    def filter_(eval_ctx: EvalContext, value: Any, *args: Any, **kwargs: Any) -> Any:
        if type(value) is Markup:
            value = SafeString(value)
        if expects_localtime:
            value = template_localtime(value)
        if needs_autoescape:
            kwargs["autoescape"] = eval_ctx.autoescape
        result = function(value, *args, **kwargs)
        if is_safe and issubclass(type(value), SafeData) and isinstance(result, str):
            return mark_safe(result)  # as Django's engine does: safe text stays safe
        return result

    return filter_


def filesizeformat(value: Any, binary: bool | None = None) -> str:
    """Django's ``filesizeformat``; with Jinja2's argument, Jinja2's."""
    if binary is None:
        return djangos_filesizeformat(value)
    return do_filesizeformat(value, binary)
