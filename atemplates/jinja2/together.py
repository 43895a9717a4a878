"""Parts of a Jinja2 template that are rendered at the same time: what generated code calls.

Each part is a plan function of the template's code. On the event loop it runs with a `RenderState`
and a copy of the context of its own; elsewhere the parts run one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any, TypeAlias

from jinja2.exceptions import TemplateRuntimeError

from ..runtime.branches import ROWS_AT_ONCE, Branches, limit_error
from ..runtime.drivers import arun, on_event_loop
from ..runtime.shared_awaitables import SharedAwaitables
from ..runtime.waits import Kind, Plan, Wait
from ..streaming.sink import Hole
from .callables import BlockReference, TemplateReference
from .contexts import traced
from .iteration import IterationStrategy, iteration_strategy
from .loops import LoopContext
from .placed import carrying
from .rows import opened, settled_items
from .state import RenderState, active, running_state
from .streams import closed
from .tracebacks import internal
from .values import SETTLED_TYPES, settled

PartCall: TypeAlias = tuple[Callable[..., Plan], tuple[Any, ...]]
"""A plan function, and what it is given after the context."""


def parallel_limit(limit: Any) -> int | None:
    """Return how many parts may run at a time; None: all.

    Raises:
        TemplateRuntimeError: it is no whole number above 0.
    """
    error = limit_error(limit)
    if error:
        raise TemplateRuntimeError(error)
    return int(limit)


@internal
def parallel_parts(context: Any, parts: Sequence[PartCall], limit: int | None) -> Plan:
    """The plan that runs parts at the same time, or in order where nobody awaits.

    Returns:
        What each returned, in order.
    """
    state = active.get()
    if state is None or len(parts) < 2 or not may_branch(state):
        results = []
        for part, args in parts:
            results.append((yield from part(context, *args)))
        return results
    shared = share_awaitables(state)
    branches = [(branch_plan(state, context, part, args), ON_LOOP) for part, args in parts]
    return (yield Wait(Kind.BRANCHES, Branches(branches, limit, shared, {}, no_answers)))


@internal
def send_parts(
    context: Any, parts: Sequence[PartCall], holes: Sequence[Hole], limit: int | None
) -> Plan:
    """The plan that runs parts at the same time, and gives each to the page when it is ready.

    Args:
        context: the template's context.
        parts: the parts.
        holes: their places in the page.
        limit: how many may run at a time; None: all.
    """
    state = running_state()
    if not may_branch(state):
        for (part, args), hole in zip(parts, holes, strict=True):
            hole.fill((yield from part(context, *args)))
        return
    shared, sender = share_awaitables(state), state.sent_by

    def fill(number: int, pieces: list[Any]) -> None:
        holes[number].fill(pieces)
        if sender is not None:
            sender.send()

    branches = [(branch_plan(state, context, part, args), ON_LOOP) for part, args in parts]
    yield Wait(Kind.BRANCHES, Branches(branches, limit, shared, {}, no_answers, fill))


def share_awaitables(state: RenderState) -> SharedAwaitables:
    """Return the awaitables that the parts of a render share, which begin where it stands."""
    _ = state.relations  # its loops are those around the parts
    shared = state.shared
    if shared is None:
        shared = state.shared = SharedAwaitables()
    if not shared.for_branches:
        shared.for_branches = True
        state.known.for_branch()  # what it sets in the context variables, all parts see
    return shared


def may_branch(state: RenderState) -> bool:
    """Whether the render is awaited, and no Python code of others stands in between."""
    return state.concurrent and (state.on_loop or not on_event_loop())


def no_answers(results: dict[int, Any]) -> None:
    """Take the results of nothing: a Jinja2 template awaits its context at its beginning."""


class OnLoop:
    """Runs the plan of a branch, which has set its state in its own context variables."""

    async def arun(self, plan: Plan, state: Any) -> Any:
        """Run a plan by awaiting."""
        return await arun(plan, carrying)


ON_LOOP = OnLoop()


@internal
def branch_plan(
    outer: RenderState, around: Any, part: Callable[..., Plan], args: tuple[Any, ...]
) -> Plan:
    """The plan of a part that runs while others do."""
    state, context = outer.for_branch(), context_of_part(around)
    active.set(state)  # in the context variables of the branch
    try:
        given = [of_branch(each, context) for each in args]
        plan = part(context, *given)
        if state.told:
            plan = traced(state, plan)
        result = yield from plan if state.lines is None else state.lines.timed(plan)
        if state.uses_relations:
            state.known.check()
        return result
    finally:
        outer.end_branch(state)


def context_of_part(context: Any) -> Any:
    """Return a copy of a context for one part: how it escapes is its own matter."""
    made = copy(context)
    made.eval_ctx = copy(context.eval_ctx)
    made.vars = dict(context.vars)
    made.exported_vars = set(context.exported_vars)
    made.blocks = {name: each[:] for name, each in context.blocks.items()}
    return made


def of_branch(value: Any, context: Any) -> Any:
    """Return ``super`` or ``self`` for a part: what it renders sees the part's context."""
    if type(value) is BlockReference:
        return BlockReference(value.name, context, value._stack, value._depth)
    if type(value) is TemplateReference:
        return TemplateReference(context)
    return value


