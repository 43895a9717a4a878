"""Whose a function is: which functions are known to do only what the template shows."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from typing import Any

KNOWN_PACKAGES = frozenset(
    {"atemplates", "django", "jinja2", "markupsafe", *sys.stdlib_module_names}
)
"""Packages whose functions are known to catch no guard, and to reach for nothing by themselves."""


def module_of(function: Any) -> str:
    """Return the name of the module of what a function's decorators wrap."""
    return getattr(inspect.unwrap(function), "__module__", None) or ""


def may_set_names(function: Any) -> bool:
    """Whether the function of a tag that takes the context may set names in it.

    It may where its source is not there, stores into the context, or hands it on; reading single
    names of it (``context["request"]``, ``context.get("user")``) sets none.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))
    except (OSError, TypeError, SyntaxError):
        return True
    reading: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript):
            if isinstance(node.ctx, ast.Load):
                reading.add(id(node.value))
        elif isinstance(node, ast.Attribute):
            if node.attr in NAME_READERS:
                reading.add(id(node.value))
        elif isinstance(node, ast.Compare):
            reading.update(map(id, node.comparators))
    return any(
        isinstance(node, ast.Name) and node.id == "context" and id(node) not in reading
        for node in ast.walk(tree)
    )


NAME_READERS = frozenset(
    {"get", "flatten", "template", "request", "autoescape", "use_tz", "use_l10n"}
)
"""Attributes of a context that set no name in it."""


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
