"""Awaitables that parts of a page share while they are rendered at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator, Iterable
from typing import Any

from .apart import task_apart


class SharedAwaitables:
    """The awaitables that branches of one render have met: each is awaited once.

    Args:
        users: how many there are that call `leave` at their end, beside those who come and go.
    """

    def __init__(self, users: int = 0) -> None:
        self.for_branches = False
        """Whether branches have been told of by `share`."""
        self.tasks: dict[int, tuple[Any, asyncio.Future[Any]]] = {}
        """The identity of an awaitable -> it, and what awaits it."""
        self.users = users
        """How many are under way that may await them: `run_branches`, a page that is sent."""

    def result(self, awaitable: Any) -> SharedResult:
        """Return what awaits an awaitable that another branch may have begun to await."""
        return SharedResult(self, awaitable)

    def begun(self, awaitable: Any) -> asyncio.Future[Any]:
        """Begin to await an awaitable, unless somebody has."""
        known = self.tasks.get(id(awaitable))
        if known is None:
            known = self.tasks[id(awaitable)] = (awaitable, task_apart(awaitable))
        return known[1]

    async def begun_together(self, awaitables: Iterable[Any], wanted: Any) -> Any:
        """Begin to await several awaitables; return the result of one of them."""
        for each in awaitables:
            self.begun(each)
        return await self.result(wanted)

    async def first_steps(self) -> None:
        """Let what has just begun run until it waits: many a one is done then."""
        await asyncio.sleep(0)

    async def rows(self, source: Any, read: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
        """Read a source together with those who read it at this moment."""
        known = self.tasks.get(id(source))
        if known is None:
            task = task_apart(read(source))
            known = self.tasks[id(source)] = source, task
            # Who reads it later finds out whether it has changed.
            task.add_done_callback(lambda _: self.tasks.pop(id(source), None))
        return await asyncio.shield(known[1])

    async def leave(self) -> None:
        """Cancel those that are not done, when nobody awaits them any more."""
        self.users -= 1
        if self.users == 0:
            await cancel([task for _, task in self.tasks.values()])


class SharedResult:
    """Awaits an awaitable that another branch may await as well."""

    __slots__ = ("awaitable", "shared")

    def __init__(self, shared: SharedAwaitables, awaitable: Any) -> None:
        self.shared = shared
        self.awaitable = awaitable

    def __await__(self) -> Generator[Any, Any, Any]:
        return asyncio.shield(self.shared.begun(self.awaitable)).__await__()

    @property
    def is_begun(self) -> bool:
        """Whether a branch has begun to await it."""
        return id(self.awaitable) in self.shared.tasks

    @property
    def done(self) -> asyncio.Future[Any] | None:
        """What holds the result, if it is there."""
        known = self.shared.tasks.get(id(self.awaitable))
        ended = known is not None and known[1].done() and not known[1].cancelled()
        return known[1] if known is not None and ended else None


async def cancel(tasks: Any) -> None:
    """Cancel tasks and wait until they have ended; a cancellation meanwhile goes on after that."""
    unfinished = [task for task in tasks if not task.done()]
    for task in unfinished:
        task.cancel()
    cancelled: BaseException | None = None
    while not all(task.done() for task in unfinished):
        try:
            await asyncio.wait(unfinished)
        except asyncio.CancelledError as error:
            cancelled = error
    for task in tasks:
        # Marks the exceptions of the others as seen: one is raised, none is reported late.
        if task.done() and not task.cancelled():
            task.exception()
    if cancelled is not None:
        raise cancelled


def cancel_soon(task: asyncio.Task[Any]) -> None:
    """Cancel a task, from any thread, also after the end of its loop."""
    if not task.done():
        loop = task.get_loop()
        if not loop.is_closed():
            loop.call_soon_threadsafe(task.cancel)
