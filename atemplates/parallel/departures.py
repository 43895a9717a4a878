"""Where loads wait until the request's thread has been asked whether they may leave it.

Its connections say so, and no other thread sees them. What a task asks for in one turn of the event
loop is asked about together.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Generator
from contextvars import copy_context
from types import coroutine
from typing import Any

from ..errors import logger
from ..runtime.drivers import on_event_loop
from ..runtime.hops import in_request_thread
from ..runtime.waits import resume_plan
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
        self._going = False
        """Whether a call is on its way to the thread that will find what is waiting."""
        self._begun: list[weakref.ref[Job]] = []
        """Those that may still be waiting for a worker. Only used on the loop of the task."""
        self._calls: set[asyncio.Task[None]] = set()

    def begin(self, job: Job) -> None:
        """Let a load begin: at once, or from the event loop as soon as the thread was asked."""
        on_loop = on_event_loop()
        with self._lock:
            self._waiting.append(job)
            go = on_loop and not self._going
            self._going = self._going or on_loop
        if not on_loop:
            self.decide()
            return
        self._begun = [each for each in self._begun if is_queued(each())]
        self._begun.append(weakref.ref(job))
        if go:
            self._go()

    def decide(self) -> None:
        """Let the loads go that may; runs in the request's thread, and does nothing again."""
        for job in self._taken():
            job.decide()

    def _taken(self) -> list[Job]:
        with self._lock:
            jobs, self._waiting = self._waiting, []
            self._going = False
        return jobs

    def _go(self) -> None:
        """Call the request's thread, before anything that the task calls it for after this."""
        context = copy_context()
        call = in_request_thread(self.decide)
        try:
            first = context.run(call.send, None)
        except RuntimeError as error:
            self._drop(error)  # its executor has ended with the code that had begun it
            return
        rest = _finished(call, first)
        task = asyncio.get_running_loop().create_task(rest, context=context)
        self._calls.add(task)
        task.add_done_callback(self._gone)

    def _gone(self, task: asyncio.Task[None]) -> None:
        self._calls.discard(task)
        if task.cancelled():
            self._drop(None)
        elif task.exception() is not None:
            self._drop(task.exception())

    def _drop(self, error: BaseException | None) -> None:
        if error is not None:
            logger.debug("Loads could not begin: %r.", error)
        for job in self._taken():
            job.drop(CANCELLED if error is None else NO_THREAD)

    def asker_ended(self, asker: asyncio.Task[object]) -> None:
        """Begin nothing more, if the task that asked for it was cancelled."""
        if not asker.cancelled():
            return
        for task in self._calls:
            task.cancel()
        for reference in self._begun:
            job = reference()
            if job is not None:
                job.drop(CANCELLED)


async def _finished(call: Any, first: Any) -> None:
    """Await the rest of a coroutine that was begun, and waits for ``first``."""
    await _resumed(call, first)


@coroutine
def _resumed(call: Any, first: Any) -> Generator[Any, Any, None]:
    yield from resume_plan(call, first)


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
