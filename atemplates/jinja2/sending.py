"""Plans that write a page which is sent while it is rendered: what their code calls.

Such code is compiled when a template is sent for the first time, of the text that the template was
compiled from. Where that is not known (a template that was compiled elsewhere), the usual code
serves: text leaves in larger pieces.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import copy_context
from typing import Any

from ..runtime.drivers import run
from ..runtime.shared_awaitables import SharedAwaitables
from ..runtime.waits import Kind, Plan, Wait
from ..streaming.deferred import DeferredParts
from ..streaming.feed import Feed
from .callables import RenderFunction, run_foreign
from .contexts import begun, shown
from .placed import do_nothing
from .sending_writer import sending_generator
from .state import RenderState, running_state
from .timed_plans import timed_function_plan
from .tracebacks import internal
from .written_again import written_again

PIECE_WRITTEN = Wait(Kind.CALL, do_nothing)
"""What the code of a sync environment yields when it has written something."""


@internal
def write_pieces(context: Any, function: Any, pieces: list[str]) -> Plan:
    """The plan of a template or a block that writes the pieces of a page as they are there."""
    if type(function) is not RenderFunction:
        yield from shown(context)
        yield from run_foreign(function, context, pieces)
        return
    if running_state().lines is not None:
        yield from timed_function_plan(function, sends=True)(context, pieces)
        return
    plan = function._sending
    if plan is None:
        if context.environment.is_async:
            yield Wait(Kind.CALL, compile_sending, (function,))
        else:
            compile_sending(function)
        plan = function._sending or function._plan
    yield from plan(context, pieces)


def compile_sending(function: RenderFunction) -> None:
    """Compile what sends a template, for all of its functions.

    Args:
        function: one of them.
    """
    functions, made = written_again(function, sending_generator)
    # Several threads may do this at the same time: what each has compiled does the same.
    for name, each in functions.items():
        each._sending = each._plan if made is None else made[name]


@internal
def send_block(context: Any, block: Any, pieces: list[str]) -> Plan:
    """The plan of a block's code."""
    return write_pieces(context, block, pieces)


@internal
def send_root(template: Any, context: Any, pieces: list[str]) -> Plan:
    """The plan of a template's code, which another one extends."""
    from .other_templates import begin_ahead

    begin_ahead(context, template)
    return write_pieces(context, template.root_render_func, pieces)


@internal
def send_extended(context: Any, template: Any) -> Plan:
    """Make a template the parent of the one that is being sent."""
    for name, block in template.blocks.items():
        context.blocks.setdefault(name, []).append(block)
    yield from begun(context, template)


@internal
def send_include(context: Any, template: Any, values: Any, pieces: list[str]) -> Plan:
    """Send an included template in the context of the including one."""
    inner = template.new_context(context.get_all(), True, values)
    inner.begun = context.begun
    yield from begun(inner, template)
    yield from write_pieces(inner, template.root_render_func, pieces)


@internal
def send_plain(template: Any, pieces: list[str]) -> Plan:
    """Send an included template without context: its text is made once, as a whole."""
    module = yield from template._default_module()
    pieces.extend(module._body_stream)


@internal
def flushed() -> Plan:
    """The plan of ``{% flush %}``."""
    feed = running_state().sending
    if feed is not None:
        yield Wait(Kind.AWAIT, feed.flush())


class PageBeside:
    """What goes on beside the plan of a page: awaitables, deferred parts, and sending.

    Args:
        feed: sends what is there while the plan waits; None: nobody reads it before its end.
    """

    def __init__(self, feed: Feed | None = None) -> None:
        self.feed = feed
        self.shared = SharedAwaitables(users=1)
        if feed is None:
            self.deferred = DeferredParts()
        else:
            out_of_order = feed.out_of_order is not None
            self.deferred = DeferredParts(feed.part_ready, out_of_order=out_of_order)

    def enter(self, state: RenderState) -> None:
        """Have a render know of it."""
        state.sending = state.sent_by = self.feed
        state.shared, state.deferred = self.shared, self.deferred

    @internal
    def end(self) -> Plan:
        """The plan that waits for the parts, when the page has nothing else to wait for."""
        if self.deferred.is_used:
            yield Wait(Kind.AWAIT, self.deferred.end())

    async def leave(self) -> None:
        """Stop what has not ended, and wait until that is done."""
        await self.deferred.leave()
        await self.shared.leave()


class TextSteps:
    """A plan that is run from one piece of text to the next, by sync code.

    Args:
        plan: what is run.
        pieces: what it writes to.
    """

    def __init__(self, plan: Plan, pieces: list[str]) -> None:
        self.plan = plan
        self.pieces = pieces
        self.wait: Wait | None = None
        """What the plan waits for, if that was not begun: the text before it comes first."""

    @internal
    def next(self) -> Plan:
        """Go on until there is text; return whether the plan has ended."""
        wait, self.wait = self.wait, None
        answer: Any = None
        error: BaseException | None = None
        while True:
            if wait is not None and wait is not PIECE_WRITTEN:
                if self.pieces:
                    self.wait = wait
                    return False
                try:
                    answer = yield wait
                except GeneratorExit:
                    raise
                except BaseException as raised:  # every exception belongs to the plan
                    error = raised
            elif wait is not None and self.pieces:
                return False
            try:
                wait = self.plan.send(answer) if error is None else self.plan.throw(error)
            except StopIteration:
                return True
            answer = error = None


@internal
def pieces_given(plan: Plan, pieces: list[str]) -> Iterator[str]:
    """Give the pieces of a page as they are there, from sync code.

    The plan has context variables of its own, which who reads the pieces does not see.
    """
    steps, variables = TextSteps(plan, pieces), copy_context()
    try:
        ended = False
        while not ended:
            ended = variables.run(run, steps.next())
            ready = pieces[:]
            pieces.clear()
            yield from ready
    finally:
        variables.run(plan.close)
