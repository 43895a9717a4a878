"""Rows for loops and filters, from whatever a template iterates over.

Containers and evaluated querysets are read as they are. Everything else becomes a `Stream`: rows
that arrive one after the other and may have to be waited for. On the event loop an iterator of
unknown make is read in the request's thread, because one that meets the database half-way cannot
be asked from its beginning.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from itertools import islice
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from jinja2.utils import missing

from ..placement.value_code import iteration_code
from ..runtime.async_sources import REFUSALS
from ..runtime.relations import evaluate
from ..runtime.types import is_iterator
from ..runtime.waits import Kind, Plan, Wait
from .iteration import IterationStrategy, iteration_strategy, reads_containers
from .placed import stands_on_loop, taken
from .sources import source_rows
from .state import running_state
from .tracebacks import internal
from .values import SEARCHABLE_TYPES, SETTLED_TYPES, settled

largest_chunk = 256
"""How many rows one wait may bring. Chunks start small: a loop may end early."""


not_yet = object()
"""In the place of rows that have to be waited for."""


class Stream:
    """Rows that can be read once, one after the other. Always true, has no length."""

    upstream: Stream | None = None

    place: tuple[Any, Any] = (None, None)
    """The site of the filter that makes the rows, and the root of its value's path. Set by
    `settled`."""

    ahead = 0
    """How many of the rows that are ready a loop has looked at before their turn."""

    def __init__(self, in_loop: bool) -> None:
        self.ready: deque[Any] = deque()
        self.in_loop = in_loop
        """Whether rows may have to be waited for on the event loop."""

    def fetch(self) -> Plan:
        """Add at least one row to ``ready``, or return False if there are no more."""
        raise NotImplementedError

    @internal
    def chunk(self) -> Plan:
        """Return an iterator over some rows, or None at the end. Unread rows stay in the stream."""
        if not self.ready and not (yield from self.fetch()):
            return None
        return self.flow()

    def flow(self) -> Iterator[Any]:
        """The rows that are at hand."""
        return drained_rows(self.ready)

    @internal
    def next(self) -> Plan:
        """Return the next row, or ``missing`` at the end."""
        if not self.ready and not (yield from self.fetch()):
            return missing
        if self.ahead:
            self.ahead -= 1
        return self.ready.popleft()

    @internal
    def peek(self) -> Plan:
        """Return the next row without taking it, or ``missing`` at the end."""
        if not self.ready and not (yield from self.fetch()):
            return missing
        self.ahead = self.ahead or 1
        return self.ready[0]

    @internal
    def fill(self) -> Plan:
        """Fetch every row there is; return how many are ready."""
        while (yield from self.fetch()):
            pass
        self.ahead = len(self.ready)
        return self.ahead

    @internal
    def rest(self) -> Plan:
        """Take every row there is, as a list."""
        yield from self.fill()
        rows = list(self.ready)
        self.ready.clear()
        return rows

    @internal
    def close(self) -> Plan:
        """Give up: close what the rows came from; what a loop has looked at is read."""
        while self.ahead and self.ready:
            self.ahead -= 1
            self.ready.popleft()
        if self.upstream is not None:
            yield from self.upstream.close()

    def at_once(self) -> Any:
        """All rows as a list, if nothing has to be waited for, else ``not_yet``."""
        return not_yet

    def _is_bounded(self) -> bool:
        """Whether there is an end to the rows for certain."""
        return False


@internal
def drained_rows(rows: deque[Any]) -> Iterator[Any]:
    while rows:
        yield rows.popleft()


class AsyncStream(Stream):
    """Rows of an async iterable, awaited in chunks that grow."""

    def __init__(self, iterable: Any, in_loop: bool) -> None:
        super().__init__(in_loop)
        self.iterator = aiter(iterable)
        # Without a running loop each await has a loop of its own, which closes at its end the
        # async generators it has started: then there is only one chance to read.
        self.size = 1 if in_loop else None
        self.exhausted = False
        self.failure: Exception | None = None
        """What the row after those that were read has raised."""

    @internal
    def fetch(self) -> Plan:
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        if self.exhausted:
            return False
        taken = yield Wait(Kind.AWAIT, take(self.iterator, self.size))
        rows, self.exhausted, self.failure = taken
        if self.size is not None:
            self.size = min(self.size * 2, largest_chunk)
        self.ready.extend(rows)
        return bool(rows)

    @internal
    def close(self) -> Plan:
        close = getattr(self.iterator, "aclose", None)
        if not self.exhausted and close is not None:
            self.exhausted = True
            yield Wait(Kind.AWAIT, close())


@internal
async def take(
    iterator: AsyncIterator[Any], size: int | None
) -> tuple[list[Any], bool, Exception | None]:
    """Read up to ``size`` rows; return them, whether that was the end, and what ended it."""
    rows: list[Any] = []
    while size is None or len(rows) < size:
        try:
            rows.append(await anext(iterator))
        except StopAsyncIteration:
            return rows, True, None
        except Exception as error:
            if not rows:
                raise
            return rows, True, error
    return rows, False, None


class ThreadStream(Stream):
    """Rows of a sync iterable that may query, read in the request's thread."""

    def __init__(self, iterable: Iterable[Any]) -> None:
        super().__init__(in_loop=True)
        self.iterable = iterable
        self.iterator: Iterator[Any] | None = None
        self.size = largest_chunk // 4
        self.failure: Exception | None = None
        """What the row after those that were read has raised."""

    @internal
    def fetch(self) -> Plan:
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        rows = yield Wait(Kind.CALL, self.read)
        self.ready.extend(rows)
        return bool(rows)

    @internal
    def read(self) -> list[Any]:
        if self.iterator is None:
            self.iterator = iter(self.iterable)
        rows: list[Any] = []
        try:
            for row in islice(self.iterator, self.size):
                rows.append(row)  # those before an exception count
        except Exception as error:
            if not rows:
                raise
            self.failure = error  # the template may not get that far
        return rows


