"""The context of one render, and what belongs to the whole render rather than to one template."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import GeneratorType
from typing import TYPE_CHECKING, Any

from jinja2 import runtime
from jinja2.utils import missing

from ..runtime.apart import may_be_apart
from ..runtime.drivers import close_awaitable, on_event_loop
from ..runtime.loading import forget_loadings, is_loading
from ..runtime.shared_awaitables import SharedAwaitables
from ..runtime.tracing import tracing_of
from ..runtime.types import is_awaitable
from ..runtime.waits import Kind, Plan, Wait
from .callables import as_plan
from .state import RenderState, active, begin, running_state
from .tracebacks import internal
from .values import SETTLED_TYPES, remember_type, results, settled

if TYPE_CHECKING:
    from ..streaming.feed import Feed


class Context(runtime.Context):
    """Jinja2's context, whose blocks are plans."""

    calls_directly = True
    """Whether a function that does not ask for the context may be called without `call`."""

    begun: Mapping[str, Any] | None = None
    """Awaitables among its variables that were begun where a page is sent, by name: each is
    awaited where the page comes to it."""

    def __init_subclass__(cls) -> None:
        cls.calls_directly = cls.call is runtime.Context.call

    def super(self, name: str, current: Any) -> Any:
        """The parent's block of that name."""
        return as_plan(super().super(name, current))

    def derived(self, locals: dict[str, Any] | None = None) -> runtime.Context:
        """A context with more variables."""
        made: Any = super().derived(locals)
        made.begun = self.begun
        return made  # type: ignore[no-any-return]


@contextmanager
def rendering(context: runtime.Context) -> Iterator[RenderState]:
    """Begin the render of a context: its state is the one that `running_state` gives.

    At the end awaitables that no template has used are closed (in a render inside another one: at
    the end of that), and what was changed on the caller's objects is taken back.
    """
    outer = active.get()
    state = begin(context)
    state.on_loop = bool(context.environment.is_async) and on_event_loop()
    state.turning = state.on_loop and state.yield_after is not None
    state.concurrent = (
        state.on_loop and (outer is None or outer.over or outer.on_loop) and may_be_apart()
    )
    for name, value in context.parent.items():
        if type(value) in SETTLED_TYPES:
            continue
        if is_loading(value):
            continue  # it is waited for where it is needed
        if is_awaitable(value):
            if (result := results.get(value)) is missing:
                state.awaitables[name] = value
            else:  # a render that this one stands in, or another in that one, has awaited it
                context.parent[name] = result
        elif type(value) is not GeneratorType:
            remember_type(type(value))
    active.set(state)
    error: BaseException | None = None
    try:
        yield state
    except BaseException as raised:
        error = raised
        raise
    finally:
        active.set(outer)
        state.over = True
        forget_loadings(state.started)
        if state.uses_relations:
            state.known.finish()
            if state.told:
                end_trace(state, error)
        unused = [*state.awaitables.values(), *state.left]
        if outer is not None and not outer.over:
            outer.left.extend(unused)  # which may have them in its own context
        else:
            for value in unused:
                close_awaitable(value)


@internal
def traced(state: RenderState, plan: Plan, feed: Feed | None = None) -> Plan:
    """Return a plan that does the same; what traces the render, if anything does, sees its waits.

    Args:
        feed: sends the page while it is rendered; None where nobody reads it before its end.
    """
    tracing = tracing_of(state.told)
    if tracing is None:
        return plan
    if feed is not None:
        tracing.sends(feed)
    return tracing.watched(plan, state.on_loop)


def end_trace(state: RenderState, error: BaseException | None) -> None:
    """Tell what traces a render that it has ended."""
    tracing = tracing_of(state.told)
    if tracing is not None:
        tracing.end(error)


def meet_template(state: RenderState, template: Any) -> None:
    """Tell what traces a render that a template begins."""
    tracing = tracing_of(state.told)
    if tracing is not None:
        tracing.meets(template, sys._getframe(2))


@internal
def gathered(context: Any, template: Any, is_met: bool = False) -> Plan:
    """Await, at the same time, what a template and those it refers to use of the awaitables."""
    state = running_state()
    if state.told and not is_met:
        meet_template(state, template)
    shared = state.shared
    needed = (yield from awaitables_of(state, template)) if state.awaitables else ()
    if not needed:
        return
    once = {
        # Another part that runs at the same time may have met it.
        id(value): value if shared is None else shared.result(value)
        for value in needed.values()
    }
    found = yield Wait(Kind.GATHER, once)
    for name, value in needed.items():
        results.keep(value, found[id(value)])
        if context.parent.get(name) is value:
            context.parent[name] = found[id(value)]


@internal
def awaitables_of(state: RenderState, template: Any) -> Plan:
    """Take the awaitables that a template and those it refers to use; return them by name."""
    waiting = state.awaitables
    if len(waiting) > 1:
        yield from template._load_references()
    return {name: waiting.pop(name) for name in template._names_used() & waiting.keys()}


@internal
def begun(context: Any, template: Any) -> Plan:
    """Begin to await, together, what such templates use: the page goes on without it."""
    state = running_state()
    if state.told:
        meet_template(state, template)
    if state.shared is None or not context.environment.is_async:
        yield from gathered(context, template, is_met=True)
        return
    needed = (yield from awaitables_of(state, template)) if state.awaitables else ()
    if needed:
        yield Wait(Kind.AWAIT, begin_together(state.shared, list(needed.values())))
        context.begun = {**(context.begun or {}), **needed}


async def begin_together(shared: SharedAwaitables, awaitables: list[Any]) -> None:
    """Begin to await each, and let each take its first step: many a one has no other."""
    for each in awaitables:
        shared.begun(each)
    await shared.first_steps()


@internal
def shown(context: Any) -> Plan:
    """Return a context that code of others may look at: with results in the place of awaitables."""
    waiting, context.begun = context.begun or {}, None
    for name, value in waiting.items():
        result = yield from settled(value)
        if context.parent.get(name) is value:
            context.parent[name] = result
    return context
