"""Which async method stands in for a sync one: ``acount`` for ``count``, in both languages.

Two kinds of objects have such twins. Django's querysets and managers have a sync method for each,
and the twin is used where Django did not write it: Django's own would hop to the thread, where the
sync method runs at once. Sources that only ``async for`` reads may have nothing but the twin.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import (
    Signature,
    isasyncgen,
    isasyncgenfunction,
    iscoroutinefunction,
    signature,
    unwrap,
)
from types import MethodType
from typing import Any, TypeAlias

from django.core.exceptions import SynchronousOnlyOperation
from django.db.models import Model, QuerySet
from django.db.models.manager import BaseManager

from .async_sources import REFUSALS, is_async_iterator
from .types import MARKS, SOURCES, is_coroutine_function, is_django, is_related, is_source
from .waits import Kind, Wait

READING_METHODS = frozenset(
    {
        *("count", "exists", "first", "last", "get", "earliest", "latest", "iterator", "explain"),
        *("aggregate", "contains", "in_bulk"),
        *("has_next", "has_previous", "has_other_pages", "next_page_number"),
        *("previous_page_number", "start_index", "end_index", "num_pages", "page_range"),
    }
)
"""What querysets and pages are asked for. Only for these a method ``a...`` stands in where there is
no other: a name that changes something need not be marked as such."""

Allowed: TypeAlias = Callable[[Any], bool]
"""Says whether a template may call a function."""


def is_marked(method: Any) -> bool:
    """Whether templates are not to call a method."""
    return any(getattr(method, mark, False) for mark in MARKS)


def may_be_called(function: Any) -> bool:
    """Whether Django's marks let templates call a function."""
    return not (
        getattr(function, "alters_data", False)
        or getattr(function, "do_not_call_in_templates", False)
    )


# -- querysets and managers of Django's ------------------------------------------------------------


def async_twin(function: Any, allowed: Allowed = may_be_called) -> Callable[..., Any] | None:
    """Return the async method that stands beside a method of a queryset or manager, or None.

    Args:
        function: what the template calls, and may call.
        allowed: asked whether the template may call the twin as well; nobody else is asked.
    """
    owner = getattr(function, "__self__", None)
    if not is_related(type(owner)) or issubclass(type(owner), Model):
        return None
    if not stands_beside(type(owner), function.__name__):
        return None
    try:
        twin = getattr(owner, f"a{function.__name__}", None)
        usable = _is_for_the_loop(twin) and may_replace(twin, function) and allowed(twin)
    except SynchronousOnlyOperation:  # the answer needs the database: so the method does as well
        return None
    return twin if usable else None


def _is_for_the_loop(twin: Any) -> bool:
    if not callable(twin):
        return False
    # A manager's method stands for that of its queryset, and is no coroutine function itself.
    written = unwrap(twin)
    # Django's own generators hop to the thread for every few rows; the thread reads them at once.
    return is_coroutine_function(written) or (
        isasyncgenfunction(written) and not is_django(written.__module__)
    )


def gives_rows(twin: Any) -> bool:
    """Whether a twin is an async generator: the sync method needs no query until it is read."""
    return isasyncgenfunction(unwrap(twin))


def stands_beside(kind: type, name: str) -> bool:
    """Whether a method's async twin stands for this very method, and not for one it overrides.

    The manager of a many-to-many relation counts in the table between; its ``acount`` is that of
    any manager, and counts otherwise.
    """
    for base in kind.__mro__:
        if f"a{name}" in vars(base):
            return True
        if name in vars(base):
            return False
    return True  # made by a ``__getattr__``


def may_replace(twin: Any, function: Any) -> bool:
    """Whether an async twin may be called in the place of a method: if both are marked alike."""
    return has_its_name(function) and all(
        bool(getattr(function, mark, False)) is bool(getattr(each, mark, False))
        for each in (twin, _written(twin, function))
        for mark in MARKS
    )


def _written(twin: Any, function: Any) -> Any:
    """The function that a method's twin ends up in."""
    queryset = getattr(type(function.__self__), "_queryset_class", None)
    if queryset is not None:
        # A manager's method stands for that of its queryset, which may have overridden Django's.
        twin = getattr(queryset, f"a{function.__name__}", twin)
    return unwrap(twin)


def has_its_name(function: Any) -> bool:
    """Whether a method is the one that its class has under the method's name.

    One that wraps ``count`` says that this is its name too, but ``acount`` is no twin of it.
    """
    named = getattr(type(function.__self__), function.__name__, None)
    return named is None or named is getattr(function, "__func__", None)


def is_of_others(twin: Any, function: Any) -> bool:
    """Whether somebody else than Django wrote a method's twin: then it is to be used."""
    return not is_django(getattr(_written(twin, function), "__module__", None) or "")


def call_twin(twin: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a twin; return what is to be awaited, or None if that alone needs the database.

    So it does for a manager whose queryset takes a query to make: a deferred key, a tenant, ...
    """
    try:
        return twin(*args, **kwargs)
    except SynchronousOnlyOperation:
        return None


def wait_for_twin(made: Any, notify: Any) -> Wait:
    """The wait for what calling a twin gave: a coroutine, or a generator of rows."""
    return Wait(Kind.ROWS if isasyncgen(made) else Kind.AWAIT, made, notify=notify)


# -- sources that only ``async for`` reads ---------------------------------------------------------


def source_twin(twin: Any) -> Any:
    """Return a source's async method if it may be called in the place of the sync one, or None."""
    usable = callable(twin) and iscoroutinefunction(unwrap(twin)) and not is_marked(twin)
    return twin if usable else None


def is_of_source(method: Any) -> bool:
    """Whether a method is that of a source, or of a manager of sources.

    It runs where the plan is: a source knows by itself what it cannot do on the event loop.
    """
    if not isinstance(method, MethodType):
        return False
    kind = type(method.__self__)
    if issubclass(kind, BaseManager):
        kind = getattr(kind, "_queryset_class", QuerySet)
    return is_source(kind)


def has_only_twins(kind: type) -> bool:
    """Whether objects of a type may have nothing but the async one of two methods."""
    return kind in SOURCES or issubclass(kind, BaseManager)


def only_twin(twin: Any) -> Any:
    """Return a source's async method if it may be called where there is no sync one, or None."""
    return twin if callable(twin) and not is_marked(twin) else None


def rows_method(source: Any, name: str) -> Callable[[], Any] | None:
    """Return what stands for ``iterator`` where a source has no such method, or None.

    Without it, a loop over ``rows.iterator`` would be empty without a word.
    """
    kind = type(source)
    if name != "iterator" or kind not in SOURCES or is_async_iterator(kind):
        return None
    if hasattr(kind, "iterator") or hasattr(kind, "aiterator"):  # not to be had, not missing
        return None
    return lambda: source


class Either:
    """A sync method, and the async one beside it for where it refuses."""

    def __init__(self, method: MethodType, twin: Callable[[], Any]) -> None:
        self.method = method
        self.twin = twin

    @property
    def __signature__(self) -> Signature:
        return signature(self.method)

    def __call__(self) -> Any:
        """Call the one or the other; the result may have to be awaited."""
        try:
            return self.method()
        except REFUSALS:
            return self.twin()
