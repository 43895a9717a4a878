"""What the type of a value decides, found out once per type.

The sets hold types, never values. They are read in the hottest lines of compiled templates, so
membership in a plain set is all that a value costs; everything unusual is left out of the sets
and takes a slower path.
"""

from __future__ import annotations

import datetime
import decimal
import threading
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from inspect import CO_ITERABLE_COROUTINE, iscoroutinefunction
from types import FunctionType, GeneratorType, GetSetDescriptorType, MethodType
from typing import Any, TypeGuard

from django.db.models import Model, QuerySet
from django.db.models.manager import BaseManager
from django.db.models.query import RawQuerySet
from django.forms.boundfield import BoundField
from django.forms.utils import RenderableMixin
from django.utils.functional import LazyObject
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from ..placement import python_code, value_code
from .waits import Pending

# Classes may be made at run time (one per request, say); the sets must not keep all of them.
MOST_TYPES = 10_000

SIMPLE: frozenset[type] = frozenset(
    {str, SafeString, int, float, bool, type(None), list, tuple, dict, set, frozenset, bytes}
)
"""Builtin types: their truth, length and iteration never run anybody's code."""

SEQUENCES: frozenset[type] = SIMPLE - {int, float, bool, type(None)} | {range}
"""Types with a length whose iteration runs nobody's code."""

VIEWS: frozenset[type] = frozenset({type({}.keys()), type({}.values()), type({}.items())})
"""The same, but without an index."""

TRANSLATED: type = type(gettext_lazy(""))
"""The type of lazy messages: ``lazy()`` makes one for each function."""

SCALARS: frozenset[type] = frozenset(
    {
        *(str, SafeString, int, float, bool, type(None), bytes, uuid.UUID, decimal.Decimal),
        *(datetime.date, datetime.datetime, datetime.time, datetime.timedelta),
    }
)
"""Types of values that hold no other values."""

# Threads that render read the sets below without a lock, while `learn_type` may add to them. A type
# is in `LEARNED_TYPES` last, when it is in all the others it belongs to, and leaves that first. To
# miss a type in `INERT`, `PLAIN`, `PLAIN_OR_MODEL` or `MODELS` costs a slower path and changes
# nothing; in `RELATED` and `SOURCES` it would change what a page shows, so those are not emptied
# with them.

INERT: set[type] = {*SIMPLE, *SCALARS, range}
"""Types whose instances can neither be called nor awaited."""

PLAIN: set[type] = set()
"""Inert types without ``__getitem__`` and without relations: a bit is just an attribute."""

DATA: set[type] = set()
"""Those of `PLAIN` that run nobody's code when an attribute is read: for the event loop."""

PLAIN_OR_MODEL: set[type] = set()
"""`PLAIN`, and model classes."""


RELATED: set[type] = set()
"""Models, managers, querysets, and lazy objects, which may stand for one: resolving a bit on one
may need a query."""

SOURCES: set[type] = set()
"""Types that are iterated with ``async for``, whatever else they can: a queryset of another
package, an async page, an async generator."""

MODELS: set[type] = set()
"""Models without ``__getitem__``: a bit that is in the instance's dict is just an attribute."""

PRINTED: set[type] = set()
"""Types whose text is their ``str()``: nothing about it is localised, and nothing is in the value
that has to be awaited or loaded first. What ``str()`` runs is another question."""

NAMED: set[type] = {*SIMPLE}
"""Types for which ``dir()`` runs no code and finds the names of the value's dict and classes."""

ALWAYS_TRUE: set[type] = set()
"""Types that have no say in whether their values are true."""

LEARNED_TYPES: set[type] = set()
"""The types that `learn_type` has seen."""

ALL = (
    RELATED,
    SOURCES,
    INERT,
    PLAIN_OR_MODEL,
    PLAIN,
    DATA,
    MODELS,
    PRINTED,
    NAMED,
    ALWAYS_TRUE,
    LEARNED_TYPES,
)
"""The sets that are learned."""

FORGET: list[Callable[[], None]] = [python_code.forget_python_code, value_code.forget_value_code]
"""What else has to forget its types when the sets here are emptied. Filled by imports alone."""

changing = threading.RLock()
"""Held while the sets change, so that no type is added while they are emptied. Nothing of a site
runs meanwhile but the hash of its types; whoever reads the sets does not need it."""


MARKS = ("alters_data", "do_not_call_in_templates", "unsafe_callable")
"""What keeps templates from calling a function: Django's marks, and that of Jinja2's sandbox."""


NAME_HOOKS = frozenset({"__dir__", "__getattr__", "__getattribute__", "__class__"})
"""With these a class has a say in what ``dir()`` finds."""

NOT_PRINTED = (
    *(str, int, float, decimal.Decimal, datetime.date, datetime.time),
    *(list, tuple, dict, set, frozenset, *VIEWS, RenderableMixin),
)
"""Types that are localised, looked into or rendered when they are printed."""


def defines(kind: type, name: str) -> bool:
    """Whether ``kind`` or one of its bases (not its metaclass) defines ``name``."""
    return any(name in vars(base) for base in kind.__mro__)


