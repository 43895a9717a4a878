"""How the rows of a value are read: as they are, or through a `Stream`.

Containers and evaluated querysets are read as they are. On the event loop an iterator of unknown
make is read in the request's thread, because one that meets the database half-way cannot be asked
from its beginning.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from jinja2.utils import missing

from ..placement.value_code import iteration_code
from ..runtime.async_sources import REFUSALS
from ..runtime.relations import evaluate
from ..runtime.types import is_iterator
from ..runtime.waits import Kind, Plan, Wait
from .iteration import IterationStrategy, iteration_strategy, reads_containers
from .placed import taken
from .sources import source_rows
from .state import running_state
from .streams import AsyncStream, IteratorStream, SharedStream, Stream, ThreadStream, closed, kept
from .tracebacks import internal
from .values import SEARCHABLE_TYPES, SETTLED_TYPES, settled

unbounded = frozenset(
    {
        IterationStrategy.ASYNC,
        IterationStrategy.EITHER,
        IterationStrategy.UNKNOWN,
        IterationStrategy.STREAM,
    }
)
"""How values are iterated that may have no end."""


@internal
def opened(value: Any, in_loop: bool, site: Any = None, root: Any = None) -> Plan:
    """Find how to read the rows of a value that is at hand.

    Args:
        value: what is to be read.
        in_loop: whether the plan runs on the event loop.
        site: the place and path of the expression that gave the value.
        root: the value of the variable that the path begins with.

    Returns:
        ``(rows, stream)``, of which one is None. The rows are a list, or what was passed in.
    """
    strategy = iteration_strategy(type(value))
    if strategy is IterationStrategy.SOURCE:
        return (yield from source_rows(value, in_loop)), None
    if strategy is IterationStrategy.EITHER and not in_loop:
        return None, either_stream(value)
    if strategy is IterationStrategy.EITHER:
        strategy = IterationStrategy.ASYNC
    if strategy is IterationStrategy.PLAIN:
        iter(value)  # raises, as a loop does, for what cannot be iterated
        return value, None
    if strategy is IterationStrategy.QUERYSET:
        return list((yield from evaluated(value, site, root))), None
    if strategy is IterationStrategy.SIZED:
        return (yield from listed(value)), None
    if strategy is IterationStrategy.STREAM:
        return None, value._stream
    if strategy is IterationStrategy.ASYNC:
        return None, AsyncStream(value, in_loop)
    if strategy is IterationStrategy.ITERATOR or not in_loop or reads_containers(value):
        return None, IteratorStream(iter(value))
    return None, SharedStream(value) if is_iterator(value) else ThreadStream(value)


internal(evaluate)


@internal
def evaluated(queryset: Any, site: Any = None, root: Any = None) -> Plan:
    """Evaluate a queryset, through the async ORM on the event loop; give one with its rows.

    The policy for relations may load a relation's rows for all rows of a loop.

    Raises:
        LazyAccessError: under ``relations="raise"``.
    """
    relations = running_state().relations
    wait = relations.whole(queryset, site, root)
    if wait is not None:
        return (yield from evaluate(relations, queryset, wait))
    try:
        len(queryset)  # loads what prefetch_related() asks for, if that has not been done
    except SynchronousOnlyOperation:
        queryset = yield Wait(Kind.ROWS, queryset)
    return queryset


@internal
def either_stream(value: Any) -> Stream:
    """The stream of what is both sync and async, off the event loop: sync, unless it refuses."""
    try:
        iterator = iter(value)
        first = next(iterator, missing)
    except REFUSALS:
        return AsyncStream(value, in_loop=False)
    stream = IteratorStream(iterator)
    if first is not missing:
        stream.ready.append(first)
    return stream


@internal
def listed(value: Iterable[Any]) -> Plan:
    """Read a finite iterable that can be read again."""
    code = iteration_code(value)
    if code is not None:
        return (yield from taken(code, rows_in, (value,)))
    try:
        return rows_in(value)
    except SynchronousOnlyOperation:
        return (yield Wait(Kind.CALL, rows_in, (value,)))


def rows_in(value: Iterable[Any]) -> list[Any]:
    """Read a finite iterable as a loop does; ``list()`` would ask it for its length as well."""
    return [row for row in value]  # noqa: C416


@internal
def open_rows(in_loop: bool, value: Any, site: Any = None, root: Any = None) -> Plan:
    """Begin a loop: return an iterable over the first rows, and the stream of the others."""
    if type(value) not in SETTLED_TYPES:
        value = yield from settled(value, site, root)
    strategy = iteration_strategy(type(value))
    if strategy is IterationStrategy.ITERATOR or (
        strategy is IterationStrategy.UNKNOWN and not in_loop
    ):
        return value, None
    first, stream = yield from opened(value, in_loop, site, root)
    if stream is not None:
        first = yield from kept(stream, stream.chunk())
    return first, stream


@internal
def readable_rows(value: Any, in_loop: bool) -> Plan:
    """What a filter that reads all of ``value`` can use in its place, without waiting."""
    strategy = iteration_strategy(type(value))
    if strategy is IterationStrategy.QUERYSET:
        return (yield from evaluated(value))
    if (
        strategy is IterationStrategy.PLAIN
        or strategy is IterationStrategy.SIZED
        or strategy is IterationStrategy.ITERATOR
    ):
        return value
    rows, stream = yield from opened(value, in_loop)
    if stream is None:
        return rows
    try:
        rows = yield from stream.rest()
    finally:
        yield from closed(stream)
    return (
        rows
        if strategy is IterationStrategy.ASYNC or strategy is IterationStrategy.EITHER
        else iter(rows)
    )


@internal
def settled_items(values: Any, count: int, in_loop: bool) -> Plan:
    """Make what is about to be unpacked ready, and its items.

    Args:
        values: what is unpacked.
        count: how many items are expected; of a stream not many more are read.
        in_loop: whether the plan runs on the event loop.
    """
    if type(values) not in SETTLED_TYPES:
        values = yield from settled(values)
    if not issubclass(type(values), (list, tuple)):
        if (
            type(values) in SEARCHABLE_TYPES
            or iteration_strategy(type(values)) is IterationStrategy.PLAIN
        ):
            return values
        values, stream = yield from opened(values, in_loop)
        if stream is not None:
            values = yield from first_rows(stream, count + 1)
    if SETTLED_TYPES.issuperset(map(type, values)):
        return values
    ready = []
    for value in values:
        ready.append((yield from settled(value)))
    return ready


@internal
def first_rows(stream: Stream, count: int) -> Plan:
    """Read up to ``count`` rows of a stream; the others are not wanted."""
    rows: list[Any] = []
    try:
        while len(rows) < count and (row := (yield from stream.next())) is not missing:
            rows.append(row)
    finally:
        yield from closed(stream)
    return rows
