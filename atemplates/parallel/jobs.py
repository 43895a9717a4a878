"""One load: who makes it, how far it is, and what it gave.

A load is made once, by a worker or by whoever needs it first. Everything that changes is changed
with its lock held, and nothing of others runs meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import Context, copy_context
from enum import Enum
from time import perf_counter
from types import TracebackType
from typing import Any

from ..relations.policy import Observer
from ..runtime.hops import run_elsewhere
from .own_connections import NoConnection, Watch, watched
from .permission import reason_to_stay
from .sources import CallSource, RowsSource
from .telling import log_stepping_back, observers_here, tell_load
from .workers import limit, workers_of

ROOM = f"{__name__.rpartition('.')[0]}."
"""What the names of the modules begin with that load."""


class JobProgress(Enum):
    """How far a load is."""

    UNDECIDED = "not begun"
    """The request's thread has not been asked whether it may run elsewhere."""
    QUEUED = "waiting for a worker"
    RUNNING = "loading"
    BACK = "to be loaded in the request's thread"
    TAKEN = "loading in the request's thread"
    DONE = "loaded"


class Job:
    """A load, shared by all who wait for it.

    Args:
        source: what is loaded.
    """

    def __init__(self, source: RowsSource | CallSource) -> None:
        self.source = source
        self.progress = JobProgress.UNDECIDED
        self.reason = ""
        """Why it is loaded in the request's thread."""
        self.result: Any = None
        self.told: tuple[Observer, ...] = observers_here()
        self._lock = threading.Lock()
        self._context: Context | None = copy_context()
        self._waiting: list[Future[None]] = []
        self._watches: list[Watch] = []
        self._opened: str | None = None
        self._error: BaseException | None = None
        self._trace: Any = None
        self._milliseconds = 0.0

    # -- deciding, in the request's thread ---------------------------------------------------------

    def decide(self) -> None:
        """Give the load to a worker, if nothing speaks against it; runs in the request's thread."""
        if self.progress is not JobProgress.UNDECIDED:
            return
        try:
            aliases = self.source.begin()
            reason = self.source.refusal() or next(filter(None, map(reason_to_stay, aliases)), "")
            if not reason:
                self._watches = [Watch.of(alias) for alias in aliases]
                self._opened = aliases[0] if len(aliases) == 1 else None
                self._give(aliases[0])
        except BaseException as error:
            # A router's, say. It surfaces where the rows are needed, as on a page without loads.
            reason = f"it could not begin: {error!r}"
        self.source.begun()
        if reason:
            self.step_back(reason)

    def _give(self, alias: str) -> None:
        # With the lock held, so that a worker that begins at once finds it running.
        with self._lock:
            if self.progress is JobProgress.UNDECIDED:
                begins = workers_of(alias).take(self)
                self._move(JobProgress.RUNNING if begins else JobProgress.QUEUED)

    def step_back(self, reason: str) -> None:
        """Leave the load to the request's thread, if no worker has begun."""
        with self._lock:
            if self.progress not in (
                JobProgress.UNDECIDED,
                JobProgress.QUEUED,
                JobProgress.RUNNING,
            ):
                return
            self.reason = reason
            self._move(JobProgress.BACK)
        log_stepping_back(self.source.name, reason)

    def drop(self, reason: str) -> None:
        """Leave the load to whoever still needs it; what runs is left alone."""
        with self._lock:
            if not self.has_not_begun():
                return
            self.reason = reason
            self._move(JobProgress.BACK)
        self.source.begun()

    # -- loading, in a worker's thread -------------------------------------------------------------

    def run(self) -> bool:
        """Load on a connection of this thread; False when somebody else does."""
        with self._lock:
            if self.progress is JobProgress.QUEUED:
                self._move(JobProgress.RUNNING)
            elif self.progress is not JobProgress.RUNNING:
                return False
        assert self._context is not None
        start = perf_counter()
        try:
            run_elsewhere(self._context, self._load)
        except NoConnection as error:
            self.reason = str(error)
        except BaseException as error:  # whatever it is, it surfaces where the load is needed
            self._keep(error)
        self._milliseconds = (perf_counter() - start) * 1000
        return True

    def _load(self) -> None:
        with watched(self._watches, self._opened):
            self.result = self.source.load()

    def finish(self) -> None:
        """Let those who wait have what was loaded."""
        if self.reason:
            self.step_back(self.reason)
            return
        self._tell("")
        self._done()

    # -- waiting -----------------------------------------------------------------------------------

    def has_not_begun(self) -> bool:
        """Whether a worker may still begin it."""
        return self.progress is JobProgress.UNDECIDED or self.progress is JobProgress.QUEUED

    def is_done(self) -> bool:
        """Whether there is a result, or an error."""
        return self.progress is JobProgress.DONE

    def take(self) -> bool:
        """Whether the caller is the one who has to load it."""
        with self._lock:
            if self.progress is JobProgress.QUEUED:
                self.reason = f"all {limit()} workers were busy"
            elif self.progress is not JobProgress.BACK:
                return False
            self._move(JobProgress.TAKEN)
            return True

    def load_here(self, load: Callable[[], Any]) -> None:
        """Load in this thread, for whoever took it."""
        start = perf_counter()
        try:
            self.result = load()
        except BaseException as error:
            self._keep(error)
        self._milliseconds = (perf_counter() - start) * 1000
        self._tell(self.reason)
        self._done()

    def next_change(self) -> Future[None] | None:
        """Return what is done when the load gets further; None when it is done or can be taken."""
        with self._lock:
            if self.progress in (JobProgress.DONE, JobProgress.QUEUED, JobProgress.BACK):
                return None
            future: Future[None] = Future()
            self._waiting.append(future)
            return future

    def outcome(self) -> Any:
        """Return the result.

        Raises:
            BaseException: what the load raised; the same each time.
        """
        if self._error is not None:
            raise self._error.with_traceback(self._trace)
        return self.result

    def _keep(self, error: BaseException) -> None:
        if isinstance(error, StopIteration):  # nothing that is awaited can raise it
            named = RuntimeError(f"aload({self.source.name}) raised StopIteration")
            named.__cause__ = error
            error = named
        self._error, self._trace = error, _of_others(error.__traceback__)

    def _tell(self, reason: str) -> None:
        if self.told:
            rows = 0 if self._error is not None else self.source.rows(self.result)
            name, model = self.source.name, self.source.model
            tell_load(self.told, name, model, rows, self._milliseconds, reason)

    def _done(self) -> None:
        self._context = None  # which may hold a whole request
        with self._lock:
            self._move(JobProgress.DONE)

    def _move(self, progress: JobProgress) -> None:
        """Note how far it is and wake those who wait; called with the lock held."""
        self.progress = progress
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if future.set_running_or_notify_cancel():
                future.set_result(None)


def _of_others(trace: TracebackType | None) -> TracebackType | None:
    """A traceback without the frames of this room that it begins with."""
    while trace is not None and trace.tb_frame.f_globals.get("__name__", "").startswith(ROOM):
        trace = trace.tb_next
    return trace
