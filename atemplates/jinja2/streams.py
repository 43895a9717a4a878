"""Rows that arrive one after the other and may have to be waited for.

Each class reads from another kind of object: an async iterable, one that may query and is read in
the request's thread, an iterator, a filter of ours.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from itertools import islice
from typing import Any

from jinja2.utils import missing

from ..runtime.waits import Kind, Plan, Wait
from .placed import stands_on_loop
from .tracebacks import internal

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
