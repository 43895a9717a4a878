"""Fetch modes (Django 6.1): what a property, method or ``__str__`` reaches for is batched too.

Below 6.1 there are none: such access is fetched singly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import Any

import django
from django.db.models import Model, QuerySet

from .models import PREFETCHED, is_a, loaded_rows

AVAILABLE = django.VERSION >= (6, 1)

FetchMode: Any = object
FETCH_ONE: Any = None
if AVAILABLE:
    fetch_modes: Any = import_module("django.db.models.fetch_modes")
    FetchMode, FETCH_ONE = fetch_modes.FetchMode, fetch_modes.FETCH_ONE

current: ContextVar[Any] = ContextVar("atemplates_fetching", default=None)
"""The render that runs: instances may be shared with another one, whose policy is not ours."""


class LoopFetchMode(FetchMode):  # type: ignore[misc]
    """Asks a render what to fetch, while the render goes on; else fetches one, as usual.

    Django hands the mode of an instance on to what a property reads through it, and notes which
    rows came with the same query.
    """

    __slots__ = ("render",)

    track_peers = True

    def __init__(self) -> None:
        self.render: Any = None
        """Whose ``fetch_in_python(fetcher, instance)`` decides; None when the render is over."""

    def fetch(self, fetcher: Any, instance: Model) -> None:
        """Fetch a field for an instance, and perhaps for those beside it.

        Raises:
            LazyAccessError: under ``"raise"``.
            ObjectDoesNotExist: there is no such row.
        """
        if self.render is None or current.get() is not self.render:
            fetcher.fetch_one(instance)
        else:
            self.render.fetch_in_python(fetcher, instance)

    def __reduce__(self) -> Any:
        # An instance that is pickled (into a cache, say) leaves the render.
        return usual, ()


def usual() -> Any:
    """Return the mode that instances have when nobody chose one."""
    return FETCH_ONE


def fetch_one(fetcher: Any, instance: Model) -> None:
    """Fetch a field for one instance as Django does."""
    with usual_mode(instance):
        fetcher.fetch_one(instance)


@contextmanager
def usual_mode(instance: Model) -> Iterator[None]:
    """Take our mode off an instance for a while: what is loaded from it inherits its mode."""
    mode = instance._state.fetch_mode if AVAILABLE else None
    if not isinstance(mode, LoopFetchMode):
        yield
        return
    instance._state.fetch_mode = FETCH_ONE
    try:
        yield
    finally:
        instance._state.fetch_mode = mode


def has_own_mode(instance: Model) -> bool:
    """Whether the user chose a fetch mode for this instance, which is then respected."""
    return AVAILABLE and is_own_mode(instance._state.fetch_mode)


def is_own_mode(mode: Any) -> bool:
    """Whether this is a fetch mode that the user chose: neither the usual one nor ours."""
    return (
        AVAILABLE
        and isinstance(mode, FetchMode)
        and mode is not FETCH_ONE
        and not isinstance(mode, LoopFetchMode)
    )


def is_usual(instance: Model) -> bool:
    """Whether an instance fetches one by one, so that it can be given a mode of ours."""
    return instance._state.fetch_mode is FETCH_ONE


def install_fetch_mode(mode: LoopFetchMode, instances: Iterable[Model]) -> None:
    """Give instances our fetch mode."""
    for instance in instances:
        instance._state.fetch_mode = mode


def restore(mode: LoopFetchMode, instances: Iterable[Model]) -> None:
    """Give instances their usual fetch mode back, and those that inherited ours from them.

    Ours comes to an end: an instance that nobody can reach from there fetches one by one, too.
    """
    waiting = list(instances)
    seen: set[int] = set()
    while waiting:
        instance = waiting.pop()
        if id(instance) in seen:
            continue
        seen.add(id(instance))
        if instance._state.fetch_mode is mode:
            instance._state.fetch_mode = FETCH_ONE
            vars(instance._state).pop("peers", None)
            waiting.extend(_kept_on(instance))
    mode.render = None


def _kept_on(instance: Model) -> Iterator[Model]:
    """Give the instances that an instance keeps: in its caches, and as attributes."""
    values = list(instance.__dict__.values())
    values.extend(instance._state.fields_cache.values())
    values.extend(vars(instance).get(PREFETCHED, {}).values())
    for value in values:
        if is_a(value, Model):
            yield value
        elif is_a(value, (list, tuple, QuerySet)):
            yield from (row for row in loaded_rows(value) if is_a(row, Model))
