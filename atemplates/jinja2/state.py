"""What the templates of one render share, found through the context of the task that renders."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

from ..runtime.async_sources import ReadSources
from ..runtime.drivers import on_event_loop
from ..runtime.line_times import LineClock, line_times, timing
from ..runtime.policy import YIELD_AFTER, Policy
from ..runtime.relations import Relations
from ..runtime.sending import Sending
from ..runtime.shared_awaitables import SharedAwaitables
from ..runtime.turns import LoopClock, clock_of
from ..streaming.deferred import DeferredParts

if TYPE_CHECKING:
    from ..runtime.tracing import Tracing

PLACEMENT = Policy()
YIELD_AFTER_ATTRIBUTE = "atemplates_yield_after"
"""The attribute of an environment that holds ``OPTIONS["yield_after"]``."""


class LoopRelations(Relations, Protocol):
    """What a render does about relations, told of all its loops when one of them matters."""

    def see_loops(self, loops: list[list[Any]]) -> None:
        """Bring the loops up to the present.

        Args:
            loops: ``[rows, root, site, None]`` for each loop around the code that runs. The last
                item is for whatever is to be remembered about the loop.
        """
        ...

    def for_branch(self) -> LoopRelations:
        """Make the same for a part of the render that runs while others do."""
        ...


class RelationsSource(Protocol):
    """What the engines hand in: makes what a render does about relations."""

    def of_render(self, context: Any) -> tuple[Callable[[], LoopRelations], bool | Tracing]:
        """Begin the render of a context, as its environment was configured.

        Returns:
            What makes the render's relations, and whether they have to be there from the start:
            what traces the render, if somebody is told of all of it.
        """
        ...

    def is_debugging(self) -> bool:
        """Whether the site has DEBUG on."""
        ...

    def outside(self) -> Callable[[], LoopRelations]:
        """What makes the relations of plans that Python code runs outside of any render."""
        ...

    def may_query(self, instance: Any, name: str) -> bool:
        """Whether reading an attribute of a model instance that is not in its dict may query."""
        ...


class Seam:
    """Where the engines put the source of relations."""

    __slots__ = ("relations",)

    relations: RelationsSource
    """Set by whatever makes an environment compile to plans. Threads that do it at the same time
    all set the same object."""


seam = Seam()


class RenderState:
    """The state of one render.

    Args:
        new_relations: makes `known`, when it is first used.
    """

    __slots__ = (
        "awaitables",
        "clock",
        "concurrent",
        "deferred",
        "in_loop",
        "known",
        "learning",
        "left",
        "lines",
        "loops",
        "new_relations",
        "on_loop",
        "over",
        "place",
        "policy",
        "read",
        "rows",
        "sending",
        "sent_by",
        "shared",
        "spent",
        "started",
        "stock_code",
        "streams",
        "told",
        "trials",
        "turning",
        "uses_relations",
        "yield_after",
    )

    known: LoopRelations
    """What is done about relations; its loops may be those of an earlier step."""
    sent_by: Sending | None
    """What sends the page that the render is a part of. None until it is set, as the next is."""
    deferred: DeferredParts | None
    """What renders parts of the page beside it, where it is written to a sink."""

    def __init__(self, new_relations: Callable[[], LoopRelations]) -> None:
        self.on_loop = False
        """Whether the code that runs now stands on an event loop, and can leave it."""
        self.policy = PLACEMENT
        """Where code of others may run."""
        self.learning = False
        """Whether a step left the loop for code that has not shown yet where it belongs."""
        self.trials = 0.0
        """How often code of others ran on the loop on trial, and how many objects that noted."""
        self.spent = 0.0
        """The seconds that code of others has taken on the loop in this render."""
        self.awaitables: dict[str, Any] = {}
        """Awaitables of the caller's context that no template has used yet, by name."""
        self.left: list[Any] = []
        """Awaitables that renders inside this one have not used; closed when it is over."""
        self.in_loop = False
        """Whether this render, or one around it, has an event loop."""
        self.turning = False
        """Whether loops count their rows, since the plan may have to give the event loop its turn;
        see `atemplates.runtime.turns`."""
        self.yield_after: float | None = None
        """After how many seconds of computing it has its turn; None: not at all."""
        self.rows = 0
        """How many rows were counted since the clock was looked at last."""
        self.clock: LoopClock | None = None
        """Tells since when the event loop has had no turn, once somebody has looked."""
        self.over = False
        """Whether the render has ended; tasks that it has started may still find its state."""
        self.loops: list[list[Any]] = []
        """The loops around the code that runs: ``[rows, root, site, note]``."""
        self.read = ReadSources()
        """The sources that were read with ``async for``, with their rows."""
        self.stock_code = False
        """Whether code that Jinja2's own generator has written runs, in the request's thread."""
        self.place: tuple[Any, Any] = (None, None)
        """The site of the filter that runs, and the root of its value's path."""
        self.new_relations = new_relations
        self.uses_relations = False
        """Whether `known` has been made."""
        self.told: bool | Tracing = False
        """Whether it has to be there from the start; what traces the render, if somebody is told of
        all of it."""
        self.started: list[Any] = []
        """The querysets that began to load when the render began."""
        self.concurrent = False
        """Whether the render is awaited, so that parts of it can run at the same time."""
        self.shared: SharedAwaitables | None = None
        """The awaitables that such parts share, once there were any."""
        self.sending: Sending | None = None
        """What sends the page's text, where somebody reads it while the page is rendered."""
        self.lines: LineClock | None = None
        """What plans tell which line they are at, while somebody wants to know."""

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Make what is asked for the first time; from then on its slot holds it."""
            if name in ("deferred", "sent_by"):
                setattr(self, name, None)
                return None
            if name != "known":
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            self.known = made = self.new_relations()
            self.uses_relations = True
            return made

    @property
    def relations(self) -> LoopRelations:
        """What is done about relations, with its loops brought up to the present."""
        self.known.see_loops(self.loops)
        return self.known

    def for_branch(self) -> RenderState:
        """Make the state of a part of the render that runs while others do.

        The loops of `known` are those around the part.
        """
        made = RenderState(self.known.for_branch)
        made.on_loop = made.in_loop = made.concurrent = True
        made.policy = self.policy
        made.trials, made.spent = self.trials, self.spent
        made.awaitables, made.left, made.shared = self.awaitables, self.left, self.shared
        made.read, made.loops = self.read, self.loops[:]
        made.turning, made.yield_after = self.turning, self.yield_after
        made.clock = clock_of(self)
        made.told, made.sent_by = self.told, self.sent_by
        if self.lines is not None:
            made.lines = self.lines.for_branch()
        if self.told:
            _ = made.known
        return made

    def end_branch(self, state: RenderState) -> None:
        """Take over what was learned in a part that has ended."""
        state.over = True
        self.learning = self.learning or state.learning
        if state.uses_relations:
            state.known.finish()


active: ContextVar[RenderState | None] = ContextVar("atemplates_jinja2_render", default=None)


def begin(context: Any) -> RenderState:
    """Make the state of a template's render."""
    new_relations, from_the_start = seam.relations.of_render(context)
    state = RenderState(new_relations)
    state.told = from_the_start
    state.yield_after = context.environment.__dict__.get(YIELD_AFTER_ATTRIBUTE, YIELD_AFTER)
    if from_the_start:
        _ = state.known
    if timing.used and (times := line_times()) is not None:
        state.lines = times.new_clock()
    outer = active.get()
    state.in_loop = on_event_loop() or (outer is not None and outer.in_loop and not outer.over)
    return state


def running_state() -> RenderState:
    """The state of the render that runs; outside of any, one of its own."""
    return active.get() or RenderState(seam.relations.outside())
