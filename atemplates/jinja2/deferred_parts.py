"""What the code of a ``{% defer %}`` calls: a part is rendered in place, or beside the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from ..errors import UNSWALLOWED, Location
from ..runtime.branches import Branches
from ..runtime.drivers import arun
from ..runtime.waits import Kind, Plan, Wait
from ..streaming.deferred import DeferredPart, DeferredParts, log_failure, within
from ..streaming.sink import Hole, Sink
from .contexts import traced
from .placed import carrying
from .snapshots import Snapshot
from .state import RenderState, active, running_state, seam
from .together import branch_plan, may_branch, no_answers, share_awaitables
from .tracebacks import internal

PartFunctions: TypeAlias = tuple[Any, Any, Any]
"""The functions of the contents, the placeholder and the error; None where there is none."""
TagPlace: TypeAlias = tuple[Any, int, Any]
"""The template's name, the line and the file."""


class OnLoopWithin:
    """Runs the plan of a part on the loop, for so many seconds at most."""

    def __init__(self, timeout: float | None) -> None:
        self.arun = within(timeout, self._arun)

    async def _arun(self, plan: Plan, state: Any) -> Any:
        return await arun(plan, carrying)


@internal
def show_deferred(
    context: Any,
    parts: PartFunctions,
    timeout: float | None,
    place: TagPlace,
    pieces: list[Any],
    collect: Callable[[], Any],
) -> Plan:
    """The plan that renders a part where it stands.

    Args:
        context: the template's context.
        parts: what is rendered.
        timeout: after how many seconds it is given up, where it is awaited; None: never.
        place: where it stands.
        pieces: what is written to.
        collect: makes what a part writes to.
    """
    state = running_state()
    snapshot = Snapshot(context)
    before, state.deferred = state.deferred, None
    try:
        try:
            found = yield from _contents(state, snapshot, parts[0], timeout, collect)
        finally:
            state.deferred = before
    except UNSWALLOWED:
        raise
    except Exception as error:
        failure = error
    else:
        pieces.extend(found)
        return
    log_failure(failure, location_of(place))
    part, shown = (parts[1], ()) if parts[2] is None else (parts[2], error_shown(failure))
    state.deferred = None
    try:
        function = snapshot.function(part)
        pieces.extend((yield from pieces_of_part(snapshot.context, function, collect(), *shown)))
    finally:
        state.deferred = before


@internal
def _contents(
    state: RenderState,
    snapshot: Snapshot,
    part: Any,
    timeout: float | None,
    collect: Callable[[], Any],
) -> Plan:
    function = snapshot.function(part)
    if active.get() is not state or not may_branch(state):
        return (yield from pieces_of_part(snapshot.context, function, collect()))
    shared = share_awaitables(state)
    plan = branch_plan(state, snapshot.context, pieces_of_part, (function, collect()))
    on_loop = OnLoopWithin(timeout)
    branches = Branches([(plan, on_loop)], None, shared, {}, no_answers)
    return (yield Wait(Kind.BRANCHES, branches))[0]


@internal
def pieces_of_part(context: Any, function: Callable[..., Plan], pieces: Any, *error: Any) -> Plan:
    """The plan of a part; returns what it has written."""
    yield from function(context, pieces, *error)
    return [pieces.take()] if type(pieces) is Sink else pieces


def error_shown(error: Exception) -> tuple[Exception, ...]:
    """Return what the function of an error is given: the exception, if the site has DEBUG on."""
    return (error,) if seam.relations.is_debugging() else ()


def location_of(place: TagPlace) -> Location:
    """Return where a tag stands."""
    name, line, file = place
    return Location(name or "<template>", line, file=file or "")


@internal
def begin_deferred(
    context: Any,
    parts: PartFunctions,
    timeout: float | None,
    place: TagPlace,
    sink: Any,
    collect: Callable[[], Any],
) -> Plan:
    """The plan that begins a part beside the page, and leaves its place in the sink.

    Arguments as for `show_deferred`.
    """
    state = running_state()
    deferred: DeferredParts | None = state.deferred
    if deferred is None or not may_branch(state):
        yield from show_deferred(context, parts, timeout, place, sink, collect)
        return
    snapshot = Snapshot(context)
    name, text = "", ""
    if deferred.out_of_order:
        name, waiting = deferred.new_name(), Sink()
        state.deferred = None
        try:
            yield from snapshot.function(parts[1])(snapshot.context, waiting)
        finally:
            state.deferred = deferred
        text = waiting.take()
    shared = share_awaitables(state)
    part = _deferred_part(state, snapshot, parts, timeout, place, sink.new_hole(name, text))
    deferred.begin(part, shared, ())
    if state.sent_by is not None:
        state.sent_by.end_shell()


def _deferred_part(
    state: RenderState,
    snapshot: Snapshot,
    parts: PartFunctions,
    timeout: float | None,
    place: TagPlace,
    hole: Hole,
) -> DeferredPart:
    contents, waiting, failed = (each and snapshot.function(each) for each in parts)
    inner, spare = state.for_branch(), state.for_branch()
    for each in (inner, spare):
        each.deferred = state.deferred
        _ = each.known  # the page goes on meanwhile

    async def write(own: RenderState, function: Any, sink: Sink, *error: Any) -> None:
        active.set(own)  # in the context variables of the part
        own.turning = own.yield_after is not None  # the page may have been in the thread
        await arun(_beside(state, own, snapshot.context, function, sink, error), carrying)

    async def write_error(sink: Sink, error: Exception) -> bool:
        if failed is None:
            return False
        await write(spare, failed, sink, *error_shown(error))
        return True

    return DeferredPart(
        render=lambda sink: write(inner, contents, sink),
        on_error=write_error,
        on_nothing=lambda sink: write(spare, waiting, sink),
        timeout=timeout,
        place=location_of(place),
        hole=hole,
    )


@internal
def _beside(
    outer: RenderState,
    state: RenderState,
    context: Any,
    function: Callable[..., Plan],
    sink: Sink,
    error: tuple[Any, ...],
) -> Plan:
    try:
        plan = function(context, sink, *error)
        if state.told:
            plan = traced(state, plan)
        yield from plan if state.lines is None else state.lines.timed(plan)
        if state.uses_relations:
            state.known.check()
    finally:
        outer.end_branch(state)
