"""Whose a function is: which functions are known to do only what the template shows."""

from __future__ import annotations

import inspect
import sys
from typing import Any

KNOWN_PACKAGES = frozenset(
    {"atemplates", "django", "jinja2", "markupsafe", *sys.stdlib_module_names}
)
"""Packages whose functions are known to catch no guard, and to reach for nothing by themselves."""


def module_of(function: Any) -> str:
    """Return the name of the module of what a function's decorators wrap."""
    return getattr(inspect.unwrap(function), "__module__", None) or ""


def filter_name(function: Any) -> str:
    """Return the name that a filter of Django's template language is registered under."""
    original = inspect.unwrap(function)
    name = getattr(function, "_filter_name", None) or getattr(original, "__name__", "filter")
    return str(name)


def is_own_function(function: Any) -> bool:
    """Whether a function is somebody's own, which may do anything with what it is given."""
    original = inspect.unwrap(function) if callable(function) else function
    module = getattr(original, "__module__", None) or type(original).__module__
    return str(module).partition(".")[0] not in KNOWN_PACKAGES
