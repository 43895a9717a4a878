"""Plans for Python code in the midst of a render: a function that calls a macro, or renders.

Such code cannot await. On the event loop a plan runs for it as far as it goes without waiting. If
it has to wait, `RenderBlocked` passes through the Python code to the step of the outer plan that
called it, and that step runs in the request's thread, where waiting is allowed.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_ITERABLE_COROUTINE
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from django.utils.asyncio import async_unsafe

from ..errors import RenderBlocked
from ..placement.guard import GuardWatch
from ..runtime.drivers import arun, on_event_loop, run
from ..runtime.waits import Kind, Wait
from .state import RenderState, active
from .tracebacks import internal
from .values import AwaitablePlan

ASYNC = CO_COROUTINE | CO_ASYNC_GENERATOR | CO_ITERABLE_COROUTINE
"""The flags of code that can await."""


def outer_render() -> RenderState | None:
    """The state of the render that the running code belongs to, if that has an event loop."""
    state = active.get()
    return state if state is not None and state.in_loop and not state.over else None


def is_nested() -> bool:
    """Whether the code that runs stands on an event loop, in the midst of a render."""
    state = active.get()
    return state is not None and not state.over and on_event_loop()


def can_await() -> bool:
    """Whether a coroutine of somebody else's called the running code, and no plan in between.

    Looks at the Python stack, so it costs some microseconds.
    """
    frame = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if code is arun_code or code is run_code or code is finish_code:
            return False
        if code.co_flags & ASYNC:
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return True


def wants_text() -> bool:
    """Whether Python code that calls a macro of an async environment cannot await what it gets."""
    return outer_render() is not None and not (on_event_loop() and can_await())


@internal
def finish(plan: Generator[Wait, Any, Any]) -> Any:
    """Run a plan to its end for Python code that cannot await.

    Returns:
        What the plan returns.

    Raises:
        RenderBlocked: the plan has to wait and a loop is running in this very thread.
    """
    state = active.get()
    if state is None or not is_nested():
        return run(plan)
    # The Python code in between cannot be left, so its steps are not taken elsewhere.
    before, state.on_loop = state.on_loop, False
    try:
        with GuardWatch() as watch:
            result = _finish_here(plan, state)
    finally:
        state.on_loop = before
    if watch.asked:
        raise blocked("something that needs the database, and whose exception was caught,")
    return result


@internal
def _finish_here(plan: Generator[Wait, Any, Any], state: RenderState) -> Any:
    error: BaseException | None = None
    while True:
        try:
            wait = plan.send(None) if error is None else plan.throw(error)
        except StopIteration as stop:
            return stop.value
        # The step is about to run in the thread, and may use them again.
        if wait.kind is Kind.AWAIT:
            state.left.append(wait.subject)
        elif wait.kind is Kind.GATHER:
            state.left.extend(wait.subject.values())
        error = blocked(repr(wait))


@internal
def given(pending: AwaitablePlan) -> Any:
    """What Python code gets of a call, in an environment of either kind."""
    if on_event_loop() and can_await():
        return pending._start()
    return finish(pending._finish())


def blocked(what: str) -> RenderBlocked:
    """The error that sends the outer step to the thread."""
    try:
        ask_guard()
    except SynchronousOnlyOperation:
        pass  # Asked so that whoever watches Django's guard learns of it.
    return RenderBlocked(f"{what} in what a function rendered or called")


@async_unsafe("A template has to wait for I/O.")
def ask_guard() -> None:
    """Do nothing, where Django allows queries."""


arun_code, run_code, finish_code = arun.__code__, run.__code__, finish.__code__
