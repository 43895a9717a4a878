"""Rendering parts of a page at the same time: what the code of ``{% parallel %}`` runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from copy import copy
from typing import Any, TypeAlias

from django.template.loader_tags import BLOCK_CONTEXT_KEY, BlockContext

from ..compiler.variables import LOOP_VALUES
from ..runtime.branches import ROWS_AT_ONCE, Branches
from ..runtime.iteration import unpack
from ..runtime.shared_awaitables import SharedAwaitables
from ..runtime.state import STATE_ATTRIBUTE, State
from ..runtime.waits import Kind, Plan, Wait
from ..streaming.sink import Hole
from .ifchanged import RowPosition

PartPlan: TypeAlias = Callable[[Any, State], Plan]
"""What makes the plan of a part, given a context of its own and a state."""


def parallel_plan(
    state: State, context: Any, parts: tuple[PartPlan, ...], limit: int | None
) -> Plan:
    """The plan that renders parts at the same time, or in order where nothing is awaited.

    Returns:
        Their texts, in order.
    """
    return (yield from _all(state, context, parts, [{} for _ in parts], limit))


def parallel_sent(
    state: State,
    context: Any,
    parts: tuple[PartPlan, ...],
    between: tuple[str | None, ...],
    limit: int | None,
) -> Plan:
    """The plan that renders parts at the same time, and writes each when those before it are
    written.

    Args:
        between: the texts between the parts; None for a part.
    """
    sink: Any = state.sink
    if not state.concurrent:
        texts = iter((yield from parallel_plan(state, context, parts, limit)))
        sink.extend(next(texts) if each is None else each for each in between)
        return
    holes = []
    for each in between:
        if each is None:
            holes.append(sink.new_hole())
        else:
            sink.append(each)
    yield from _all(state, context, parts, [{} for _ in parts], limit, holes)


def parallel_rows(
    state: State,
    context: Any,
    row: PartPlan,
    names: tuple[str, ...],
    loop: tuple[Any, Any, Any, bool, bool],
    limit: int | None,
) -> Plan:
    """The plan that renders the rows of a loop at the same time.

    Args:
        names: the loop variables.
        loop: as it is noted in `State.loops`.

    Returns:
        Their texts, in order.
    """
    values, backwards = loop[0], loop[3]
    length = len(values)
    outer: Any = next(
        (each["forloop"] for each in reversed(context.dicts) if "forloop" in each), {}
    )
    frames = []
    for index, item in enumerate(reversed(values) if backwards else values):
        position = RowPosition(parentloop=outer)
        if "length" in LOOP_VALUES:
            position["length"] = length
        position.update(
            counter0=index,
            counter=index + 1,
            revcounter=length - index,
            revcounter0=length - index - 1,
            first=index == 0,
            last=index == length - 1,
        )
        row_values = (item,) if len(names) == 1 else unpack(item, len(names))
        frames.append({"forloop": position, **dict(zip(names, row_values, strict=True))})
    mark = len(state.loops)
    state.loops.append(loop)
    try:
        holes = []
        if state.hole is not None:
            holes = [Hole() for _ in frames]
            state.hole.fill(holes)
        return (
            yield from _all(state, context, [row] * length, frames, limit or ROWS_AT_ONCE, holes)
        )
    finally:
        del state.loops[mark:]


def _all(
    state: State,
    context: Any,
    parts: Any,
    frames: list[dict[str, Any]],
    limit: int | None,
    holes: Sequence[Hole] = (),
) -> Plan:
    state.reached_out = True
    if not state.concurrent or (len(frames) < 2 and not holes):
        return (yield from _one_by_one(state, context, parts, frames))
    share(state)
    relations = state.relations
    branches = []
    for number, (part, frame) in enumerate(zip(parts, frames, strict=True)):
        inner = state.for_branch(relations)
        if holes:
            inner.hole, inner.sent_by = holes[number], state.sent_by or state.sending
        branches.append(
            (part_plan(state, inner, part, branch_context(context, inner, frame)), inner)
        )
    return (yield from run_parts(state, branches, limit, holes))


def run_parts(
    state: State,
    branches: list[tuple[Plan, Any]],
    limit: int | None,
    holes: Sequence[Hole] = (),
) -> Plan:
    """The plan that runs the plans of parts at the same time, each with a state of its own.

    Args:
        holes: the places of the parts in the text of a page that is sent.

    Returns:
        What they return, in order.
    """
    shared = share(state)
    upcoming, state.upcoming = state.upcoming, {}

    def answer(results: dict[int, Any]) -> None:
        for identity, result in results.items():
            state.awaited[identity] = (upcoming[identity], result)

    sender = state.sent_by or state.sending

    def fill(number: int, text: Any) -> None:
        holes[number].fill((text,))
        if sender is not None:
            sender.send()

    on_result = fill if holes else None
    parts = Branches(branches, limit, shared, upcoming, answer, on_result)
    return (yield Wait(Kind.BRANCHES, parts))


def share(state: State) -> SharedAwaitables:
    """Return the awaitables that the parts of a render share."""
    shared = state.shared
    if shared is None:
        shared = state.shared = SharedAwaitables(users=0 if state.sink is None else 1)
    if not shared.for_branches:
        shared.for_branches = True
        state.relations.for_branch()  # what it sets in the context variables, all parts see
    return shared


def _one_by_one(state: State, context: Any, parts: Any, frames: list[dict[str, Any]]) -> Plan:
    texts = []
    sink = state.hold_back()
    # The place of a part around these is not that of the rows of one of them.
    hole, state.hole = state.hole, None
    try:
        for part, frame in zip(parts, frames, strict=True):
            depth = len(context.dicts)
            context.dicts.append(frame)
            state.clean = None
            try:
                texts.append((yield from part(context, state)))
            finally:
                del context.dicts[depth:]
    finally:
        state.write_to(sink)
        state.hole = hole
    return texts


def part_plan(outer: State, state: State, part: PartPlan, context: Any) -> Plan:
    """The plan of a part that is rendered with a state of its own.

    Args:
        outer: the state of the render around it.
    """
    plan = part(context, state)
    if state.lines is not None:
        plan = state.lines.timed(plan)
    try:
        text = yield from plan
        if state.uses_relations:
            state.relations.check()
        return text
    finally:
        outer.end_branch(state)


def branch_context(context: Any, state: State, frame: dict[str, Any]) -> Any:
    """Return a copy of a context for one part: what the part sets, no other sees.

    Args:
        frame: the names that the part has besides.
    """
    made = separate_context(context)
    made.dicts.append(frame)
    vars(made)[STATE_ATTRIBUTE] = state
    return made


def separate_context(context: Any) -> Any:
    """Return a copy of a context that is rendered with beside it."""
    made = copy(context)
    rendering = made.render_context
    rendering.dicts[-1] = dict(rendering.dicts[-1])
    blocks = rendering.dicts[-1].get(BLOCK_CONTEXT_KEY)
    if blocks is not None:
        rendering.dicts[-1][BLOCK_CONTEXT_KEY] = inner = BlockContext()
        # Rendering a block takes it off its list for a while.
        inner.blocks = defaultdict(list, {name: each[:] for name, each in blocks.blocks.items()})
    return made
