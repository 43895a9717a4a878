"""The state of one render: what stays the same from the first node to the last.

Only `atemplates.engines` makes one. Everything that comes from settings or OPTIONS reaches the
rooms below through it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from ..placement.records import (
    FunctionRecord,
)
from .ambient import Ambient
from .apart import may_be_apart
from .async_sources import ReadSources
from .line_times import TIMED_PLAN, TIMED_STREAMED_PLAN
from .policy import Policy
from .relations import Relations
from .sending import PageSink, PartHole, Sending
from .tracing import tracing_of
from .turns import LoopClock, clock_of
from .types import DATA, PLAIN
from .waits import Plan

if TYPE_CHECKING:
    from django.template.engine import Engine

    from .line_times import LineClock
    from .shared_awaitables import SharedAwaitables
    from .tracing import Tracing


PLAN_ATTRIBUTE = "atemplates_plan"
"""Where a node list keeps its plan."""
STREAMED_ATTRIBUTE = "atemplates_streamed_plan"
"""Where it keeps the plan of a page that is sent while it is rendered: each part of the text is
written to `State.sink` as soon as it is there."""
TRACED_ATTRIBUTES = {
    PLAN_ATTRIBUTE: "atemplates_traced_plan",
    STREAMED_ATTRIBUTE: "atemplates_traced_streamed_plan",
    TIMED_PLAN: "atemplates_traced_timed_plan",
    TIMED_STREAMED_PLAN: "atemplates_traced_timed_streamed_plan",
}
"""Where it keeps, for each of these, the same plan for renders that are traced."""

STATE_ATTRIBUTE = "_atemplates_state"
"""Where a ``Context`` carries the state, for nodes that only get the context."""


NOBODY_WATCHES: AbstractContextManager[None] = nullcontext()
"""What is around a part of a render whose queries nobody wants to hear of. It holds nothing."""


class State:
    """One render. Never shared between two renders, nor used by two coroutines at a time.

    `relations`, `read`, `ambient` and what few renders have are made when they are first used: a
    render that needs none of them pays for none.

    Args:
        engine: whose settings hold at the node that renders now.
        policy: the backend's OPTIONS.
        run: runs a plan by blocking.
        arun: runs a plan by awaiting, given the state.
        new_relations: makes `relations`.
        block_super: gives the plan of ``{{ block.super }}`` for a block node.
        on_loop: whether the render begins on an event loop.
        plain_integers: whether an int is written as ``str()`` writes it: no thousand separators
            are configured.
        use_tz: whether datetimes are shown in the current time zone where nothing else is said.
        is_debugging: gives the site's setting DEBUG, for the tags that ask for it.
        told: whether somebody hears of each query that the render makes; what traces the render,
            if somebody is told of all of it.
    """

    __slots__ = (
        "ahead",
        "ambient",
        "arun",
        "asked",
        "awaited",
        "begins_in_thread",
        "block_super",
        "clean",
        "clock",
        "concurrent",
        "deferred",
        "direct",
        "engine",
        "hole",
        "is_debugging",
        "learning",
        "lesson",
        "lines",
        "looks",
        "loops",
        "new_relations",
        "on_loop",
        "plain",
        "plain_integers",
        "policy",
        "reached_out",
        "read",
        "relations",
        "rows",
        "run",
        "sending",
        "sent_by",
        "shared",
        "sink",
        "spent",
        "started",
        "sure",
        "told",
        "trials",
        "turning",
        "unmentioned",
        "upcoming",
        "use_tz",
        "uses_relations",
        "visible",
        "wanted",
        "went",
    )

    relations: Relations
    """What is done about relations: the policy, the loops, the observers."""
    read: ReadSources
    """The sources that were read asynchronously, with their rows."""
    clock: LoopClock | None
    """Tells since when the event loop has had no turn, once somebody has looked. None until it is
    set, as the next four are."""
    sending: Sending | None
    """What sends the text in the sink, where somebody reads the page meanwhile."""
    hole: PartHole | None
    """Where the page has a place for what this part of it writes."""
    sent_by: Sending | None
    """What sends that."""
    deferred: Any
    """What renders parts of the page beside it: `DeferredParts`, where the page has a sink."""
    ambient: Ambient
    """The language, the time zone and the like, and what was found out under them."""

    def __init__(
        self,
        engine: Engine,
        policy: Policy,
        run: Callable[..., Any],
        arun: Callable[[Plan, State], Awaitable[Any]],
        new_relations: Callable[[], Relations],
        block_super: Callable[[State, Any], Plan],
        on_loop: bool,
        plain_integers: bool = True,
        use_tz: bool = True,
        is_debugging: Callable[[], bool] = bool,
        told: bool | Tracing = False,
    ) -> None:
        self.engine = engine
        self.policy = policy
        self.run = run
        self.arun = arun
        self.new_relations = new_relations
        self.block_super = block_super
        self.plain_integers = plain_integers
        self.use_tz = use_tz
        self.is_debugging = is_debugging
        self.uses_relations = False
        """Whether `relations` has been made."""
        self.loops: list[Any] = []
        """The loops around the node that renders now: for each the list, the value that the path to
        it begins with, the `Site` of that path, whether it is ``reversed``, and whether the list is
        the value of the path and not what a filter made of it. A missing relation is loaded for all
        the rows of a list; what meets none needs no more than this."""
        self.reached_out = False
        """Whether a tag may have set a name in any frame of the context, not just in its own."""
        self.awaited: dict[int, tuple[Any, Any]] = {}
        """Awaitable's identity -> (the awaitable, its result): each is awaited once."""
        self.clean: Any = None
        """The context's frame that holds no awaitables, nor does one below it. Rows of a loop that
        may be awaitable make it None again."""
        self.upcoming: dict[int, Any] = {}
        """The context's awaitables that the template mentions: the first wait awaits them all."""
        self.unmentioned: dict[str, Any] | None = None
        """The others, by name: a template that begins later may mention them."""
        self.ahead: Callable[[State, Any, Any], None] | None = None
        """Begins to load what a template that begins will certainly need, given the template and
        the context; None where nothing is to be loaded ahead, or it has been."""
        self.begins_in_thread = False
        """Whether the plan that begins next does so in the thread."""
        self.lesson = False
        """Whether it is watched, too, what code of others does in the parts that run in the
        thread."""
        self.learning = False
        """Whether the render left the loop for code that has not shown yet where it belongs."""
        self.sure: dict[int, FunctionRecord] = {}
        """The identity of a tag's or filter's function that ran on the loop in this render -> its
        record. Templates hold the functions."""
        self.visible: set[int] = set()
        """Those of `sure` that only work on their arguments: there is nothing to watch where these
        are of types that run nobody's code."""
        self.trials = 0.0
        """How often code of others ran on the loop on trial, and how many objects that noted."""
        self.spent = 0.0
        """The seconds that code of others has taken on the loop in this render."""
        self.asked: list[tuple[Any, str]] = []
        """The templates that a method which is not Django's own is rendering, and the method."""
        self.went = not on_loop
        """Whether a part of the render has left the loop."""
        self.on_loop = on_loop
        """Whether the code that runs now stands on an event loop. Set with `stand_on`."""
        self.told = told
        self.looks = on_loop
        """Whether steps look at what code of others they run: on the loop, and in a lesson."""
        self.direct = not (on_loop or told)
        """Whether compiled code calls what a tag registered by itself: where nobody looks at it,
        and nobody asks which tag a query was made for."""
        self.plain = DATA if on_loop else PLAIN
        """The types whose attributes may be read without asking anybody."""
        self.turning = on_loop and policy.yield_after is not None
        """Whether loops count their rows, since the plan may have to give the event loop its turn;
        see `turns`."""
        self.rows = 0
        """How many rows were counted since the clock was looked at last."""
        self.concurrent = on_loop and may_be_apart()
        """Whether the render is awaited, so that parts of it can run at the same time."""
        self.started: Sequence[Any] = ()
        """The querysets that began to load when the render began."""
        self.shared: SharedAwaitables | None = None
        """The awaitables that such parts share, once there were any."""
        self.sink: PageSink | None = None
        """What plans write to in the place of a list of their own; None where their text is a
        value that somebody waits for. Set with `write_to`."""
        self.wanted = PLAN_ATTRIBUTE
        """Where a node list keeps the plan that is to be run now: what `sink` and `lines`
        decide."""
        self.lines: LineClock | None = None
        """What plans tell which line they are at, while somebody wants to know. Set with
        `LineTimes.follow`."""

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Make what is asked for the first time; from then on its slot holds it."""
            if name == "relations":
                made = self.new_relations()
                made.loops.follow(self.loops)
                self.uses_relations = True
            elif name == "ambient":
                made = Ambient(not self.plain_integers)
            elif name == "read":
                made = ReadSources()
            elif name in ("clock", "deferred", "hole", "sending", "sent_by"):
                made = None
            else:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            setattr(self, name, made)
            return made

    @property
    def yield_after(self) -> float | None:
        """After how many seconds of computing the event loop has its turn; None: not at all."""
        return self.policy.yield_after

    def stand_on(self, loop: bool) -> bool:
        """Say whether what runs next stands on an event loop; return how it was before."""
        before = self.on_loop
        self.on_loop = loop
        self.went = self.went or not loop
        self.looks = loop or self.lesson
        self.direct = not (self.looks or self.told)
        # There code that reading an attribute runs has a say in where it is read.
        self.plain = DATA if self.looks else PLAIN
        return before

    def write_to(self, sink: PageSink | None) -> None:
        """Have the plans that begin next write to a sink; None: return their text."""
        self.sink = sink
        if self.lines is not None:
            self.wanted = TIMED_PLAN if sink is None else TIMED_STREAMED_PLAN
        else:
            self.wanted = PLAN_ATTRIBUTE if sink is None else STREAMED_ATTRIBUTE
        if self.told and tracing_of(self.told) is not None:
            self.wanted = TRACED_ATTRIBUTES[self.wanted]

    @property
    def untraced(self) -> str:
        """What `wanted` is in a render that is not traced."""
        if self.lines is not None:
            return TIMED_PLAN if self.sink is None else TIMED_STREAMED_PLAN
        return PLAN_ATTRIBUTE if self.sink is None else STREAMED_ATTRIBUTE

    def hold_back(self) -> PageSink | None:
        """Have the plans that begin next return their text, until `write_to` is given the result:
        the sink that was there."""
        sink = self.sink
        self.write_to(None)
        return sink

    def for_branch(self, relations: Relations) -> State:
        """Make the state of a part of the render that runs while others do.

        Args:
            relations: what makes, for such a part, what is done about relations.
        """
        made = State(
            engine=self.engine,
            policy=self.policy,
            run=self.run,
            arun=self.arun,
            new_relations=relations.for_branch,
            block_super=self.block_super,
            on_loop=True,
            plain_integers=self.plain_integers,
            use_tz=self.use_tz,
            is_debugging=self.is_debugging,
            told=self.told,
        )
        made.awaited, made.shared, made.read = self.awaited, self.shared, self.read
        made.loops, made.asked = self.loops[:], self.asked[:]
        made.lesson, made.clock = self.lesson, clock_of(self)
        made.spent, made.trials = self.spent, self.trials
        if self.told:
            _ = made.relations
            made.write_to(None)
        if self.lines is not None:
            self.lines.lead_branch(made)
        return made

    def end_branch(self, state: State) -> None:
        """Take over what was learned in a part that has ended."""
        self.learning = self.learning or state.learning
        if state.uses_relations:
            state.relations.finish()

    def in_thread(self) -> AbstractContextManager[Any]:
        """What is around a part of the render that runs in the request's thread."""
        if not self.uses_relations:
            return NOBODY_WATCHES
        return self.relations.watching()


def state_of(context: Any) -> State | None:
    """Return the state that a context carries, or None when a stock render made it."""
    state = vars(context).get(STATE_ATTRIBUTE)
    return state if isinstance(state, State) else None
