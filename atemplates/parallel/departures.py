"""Where loads wait until the request's thread has been asked whether they may leave it.

Its connections say so, and no other thread sees them. What a task asks for in one turn of the event
loop is asked about together.
"""

from __future__ import annotations

import asyncio
import threading
import weakref

from ..errors import logger
from ..runtime.drivers import on_event_loop
from ..runtime.hops import in_request_thread
from .jobs import Job

CANCELLED = "the task that asked for it was cancelled"
NO_THREAD = "the request's thread could not be asked, as it had ended"


class Departure:
    """The loads that a task, or a thread, has asked for.

    Those that wait for the decision are held here. Of the others only who waits for them holds
    them, and the worker that has begun one: what nobody wants any more need not begin.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Job] = []
        self._begun: list[weakref.ref[Job]] = []
        """Those that may still be waiting for a worker. Only used on the loop of the task."""
        self._task: asyncio.Task[None] | None = None

    def decide(self) -> None:
        """Let the loads go that may; runs in the request's thread, and does nothing again."""
        with self._lock:
            jobs, self._waiting = self._waiting, []
        for job in jobs:
            job.decide()

    def begin(self, job: Job) -> None:
        """Let a load begin: at once, or from the event loop as soon as the thread was asked."""
        with self._lock:
            self._waiting.append(job)
        if not on_event_loop():
            self.decide()
            return
        self._begun = [each for each in self._begun if is_queued(each())]
        self._begun.append(weakref.ref(job))
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._go())
            self._task.add_done_callback(self._gone)

    async def _go(self) -> None:
        while self._waiting:
            await in_request_thread(self.decide)

    def _gone(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            # Its executor has ended with the code that had begun it.
            logger.debug("Loads could not begin: %r.", task.exception())
        with self._lock:
            jobs, self._waiting = self._waiting, []
        for job in jobs:
            job.drop(CANCELLED if task.cancelled() else NO_THREAD)

    def asker_ended(self, asker: asyncio.Task[object]) -> None:
        """Begin nothing more, if the task that asked for it was cancelled."""
        if not asker.cancelled():
            return
        if self._task is not None:
            self._task.cancel()
        for reference in self._begun:
            job = reference()
            if job is not None:
                job.drop(CANCELLED)


def is_queued(job: Job | None) -> bool:
    """Whether a load has not begun."""
    return job is not None and job.has_not_begun()


# Several loops may run in several threads; a task's entry is read and written in its own.
_departures: weakref.WeakKeyDictionary[asyncio.Task[object], Departure] = (
    weakref.WeakKeyDictionary()
)


def departure_here() -> Departure:
    """Return what takes the loads along that the running task, or thread, asks for."""
    task = asyncio.current_task() if on_event_loop() else None
    if task is None:
        return Departure()
    found = _departures.get(task)
    if found is None:
        found = _departures[task] = Departure()
        task.add_done_callback(found.asker_ended)
    return found
