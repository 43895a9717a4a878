"""How a plan is run: by blocking (`run`) or by awaiting (`arun`). The only room that does I/O.

A plan is a generator. It yields a `Wait` when it is stuck; the driver finds the answer and sends
it back in, or throws in the exception that came instead. What the plan returns is the result.

A generator belongs to no thread. When a plan that runs on the event loop needs the request's
thread, it is carried there and goes on there, until it ends or has to await something. So a page
costs one hop however many queries, tags and methods of others it meets.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractContextManager
from time import perf_counter
from types import GeneratorType, TracebackType
from typing import Any, NamedTuple, Protocol

from django.db.models.query import QuerySet

from ..errors import Location, RenderBlocked
from ..placement import guard
from .hops import Hop, R, from_thread, put_back, thread_of_task
from .hops import in_request_thread as in_request_thread
from .running_steps import LocalValues, RunningStep, register_step
from .types import is_source
from .waits import Kind, Plan, Wait

PACKAGE_PREFIX = f"{__name__.partition('.')[0]}."
"""What the names of this package's modules begin with."""


def on_event_loop() -> bool:
    """Whether an event loop is running in this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def wait_for(awaitable: Awaitable[R], what: str = "") -> R:
    """Block this thread until ``awaitable`` is done, and return its result.

    In a thread that `sync_to_async` started, it is awaited on the loop that waits for the
    thread; elsewhere on a loop of its own.

    Args:
        awaitable: what to wait for.
        what: how an error calls it.

    Raises:
        RenderBlocked: a loop is running in this very thread. A coroutine is closed.
    """
    if on_event_loop():
        blocked = RenderBlocked(what or f"an awaitable ({awaitable!r})")
        close_awaitable(awaitable)
        raise blocked
    try:
        return from_thread(_await, awaitable)
    except asyncio.CancelledError:
        close_awaitable(awaitable)  # of a cancelled hop: it was not begun
        raise


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
        if on_event_loop():
            try:
                guard.tell()
                error = RenderBlocked(_describe(wait))
            except guard.LeaveLoop as leaving:
                error = leaving
            _close(wait)
            continue
        try:
            start = perf_counter()
            answer = ANSWERS[wait.kind](wait)
            if wait.notify is not None:
                wait.notify((perf_counter() - start) * 1000, answer)
        except guard.NeedsLoop as needed:
            error = needed.__cause__
        except BaseException as raised:  # every exception belongs to the plan, also an exit
            error = raised


class Carried(Protocol):
    """What has to know when a plan goes on in the request's thread: the state of its render."""

    begins_in_thread: bool
    """Whether the plan that begins next does so in the thread."""

    def stand_on(self, loop: bool) -> bool:
        """Say whether what runs next stands on an event loop; return how it was before."""

    def in_thread(self) -> AbstractContextManager[Any]:
        """What is around a part of the plan that runs in the request's thread."""


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
            wait = BEGIN
        else:
            try:
                wait = plan.send(answer) if error is None else plan.throw(error)
            except StopIteration as stop:
                return stop.value
        if executor is NOT_LOOKED:
            executor = thread_of_task()
        while state is not None and is_answered_in_thread(wait):
            hop = Hop(_go_on, plan, wait, state)
            try:
                part = await hop.make()
            except asyncio.CancelledError as cancelled:
                _unwind(plan, hop.result, cancelled)
                raise
            if part.wait is None:
                return part.result
            wait = part.wait
        answer = error = None
        try:
            start = perf_counter()
            answer = await ASYNC_ANSWERS[wait.kind](wait)
            if wait.notify is not None:
                wait.notify((perf_counter() - start) * 1000, answer)
        except BaseException as raised:  # every exception belongs to the plan, cancelling too
            if isinstance(raised, asyncio.CancelledError):
                put_back(executor)  # code of others may have left a `sync_to_async`, too
            error = raised


NOT_LOOKED = object()
"""Stands for what runs the sync work of a task until its plan waits for the first time."""


def is_answered_in_thread(wait: Wait) -> bool:
    """Whether the request's thread answers a wait; the others are awaited on the loop."""
    if wait.kind is Kind.ROWS:
        return getattr(type(wait.subject), "__aiter__", None) is QuerySet.__aiter__
    return wait.kind is Kind.CALL


def _nothing() -> None:
    return None


BEGIN = Wait(Kind.CALL, _nothing)
"""What a plan waits for that begins in the request's thread."""


def _go_on(plan: Plan, wait: Wait, state: Carried) -> Part:
    """Answer a wait and go on with the plan; runs in the request's thread."""
    before = state.stand_on(False)
    try:
        with state.in_thread():
            while is_answered_in_thread(wait):
                answer: Any = None
                error: BaseException | None = None
                try:
                    start = perf_counter()
                    answer = ANSWERS[wait.kind](wait)
                    if wait.notify is not None:
                        wait.notify((perf_counter() - start) * 1000, answer)
                except guard.NeedsLoop as needed:
                    return Part(wait=Wait(Kind.AWAIT, _called(needed.call)))
                except BaseException as raised:  # every exception belongs to the plan
                    error = raised.with_traceback(_of_others(raised.__traceback__))
                try:
                    wait = plan.send(answer) if error is None else plan.throw(error)
                except StopIteration as stop:
                    return Part(stop.value)
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
        _close(part.wait)
    try:
        plan.throw(cancelled)
    except (asyncio.CancelledError, StopIteration):
        return
    plan.close()


