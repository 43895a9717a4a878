"""Where loads wait until the request's thread has been asked whether they may leave it.

Its connections say so, and no other thread sees them. Loads that one task asks for in one turn of
the event loop are asked about together.
"""

from __future__ import annotations

import asyncio
import threading
import weakref

from ..errors import logger
from ..runtime.drivers import on_event_loop
from ..runtime.hops import in_request_thread
from .jobs import Job


class Departure:
    """Loads that begin together."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        """What is to be decided about."""
        self.decided = False
        self._begun: list[weakref.ref[Job]] = []
        """What was: who waits for a load holds it, and so does a worker that has begun."""
        self._lock = threading.RLock()
        """Held while the request's thread decides; a router that it asks may load by itself."""
        self._task: asyncio.Task[None] | None = None

    def decide(self) -> None:
        """Let the loads go that may; runs in the request's thread, and does nothing again."""
        with self._lock:
            if not self.decided:
                self.decided = True
                for job in self.jobs:
                    job.decide()
                self._begun += map(weakref.ref, self.jobs)
                self.jobs.clear()

    def board(self, job: Job) -> bool:
        """Take a load along; False when the others are gone."""
        with self._lock:
            if not self.decided:
                self.jobs.append(job)
            return not self.decided

    def begin(self) -> None:
        """Go to the request's thread, from the event loop."""
        asker = asyncio.current_task()
        self._task = asyncio.get_running_loop().create_task(self._go())
        self._task.add_done_callback(self._gone)
        if asker is not None:
            asker.add_done_callback(self._asker_ended)

    async def _go(self) -> None:
        await in_request_thread(self.decide)

    def _gone(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            # There is no thread any more: its executor ended with what had begun it.
            logger.debug("Loads could not begin: %r.", task.exception())
        self._drop("the task that asked for it ended before the request's thread was asked")

    def _asker_ended(self, asker: asyncio.Task[object]) -> None:
        if asker.cancelled():
            self._drop("the task that asked for it was cancelled", begun=True)
        if self._task is not None and not self._task.done():
            self._task.cancel()

    def _drop(self, reason: str, begun: bool = False) -> None:
        for job in list(self.jobs):
            job.drop(reason)
        for reference in self._begun if begun else ():
            queued = reference()
            if queued is not None:
                queued.drop(reason)


# Several loops may run in several threads; a task's entry is read and written in its own.
_open: weakref.WeakKeyDictionary[asyncio.Task[object], Departure] = weakref.WeakKeyDictionary()


def depart(job: Job) -> Departure:
    """Let a load begin: from the event loop with others of the task, else at once."""
    if not on_event_loop():
        departure = Departure()
        departure.board(job)
        departure.decide()
        return departure
    task = asyncio.current_task()
    found = _open.get(task) if task is not None else None
    if found is not None and found.board(job):
        return found
    departure = Departure()
    departure.board(job)
    departure.begin()
    if task is not None:
        _open[task] = departure
    return departure
