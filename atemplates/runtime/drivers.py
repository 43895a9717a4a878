"""How a plan is run: by blocking (`run`) or by awaiting (`arun`).

A plan is a generator. It yields a `Wait` when it is stuck; the driver finds the answer and sends
it back in, or throws in the exception that came instead. What the plan returns is the result.

A generator belongs to no thread. When a plan that runs on the event loop needs the request's
thread, it is carried there and goes on there, until it ends or has to await something. So a page
costs one hop however many queries, tags and methods of others it meets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, NamedTuple, Protocol

from django.db.models.query import QuerySet

from ..errors import Location, RenderBlocked
from ..placement import guard
from .answers import (
    aanswer_wait,
    answer_wait,
    close_wait,
    describe_wait,
    is_answered_in_thread,
)
from .answers import close_awaitable as close_awaitable
from .answers import gather_awaitables as gather_awaitables
from .answers import on_event_loop as on_event_loop
from .answers import wait_for as wait_for
from .branches import here
from .hops import Hop, put_back, thread_of_task
from .hops import in_request_thread as in_request_thread
from .loading import Beside
from .sending import Sending
from .waits import A_TURN, Kind, Plan, Wait

PACKAGE_PREFIX = f"{__name__.partition('.')[0]}."
"""What the names of this package's modules begin with."""


def run_noticing(plan: Plan, runner: Callable[[Plan], Any] | None = None) -> Any:
    """Run a plan as `run` does; on a running loop, notice that something needed the database.

    Whoever catches Django's exception for that would otherwise get another page than in a thread.

    Args:
        plan: the plan.
        runner: what runs it; by default `run`.

    Raises:
        RenderBlocked: the plan has to wait, or code asked for the database, with a loop running in
            this very thread.
    """
    runner = runner or run
    if not on_event_loop():
        return runner(plan)
    with guard.GuardWatch() as watch:
        result = runner(plan)
    if watch.asked:
        place = Location(watch.template, watch.line) if watch.template else None
        raise RenderBlocked(
            "something that needs the database, and whose exception was caught", place
        )
    return result


def run(plan: Plan) -> Any:
    """Run a plan to its end in this thread, blocking where it waits.

    In a thread that `sync_to_async` started, awaitables go back to the loop that waits for the
    thread; elsewhere each gets a loop of its own.

    Raises:
        RenderBlocked: the plan has to wait and a loop is running in this very thread.
    """
    answer: Any = None
    error: BaseException | None = None
    while True:
        try:
            wait = plan.send(answer) if error is None else plan.throw(error)
        except StopIteration as stop:
            return stop.value
        answer = error = None
        if wait.kind is Kind.TURN:
            continue  # code of others stands in between, which cannot be left
        if on_event_loop():
            try:
                guard.tell()
                error = RenderBlocked(describe_wait(wait))
            except guard.LeaveLoop as leaving:
                error = leaving
            close_wait(wait)
            continue
        try:
            answer = answer_wait(wait)
        except guard.NeedsLoop as needed:
            error = needed.__cause__
        except BaseException as raised:  # also `SystemExit`: the plan must unwind
            error = raised


class Carried(Protocol):
    """What has to know when a plan goes on in the request's thread: the state of its render."""

    begins_in_thread: bool
    """Whether the plan that begins next does so in the thread."""

    @property
    def sending(self) -> Sending | None:
        """What sends the page's text while the plan waits."""
        ...

    def stand_on(self, loop: bool) -> bool:
        """Say whether what runs next stands on an event loop; return how it was before."""
        ...

    def in_thread(self) -> AbstractContextManager[Any]:
        """What is around a part of the plan that runs in the request's thread."""
        ...


class Part(NamedTuple):
    """How far a plan got in the request's thread."""

    result: Any = None
    wait: Wait | None = None
    """What the plan has to wait for on the loop; None when it ended."""


