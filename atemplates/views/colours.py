"""The names of hooks, and the colour of each: whose it is, and whether it is an ``async def``."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

from django.views.generic import base, dates, detail, edit
from django.views.generic import list as lists

HANDLERS = frozenset({"get", "post", "put", "patch", "delete", "head", "trace"})
"""Those of ``View.http_method_names`` whose colour makes a view sync or async."""

RESPONDING = HANDLERS | {"dispatch", "options", "http_method_not_allowed"}
"""What gives a response, which Django lets be a coroutine."""

# Named and not read: `django.contrib.auth.mixins` takes an installed `django.contrib.auth`.
ACCESS_HOOKS = frozenset(
    {
        *("get_login_url", "get_permission_denied_message", "get_redirect_field_name"),
        *("handle_no_permission", "get_permission_required", "has_permission"),
        *("test_func", "get_test_func"),
    }
)

VERDICTS = frozenset({"test_func", "has_permission"})
"""Hooks that say whether somebody may see a view."""


def _members(module: ModuleType) -> Iterator[tuple[str, Any]]:
    for value in vars(module).values():
        if isinstance(value, type) and value.__module__ == module.__name__:
            yield from ((name, each) for name, each in vars(value).items() if name[0] != "_")


MEMBERS = [each for module in (base, lists, detail, edit, dates) for each in _members(module)]
HOOKS = ACCESS_HOOKS | HANDLERS | {n for n, each in MEMBERS if isinstance(each, FunctionType)}
"""The names of all public methods of Django's generic views and access mixins."""
VIEW_ATTRIBUTES = {n for n, each in MEMBERS if not (callable(each) or hasattr(each, "__get__"))}
"""Their public attributes: ``model``, ``template_name``, ..."""


class Colour(enum.Enum):
    """Whose a hook is, and how it is written."""

    BASE = "Django's, or ours in its place"
    SYNC = "def"
    ASYNC = "async def"


COLOUR = "atemplates_colour"
"""What an adopted hook holds its colour under, with itself: ``functools.wraps`` copies what a
function holds to functions that are no hooks."""


def give_colour(hook: Any, colour: Colour) -> None:
    """Note the colour of a hook that has been made."""
    setattr(hook, COLOUR, (hook, colour))


def colour_of(value: Any) -> Colour | None:
    """The colour of a hook, bound or not; None for what has not been adopted."""
    held = getattr(value, COLOUR, None)
    if type(held) is not tuple:  # a mock has every attribute
        return None
    hook, colour = held
    return colour if hook is getattr(value, "__func__", value) else None
