"""Parts of a page that are rendered at the same time: each a plan with a state of its own.

What such a plan waits for is answered as ever, in a task of its own. `Together` knows which of the
tasks cannot go on: what they ask of a `@batched` function is collected until none can.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextvars import Context, ContextVar, copy_context
from functools import partial
from operator import itemgetter
from types import coroutine
from typing import Any, Protocol, TypeAlias

from .apart import await_apart, has_async_backend
from .loading import forget_loadings
from .shared_awaitables import SharedAwaitables, cancel
from .waits import Plan, Wait, resume_plan

here: ContextVar[Branch | None] = ContextVar("atemplates_branch", default=None)
"""The branch that runs, or that has started what runs."""

AnswerKeys: TypeAlias = Callable[[Sequence[Any]], Awaitable[Sequence[Any]]]
"""Takes all keys that were asked for; gives for each what answers it: a value or an exception."""

Asked: TypeAlias = "tuple[tuple[int, ...], Any, asyncio.Future[Any]]"
"""The place of the branch that asks, the key, and what is to be answered."""

ROWS_AT_ONCE = 32
"""How many rows of a loop are rendered at a time where no limit is given."""

IDLE_ROUNDS = 4
"""How many rounds of the event loop nobody asks for a key before all of them are thought to be
there: a task that a branch has just started gets its turn in the first, one that this has started
in the second, and so on."""


def limit_error(limit: Any) -> str:
    """What is wrong with the limit of a ``{% parallel %}``; nothing if it is a number above 0."""
    if isinstance(limit, int) and not isinstance(limit, bool) and limit > 0:
        return ""
    return (
        f"{{% parallel %}}: the limit is {limit!r}; expected how many parts run at a time, "
        f"a whole number above 0."
    )


class BranchState(Protocol):
    """What a branch asks the state of its render."""

    @property
    def arun(self) -> Callable[[Plan, Any], Awaitable[Any]]:
        """Runs a plan by awaiting, given the state."""
        ...


class Branch:
    """One of the plans that run at the same time, or a call of a batched function."""

    __slots__ = ("asks", "in_thread", "is_stuck", "place", "together")

    def __init__(self, together: Together, place: tuple[int, ...] = ()) -> None:
        self.together = together
        self.place = place
        """Where it stands among the branches around it and beside it."""
        self.is_stuck = False
        """Whether its task waits for something."""
        self.in_thread = False
        """Whether its plan is in the request's thread, or on the way there."""
        self.asks = 0
        """How many keys it has asked for that are not answered yet."""


