"""What the type of a value decides, found out once per type.

The sets hold types, never values. They are read in the hottest lines of compiled templates, so
membership in a plain set is all that a value costs; everything unusual is left out of the sets
and takes a slower path.
"""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Callable
from inspect import CO_ITERABLE_COROUTINE
from types import GeneratorType
from typing import Any

from django.db.models import Model, QuerySet
from django.db.models.manager import BaseManager
from django.utils.functional import LazyObject
from django.utils.safestring import SafeString

# Classes may be made at run time (one per request, say); the sets must not keep all of them.
LIMIT = 10_000

SIMPLE: frozenset[type] = frozenset(
    {str, SafeString, int, float, bool, type(None), list, tuple, dict, set, frozenset, bytes}
)
"""Builtin types: their truth, length and iteration never run anybody's code."""

SEQUENCES: frozenset[type] = SIMPLE - {int, float, bool, type(None)} | {range}
"""Types with a length whose iteration runs nobody's code."""

VIEWS: frozenset[type] = frozenset({type({}.keys()), type({}.values()), type({}.items())})
"""The same, but without an index."""

SCALARS: frozenset[type] = frozenset(
    {
        *(str, SafeString, int, float, bool, type(None), bytes, uuid.UUID, decimal.Decimal),
        *(datetime.date, datetime.datetime, datetime.time, datetime.timedelta),
    }
)
"""Types of values that hold no other values."""

INERT: set[type] = {*SIMPLE, *SCALARS, range}
"""Types whose instances can neither be called nor awaited."""

PLAIN: set[type] = set()
"""Inert types without ``__getitem__`` and without relations: a bit is just an attribute."""

PLAIN_OR_MODEL: set[type] = set()
"""`PLAIN`, and model classes: for the event loop, where Django's own guard stops a query."""


RELATED: set[type] = set()
"""Models, managers, querysets, and lazy objects, which may stand for one: resolving a bit on one
may need a query."""

MODELS: set[type] = set()
"""Models without ``__getitem__``: a bit that is in the instance's dict is just an attribute."""

LEARNED: set[type] = set()
"""The types that `learn` has seen."""

FORGET: list[Callable[[], None]] = []
"""What else has to forget its types when the sets here are emptied."""


MARKS = ("alters_data", "do_not_call_in_templates", "unsafe_callable")
"""What keeps templates from calling a function: Django's marks, and that of Jinja2's sandbox."""


def defines(kind: type, name: str) -> bool:
    """Whether ``kind`` or one of its bases (not its metaclass) defines ``name``."""
    return any(name in vars(base) for base in kind.__mro__)


def learn(kind: type) -> None:
    """Put a type into the sets it belongs to."""
    if kind in LEARNED:
        return
    if len(LEARNED) > LIMIT:
        for types in (INERT, PLAIN, PLAIN_OR_MODEL, RELATED, MODELS, LEARNED):
            types.clear()
        INERT.update(SIMPLE)
        for forget in FORGET:
            forget()
    LEARNED.add(kind)
    if issubclass(kind, (Model, QuerySet, BaseManager, LazyObject)):
        RELATED.add(kind)
    if defines(kind, "__call__") or defines(kind, "__await__") or kind is GeneratorType:
        return
    INERT.add(kind)
    if hasattr(kind, "__getitem__") or (defines(kind, "__getattribute__") and not _usual(kind)):
        return
    if issubclass(kind, (QuerySet, BaseManager)):
        return
    PLAIN_OR_MODEL.add(kind)
    if issubclass(kind, Model):
        MODELS.add(kind)
    else:
        PLAIN.add(kind)


def is_related(kind: type) -> bool:
    """Whether ``kind`` is in `RELATED`; it need not have been learned before."""
    if kind not in LEARNED:
        learn(kind)
    return kind in RELATED


def _usual(kind: type) -> bool:
    own: Any = kind.__getattribute__
    return own is object.__getattribute__


def is_django(module: str) -> bool:
    """Whether a module is Django's own, so that what it does on the loop is known."""
    return module == "django" or module.startswith("django.")


def is_awaitable(value: Any) -> bool:
    """Whether ``value`` can be awaited, as ``inspect.isawaitable`` says, but by its type alone.

    A lazy object such as ``request.user`` answers ``isinstance`` by making what it stands for,
    which may take a query; its type answers without.
    """
    kind = type(value)
    if kind is GeneratorType:
        return bool(value.gi_code.co_flags & CO_ITERABLE_COROUTINE)
    return hasattr(kind, "__await__")


def is_iterator(value: Any) -> bool:
    """Whether ``value`` can be gone through only once."""
    return hasattr(type(value), "__next__")