# -- Loops


@internal
def all_rows(value: Any, in_loop: bool, site: Any = None, root: Any = None) -> Plan:
    """Read all rows of what a parallel loop goes through, as a list of its own."""
    if type(value) not in SETTLED_TYPES:
        value = yield from settled(value, site, root)
    strategy = iteration_strategy(type(value))
    if strategy is IterationStrategy.ITERATOR or (
        strategy is IterationStrategy.UNKNOWN and not in_loop
    ):
        return list(iter(value))
    rows, stream = yield from opened(value, in_loop, site, root)
    if stream is None:
        return [row for row in rows]  # noqa: C416  # `list()` would ask for the length as well
    try:
        return (yield from stream.rest())
    finally:
        yield from closed(stream)


@internal
def passing_rows(
    context: Any,
    rows: list[Any],
    test: Callable[[Any], Plan],
    count: int | None,
    limit: int | None,
    site: Any = None,
    root: Any = None,
) -> Plan:
    """The rows that meet a loop's condition, which is asked of several at the same time."""
    in_loop = bool(context.environment.is_async)
    found = yield from in_loop_over(
        rows, site, root, context, [(tested, (row, test, count, in_loop)) for row in rows], limit
    )
    return [row for row, passes in found if passes]


@internal
def tested(context: Any, row: Any, test: Callable[[Any], Plan], count: Any, in_loop: bool) -> Plan:
    """A row, ready to be unpacked, and whether it meets the condition."""
    if count is not None and type(row) is not tuple:
        row = yield from settled_items(row, count, in_loop)
    return row, (yield from test(row))


@internal
def rendered_rows(
    context: Any,
    rows: list[Any],
    body: Callable[..., Plan],
    undefined: Any,
    limit: int | None,
    site: Any = None,
    root: Any = None,
) -> Plan:
    """Render the rows of a loop at the same time; return the pieces of the output.

    Args:
        context: the template's context.
        rows: what is looped over.
        body: the plan function of the loop's body: takes a row, and ``loop``.
        undefined: makes what ``loop`` has none of.
        limit: how many rows are rendered at a time; None: the usual number.
        site: the place and path of the expression that gave the rows.
        root: the value of the variable that the path begins with.
    """
    calls = [(body, (row, row_loop(rows, index, undefined))) for index, row in enumerate(rows)]
    found = yield from in_loop_over(rows, site, root, context, calls, limit)
    return [piece for pieces in found for piece in pieces]


@internal
def in_loop_over(
    rows: list[Any],
    site: Any,
    root: Any,
    context: Any,
    calls: Sequence[PartCall],
    limit: int | None,
) -> Plan:
    """Run parts that stand in a loop."""
    loops = running_state().loops
    loops.append([rows, root, site, None])
    try:
        return (yield from parallel_parts(context, calls, limit or ROWS_AT_ONCE))
    finally:
        loops.pop()


def row_loop(rows: list[Any], index: int, undefined: Any) -> LoopContext:
    """Return what one of several rows sees as ``loop``."""
    made = LoopContext(rows, None, undefined)
    made.index0 = index
    made._last_changed_value = LoopContext._APART
    return made


@internal
def loop_ahead(loop: Any, fully: bool) -> Plan:
    """Fetch what parts may ask the loop around them: only one at a time can read a stream."""
    if type(loop) is LoopContext and loop._stream is not None:
        if fully:
            yield from loop._stream.fill()
        else:
            yield from loop._stream.peek()


def own_evaluation(context: Any) -> Any:
    """Return a context for a macro that says itself how it escapes: others call it meanwhile."""
    made = copy(context)
    made.eval_ctx = copy(context.eval_ctx)
    return made