class Together:
    """The branches of a render that are under way, with what they ask of batched functions."""

    def __init__(self) -> None:
        self.branches: set[Branch] = set()
        self.asked: dict[AnswerKeys, list[Asked]] = {}
        self.calls: set[asyncio.Task[Any]] = set()
        """The calls of batched functions under way."""
        self.generation = 0
        """How many keys were asked for."""
        self.started: list[Any] = []
        """The querysets that branches have begun to load."""
        self.sources = SharedAwaitables()
        """What reads the sources that branches go through with ``async for``."""
        self.checking = False
        self.context = copy_context()
        """The context variables around the branches: a call belongs to none of these."""

    async def ask(self, answer: AnswerKeys, key: Any, branch: Branch) -> Any:
        """Ask a batched function for a key together with all that the other branches ask."""
        future = asyncio.get_running_loop().create_future()
        self.asked.setdefault(answer, []).append((branch.place, key, future))
        self.generation += 1
        branch.asks += 1
        self.look()
        try:
            return await future
        finally:
            branch.asks -= 1

    def look(self) -> None:
        """See soon whether all branches are stuck, if somebody asks for something."""
        if self.asked and not self.checking and self.all_stuck:
            self.checking = True
            self._check_soon(self.generation, IDLE_ROUNDS)

    @property
    def all_stuck(self) -> bool:
        """Whether no branch can go on.

        A plan in the thread works there, unless the thread waits for a key: then those that are on
        the way there wait, too.
        """
        if not all(branch.is_stuck for branch in self.branches):
            return False
        there = [branch for branch in self.branches if branch.in_thread]
        return not there or any(branch.asks for branch in there)

    def _check_soon(self, generation: int, rounds: int) -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(self._check, generation, rounds, context=self.context)

    def _check(self, generation: int, rounds: int) -> None:
        if not self.all_stuck:
            self.checking = False  # it looks again when the last one is stuck
        elif generation != self.generation:
            self._check_soon(self.generation, IDLE_ROUNDS)
        elif rounds > 0:
            self._check_soon(generation, rounds - 1)
        else:
            self.checking = False
            self._call_all()

    def _call_all(self) -> None:
        asked, self.asked = self.asked, {}
        for answer, asks in asked.items():
            # In the order of the page, however the time ran.
            asks.sort(key=itemgetter(0))
            waiting = [(key, future) for _, key, future in asks if not future.done()]
            if waiting:
                branch = Branch(self)
                context = self.context.copy()
                context.run(here.set, branch)
                task = self.begin(branch, partial(_call, answer, waiting), context)
                self.calls.add(task)
                task.add_done_callback(self.calls.discard)

    def begin(
        self, branch: Branch, work: Callable[[], Awaitable[Any]], context: Context
    ) -> asyncio.Task[Any]:
        """Make a task of the work of a branch, and note when it is stuck and when it has ended."""
        self.branches.add(branch)

        def end(task: asyncio.Task[Any]) -> None:
            self.branches.discard(branch)
            self.look()

        loop = asyncio.get_running_loop()
        task = loop.create_task(_noting_when_stuck(work, branch), context=context)
        # A task may be cancelled before it has begun.
        task.add_done_callback(end)
        return task

    async def cancel_calls(self) -> None:
        """Cancel the calls that nobody waits for any more."""
        await cancel(self.calls)


async def _call(answer: AnswerKeys, asks: list[tuple[Any, asyncio.Future[Any]]]) -> None:
    try:
        found = await answer([key for key, _ in asks])
    except BaseException:
        for _, future in asks:
            future.cancel()
        raise
    for (_, future), value in zip(asks, found, strict=True):
        if future.done():
            continue  # whoever asked was cancelled
        if isinstance(value, StopIteration):
            # No future can hold it.
            future.set_exception(RuntimeError(f"a batched function gave {value!r} for a key"))
        elif isinstance(value, BaseException):
            future.set_exception(value)
        else:
            future.set_result(value)


async def _noting_when_stuck(work: Callable[[], Awaitable[Any]], branch: Branch) -> Any:
    begun = await_apart(work) if has_async_backend() else work()
    return await _tracked(begun.__await__(), branch)


@coroutine
def _tracked(work: Generator[Any, Any, Any], branch: Branch) -> Generator[Any, Any, Any]:
    # What a coroutine yields to the loop is a future that it waits for, or nothing: it only gives
    # others a turn, and is not stuck.
    error: BaseException | None = None
    while True:
        try:
            future = work.send(None) if error is None else work.throw(error)
        except StopIteration as done:
            return done.value
        error = None
        if future is not None:
            branch.is_stuck = True
            branch.together.look()
        try:
            yield future
        except BaseException as raised:  # it belongs to the work, as does a cancellation
            error = raised
        branch.is_stuck = False