async def arun(plan: Plan, state: Carried | None = None) -> Any:
    """Run a plan to its end on the event loop, awaiting where it waits.

    When the task is cancelled the plan is unwound (its ``finally`` clauses restore the
    language, the time zone and the context) before the cancellation goes on.

    Args:
        plan: the plan.
        state: the state of its render. With one, a plan that needs the request's thread goes on
            there; without, it comes back to the loop after each step in the thread.
    """
    executor: Any = NOT_LOOKED
    answer: Any = None
    error: BaseException | None = None
    while True:
        if state is not None and state.begins_in_thread:
            state.begins_in_thread = False
            wait = A_TURN
        else:
            try:
                wait = plan.send(answer) if error is None else plan.throw(error)
            except StopIteration as stop:
                return stop.value
            error = None
        if executor is NOT_LOOKED:
            executor = thread_of_task()
        sending = None if state is None else state.sending
        if sending is not None and (error := await _sent(sending, wait)) is not None:
            continue
        if wait.kind is Kind.ROWS:
            _begin_beside(wait)
        while state is not None and is_carried(wait, sending):
            hop = Hop(_go_on, plan, wait, state)
            branch = here.get()
            if branch is not None:
                branch.in_thread = True
            if sending is not None:
                sending.enter_thread()
            try:
                part = await hop.make()
            except asyncio.CancelledError as cancelled:
                _unwind(plan, hop.result, cancelled)
                raise
            finally:
                if branch is not None:
                    branch.in_thread = False
                if sending is not None:
                    sending.leave_thread()
            if part.wait is None:
                return part.result
            wait = part.wait
            if sending is not None and (error := await _sent(sending, wait)) is not None:
                break
        if error is not None:
            continue
        answer = None
        try:
            answer = await aanswer_wait(wait)
        except BaseException as raised:  # also `CancelledError`: the plan must unwind
            if isinstance(raised, asyncio.CancelledError):
                put_back(executor)  # code of others may have left a `sync_to_async`, too
            error = raised


def is_carried(wait: Wait, sending: Sending | None) -> bool:
    """Whether a plan goes on in the request's thread, and not only what it waits for."""
    return is_answered_in_thread(wait) and (sending is None or not sending.is_awaited)


async def _sent(sending: Sending, wait: Wait) -> BaseException | None:
    """Send what is written; if this is the first that leaves, wait until it has left.

    Returns:
        What was raised meanwhile, the wait being closed: the task is cancelled.
    """
    if wait.kind is Kind.TURN:
        return None  # nothing is late: the plan goes on at once
    sending.send()
    try:
        if sending.is_leaving:
            await sending.left()
    except BaseException as raised:
        close_wait(wait)
        return raised
    return None


NOT_LOOKED = object()
"""Stands for what runs the sync work of a task until its plan waits for the first time."""


def _begin_beside(wait: Wait) -> None:
    """Have a queryset that a part of the page needs loaded beside the other parts."""
    queryset, branch = wait.subject, here.get()
    if branch is not None and type(queryset).__aiter__ is QuerySet.__aiter__:
        branch.together.started.append(queryset)
        Beside.rows(queryset)


def _go_on(plan: Plan, wait: Wait, state: Carried) -> Part:
    """Answer a wait and go on with the plan; runs in the request's thread."""
    before = state.stand_on(False)
    try:
        with state.in_thread():
            while is_answered_in_thread(wait):
                answer: Any = None
                error: BaseException | None = None
                try:
                    answer = answer_wait(wait)
                except guard.NeedsLoop as needed:
                    return Part(wait=Wait(Kind.AWAIT, _called(needed.call)))
                except BaseException as raised:  # the plan may catch it, and must unwind
                    error = raised.with_traceback(_of_others(raised.__traceback__))
                try:
                    wait = plan.send(answer) if error is None else plan.throw(error)
                except StopIteration as stop:
                    return Part(stop.value)
                if wait.kind is Kind.ROWS:
                    _begin_beside(wait)
                if state.sending is not None and state.sending.is_awaited:
                    break
    finally:
        state.stand_on(before)
    return Part(wait=wait)


def _of_others(trace: TracebackType | None) -> TracebackType | None:
    """A traceback without the frames of ours that it begins with; whole if there are no others.

    What raised stands right below the line of the template then, as in stock's tracebacks.
    """
    found = trace
    while found is not None and found.tb_frame.f_globals.get("__name__", "").startswith(
        PACKAGE_PREFIX
    ):
        found = found.tb_next
    return found or trace


async def _called(function: Callable[[], Any]) -> Any:
    """Call a function on the event loop."""
    return function()


def _unwind(plan: Plan, part: Part | None, cancelled: BaseException) -> None:
    """Let a plan that is not to go on run its ``finally`` clauses."""
    if part is not None:
        if part.wait is None:
            return
        close_wait(part.wait)
    try:
        plan.throw(cancelled)
    except (asyncio.CancelledError, StopIteration):
        return
    plan.close()
