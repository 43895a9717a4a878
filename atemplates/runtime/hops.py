"""A hop: one call in the request's thread, and what a cancelled one must not leave behind.

Besides the drivers, only this room knows asgiref.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextvars import Context, copy_context
from functools import partial
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import AsyncToSync, SyncToAsync, async_to_sync, sync_to_async
from asgiref.sync import _restore_context as restore_context
from asgiref.sync import iscoroutinefunction as iscoroutinefunction
from asgiref.sync import markcoroutinefunction as markcoroutinefunction

from .apart import await_apart, has_async_backend
from .errands import Errands
from .errands import put_back as put_back
from .errands import thread_of_task as thread_of_task

ASYNC_TO_SYNC = AsyncToSync.__call__.__code__
"""What calls a coroutine function before the loop runs that is going to await it."""

P = ParamSpec("P")
R = TypeVar("R")


class _Thread(threading.local):
    """What this thread is busy with. No other thread sees it."""

    hop: Hop | None = None
    """The innermost hop that runs in it."""


THREAD = _Thread()


async def in_request_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call ``function`` in the request's thread, the one whose connections the view uses.

    A task that is cancelled meanwhile gets its ``CancelledError`` when the call has ended.
    """
    result: R = await Hop(function, *args, **kwargs).make()
    return result


def from_thread(function: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
    """Block this thread until ``function(...)`` is awaited, and return the result.

    In a thread that `sync_to_async` started, it is awaited on the loop that waits for the
    thread; elsewhere on a loop of its own.

    Raises:
        CancelledError: the hop that runs in this thread was cancelled. What had begun to be
            awaited is cancelled; the rest is not begun.
    """
    hop = THREAD.hop
    if hop is None:
        if not has_async_backend():
            return async_to_sync(function)(*args, **kwargs)
        # Each such loop would leave a variable of its own in this thread's context.
        apart = partial(async_to_sync(await_apart), function, *args, **kwargs)
        return copy_context().run(apart)  # type: ignore[no-any-return]
    result: R = async_to_sync(hop.awaiting)(function, *args, **kwargs)
    return result


def run_elsewhere(context: Context, function: Callable[[], R]) -> R:
    """Call a function in a thread that is not the request's, with the context variables of it.

    Asgiref's are put back as well: its `Local`s, such as the language, belong to the thread that
    set them. Sync work that the call awaits does not come to the request's thread, which may be
    waiting for this one.
    """

    def call() -> R:
        restore_context(context)
        put_back(None)
        return function()

    return context.run(call)


def context_for_task(context: Context, executor: Any) -> Context:
    """Return the context variables of the request's thread for a task of this loop.

    Args:
        context: as they are in the thread; asgiref's `Local`s are seen only there.
        executor: what runs the sync work of the task that waits for the thread.
    """
    made = context.copy()

    def settle() -> None:
        restore_context(context)
        put_back(executor)
        SyncToAsync.deadlock_context.set(False)

    made.run(settle)
    return made


class Hop:
    """A call in the request's thread that a cancelled task does not leave behind running.

    asgiref stops waiting for the thread when the task is cancelled, but the thread goes on; and
    what it runs works on the same context that a plan is about to unwind.
    """

    def __init__(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        self.function = function
        self.args = args
        self.kwargs = kwargs
        self.lock = threading.Lock()
        self.state = "new"
        self.result: Any = None
        """What the call gave, also when nobody waits for it any more."""
        self.ended: asyncio.Future[None] | None = None
        """Done when the call has ended; there when nobody but `abandon` waits for that."""
        self.context: Context | None = None
        """The context variables as the call left them."""
        self.tasks: list[asyncio.Task[Any]] = []
        """What the call waits for on the loop."""
        self.errands = Errands() if has_async_backend() else None
        """What these have awaited by the task that waits for the call, where that matters: the
        connections of an async backend belong to it."""

    async def make(self) -> Any:
        """Make the call.

        Raises:
            CancelledError: the task was cancelled. The call has ended or is not made.
        """
        try:
            call = sync_to_async(self.call, thread_sensitive=True)()
            return await (call if self.errands is None else self.errands.attend(call))
        except asyncio.CancelledError:
            await self.abandon()
            raise

    def call(self) -> Any:
        """Make the call; runs in the thread."""
        with self.lock:
            if self.state == "abandoned":
                raise asyncio.CancelledError
            self.state = "running"
        outer, THREAD.hop = THREAD.hop, self
        try:
            self.result = self.function(*self.args, **self.kwargs)
            return self.result
        finally:
            THREAD.hop = outer
            with self.lock:
                self.state = "ended"
                self.context = copy_context()
                if self.ended is not None:
                    self.ended.get_loop().call_soon_threadsafe(self.ended.set_result, None)

    async def awaiting(self, function: Callable[..., Awaitable[R]], *args: Any, **kwargs: Any) -> R:
        """Await ``function(...)`` for the call, unless it was abandoned; runs on the loop."""
        task = asyncio.current_task()
        assert task is not None
        with self.lock:
            if self.ended is not None:
                raise asyncio.CancelledError
            self.tasks.append(task)
        try:
            if self.errands is None:
                return await function(*args, **kwargs)
            result: R = await self.errands.ask(function, *args, **kwargs)
            return result
        finally:
            with self.lock:
                self.tasks.remove(task)

    async def abandon(self) -> None:
        """Keep the call from being made, or see to it that it ends."""
        tasks: list[asyncio.Task[Any]] = []
        with self.lock:
            if self.state == "new":
                self.state = "abandoned"
            elif self.state == "running":
                self.ended = asyncio.get_running_loop().create_future()
                tasks += self.tasks
        for task in tasks:
            # asgiref cancels the first thing that a call waits for, but loses sight of it once
            # the thread has run a `sync_to_async` of an earlier one: without this the thread
            # might wait for ever.
            if not task.cancelling():
                task.get_loop().call_soon_threadsafe(task.cancel)
        while self.ended is not None and not self.ended.done():
            try:
                await asyncio.shield(self.ended)
            except asyncio.CancelledError:
                continue  # cancelled again: the thread has to end all the same
        if self.context is not None:
            # asgiref took over the language, the executor (see `put_back`) and the like as they
            # were in the midst of the call, also where the call has ended since.
            restore_context(self.context)
            # In the thread it is set, so that nobody waits there for that thread; here a
            # `sync_to_async` clears it when it is done.
            SyncToAsync.deadlock_context.set(False)