class SharedStream(Stream):
    """Rows of an iterator that may query, read in the request's thread when it is their turn.

    Whoever reads on has to find there what a loop has not read. The first row takes the plan to the
    thread, where the next ones cost no hop.
    """

    def __init__(self, iterator: Iterator[Any]) -> None:
        super().__init__(in_loop=True)
        self.given = iterator
        self.iterator: Iterator[Any] | None = None
        self.exhausted = False

    @internal
    def fetch(self) -> Plan:
        row = (yield Wait(Kind.CALL, self.read)) if stands_on_loop() else self.read()
        if row is missing:
            return False
        self.ready.append(row)
        return True

    @internal
    def read(self) -> Any:
        """The next row, or ``missing`` at the end; called in the thread."""
        if self.exhausted:
            return missing
        if self.iterator is None:
            self.iterator = iter(self.given)
        row = next(self.iterator, missing)
        self.exhausted = row is missing
        return row

    @internal
    def flow(self) -> Iterator[Any]:
        """The rows that are ready, and the others as long as the plan is in the thread."""
        yield from drained_rows(self.ready)
        while not stands_on_loop() and (row := self.read()) is not missing:
            yield row

    @internal
    def next(self) -> Plan:
        if not self.ready and not stands_on_loop():
            return self.read()
        return (yield from super().next())


class IteratorStream(Stream):
    """Rows of an iterator that may be read here and now, one at a time."""

    def __init__(self, iterator: Iterator[Any]) -> None:
        super().__init__(in_loop=False)
        self.iterator = iterator

    @internal
    def fetch(self) -> Plan:
        row = next(self.iterator, missing)
        if row is missing:
            return False
        self.ready.append(row)
        return True
        yield


class PlannedStream(Stream):
    """Rows made by one of our own filters: a generator that yields rows, and waits when stuck."""

    def __init__(self, in_loop: bool) -> None:
        super().__init__(in_loop)
        self.steps: Generator[Any, Any, None] = iter(())  # type: ignore[assignment]

    @internal
    def fetch(self) -> Plan:
        return (yield from self.read(1))

    @internal
    def fill(self) -> Plan:
        yield from self.read(None)
        self.ahead = len(self.ready)
        return self.ahead

    @internal
    def read(self, count: int | None) -> Plan:
        """Read up to ``count`` rows, or all of them; return whether there was any."""
        advance: Any = self.steps.send
        argument: Any = None
        found = 0
        while count is None or found < count:
            try:
                step = advance(argument)
            except StopIteration:
                break
            if type(step) is not Wait:
                self.ready.append(step)
                found += 1
                advance, argument = self.steps.send, None
                continue
            try:
                argument = yield step
            except GeneratorExit:
                self.steps.close()
                raise
            except BaseException as error:  # every exception belongs to the filter
                advance, argument = self.steps.throw, error
            else:
                advance = self.steps.send
        return found > 0

    @internal
    def close(self) -> Plan:
        self.steps.close()
        yield from super().close()


PlannedStream.__name__ = PlannedStream.__qualname__ = "generator"  # as stock's filters give
PlannedStream.__module__ = "builtins"

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
def closed(stream: Stream) -> Plan:
    """Close a stream at the end of a loop, unless the plan itself is being thrown away."""
    if not isinstance(sys.exception(), GeneratorExit):
        yield from stream.close()


@internal
def kept(stream: Stream, steps: Plan) -> Plan:
    """Run steps that read a stream; close it when they fail."""
    try:
        return (yield from steps)
    except BaseException:
        yield from closed(stream)
        raise


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
    way = iteration_strategy(type(value))
    if way is IterationStrategy.SOURCE:
        return (yield from source_rows(value, in_loop)), None
    if way is IterationStrategy.EITHER and not in_loop:
        return None, either_stream(value)
    if way is IterationStrategy.EITHER:
        way = IterationStrategy.ASYNC
    if way is IterationStrategy.PLAIN:
        iter(value)  # raises, as a loop does, for what cannot be iterated
        return value, None
    if way is IterationStrategy.QUERYSET:
        return list((yield from evaluated(value, site, root))), None
    if way is IterationStrategy.SIZED:
        return (yield from listed(value)), None
    if way is IterationStrategy.STREAM:
        return None, value._stream
    if way is IterationStrategy.ASYNC:
        return None, AsyncStream(value, in_loop)
    if way is IterationStrategy.ITERATOR or not in_loop or reads_containers(value):
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
    way = iteration_strategy(type(value))
    if way is IterationStrategy.ITERATOR or (way is IterationStrategy.UNKNOWN and not in_loop):
        return value, None
    first, stream = yield from opened(value, in_loop, site, root)
    if stream is not None:
        first = yield from kept(stream, stream.chunk())
    return first, stream


@internal
def readable_rows(value: Any, in_loop: bool) -> Plan:
    """What a filter that reads all of ``value`` can use in its place, without waiting."""
    way = iteration_strategy(type(value))
    if way is IterationStrategy.QUERYSET:
        return (yield from evaluated(value))
    if (
        way is IterationStrategy.PLAIN
        or way is IterationStrategy.SIZED
        or way is IterationStrategy.ITERATOR
    ):
        return value
    rows, stream = yield from opened(value, in_loop)
    if stream is None:
        return rows
    try:
        rows = yield from stream.rest()
    finally:
        yield from closed(stream)
    return rows if way is IterationStrategy.ASYNC or way is IterationStrategy.EITHER else iter(rows)


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
