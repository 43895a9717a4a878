"""How a value is iterated: what its type tells, looked up once for each type."""

from __future__ import annotations

from enum import Enum
from typing import Any

from django.db.models.query import QuerySet

from ..runtime.async_sources import has_truth
from ..runtime.types import is_source, stands_for_nothing
from .values import SEARCHABLE_TYPES


class IterationStrategy(Enum):
    """How values of a type are iterated."""

    PLAIN = 1
    QUERYSET = 2
    STREAM = 3
    ASYNC = 4
    EITHER = 5
    """Both sync and async."""
    SIZED = 6
    """Sync, can be read again, has an end."""
    ITERATOR = 7
    """Sync, can be read once, made of containers only."""
    SOURCE = 9
    """Async, with an end, can be read again: a queryset that is not Django's."""
    UNKNOWN = 8
    """Sync, may query, may never end."""


examples: tuple[Any, ...] = (
    iter([]),
    iter(()),
    iter({}),
    iter({}.values()),
    iter({}.items()),
    iter(set()),
    iter(range(0)),
    iter(range(2**70)),
    iter(""),
    iter("ä"),
    reversed([]),
    reversed({}),
    reversed({}.values()),
    reversed({}.items()),
)
iterators_of_containers: frozenset[type] = frozenset(map(type, examples))
"""Iterators that read nothing but a container."""

# Any thread may add to it: all find the same for a type, and an entry is never changed.
strategies: dict[type, IterationStrategy] = dict.fromkeys(SEARCHABLE_TYPES, IterationStrategy.PLAIN)
strategies.update(dict.fromkeys(iterators_of_containers, IterationStrategy.ITERATOR))


def iteration_strategy(kind: type) -> IterationStrategy:
    """How values of a type are iterated; looked up once for each type."""
    strategy = strategies.get(kind)
    if strategy is None:
        strategy = find_strategy(kind)
        if len(strategies) < 4096:
            strategies[kind] = strategy
    return strategy


def find_strategy(kind: type) -> IterationStrategy:
    sync = hasattr(kind, "__iter__") or hasattr(kind, "__getitem__")
    if stands_for_nothing(kind):
        return IterationStrategy.PLAIN
    if is_source(kind) and has_truth(kind):
        return IterationStrategy.SOURCE
    if issubclass(kind, QuerySet):
        return IterationStrategy.QUERYSET
    if getattr(kind, "_is_rows", False):
        return IterationStrategy.STREAM
    if hasattr(kind, "__aiter__"):
        return IterationStrategy.EITHER if sync else IterationStrategy.ASYNC
    if not sync:
        return IterationStrategy.PLAIN  # iter() will say that it is not iterable
    if hasattr(kind, "__next__") or not hasattr(kind, "__len__"):
        return IterationStrategy.UNKNOWN
    return IterationStrategy.SIZED


def reads_containers(iterator: Any) -> bool:
    """Whether an iterator reads nothing but containers, also through zip() and enumerate()."""
    if type(iterator) in iterators_of_containers:
        return True
    if type(iterator) in (zip, enumerate):
        _, sources = iterator.__reduce__()[:2]
        return all(type(source) is int or reads_containers(source) for source in sources)
    return False