async def gather_awaitables(awaitables: Mapping[Any, Awaitable[Any]]) -> dict[Any, Any]:
    """Await several awaitables at the same time; map each key to its result.

    When one raises, the others are cancelled and awaited before its exception is raised
    unchanged; when the caller is cancelled, all are.
    """
    if len(awaitables) == 1:
        ((key, awaitable),) = awaitables.items()
        return {key: await awaitable}
    tasks = {key: asyncio.ensure_future(item) for key, item in awaitables.items()}
    pending = set(tasks.values())
    try:
        done, _ = await asyncio.wait(pending, return_when=asyncio.FIRST_EXCEPTION)
        for task in tasks.values():
            if task in done:
                task.result()
        return {key: task.result() for key, task in tasks.items()}
    finally:
        unfinished = [task for task in pending if not task.done()]
        for task in unfinished:
            task.cancel()
        if unfinished:
            await asyncio.gather(*unfinished, return_exceptions=True)
        for task in pending:
            # Marks the exceptions of the others as seen: one is raised, none is reported late.
            if not task.cancelled():
                task.exception()


def close_awaitable(awaitable: Any) -> None:
    """Close a coroutine that nobody will await, so that Python does not warn about it.

    Only a coroutine that has not started is closed. Tasks, futures and other objects with an
    ``__await__`` belong to whoever made them; a ``close`` of theirs means something else.
    """
    if isinstance(awaitable, GeneratorType):
        started = inspect.getgeneratorstate(awaitable) != inspect.GEN_CREATED
    elif isinstance(awaitable, Coroutine):
        # Other implementations than Python's own (Cython's) need not tell their state.
        frame = getattr(awaitable, "cr_frame", None)
        started = frame is not None and inspect.getcoroutinestate(awaitable) != inspect.CORO_CREATED
    else:
        return
    if not started:
        awaitable.close()


def _describe(wait: Wait) -> str:
    if wait.kind is Kind.ROWS:
        options = getattr(getattr(wait.subject, "model", None), "_meta", None)
        if options is not None:
            return f"a {options.label} queryset that is not loaded yet"
        return f"rows that only `async for` gives ({wait.subject!r})"
    if wait.kind is Kind.AWAIT:
        return f"an awaitable ({wait.subject!r})"
    if wait.kind is Kind.GATHER:
        return f"awaitables in the context ({', '.join(map(repr, wait.subject.values()))})"
    name = getattr(wait.subject, "__qualname__", None) or repr(wait.subject)
    return f"a call that needs the request's thread ({name})"


def _close(wait: Wait) -> None:
    """Close the coroutines of a wait that will not be answered."""
    if wait.kind is Kind.AWAIT:
        close_awaitable(wait.subject)
    elif wait.kind is Kind.GATHER:
        for awaitable in wait.subject.values():
            close_awaitable(awaitable)


async def _await(awaitable: Awaitable[R]) -> R:
    return await awaitable


def _call(wait: Wait) -> Any:
    if isinstance(wait.notify, AbstractContextManager):
        with wait.notify:
            return _call_it(wait)
    return _call_it(wait)


def _answering(values: LocalValues) -> RunningStep:
    return RunningStep("answer", notify=getattr(values.get("wait"), "notify", None))


register_step(_call, _answering)


def _call_it(wait: Wait) -> Any:
    try:
        return wait.subject(*wait.args, **(wait.kwargs or {}))
    except StopIteration as stop:
        # A future cannot hold a StopIteration, and a generator turns one into this as well.
        raise RuntimeError(f"{wait.subject!r} raised StopIteration") from stop


async def _collect(source: Any) -> list[Any]:
    """Return the rows of an asynchronous iterable; it is closed if it does not get to its end."""
    rows = aiter(source)
    try:
        return [row async for row in rows]
    finally:
        if hasattr(rows, "aclose"):
            await rows.aclose()


def _fill(wait: Wait) -> Any:
    if is_source(type(wait.subject)):
        return from_thread(_collect, wait.subject)
    len(wait.subject)
    return wait.subject


register_step(_fill, _answering)


async def _acall(wait: Wait) -> Any:
    try:
        return await in_request_thread(_call, wait)
    except guard.NeedsLoop as needed:
        return needed.call()


async def _afill(wait: Wait) -> Any:
    queryset = wait.subject
    if type(queryset).__aiter__ is not QuerySet.__aiter__:
        found = await _collect(queryset)
        if isinstance(queryset, QuerySet) and queryset._result_cache is None:
            # Evaluated, as by a loop in a thread: it is not asked again in this render or later.
            queryset._result_cache = found
            return queryset
        return found
    rows = queryset.__aiter__()
    # Django loads the whole result before it gives the first row.
    try:
        await anext(rows, None)
    finally:
        await rows.aclose()
    return queryset


def _gather(wait: Wait) -> Any:
    try:
        return from_thread(gather_awaitables, wait.subject)
    except asyncio.CancelledError:
        _close(wait)  # of a cancelled hop: none was begun
        raise


ANSWERS: dict[Kind, Callable[[Wait], Any]] = {
    Kind.AWAIT: lambda wait: wait_for(wait.subject),
    Kind.CALL: _call,
    Kind.ROWS: _fill,
    Kind.GATHER: _gather,
}
ASYNC_ANSWERS: dict[Kind, Callable[[Wait], Awaitable[Any]]] = {
    Kind.AWAIT: lambda wait: wait.subject,
    Kind.CALL: _acall,
    Kind.ROWS: _afill,
    Kind.GATHER: lambda wait: gather_awaitables(wait.subject),
}
