"""What Jinja2 notes on functions: what they are passed first, and whether one is an async variant.

All of it is private to Jinja2; tests/jinja2/test_upstream.py guards it.
"""

from __future__ import annotations

from typing import Any

from jinja2.utils import _PassArg

PASS_MARK = "jinja_pass_arg"
"""The attribute of functions that Jinja2 passes the context, or the like, before the arguments."""


def is_variant(function: Any) -> bool:
    """Whether a filter of Jinja2's own stands for a sync and an async function."""
    return hasattr(function, "jinja_async_variant")


def first_argument(function: Any) -> str:
    """What Jinja2 passes to a function first: context, eval_context or environment; or nothing."""
    found = _PassArg.from_obj(function)
    return found.name if found is not None else ""


HARMLESS_MODULES = ("jinja2.", "django.", "atemplates.")
"""Where functions come from that load nothing of the context."""


def shows_context(function: Any) -> bool:
    """Whether a function of a site is passed the context."""
    by_type: Any = type(function)
    for each in (function, by_type.__call__ if callable(function) else None):
        if first_argument(each) == "context":
            return not (each.__module__ or "").startswith(HARMLESS_MODULES)
    return False
