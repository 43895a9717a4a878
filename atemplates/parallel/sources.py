"""What can be loaded: querysets and functions, and how each is loaded here and elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from inspect import isasyncgen, isasyncgenfunction
from types import MethodType
from typing import Any

from django.db import connections
from django.db.models import Model, QuerySet
from django.db.models.manager import BaseManager
from django.db.models.query import RawQuerySet

from ..runtime.async_sources import is_async_iterator
from ..runtime.drivers import close_awaitable
from ..runtime.types import is_awaitable, is_coroutine_function, is_source

QUERYSETS: Any = (QuerySet, RawQuerySet)
"""What has rows that can be loaded on another connection."""


def is_evaluated(queryset: Any) -> bool:
    """Whether a queryset has its rows, with all that ``prefetch_related`` asks for."""
    if queryset._result_cache is None:
        return False
    return queryset._prefetch_done or not queryset._prefetch_related_lookups


class RowsSource:
    """The rows of a queryset.

    It holds the queryset only until it has begun: who waits for the rows has the queryset, and
    nobody needs them when it is gone.

    Args:
        queryset: it gets the rows when they are asked for, and not before.
        using: the alias of the database, if the caller has said which.
    """

    def __init__(self, queryset: Any, using: str | None) -> None:
        self.queryset: Any = queryset
        self.using = using
        self.name = queryset.model._meta.label
        self.model = self.name
        self.clone: Any = None

    def begin(self) -> list[str]:
        """Return the alias of the database; runs in the request's thread, as routers are asked."""
        alias = self.using or self.queryset.db
        self.clone = _copy(self.queryset, alias)
        return [alias]

    def refusal(self) -> str:
        """Why the rows cannot be loaded on another connection, whatever it is."""
        if self.queryset._result_cache is not None:
            return "its rows are there, and only what it prefetches is missing"
        if getattr(self.queryset.query, "select_for_update", False):
            return "select_for_update() locks rows for the transaction of the request's thread"
        return ""

    def begun(self) -> None:
        """Let go of the queryset."""
        self.queryset = None

    def load(self) -> Any:
        """Load on the connection of this thread; give what has the rows."""
        len(self.clone)
        return self.clone

    def rows(self, result: Any) -> int:
        """How many rows a result has."""
        return len(result)


def _copy(queryset: Any, alias: str) -> Any:
    """Return a queryset that will load the same rows from ``alias``, and shares nothing with it."""
    copy = queryset.using(alias)
    lookups = queryset._prefetch_related_lookups
    # A raw one's `using()` forgets them.
    return copy.prefetch_related(*lookups) if isinstance(queryset, RawQuerySet) else copy


def give_rows(queryset: Any, loaded: Any) -> None:
    """Give a queryset the rows of its copy, as evaluating it would."""
    if queryset._result_cache is None:
        queryset._prefetch_done = loaded._prefetch_done
        columns = vars(loaded).get("columns")
        if columns is not None:  # a raw one would ask for them with another query
            queryset.columns = columns
        queryset._result_cache = loaded._result_cache


class CallSource:
    """The result of a function.

    Args:
        function: is called without arguments.
        using: the alias of the one database that it asks, if the caller has said so.
    """

    def __init__(self, function: Callable[[], Any], using: str | None) -> None:
        self.function = function
        self.using = using
        self.name = getattr(function, "__qualname__", None) or _inner_name(function)
        owner = _asks(function)
        self.owner = owner
        self.model = owner.model._meta.label if owner is not None and owner.model else ""

    def begin(self) -> list[str]:
        """Return the aliases of the databases that it may ask."""
        if self.using is not None:
            return [self.using]
        if self.owner is not None:
            return [self.owner.db]
        return list(connections)

    def refusal(self) -> str:
        """Why it cannot be called on another connection, whatever it is."""
        query = getattr(self.owner, "query", None)
        if getattr(query, "select_for_update", False):
            return "select_for_update() locks rows for the transaction of the request's thread"
        return ""

    def begun(self) -> None:
        """Keep the function: it is called again where the first call had no connection."""

    def load(self) -> Any:
        """Call the function; a queryset that it gives is evaluated.

        Raises:
            TypeError: it gave an awaitable.
        """
        result = self.function()
        if is_awaitable(result):
            close_awaitable(result)
            raise TypeError(
                f"aload() called {self.name}, which gave an awaitable ({result!r}). Expected was "
                "a function that queries. An awaitable needs no aload(): put it into the context."
            )
        if isinstance(result, QUERYSETS) and not is_source(type(result)):
            len(result)
        return result

    def rows(self, result: Any) -> int:
        """How many rows a result has, if that is known."""
        cache = getattr(result, "_result_cache", None) if isinstance(result, QUERYSETS) else result
        return len(cache) if isinstance(cache, (list, tuple)) else 0


def _asks(function: Any) -> Any:
    """Return the queryset or manager whose method a function is, or None."""
    while isinstance(function, partial):
        function = function.func
    owner = function.__self__ if isinstance(function, MethodType) else None
    return owner if isinstance(owner, (QuerySet, BaseManager)) else None


def _inner_name(function: Any) -> str:
    while isinstance(function, partial):
        function = function.func
    return getattr(function, "__qualname__", None) or type(function).__qualname__


def is_async_source(source: Any) -> bool:
    """Whether a source is a queryset of another package, which ``async for`` reads."""
    kind = type(source)
    return is_source(kind) and not is_async_iterator(kind) and not is_awaitable(source)


def is_callable_source(source: Any) -> bool:
    """Whether a source is a function that can be called in a thread."""
    return (
        callable(source)
        and not isinstance(source, type)
        and not is_coroutine_function(source)
        and not isasyncgenfunction(source)
    )


def refused_source(source: Any) -> TypeError:
    """Return the error that says what can be loaded."""
    expected = (
        "a QuerySet, a manager, a raw queryset, or a function that queries and is not async "
        "(such as queryset.count)"
    )
    hint = ""
    if is_coroutine_function(source) or isasyncgenfunction(source):
        hint = " Call it and put the awaitable into the context: it needs no aload()."
    elif is_awaitable(source) or isasyncgen(source):
        close_awaitable(source)
        hint = " An awaitable needs no aload(): put it into the context as it is."
    elif isinstance(source, type) and issubclass(source, Model):
        hint = f" Did you mean {source.__name__}.objects?"
    elif hasattr(type(source), "__next__"):
        hint = " An iterator loads when it is read: give the queryset that it was made from."
    return TypeError(f"aload() expects {expected}, not {source!r}.{hint}")
