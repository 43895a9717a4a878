"""How each kind of wait is answered: by blocking (`ANSWERS`), or by awaiting (`ASYNC_ANSWERS`)."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractContextManager
from time import perf_counter
from types import GeneratorType
from typing import Any

from django.db.models.query import QuerySet

from ..errors import RenderBlocked
from ..placement import guard
from .apart import may_be_apart, task_apart
from .async_sources import is_async_iterator
from .branches import here, run_branches
from .hops import R, from_thread, in_request_thread
from .loading import is_loading, loading_of
from .running_steps import LocalValues, RunningStep, register_step
from .shared_awaitables import SharedResult
from .turns import give_turn
from .turns import running_loop as running_loop
from .types import is_source
from .waits import Kind, Wait


def on_event_loop() -> bool:
    """Whether an event loop is running in this thread."""
    return running_loop() is not None


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


def is_answered_in_thread(wait: Wait) -> bool:
    """Whether the request's thread answers a wait; the others are awaited on the loop."""
    if wait.kind is Kind.ROWS:
        if getattr(type(wait.subject), "__aiter__", None) is not QuerySet.__aiter__:
            return False
        load = loading_of(wait.subject)
        return load is None or load.is_for_thread()
    if wait.kind is Kind.AWAIT:
        return is_loading(wait.subject) and wait.subject.is_for_thread()
    return wait.kind is Kind.CALL


async def gather_awaitables(awaitables: Mapping[Any, Awaitable[Any]]) -> dict[Any, Any]:
    """Await several awaitables at the same time; map each key to its result.

    When one raises, the others are cancelled and awaited before its exception is raised
    unchanged; when the caller is cancelled, all are.
    """
    if len(awaitables) == 1 or not may_be_apart():
        return {key: await awaitable for key, awaitable in awaitables.items()}
    tasks = {key: task_apart(item) for key, item in awaitables.items()}
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
    if type(awaitable) is SharedResult:
        if awaitable.is_begun:
            return
        awaitable = awaitable.awaitable
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


def describe_wait(wait: Wait) -> str:
    if wait.kind is Kind.ROWS:
        options = getattr(getattr(wait.subject, "model", None), "_meta", None)
        if options is not None:
            return f"a {options.label} queryset that is not loaded yet"
        return f"rows that only `async for` gives ({wait.subject!r})"
    if wait.kind is Kind.AWAIT:
        return f"an awaitable ({wait.subject!r})"
    if wait.kind is Kind.GATHER:
        return f"awaitables in the context ({', '.join(map(repr, wait.subject.values()))})"
    if wait.kind is Kind.BRANCHES:
        return "parts that are rendered at the same time"
    if wait.kind is Kind.TURN:
        return "a turn of the event loop"
    name = getattr(wait.subject, "__qualname__", None) or repr(wait.subject)
    return f"a call that needs the request's thread ({name})"


def close_wait(wait: Wait) -> None:
    """Close the coroutines of a wait that will not be answered."""
    if wait.kind is Kind.AWAIT:
        close_awaitable(wait.subject)
    elif wait.kind is Kind.GATHER:
        for awaitable in wait.subject.values():
            close_awaitable(awaitable)
    elif wait.kind is Kind.BRANCHES:
        wait.subject.close()


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


async def collect_rows(source: Any) -> list[Any]:
    """Return the rows of an asynchronous iterable; it is closed if it does not get to its end."""
    rows = aiter(source)
    try:
        return [row async for row in rows]
    finally:
        if hasattr(rows, "aclose"):
            await rows.aclose()


def _waited(wait: Wait) -> Any:
    awaitable = wait.subject
    return awaitable.wait() if is_loading(awaitable) else wait_for(awaitable)


register_step(_waited, _answering)


def _fill(wait: Wait) -> Any:
    load = loading_of(wait.subject)
    if load is not None:
        return load.wait()
    if is_source(type(wait.subject)):
        return from_thread(collect_rows, wait.subject)
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
    load = loading_of(queryset)
    if load is not None:
        return await load
    if type(queryset).__aiter__ is not QuerySet.__aiter__:
        branch = here.get()
        if branch is None or is_async_iterator(type(queryset)):
            found = await collect_rows(queryset)
        else:  # another part that runs at the same time may need the same rows
            found = await branch.together.sources.rows(queryset, collect_rows)
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
        close_wait(wait)  # of a cancelled hop: none was begun
        raise


ANSWERS: dict[Kind, Callable[[Wait], Any]] = {
    Kind.AWAIT: _waited,
    Kind.CALL: _call,
    Kind.ROWS: _fill,
    Kind.GATHER: _gather,
    Kind.BRANCHES: lambda wait: from_thread(run_branches, wait.subject, close_wait),
    Kind.TURN: lambda wait: None,
}
ASYNC_ANSWERS: dict[Kind, Callable[[Wait], Awaitable[Any]]] = {
    Kind.AWAIT: lambda wait: wait.subject,
    Kind.CALL: _acall,
    Kind.ROWS: _afill,
    Kind.GATHER: lambda wait: gather_awaitables(wait.subject),
    Kind.BRANCHES: lambda wait: run_branches(wait.subject, close_wait),
    Kind.TURN: lambda wait: give_turn(),
}


def answer_wait(wait: Wait) -> Any:
    """Answer a wait by blocking, and tell whoever wants to know how long it took."""
    start = perf_counter()
    answer = ANSWERS[wait.kind](wait)
    if wait.notify is not None:
        wait.notify((perf_counter() - start) * 1000, answer)
    return answer


async def aanswer_wait(wait: Wait) -> Any:
    """Answer a wait by awaiting; as `answer_wait`."""
    start = perf_counter()
    answer = await ASYNC_ANSWERS[wait.kind](wait)
    if wait.notify is not None:
        wait.notify((perf_counter() - start) * 1000, answer)
    return answer