def learn_type(kind: type) -> None:
    """Put a type into the sets it belongs to. Any thread may, and several at the same time.

    `Pending` belongs to none, whoever asks: it stands for a value that is still to come.
    """
    if kind in LEARNED_TYPES or kind is Pending:
        return
    found = [
        *_sets_of(kind),
        LEARNED_TYPES,
    ]  # outside the lock: a metaclass may run code of the site
    with changing:
        if len(LEARNED_TYPES) > MOST_TYPES:
            _forget()
        for types in found:
            types.add(kind)


def _sets_of(kind: type) -> list[set[type]]:
    """The sets that a type belongs to, but for `LEARNED_TYPES`."""
    found: list[set[type]] = []
    related = issubclass(kind, (Model, QuerySet, BaseManager, LazyObject))
    if related:
        found.append(RELATED)
    source = _is_source(kind)
    if source:
        found.append(SOURCES)
    own = {name for base in kind.__mro__ if base is not object for name in base.__dict__}
    if own.isdisjoint(NAME_HOOKS) and not _hides_dict(kind):
        found.append(NAMED)
    if not (source or issubclass(kind, LazyObject)) and own.isdisjoint(("__bool__", "__len__")):
        found.append(ALWAYS_TRUE)
    if not (related or source or "__class__" in own or issubclass(kind, NOT_PRINTED)):
        found.append(PRINTED)
    if defines(kind, "__call__") or defines(kind, "__await__") or kind is GeneratorType:
        return found
    found.append(INERT)
    if _has_items(kind) or (defines(kind, "__getattribute__") and not _usual(kind)):
        return found
    if source or issubclass(kind, (QuerySet, BaseManager)):
        return found
    found += [PLAIN_OR_MODEL, MODELS if issubclass(kind, Model) else PLAIN]
    if not issubclass(kind, Model) and python_code.is_data(kind):
        found.append(DATA)
    return found


def _has_items(kind: Any) -> bool:
    """Whether ``value["name"]`` may give something: a form's field refuses every text."""
    getitem = getattr(kind, "__getitem__", None)
    return getitem is not None and getitem is not BoundField.__getitem__


def _hides_dict(kind: type) -> bool:
    """Whether a class gives something else than Python's own dict for ``__dict__``."""
    found = [vars(base)["__dict__"] for base in kind.__mro__ if "__dict__" in vars(base)]
    return any(type(each) is not GetSetDescriptorType for each in found)


def _forget() -> None:
    """Empty the sets, those last that say the most; called with the lock held."""
    LEARNED_TYPES.clear()
    for types in (DATA, MODELS, PLAIN, PLAIN_OR_MODEL, PRINTED, NAMED, ALWAYS_TRUE, INERT):
        types.clear()
    for types in (INERT, NAMED):
        types.update(SIMPLE)
    for types in (RELATED, SOURCES):
        # Of these a program makes few: models, querysets and managers are never thrown away.
        if len(types) > MOST_TYPES:
            types.clear()
    for forget in FORGET:
        forget()


def is_related(kind: type) -> bool:
    """Whether ``kind`` is in `RELATED`; it need not have been learned before."""
    if kind not in LEARNED_TYPES:
        learn_type(kind)
    return kind in RELATED


NOTHING: list[type] = []
"""Types whose objects stand for a value that is missing, whatever methods they have: Jinja2's
undefined ones. Filled by imports alone."""


def stands_for_nothing(kind: type) -> bool:
    """Whether objects of a type stand for a value that is missing."""
    return any(issubclass(kind, nothing) for nothing in NOTHING)


def is_source(kind: type) -> bool:
    """Whether ``kind`` is in `SOURCES`; it need not have been learned before."""
    if kind not in LEARNED_TYPES:
        learn_type(kind)
    return kind in SOURCES


def _is_source(kind: type) -> bool:
    if not hasattr(kind, "__aiter__") or issubclass(kind, (list, tuple, dict, set, frozenset)):
        return False
    if stands_for_nothing(kind):
        return False
    for django in (QuerySet, RawQuerySet):
        # Django's own load in the request's thread what ``async for`` would load there as well.
        if issubclass(kind, django):
            own = ("__iter__", "__len__", "__bool__")
            if kind.__aiter__ is django.__aiter__:
                return False
            return any(getattr(kind, name) is not getattr(django, name) for name in own)
    return True


def _usual(kind: type) -> bool:
    own: Any = kind.__getattribute__
    return own is object.__getattribute__


def is_django(module: str) -> bool:
    """Whether a module is Django's own, so that what it does on the loop is known."""
    return module == "django" or module.startswith("django.")


def is_awaitable(value: Any) -> TypeGuard[Awaitable[Any]]:
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


def is_coroutine_function(value: Any) -> bool:
    """Whether calling ``value`` gives a coroutine; lazy objects are not looked into."""
    kind = type(value)
    if issubclass(kind, (FunctionType, MethodType, partial)):
        return iscoroutinefunction(value)
    return any(iscoroutinefunction(vars(base).get("__call__")) for base in kind.__mro__)
