"""Errands: what a thread needs awaited is awaited by the task that waits for the thread.

asgiref's `async_to_sync` awaits in a new task. A connection of an async database backend belongs to
the task that first used it, and refuses every other: the rows of a page are to be read by the task
that renders it, wherever its plan stands. So that task runs errands while it waits for the thread.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping
from contextvars import Context, copy_context
from types import coroutine
from typing import Any

from asgiref.sync import AsyncToSync
from asgiref.sync import _restore_context as restore_context


def thread_of_task() -> Any:
    """Return what runs the sync work of this task, where a thread that waits for it does."""
    return getattr(AsyncToSync.executors, "current", None)


def put_back(executor: Any) -> None:
    """Let ``executor``, as `thread_of_task` gave it, run the sync work of this task again.

    A cancelled `sync_to_async` leaves in the task what its thread had set at that moment. Inside
    an `async_to_sync` that is an executor for as long as it waits: once it has ended, all sync
    work of the task would fail, closing its connection too.
    """
    if thread_of_task() is not executor:
        AsyncToSync.executors.current = executor


class Errand:
    """One thing to be awaited for another task, with that task's context variables.

    Args:
        function: what is called with the arguments, and gives what is awaited.
        args: its arguments.
        kwargs: its named arguments.
    """

    def __init__(
        self,
        function: Callable[..., Awaitable[Any]],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> None:
        self.function = function
        self.args = args
        self.kwargs = kwargs
        self.context: Context = copy_context()
        """The context variables that it is run with; afterwards, as it left them."""
        self.done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Run it; what it raises goes to the task that asked for it."""
        if self.done.done():  # that task is cancelled
            return
        own, executor = copy_context(), thread_of_task()
        restore_context(self.context)
        try:
            result = await self.function(*self.args, **self.kwargs)
        except asyncio.CancelledError:
            self.done.cancel()
        except BaseException as error:
            if not self.done.done():
                self.done.set_exception(error)
            if not isinstance(error, Exception):
                raise
        else:
            if not self.done.done():
                self.done.set_result(result)
        finally:
            self.context = copy_context()
            restore_context(own)
            put_back(executor)


class Errands:
    """What others ask a task to await while it waits for something else."""

    def __init__(self) -> None:
        self.given: deque[Errand] = deque()
        self.bell: asyncio.Future[None] | None = None
        """What the task waits for while that something is stuck."""

    async def ask(self, function: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
        """Have something awaited by the task; called by another on the same loop."""
        errand = Errand(function, args, kwargs)
        self.given.append(errand)
        self.ring()
        try:
            return await errand.done
        finally:
            restore_context(errand.context)

    def ring(self, ended: Any = None) -> None:
        """Wake the task: there is an errand, or what it waits for has ended."""
        if self.bell is not None and not self.bell.done():
            self.bell.set_result(None)

    @coroutine
    def attend(self, waiting: Coroutine[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """Await a coroutine; run errands wherever it is stuck, and where one of them is."""
        return (yield from self._attend(waiting))

    def _attend(self, waiting: Coroutine[Any, Any, Any]) -> Generator[Any, Any, Any]:
        step: Callable[[Any], Any] = waiting.send
        given: Any = None
        while True:
            try:
                stuck = step(given)
            except StopIteration as ended:
                return ended.value
            step, given = waiting.send, None
            try:
                if asyncio.isfuture(stuck):
                    yield from self._until(stuck)
                else:
                    yield stuck
            except BaseException as error:  # it belongs to the coroutine
                step, given = waiting.throw, error

    def _until(self, stuck: asyncio.Future[Any]) -> Generator[Any, Any, None]:
        """Wait until a future is done, and run errands; cancelled, do as a task does."""
        stuck.add_done_callback(self.ring)
        while not stuck.done():
            if self.given:
                before = cancellations()
                yield from self._attend(self.given.popleft().run())
                # A task is cancelled by what it runs: an errand, this time.
                if cancellations() > before and not stuck.cancel():
                    raise asyncio.CancelledError
                continue
            self.bell = asyncio.get_running_loop().create_future()
            try:
                yield from self.bell
            except asyncio.CancelledError:
                if not stuck.cancel():
                    raise


def cancellations() -> int:
    """How often the running task was told to stop."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()
