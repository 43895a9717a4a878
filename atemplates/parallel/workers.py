"""The threads that load: a few for each database, begun when there is work and ended when not."""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from typing import Protocol

from .own_connections import close_connections, keep_connections, rest_connections

USUAL_WORKERS = 8
"""How many workers a database has where no engine says more than one."""

IDLE = 5.0
"""The seconds after which a worker without work ends."""


class Task(Protocol):
    """What a worker does."""

    def run(self) -> bool:
        """Do it; False when it need not be done any more. Called by a worker."""
        ...

    def finish(self) -> None:
        """Say that it is done. Called by the worker once its connections are in order."""
        ...


class Workers:
    """The workers of one database.

    Args:
        alias: that of the database.
    """

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self._changed = threading.Condition()
        # Only touched with `_changed` held.
        self._busy = 0
        self._idle = 0
        self._given: deque[Task] = deque()
        """What a worker is about to begin; each has one."""
        self._queue: deque[weakref.ref[Task]] = deque()
        """What waits for a worker. Who wants it holds it: what nobody has any more is not begun."""

    def take(self, task: Task) -> bool:
        """Have a task done; False when it has to wait for a worker.

        Raises:
            RuntimeError: no thread can be started.
        """
        with self._changed:
            if self._busy >= limit():
                self._queue.append(weakref.ref(task))
                return False
            if self._idle:
                self._idle -= 1
                self._given.append(task)
                self._changed.notify()
            else:
                name = f"atemplates-load-{self.alias}"
                threading.Thread(target=self._work, args=(task,), name=name, daemon=True).start()
            self._busy += 1
            return True

    def _work(self, task: Task | None) -> None:
        while task is not None:
            ran = task.run()
            following = self._following()
            if following is None:
                rest_connections()
            else:
                keep_connections()
            if ran:
                task.finish()
            task = following or self._next()
        close_connections()

    def _following(self) -> Task | None:
        """Return what has waited longest, if it is still wanted."""
        with self._changed:
            while self._queue:
                task = self._queue.popleft()()
                if task is not None:
                    return task
        return None

    def _next(self) -> Task | None:
        """Wait for something to do; None when this worker has to end."""
        with self._changed:
            while self._queue:
                task = self._queue.popleft()()
                if task is not None:
                    return task
            self._busy -= 1
            self._idle += 1
            while not self._given:
                if not self._changed.wait(IDLE) and not self._given:
                    self._idle -= 1
                    return None
            return self._given.popleft()


# Any thread may ask for workers: `setdefault` is one step. A child process begins without threads.
_workers: dict[str, Workers] = {}
_allowed: list[int] = []


def allow(number: int) -> None:
    """Say what an engine's ``OPTIONS["parallel"]`` is; the largest counts."""
    _allowed.append(number)
    _allowed[:] = [max(_allowed)]


def limit() -> int:
    """How many workers each database may have."""
    most = max(_allowed, default=1)
    return most if most > 1 else USUAL_WORKERS


def workers_of(alias: str) -> Workers:
    """Return the workers of a database."""
    found = _workers.get(alias)
    return found if found is not None else _workers.setdefault(alias, Workers(alias))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_workers.clear)
