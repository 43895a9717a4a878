"""Which node of a template compiled code is at, told from a frame of it."""

from __future__ import annotations

from types import CodeType, FrameType, GeneratorType
from typing import Any, NamedTuple

from django.template.base import Node

from ..placement.guard import COMPILED
from ..runtime.line_times import LineClock
from ..runtime.tracing import watched_plan
from ..runtime.waits import resume_plan

PASSING_PLANS = (resume_plan, watched_plan, LineClock.timed)
PASSING_CODE = frozenset(id(function.__code__) for function in PASSING_PLANS)
"""The identities of code that runs the plan in its variable ``plan``, and gives on what that waits
for."""
PLACES_BY_CODE = "__places_of_code__"
"""Where the namespace of a compiled module keeps, once somebody has asked, where the nodes of each
function are. Threads may race for it: they find the same."""


class RunningNode(NamedTuple):
    """A node at which compiled code is."""

    node: Node
    template: Any
    """The template that the code was compiled from, if that is known."""


def node_of_frame(frame: FrameType) -> RunningNode | None:
    """Return the node at which compiled code of a template is; None for other code."""
    return node_of_code(frame.f_globals, frame.f_code, frame.f_lasti)


def node_of_code(known: dict[str, Any], code: CodeType, instruction: int) -> RunningNode | None:
    """Return the node that an instruction of compiled code was written for.

    Args:
        known: the namespace of the code.
        instruction: its offset in bytes.
    """
    by_code: dict[int, Any] | None = known.get(PLACES_BY_CODE)
    if by_code is None:
        if not str(known.get("__name__", "")).startswith(COMPILED):
            return None
        by_code = known[PLACES_BY_CODE] = {
            id(getattr(known.get(name.removeprefix("places_")), "__code__", None)): places
            for name, places in list(known.items())
            if name.startswith("places_")
        }
    places = by_code.get(id(code))
    if places is None:
        return None
    node = places.node_at(instruction)
    if node is None or node.token is None:
        return None
    return RunningNode(node, places.template)


def frames_of_plan(plan: Any) -> list[FrameType]:
    """Return the frames of a plan that waits, the outermost first."""
    frames = []
    while type(plan) is GeneratorType and plan.gi_frame is not None:
        frame = plan.gi_frame
        frames.append(frame)
        plan = plan.gi_yieldfrom
        if plan is None and id(frame.f_code) in PASSING_CODE:
            plan = frame.f_locals["plan"]
    return frames
