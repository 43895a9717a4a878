"""The Jinja2 template backend: a drop-in for ``django.template.backends.jinja2``."""

from .backend import Jinja2
from .backend import Jinja2Template as Template

__all__ = ["Jinja2", "Template"]
