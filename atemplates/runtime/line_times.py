"""How long each line of a template takes by itself, while somebody wants to know.

Templates have another code then (`compiler.timed_code`, `jinja2.timed_code`), which tells a clock
at each line that it begins. The time since the clock was told last belongs to the line before. A
clock stands still while its plan waits, so that a line's own time is what it computes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import get_ident
from time import perf_counter
from typing import TYPE_CHECKING, Any

from .waits import Plan

if TYPE_CHECKING:
    from .state import State

TIMED_PLAN = "atemplates_timed_plan"
"""Where a node list keeps the plan that tells a clock which line it is at."""
TIMED_STREAMED_PLAN = "atemplates_timed_streamed_plan"
"""Where it keeps the same of a page that is sent while it is rendered."""


class TimedTemplate:
    """A template whose code tells which line it is at. Each of its codes has one of its own.

    Args:
        engine: ``"django"`` or ``"jinja2"``.
        name: by which a loader finds it; of one made from a string, what errors call it.
        file: where it lies, if it lies in a file.
        source: gives its text, or None where that is not known.
    """

    __slots__ = ("_places", "_source", "engine", "file", "name")

    def __init__(
        self, engine: str, name: str, file: str = "", source: Callable[[], str | None] = str
    ) -> None:
        self.engine = engine
        self.name = name
        self.file = file
        self._source = source
        self._places: dict[int, LinePlace] = {}

    @property
    def source(self) -> str:
        """The template's text; empty where it is not known."""
        return self._source() or ""

    def at(self, line: int) -> LinePlace:
        """Return the place of a line."""
        return self._places.setdefault(line, LinePlace(self, line))


class LinePlace:
    """A line of a template."""

    __slots__ = ("line", "template")

    def __init__(self, template: TimedTemplate, line: int) -> None:
        self.template = template
        self.line = line


def _cannot_run(plan: Plan) -> Any:
    raise TypeError("this clock belongs to no render of a Django template")


class LineClock:
    """The clock of one plan: used by whoever runs the plan, one at a time."""

    __slots__ = ("_began", "is_running", "place", "run", "runs", "seconds", "times")

    def __init__(self, times: LineTimes, place: LinePlace | None = None) -> None:
        self.times = times
        self.place = place
        """The line that the plan is at; None before the first and after the last."""
        self.seconds: defaultdict[LinePlace | None, float] = defaultdict(float)
        self.runs: defaultdict[LinePlace | None, int] = defaultdict(int)
        """How often each line has begun."""
        self.is_running = False
        self.run: Callable[[Plan], Any] = _cannot_run
        """Runs a plan of the render by blocking."""
        self._began = 0.0

    def enter(self, place: LinePlace) -> None:
        """Say that a line begins."""
        now = perf_counter()
        self.seconds[self.place] += now - self._began
        self.runs[place] += 1
        self.place = place
        self._began = now

    def back(self, place: LinePlace | None) -> None:
        """Say that the plan is back at a line that has begun before."""
        now = perf_counter()
        self.seconds[self.place] += now - self._began
        self.place = place
        self._began = now

    def show(self, template: TimedTemplate) -> None:
        """Say that a template is rendered, also if it has no line that does anything."""
        self.times.templates[template] = None

    def go(self) -> None:
        """Go on, if it stands still."""
        if not self.is_running:
            self.is_running = True
            self.times.running[get_ident()] = self
            self._began = perf_counter()

    def stop(self) -> bool:
        """Stand still; return whether it has not done so before."""
        was_running = self.is_running
        if was_running:
            self.seconds[self.place] += perf_counter() - self._began
            self.is_running = False
            self.times.running.pop(get_ident(), None)
        return was_running

    def leave_out(self, seconds: float) -> None:
        """Take what has just passed for no time of the line."""
        self._began += seconds

    def timed(self, plan: Plan) -> Plan:
        """The plan that runs another one, and has the clock stand still while that waits."""
        was_running = self.is_running
        self.go()
        step: Any = plan.send
        given: Any = None
        while True:
            try:
                wait = step(given)
            except BaseException as raised:
                if not was_running:
                    self.stop()
                if type(raised) is StopIteration:
                    return raised.value
                raise
            is_ours = self.stop()
            try:
                given = yield wait
            except GeneratorExit:
                plan.close()
                raise
            except BaseException as error:  # every exception belongs to the plan
                step, given = plan.throw, error
            else:
                step = plan.send
            if is_ours:
                self.go()

    def lead(self, state: State) -> None:
        """Have a Django template's render, or a part of one, tell which line it is at."""
        run = self.run = state.run
        state.lines = self
        state.run = lambda plan: run(self.timed(plan))
        state.write_to(state.sink)

    def lead_branch(self, state: State) -> None:
        """Do the same for a part that runs while others do, made from a state with this clock."""
        state.run = self.run
        self.for_branch().lead(state)

    def for_branch(self) -> LineClock:
        """Make the clock of such a part."""
        return self.times.new_clock(self.place)


class LineTimes:
    """What the lines of some renders have taken: of those that a request makes, say.

    Plans in several threads may add to it, each with a clock of its own; whoever reads it while
    they do sees what there is.
    """

    def __init__(self) -> None:
        self.clocks: list[LineClock] = []
        self.templates: dict[TimedTemplate, None] = {}
        """The templates that were rendered, in order."""
        self.running: dict[int, LineClock] = {}
        """The thread that a plan runs in -> the plan's clock. Each adds and drops its own."""

    def new_clock(self, place: LinePlace | None = None) -> LineClock:
        """Make the clock of a render, or of a part of one."""
        clock = LineClock(self, place)
        self.clocks.append(clock)
        return clock

    def leave_out(self, seconds: float) -> None:
        """Take what has just passed in this thread for no time of a line: a query, say."""
        clock = self.running.get(get_ident())
        if clock is not None:
            clock.leave_out(seconds)

    def seconds(self) -> dict[LinePlace | None, float]:
        """What each line has taken by itself; under None what belongs to no line."""
        found: defaultdict[LinePlace | None, float] = defaultdict(float)
        for clock in list(self.clocks):
            for place, seconds in list(clock.seconds.items()):
                found[place] += seconds
        return dict(found)

    def runs(self) -> dict[LinePlace | None, int]:
        """How often each line has begun."""
        found: defaultdict[LinePlace | None, int] = defaultdict(int)
        for clock in list(self.clocks):
            for place, runs in list(clock.runs.items()):
                found[place] += runs
        return dict(found)


class Timing:
    """Whether lines were ever timed in this process: until then no render looks further."""

    __slots__ = ("used",)

    def __init__(self) -> None:
        self.used = False


# Any thread may set it, to True; a render that begins meanwhile is timed or not.
timing = Timing()
_times_here: ContextVar[LineTimes | None] = ContextVar("atemplates_line_times", default=None)


def line_times() -> LineTimes | None:
    """What the lines of a render that begins now are added to; None: nobody wants to know."""
    return _times_here.get() if timing.used else None


@contextmanager
def timing_lines(times: LineTimes) -> Iterator[None]:
    """Time the lines of each template whose render begins inside, in this task and thread."""
    timing.used = True
    token = _times_here.set(times)
    try:
        yield
    finally:
        _times_here.reset(token)