class Branches:
    """What a plan waits for that has other plans run at the same time.

    Args:
        parts: each plan, and the state of its own that it runs with.
        limit: how many run at a time; None: all.
        shared: the awaitables that the branches share.
        upcoming: awaitables of the context that are awaited meanwhile.
        answers: takes the results of these, by identity: of those that gave one.
        on_result: is given the number of a plan that has ended, and its result.
    """

    __slots__ = ("answers", "limit", "on_result", "parts", "shared", "upcoming")

    def __init__(
        self,
        parts: Sequence[tuple[Plan, BranchState]],
        limit: int | None,
        shared: SharedAwaitables,
        upcoming: dict[int, Any],
        answers: Callable[[dict[int, Any]], None],
        on_result: Callable[[int, Any], object] | None = None,
    ) -> None:
        self.on_result = on_result
        self.parts = parts
        self.limit = limit
        self.shared = shared
        self.upcoming = upcoming
        self.answers = answers

    def close(self) -> None:
        """Close the plans: nobody will run them."""
        for plan, _ in self.parts:
            plan.close()


async def run_branches(branches: Branches, close: Callable[[Wait], None]) -> list[Any]:
    """Run plans at the same time; return their results in order.

    When one raises, the others are cancelled and have ended before its exception goes on; the same
    when the caller is cancelled.

    Args:
        branches: the plans.
        close: closes what a plan waits for that will not go on.
    """
    outer = here.get()
    together = Together() if outer is None else outer.together
    upcoming = [branches.shared.begun(each) for each in branches.upcoming.values()]
    running = _Running(branches, together)
    branches.shared.users += 1
    together.sources.users += 1
    try:
        await running.run()
        if upcoming:
            await asyncio.wait(upcoming)
    except BaseException:
        await running.cancel(close)
        if outer is None:
            await together.cancel_calls()
        raise
    finally:
        branches.close()
        await branches.shared.leave()
        await together.sources.leave()
        if outer is None:
            forget_loadings(together.started)
    branches.answers(
        {
            identity: task.result()
            for identity, task in zip(branches.upcoming, upcoming, strict=True)
            if not task.cancelled() and task.exception() is None
        }
    )
    return running.results


class _Running:
    """The branches of one `Branches` while they run."""

    def __init__(self, branches: Branches, together: Together) -> None:
        self.together = together
        outer = here.get()
        self.place = () if outer is None else outer.place
        self.limit = branches.limit or len(branches.parts)
        self.on_result = branches.on_result
        self.waiting = deque(enumerate(branches.parts))
        self.results: list[Any] = [None] * len(branches.parts)
        self.tasks: dict[asyncio.Task[Any], int] = {}
        self.unbegun: dict[Branch, Wait] = {}
        """The branches whose task has not begun yet, and what they wait for."""

    async def run(self) -> None:
        while self.waiting or self.tasks:
            while self.waiting and len(self.tasks) < self.limit:
                self._begin(*self.waiting.popleft())
            if self.tasks:
                done, _ = await asyncio.wait(self.tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in sorted(done, key=self.tasks.__getitem__):
                    number = self.tasks.pop(task)
                    self._end(number, task.result())

    def _end(self, number: int, result: Any) -> None:
        self.results[number] = result
        if self.on_result is not None:
            self.on_result(number, result)

    def _begin(self, number: int, part: tuple[Plan, BranchState]) -> None:
        """Run a plan until it waits for the first time: one that waits for nothing needs no task.

        It runs with context variables of its own from the start.
        """
        plan, state = part
        branch = Branch(self.together, (*self.place, number))
        context = copy_context()
        context.run(here.set, branch)
        try:
            wait = context.run(plan.send, None)
        except StopIteration as stop:
            self._end(number, stop.value)
            return
        self.unbegun[branch] = wait
        work = partial(self._go_on, plan, state, branch)
        self.tasks[self.together.begin(branch, work, context)] = number

    async def _go_on(self, plan: Plan, state: BranchState, branch: Branch) -> Any:
        """Go on with a plan that waits for the first time."""
        wait = self.unbegun.pop(branch)
        return await state.arun(resume_plan(plan, wait), state)

    async def cancel(self, close: Callable[[Wait], None]) -> None:
        """Cancel what runs, and wait until it has ended."""
        try:
            await cancel(self.tasks)
        finally:
            for wait in self.unbegun.values():
                close(wait)
