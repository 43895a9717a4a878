"""From a node list to its plan: a generator function ``plan(context, state)``."""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator
from typing import Any

from django.template.base import NodeList, Template, TextNode
from django.template.context import Context
from django.utils.safestring import SafeString

from ..runtime.line_times import TIMED_PLAN, TIMED_STREAMED_PLAN
from ..runtime.paths import engine_of
from ..runtime.state import PLAN_ATTRIBUTE as PLAN_ATTRIBUTE
from ..runtime.state import STATE_ATTRIBUTE, STREAMED_ATTRIBUTE, State, state_of
from ..runtime.tracing import tracing_of
from ..runtime.waits import Kind, Plan, Wait, resume_plan
from .cached_loader import template_at_hand
from .failures import find_stop_iteration
from .module import Module, PlanFunction

REPEATED_ATTRIBUTE = "atemplates_repeated_plan"
"""Where a node list has the same plan once more if it was compiled for being run many times."""
TRACED_REPEATED_ATTRIBUTE = "atemplates_traced_repeated_plan"
"""Where it keeps that for renders that are traced."""
ASKED_ATTRIBUTE = "atemplates_repeats"
"""Where a node list notes that a loop has asked for its plan. Any thread may set it; at worst it is
compiled for loops one time later."""
OUTPUT_ATTRIBUTE = "atemplates_output"
"""Where the node list of a template that was compiled keeps its output if it has only text."""
compiling: dict[int, threading.RLock] = {}
"""A lock for each node list that is being compiled, by its identity. Any thread may add and drop
one, each in a single step; to drop one early costs that something is compiled twice."""


class PlannedNodeList(NodeList):
    """A node list of a foreign node: rendering it runs our plan."""

    def render(self, context: Context) -> SafeString:
        """Render the nodes; what a foreign tag's own ``render()`` calls."""
        state = vars(context).get(STATE_ATTRIBUTE)
        if type(state) is not State:
            return super().render(context)
        state.engine = engine_of(context)
        if state.sink is not None:
            sink = state.hold_back()
            try:
                return self.render(context)
            finally:
                state.write_to(sink)
        known = vars(self).get(state.wanted)
        if known is None:
            is_timed = state.lines is not None
            known = plan_of(self, may_wait=not state.on_loop, timed=is_timed)
        plan = known(context, state)
        if state.lines is not None:
            plan = state.lines.timed(plan)
        # Begun right here: each level of nesting costs frames, and Python has not many.
        try:
            wait = plan.send(None)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]
        except RuntimeError as error:
            stop = find_stop_iteration(error)
            if stop is None:
                raise
        else:
            return state.run(resume_plan(plan, wait))  # type: ignore[no-any-return]
        raise stop

    async def render_async(self, context: Context) -> SafeString:
        """Render the nodes from a tag's ``async def render_async(self, context)``."""
        state = state_of(context)
        if state is None:
            return super().render(context)
        state.engine = engine_of(context)
        sink = state.hold_back()
        known = vars(self).get(state.wanted)
        plan = _first_run(self, context, state) if known is None else known(context, state)
        if state.lines is not None:
            plan = state.lines.timed(plan)
        before = state.stand_on(True)
        try:
            return await state.arun(plan, state)  # type: ignore[no-any-return]
        finally:
            state.stand_on(before)
            state.write_to(sink)


def plan_of(
    nodelist: Any,
    template: Template | None = None,
    name: str = "",
    *,
    may_wait: bool = True,
    repeated: bool = False,
    streamed: bool = False,
    timed: bool = False,
) -> PlanFunction:
    """Return the plan of a node list, compiling it the first time.

    Threads that want the same one compile it once; those that want another do not wait.

    Args:
        nodelist: a template's, block's or tag's node list. The plan is kept on it.
        template: the template it belongs to, if that is known; its source shows in tracebacks.
        name: what to call the plan in tracebacks.
        may_wait: whether to wait for a thread that compiles the same node list; the event loop may
            not, and compiles it too.
        repeated: whether a loop renders it for each row, so that longer and faster code pays. It
            takes the place of other code.
        streamed: whether the plan writes to the sink of the page that is sent (`State.sink`).
        timed: whether it tells a clock which line it is at (`State.lines`).
    """
    if timed:
        wanted = TIMED_STREAMED_PLAN if streamed else TIMED_PLAN
    elif streamed:
        wanted = STREAMED_ATTRIBUTE
    else:
        wanted = REPEATED_ATTRIBUTE if repeated else PLAN_ATTRIBUTE
    plan = nodelist.__dict__.get(wanted)
    if plan is not None:
        return plan  # type: ignore[no-any-return]
    lock = compiling.setdefault(id(nodelist), threading.RLock())
    if not lock.acquire(blocking=may_wait):
        if timed:
            return _timed_plan(nodelist, template, name, streamed)
        return Module(nodelist, template, name, streamed=streamed).function()
    try:
        plan = nodelist.__dict__.get(wanted)
        if plan is None and timed:
            plan = _timed_plan(nodelist, template, name, streamed)
            setattr(nodelist, wanted, plan)
        if plan is None:
            plan = text_plan(nodelist)
            if plan is None:
                made = Module(nodelist, template, name, repeated=repeated, streamed=streamed)
                plan = made.function()
            elif template is not None:
                setattr(nodelist, OUTPUT_ATTRIBUTE, sole_text(nodelist))
            setattr(nodelist, STREAMED_ATTRIBUTE if streamed else PLAN_ATTRIBUTE, plan)
            if repeated:
                setattr(nodelist, REPEATED_ATTRIBUTE, plan)
        return plan  # type: ignore[no-any-return]
    finally:
        compiling.pop(id(nodelist), None)
        lock.release()


