"""What is collected of the templates of one request, while it is served and afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..relations.events import Event
from ..relations.policy import observing
from ..runtime.line_times import LineTimes, timing_lines
from ..trace.observers import told_here
from ..trace.records import LoadRecord, RenderTrace


class RequestProfile:
    """The renders that a request has made, and what their lines have taken.

    Args:
        on_end: is called each time a render has ended; a page that is sent piece by piece may do so
            when the response has long been returned.
    """

    def __init__(self, on_end: Callable[[], object] = bool) -> None:
        self.on_end = on_end
        self.renders: list[RenderTrace] = []
        self.loads: list[LoadRecord] = []
        """What a view has begun to load beside the page."""
        self.times = LineTimes()

    @contextmanager
    def observing(self) -> Iterator[None]:
        """Collect the renders that begin inside, in this task and thread and those begun there."""
        with observing(self._leave_out), told_here(self), timing_lines(self.times):
            yield

    def begin(self, render: RenderTrace) -> None:
        """Take up a render that begins."""
        self.renders.append(render)

    def end(self, render: RenderTrace) -> None:
        """A render has ended."""
        self.on_end()

    def _leave_out(self, event: Event) -> None:
        """A query is no time of the line that made it."""
        if event.kind != "load":
            self.times.leave_out(event.milliseconds / 1000)
