"""What the templates of one render share, found through the context of the task that renders."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from ..engines.recording import RECORDER, observers_for
from ..relations.events import Observer, observers
from ..relations.loop_peers import Loop
from ..relations.policy import current_policy
from ..relations.render_relations import RenderRelations
from ..runtime.async_sources import ReadSources
from ..runtime.drivers import on_event_loop
from ..runtime.state import Policy

PLACEMENT = Policy()
POLICY = "atemplates_relations"
"""The attribute of an environment that holds ``OPTIONS["relations"]``."""


class RenderState:
    """The state of one render.

    Args:
        policy: what to do about relations that were not loaded.
        told: the observers of its events.
        view: the name of the view whose request is rendered.
    """

    __slots__ = (
        "awaitables",
        "in_loop",
        "known",
        "learning",
        "left",
        "loops",
        "on_loop",
        "over",
        "place",
        "policy",
        "read",
        "spent",
        "stock_code",
        "streams",
        "trials",
    )

    def __init__(
        self, policy: str, told: tuple[Observer, ...] | None = None, view: str = ""
    ) -> None:
        self.on_loop = False
        """Whether the code that runs now stands on an event loop, and can leave it."""
        self.policy = PLACEMENT
        """Where code of others may run."""
        self.learning = False
        """Whether a step left the loop for code that has not shown yet where it belongs."""
        self.trials = 0
        """How often code of others ran on the loop on trial, and how many objects that noted."""
        self.spent = 0.0
        """The seconds that code of others has taken on the loop in this render."""
        self.awaitables: dict[str, Any] = {}
        """Awaitables of the caller's context that no template has used yet, by name."""
        self.left: list[Any] = []
        """Awaitables that renders inside this one have not used; closed when it is over."""
        self.in_loop = False
        """Whether this render, or one around it, has an event loop."""
        self.over = False
        """Whether the render has ended; tasks that it has started may still find its state."""
        self.loops: list[list[Any]] = []
        """The loops around the code that runs: ``[rows, root, site, None or a Loop]``."""
        self.read = ReadSources()
        """The sources that were read with ``async for``, with their rows."""
        self.stock_code = False
        """Whether code that Jinja2's own generator has written runs, in the request's thread."""
        self.place: tuple[Any, Any] = (None, None)
        """The site of the filter that runs, and the root of its value's path."""
        self.known = RenderRelations(policy, observers() if told is None else told, view)

    @property
    def relations(self) -> RenderRelations:
        """What is done about relations, with its loops brought up to the present."""
        stack = self.known.loops.stack
        stack.clear()
        for entry in self.loops:
            values, root, site, loop = entry
            if type(values) is not list and type(values) is not tuple:
                continue
            if loop is None or loop.values is not values:
                loop = entry[3] = made_loop(values, root, site)
            stack.append(loop)
        return self.known


def made_loop(values: Any, root: Any, site: Any) -> Loop:
    if site is None:
        return Loop(values, None, (), "")
    if root is None:
        return Loop(values, None, (), site.text)
    return Loop(values, root, site.bits[1:], site.bits[0])


active: ContextVar[RenderState | None] = ContextVar("atemplates_jinja2_render", default=None)


def begin(context: Any) -> RenderState:
    """Make the state of a template's render with its environment's policy and recorder."""
    policy = current_policy(getattr(context.environment, POLICY, "batch"))
    recorder = getattr(context.environment, RECORDER, None)
    told, view = observers_for(recorder, context.name or "", lambda: context.get("request"))
    state = RenderState(policy, told, view)
    outer = active.get()
    state.in_loop = on_event_loop() or (outer is not None and outer.in_loop and not outer.over)
    return state


def running_state() -> RenderState:
    """The state of the render that runs; outside of any, one of its own."""
    return active.get() or RenderState(current_policy("batch"))