def _timed_plan(
    nodelist: Any, template: Template | None, name: str, streamed: bool
) -> PlanFunction:
    from .timed_code import timed_plan  # only where somebody wants to know

    return timed_plan(nodelist, template, name, sole_text(nodelist), streamed)


def sole_text(nodelist: Any) -> SafeString | None:
    """Return the text of a node list that is nothing else, or empty; None for another."""
    if any(type(node) is not TextNode for node in nodelist):
        return None
    return SafeString("".join([node.s for node in nodelist]))


def text_plan(nodelist: Any) -> PlanFunction | None:
    """Return the plan of a node list that is nothing but text; None for another.

    Many blocks are, and there is nothing to compile.
    """
    text = sole_text(nodelist)
    if text is None:
        return None

    def plan(context: Context, state: State) -> Generator[Wait, Any, Any]:
        return text
        yield

    return plan


def compiled_template(engine: Any, name: str) -> Template | None:
    """Return a template that the engine has loaded and that has a plan, or None."""
    found: Template | None = template_at_hand(engine, name)
    return found if found is not None and PLAN_ATTRIBUTE in found.nodelist.__dict__ else None


def compiled(
    state: State, nodelist: Any, template: Template | None = None, name: str = ""
) -> Generator[Wait, Any, PlanFunction]:
    """Compile a node list as `plan_of` does, but never on the event loop, which would stand still.

    Arguments as for `plan_of`.
    """
    streamed, timed = state.sink is not None, state.lines is not None
    plan: PlanFunction | None = None
    untraced = state.untraced
    if state.wanted != untraced:
        plan = nodelist.__dict__.get(untraced)
    if plan is None and state.on_loop:
        kwargs = {"streamed": streamed, "timed": timed} if streamed or timed else None
        plan = yield Wait(Kind.CALL, plan_of, (nodelist, template, name), kwargs)
    elif plan is None:
        plan = plan_of(nodelist, template, name, streamed=streamed, timed=timed)
    assert plan is not None
    if state.wanted != untraced:
        plan = traced_plan(plan, nodelist, template, name, state.wanted)
    return plan


def traced_plan(
    plan: PlanFunction, nodelist: Any, template: Any, name: str, attribute: str
) -> PlanFunction:
    """Return what does the same as a plan, and tells what traces the render of its begin and end.

    Args:
        plan: the plan of the node list.
        attribute: where the node list keeps what is returned. Threads may race for it: they make
            the same. Other arguments as for `plan_of`.
    """
    known = nodelist.__dict__.get(attribute)
    if known is not None and known.plan is plan:
        return known  # type: ignore[no-any-return]
    label = name or str(getattr(template, "name", None) or "")

    def traced(context: Context, state: State) -> Generator[Wait, Any, Any]:
        tracing = tracing_of(state.told)
        if tracing is None:
            return (yield from plan(context, state))
        entered = tracing.enter(label, sys._getframe().f_back)
        try:
            return (yield from plan(context, state))
        finally:
            tracing.leave(entered)

    made: Any = traced
    made.plan = plan
    setattr(nodelist, attribute, made)
    return traced


def repeated_plan(
    state: State, nodelist: Any, template: Template | None = None, name: str = ""
) -> PlanFunction | None:
    """Return the plan of a node list that a loop renders for each row; None if there is none yet.

    Off the event loop it is compiled for that; where there is other code, when it is asked for the
    second time. Arguments as for `compiled`.
    """
    held = nodelist.__dict__
    plan: PlanFunction | None
    streamed, timed = state.sink is not None, state.lines is not None
    if streamed or timed:
        plan = held.get(state.untraced)
        if plan is None and not state.on_loop:
            plan = plan_of(nodelist, template, name, streamed=streamed, timed=timed)
    else:
        plan = held.get(REPEATED_ATTRIBUTE) or held.get(PLAN_ATTRIBUTE)
        if state.on_loop or REPEATED_ATTRIBUTE in held:
            pass
        elif plan is not None and ASKED_ATTRIBUTE not in held:
            # It was compiled for this loop's first row, perhaps. A page that is rendered once has
            # no time to win back what compiling it again takes.
            setattr(nodelist, ASKED_ATTRIBUTE, True)
        else:
            plan = plan_of(nodelist, template, name, repeated=True)
    if state.told and plan is not None and tracing_of(state.told) is not None:
        return traced_plan(plan, nodelist, template, name, TRACED_REPEATED_ATTRIBUTE)
    return plan


def _first_run(nodelist: Any, context: Context, state: State) -> Plan:
    plan = yield from compiled(state, nodelist)
    return (yield from plan(context, state))
