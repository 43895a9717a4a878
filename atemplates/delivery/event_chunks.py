"""Events on their way from an asynchronous iterable to who sends them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextvars import Context
from typing import Any

from ..errors import logger
from ..runtime.shared_awaitables import cancel, cancel_soon

Encode = Callable[[Any], Awaitable[bytes]]
"""Makes of what the iterable gives what is sent."""


class _Exchange:
    """Where the task that makes events and the one that sends them meet."""

    def __init__(self) -> None:
        self.is_closed = False
        """Whether nobody reads on."""
        self.is_wanted = asyncio.Event()
        """Set when the next event is asked for."""
        self.event: asyncio.Future[bytes] | None = None
        """The event that was asked for and not yet sent."""

    def ask(self) -> asyncio.Future[bytes]:
        if self.event is None:
            self.event = asyncio.get_running_loop().create_future()
            self.is_wanted.set()
        return self.event

    async def asked(self) -> asyncio.Future[bytes]:
        await self.is_wanted.wait()
        self.is_wanted.clear()
        assert self.event is not None
        return self.event


class EventChunks(AsyncIterator[bytes]):
    """The chunks of a stream of events, in order; read once.

    One task goes through the iterable, from its beginning to its end, so that what an author's
    generator holds across its ``yield`` (a timeout, a task group, a connection) is used in the task
    that it belongs to. It asks for an event only when the one before is sent.

    Args:
        events: the iterable, which begins with the first chunk after the opening.
        begin: is awaited before that; gives what makes a chunk of an item.
        opening: the first chunk.
        heartbeat: what is sent while there is no event, and after how many seconds.
        context: the context variables for the iterable and the templates; None: those that whoever
            reads has when it begins.
    """

    def __init__(
        self,
        events: AsyncIterable[Any],
        begin: Callable[[], Awaitable[Encode]],
        opening: bytes,
        heartbeat: tuple[bytes, float | None],
        context: Context | None = None,
    ) -> None:
        self._events: AsyncIterable[Any] | None = events
        self._begin = begin
        self._opening: bytes | None = opening
        self._beat, self._seconds = heartbeat
        self._context = context
        self._exchange: _Exchange | None = None
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self._told: BaseException | None = None
        """The error that was raised to whoever reads."""

    def __aiter__(self) -> EventChunks:
        return self

    async def __anext__(self) -> bytes:
        """Return the next chunk: the opening, an event or a heartbeat.

        Raises:
            StopAsyncIteration: there are no more events.
            Exception: what the iterable or a template has raised, once the iterable is closed.
        """
        if self._closed:
            raise StopAsyncIteration
        if self._opening is not None:
            opening, self._opening = self._opening, None
            return opening
        exchange, task = self._running()
        event = exchange.ask()
        either: set[asyncio.Future[Any]] = {event, task}
        await asyncio.wait(either, timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED)
        if event.done():
            exchange.event = None
            return event.result()
        if not task.done():
            return self._beat
        was_closed, self._closed = self._closed, True
        if task.cancelled():
            if was_closed:
                raise StopAsyncIteration
            raise RuntimeError("The iterable of events has raised CancelledError by itself.")
        error = self._told = task.exception()
        if error is None:
            raise StopAsyncIteration
        if isinstance(error, StopAsyncIteration):  # it would pass for the end of the stream
            raise RuntimeError("A template raised StopAsyncIteration.") from error
        raise error

    def _running(self) -> tuple[_Exchange, asyncio.Task[None]]:
        if self._exchange is None or self._task is None:
            assert self._events is not None
            self._exchange = _Exchange()
            self._task = asyncio.get_running_loop().create_task(
                _make(self._events, self._begin, self._exchange), context=self._context
            )
            self._events = None
        return self._exchange, self._task

    async def aclose(self) -> None:
        """Close the iterable, if it has begun, and wait until that is done."""
        self._end()
        task = self._task
        if task is None or task is asyncio.current_task():
            return
        await cancel([task])
        error = None if task.cancelled() else task.exception()
        if error is not None and error is not self._told:
            self._told = error
            logger.error("The events of a stream could not be closed.", exc_info=error)

    def close(self) -> None:
        """Close the iterable soon. Any thread may call it."""
        self._end()
        if self._task is not None:
            cancel_soon(self._task)

    def _end(self) -> None:
        self._closed = True
        self._events = None
        if self._exchange is not None:
            self._exchange.is_closed = True

    def __del__(self) -> None:
        self.close()


async def _make(
    events: AsyncIterable[Any], begin: Callable[[], Awaitable[Encode]], exchange: _Exchange
) -> None:
    """Make an event whenever one is asked for; hold nothing of who asks."""
    encode = await begin()
    iterator = aiter(events)
    try:
        while not exchange.is_closed:
            event = await exchange.asked()
            try:
                item = await anext(iterator)
            except StopAsyncIteration:
                break
            # The iterable may have made nothing of being cancelled.
            if not exchange.is_closed:
                event.set_result(await encode(item))
    finally:
        aclose = getattr(iterator, "aclose", None)
        if aclose is not None:
            await aclose()
