"""`aload`: a queryset or function that loads beside the page, and is awaited where it is needed."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Awaitable, Callable, Generator, Iterable
from functools import partial
from typing import Any

from django.db import connections
from django.db.models.manager import BaseManager
from django.utils.connection import ConnectionDoesNotExist

from ..runtime.drivers import on_event_loop
from ..runtime.hops import in_request_thread
from ..runtime.loading import Loading, forget_loading, is_loading, loading_of, note_loading
from ..runtime.types import is_source
from .async_loads import AsyncLoad
from .departures import Departure, departure_here
from .jobs import Job, JobProgress
from .sources import (
    QUERYSETS,
    CallSource,
    RowsSource,
    give_rows,
    is_async_source,
    is_callable_source,
    is_evaluated,
    refused_source,
)


class Load(Loading):
    """What `aload` gives: it is awaited, by a view or a template, and gives what was loaded.

    In a template it stands for its result: ``{% for %}``, ``{% if %}``, filters and lookups work as
    on the queryset itself.
    """

    __slots__ = ("_departure", "_job", "_queryset")

    def __init__(self, job: Job, departure: Departure, queryset: Any = None) -> None:
        self._job = job
        self._departure = departure
        self._queryset = queryset
        """What gets the rows; None for a function."""

    def __repr__(self) -> str:
        return f"<aload({self._job.source.name}): {self._job.progress.value}>"

    def is_for_thread(self) -> bool:
        """Whether a thread that may ask the database gets it at once, or has to load it."""
        on_loop = on_event_loop()
        if self._job.progress is JobProgress.UNDECIDED and not on_loop:
            self._departure.decide()
        progress = self._job.progress
        if progress is JobProgress.DONE:
            return not on_loop
        return progress is JobProgress.QUEUED or progress is JobProgress.BACK

    def unasked(self) -> Any:
        """Return the queryset itself, where it is to be loaded in the request's thread."""
        if self._queryset is not None and self._job.progress is JobProgress.BACK:
            return self._queryset
        return self

    def wait(self) -> Any:
        """Return the result; loads it in this thread, or blocks the thread until it is there."""
        job = self._job
        self._departure.decide()
        while not job.is_done():
            if job.take():
                job.load_here(self._load_here)
                break
            change = job.next_change()
            if change is not None:
                change.result()
        return self._outcome()

    def _load_here(self) -> Any:
        if self._queryset is None:
            return self._job.source.load()
        len(self._queryset)
        return self._queryset

    def __await__(self) -> Generator[Any, Any, Any]:
        """Await the result."""
        return self._awaited().__await__()

    async def _awaited(self) -> Any:
        job = self._job
        while not job.is_done():
            change = job.next_change()
            if change is not None:
                await asyncio.wrap_future(change)
            elif not job.is_done():
                return await in_request_thread(self.wait)
        return self._outcome()

    def _outcome(self) -> Any:
        result = self._job.outcome()
        if self._queryset is None:
            return result
        if result is not self._queryset:
            give_rows(self._queryset, result)
        forget_loading(self._queryset)
        return self._queryset


class Loaded(Loading):
    """A queryset that has its rows already."""

    __slots__ = ("queryset",)

    def __init__(self, queryset: Any) -> None:
        self.queryset = queryset

    def __repr__(self) -> str:
        return f"<aload({self.queryset.model._meta.label}): loaded>"

    def is_for_thread(self) -> bool:
        """Whether this thread gets it at once: on the event loop it is awaited just as quickly."""
        return not on_event_loop()

    def wait(self) -> Any:
        """Return the queryset."""
        return self.queryset

    def __await__(self) -> Generator[Any, Any, Any]:
        """Give the queryset without waiting."""
        yield from ()
        return self.queryset


def aload(source: Any, using: str | None = None) -> Awaitable[Any]:
    """Begin to load now, on a database connection of its own, and give what can be awaited.

    Put the result into a template's context, or await it: it is loaded once, however often and
    wherever it is used. Where another connection could show something else than the request's own
    (in a transaction, for instance), it is loaded in the request's thread when it is needed.

    Args:
        source: a queryset, a manager (for all its rows), a raw queryset, or a function that
            queries, such as ``queryset.count``, and is called without arguments. A queryset that
            only ``async for`` reads is read by a task.
        using: the alias of the database; of a function, that of the only one that it asks.

    Returns:
        An awaitable. It gives the queryset, with its rows (of ``using``, if that was given), or
        what the function returned.

    Raises:
        TypeError: ``source`` is something else.
        ConnectionDoesNotExist: there is no database called ``using``.
    """
    if using is not None and using not in connections.settings:
        raise ConnectionDoesNotExist(
            f"aload(using={using!r}): there is no such database. settings.DATABASES has "
            f"{', '.join(map(repr, connections.settings))}."
        )
    if is_loading(source):
        return source
    if isinstance(source, BaseManager):
        source = source.all()
    if isinstance(source, QUERYSETS) and not is_source(type(source)):
        return load_rows(source, using)
    if is_async_source(source):
        return AsyncLoad(source if using is None else source.using(using))
    if not is_callable_source(source):
        raise refused_source(source)
    return load_result(source, using)


def load_result(function: Callable[[], Any], using: str | None = None) -> Load:
    """Begin to call a function that queries."""
    job, departure = Job(CallSource(function, using)), departure_here()
    departure.begin(job)
    return Load(job, departure)


def load_rows(queryset: Any, using: str | None = None) -> Loading:
    """Begin to load the rows of a queryset, unless somebody does already."""
    with _beginning:
        if using is not None:
            queryset = _of_database(queryset, using)
        if is_evaluated(queryset):
            return Loaded(queryset)
        found = loading_of(queryset)
        if found is not None:
            return found
        job, departure = Job(RowsSource(queryset, using)), departure_here()
        # It does not hold the queryset: when nobody has that any more, nobody needs the rows.
        note_loading(queryset, partial(Load, job, departure))
    departure.begin(job)
    return Load(job, departure, queryset)


_beginning = threading.Lock()
"""Held while a queryset is looked up and noted, so that two threads do not load the same."""

# The copies for a database of querysets that somebody has. Any thread may take one out, when the
# queryset is freed; `_beginning` is held while one is looked up and put in.
_copies: dict[tuple[int, str], tuple[weakref.ref[Any], Any]] = {}


def _of_database(queryset: Any, using: str) -> Any:
    """Return the queryset's copy for a database: the same one each time."""
    key = (id(queryset), using)
    entry = _copies.get(key)
    if entry is None or entry[0]() is not queryset:
        reference = weakref.ref(queryset, lambda _: _copies.pop(key, None))
        entry = _copies[key] = (reference, queryset.using(using))
    return entry[1]


def start_together(querysets: Iterable[Any]) -> None:
    """Begin to load several querysets; whoever needs the rows of one then waits for its load.

    To be called in the request's thread, or on the event loop. What is no queryset of Django's, or
    has its rows, is left alone.
    """
    for queryset in querysets:
        if isinstance(queryset, QUERYSETS) and not is_source(type(queryset)):
            load_rows(queryset)
