"""A page as an asynchronous iterator of its chunks, rendered by a task of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any

from ..runtime.apart import await_apart, has_async_backend
from ..runtime.lasting_thread import outlive_view
from ..runtime.shared_awaitables import cancel, cancel_soon
from .feed import Feed
from .out_of_order import OutOfOrder

RUNNING: set[asyncio.Task[None]] = set()
"""The tasks that render pages. What one waits for, only its page may hold: without this, both would
be thrown away together, in no order. Tasks of several loops race for it in steps of a set."""


class TemplateChunks(AsyncIterator[str]):
    """The chunks of a page, in order; read once.

    The page is rendered by a task with a copy of the context variables, so that its language, its
    time zone and the like are nobody else's. The task begins with the first chunk that is asked
    for. It ends when all chunks are read, when `aclose` or `close` is called, or when nobody holds
    the iterator any more.

    Args:
        render: renders the page into a feed.
        discard: closes what was given to be rendered, if the task never begins.
        out_of_order: what sends parts when they are ready; None: the page is sent in its order.
    """

    def __init__(
        self,
        render: Callable[[Feed], Coroutine[Any, Any, None]],
        discard: Callable[[], object] = bool,
        out_of_order: OutOfOrder | None = None,
    ) -> None:
        self.out_of_order = out_of_order
        self.context: Context | None = None
        """The context variables to render with, if not a copy of those at the beginning."""
        self._produce = render
        self._discard = discard
        self._feed: Feed | None = None
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def feed(self) -> Feed:
        """What the page is written to. There is one when a loop runs."""
        if self._feed is None:
            self._feed = Feed(self.out_of_order)
        return self._feed

    def _begin(self) -> Feed:
        feed = self.feed
        if self._task is None and not self._closed:
            context = self.context or copy_context()
            context.run(outlive_view)
            self._task = feed.loop.create_task(_run(self._produce, feed), context=context)
            RUNNING.add(self._task)
            self._task.add_done_callback(RUNNING.discard)
        return feed

    async def shell(self) -> None:
        """Begin to render, and wait until the first chunk is there.

        Raises:
            Exception: what the render has raised before.
        """
        try:
            await self._begin().begun()
        except BaseException:
            await self.aclose()
            raise

    def __aiter__(self) -> TemplateChunks:
        return self

    async def __anext__(self) -> str:
        """Return the next chunk.

        Raises:
            StopAsyncIteration: the page is at its end.
            Exception: what the render has raised, after the text before it.
        """
        feed = self._begin()
        if self._closed:
            raise StopAsyncIteration
        try:
            chunk = await feed.read()
        except BaseException as error:
            await self.aclose()
            if isinstance(error, StopAsyncIteration):  # it would pass for the end of the page
                raise RuntimeError("a template raised StopAsyncIteration") from error
            raise
        if chunk is None:
            await self.aclose()
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        """Stop rendering, and wait until the task has ended."""
        self._end()
        if self._task is not None and self._task is not asyncio.current_task():
            await cancel([self._task])

    def close(self) -> None:
        """Stop rendering soon. Any thread may call it."""
        self._end()
        if self._task is not None:
            cancel_soon(self._task)

    def _end(self) -> None:
        if not self._closed:
            self._closed = True
            if self._task is None:
                self._discard()

    def __del__(self) -> None:
        self.close()


async def _run(render: Callable[[Feed], Coroutine[Any, Any, None]], feed: Feed) -> None:
    try:
        # The connections of an async backend belong to the task that reads the page.
        await (await_apart(render, feed) if has_async_backend() else render(feed))
    except BaseException as error:
        feed.end(error)
        if not isinstance(error, Exception):
            raise
    else:
        feed.end()
