"""Parts of a page that are rendered while the page goes on: what ``{% defer %}`` holds."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextvars import Context, copy_context
from functools import partial
from itertools import count
from secrets import token_hex
from typing import Any, TypeAlias

from ..errors import UNSWALLOWED, Location, logger
from ..runtime.branches import Branch, Together, here
from ..runtime.drivers import on_event_loop
from ..runtime.hops import P, R, context_for_task, thread_of_task
from ..runtime.loading import forget_loadings
from ..runtime.shared_awaitables import SharedAwaitables, cancel
from .sink import Hole, Sink


def within(timeout: float | None, function: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Return a function that awaits another one for so many seconds at most; None: for ever.

    The function raises `TimeoutError` when the time is over.
    """
    if timeout is None:
        return function

    async def limited(*args: P.args, **kwargs: P.kwargs) -> R:
        limit = asyncio.timeout(timeout)
        try:
            async with limit:
                return await function(*args, **kwargs)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise TimeoutError(f"not ready after {timeout:g} seconds") from error

    return limited


def timeout_error(timeout: Any) -> str:
    """What is wrong with the timeout of a ``{% defer %}``; nothing if it is None, or a number of
    seconds above 0."""
    is_number = isinstance(timeout, (int, float)) and not isinstance(timeout, bool)
    if timeout is None or (is_number and timeout > 0):
        return ""
    return f"{{% defer %}}: the timeout is {timeout!r}; expected a number of seconds above 0."


def log_failure(error: Exception, place: Location | None) -> None:
    """Log that the contents of a ``{% defer %}`` cannot be shown."""
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    logger.error("{%% defer %%} cannot show its contents: %s (%s)", said, place, exc_info=error)


def log_failed_error(error: Exception, place: Location | None) -> None:
    """Log that what stands in its ``{% error %}`` cannot be shown either."""
    logger.error("{%% error %%} cannot be shown (%s)", place, exc_info=error)


class DeferredPart:
    """One ``{% defer %}`` of a page that is being rendered.

    Args:
        render: renders what it holds into a sink.
        on_error: the same with what is shown in the place of that, given the exception; gives
            False where there is nothing to show.
        on_nothing: the same with what stays there otherwise: the placeholder.
        timeout: after how many seconds it is given up; None: never.
        place: where it stands.
        hole: its place in the sink.
    """

    __slots__ = ("hole", "on_error", "on_nothing", "place", "render", "timeout")

    def __init__(
        self,
        render: Callable[[Sink], Awaitable[None]],
        on_error: Callable[[Sink, Exception], Awaitable[bool]],
        on_nothing: Callable[[Sink], Awaitable[None]],
        timeout: float | None,
        place: Location | None,
        hole: Hole,
    ) -> None:
        self.render = render
        self.on_error = on_error
        self.on_nothing = on_nothing
        self.timeout = timeout
        self.place = place
        self.hole = hole


Coming: TypeAlias = "tuple[DeferredPart, SharedAwaitables, list[Any], Context, bool]"
"""A part whose task is not made yet: what `DeferredParts.begin` was given, the context variables
there, and whether that was on the event loop."""


class DeferredParts:
    """The parts of one page that are rendered beside it. Belongs to one event loop.

    Args:
        on_ready: is given the hole of a part that is ready.
        before: is awaited before a part begins.
        out_of_order: whether parts may follow out of order, so that their placeholders are needed.
    """

    def __init__(
        self,
        on_ready: Callable[[Hole], object] = bool,
        before: Callable[[], Awaitable[None]] | None = None,
        *,
        out_of_order: bool = False,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.on_ready = on_ready
        self.before = before
        self.out_of_order = out_of_order
        self.together: Together | None = None
        self.tasks: dict[asyncio.Task[None], Branch] = {}
        self.error: BaseException | None = None
        """What has failed for good: the page fails with it."""
        self._executor = thread_of_task()
        self._coming: deque[Coming] = deque()
        """Any thread appends to it; the loop alone takes out."""
        self._given_up: set[tuple[int, ...]] = set()
        """The places of parts that have failed: nothing that begins inside them is of use."""
        self.is_used = False
        """Whether there has been a part. Any thread may ask."""
        self._has_left = False
        self._numbers = count(1)
        self._places = count()
        self._token = token_hex(3)

    def new_name(self) -> str:
        """Return the name of the next placeholder: of all pages that one may meet in a browser, no
        other has it. Any thread may call it."""
        return f"p{self._token}-{next(self._numbers)}"

    def begin(
        self,
        part: DeferredPart,
        shared: SharedAwaitables,
        awaited: Iterable[Any],
    ) -> None:
        """Begin to render a part, with a copy of the present context variables. Any thread may
        call it.

        Args:
            part: the part.
            shared: the awaitables that the parts of the page share.
            awaited: those of the context that are to be awaited from now on.
        """
        self.is_used = True
        self._coming.append((part, shared, list(awaited), copy_context(), on_event_loop()))
        self.loop.call_soon_threadsafe(self._begin_all)

    def _begin_all(self) -> None:
        while self._coming:
            part, shared, awaited, context, is_of_task = self._coming.popleft()
            if not is_of_task:
                context = context_for_task(context, self._executor)
            context.run(self._begin, part, shared, awaited)

    def _begin(self, part: DeferredPart, shared: SharedAwaitables, awaited: list[Any]) -> None:
        outer = here.get()
        place = () if outer is None else outer.place
        if self._has_left or (outer is not None and self._is_given_up(outer)):
            return
        for each in awaited:
            shared.begun(each)
        self._begin_task(partial(self._run, part), (*place, next(self._places)))

    def _begin_task(self, work: Callable[[], Awaitable[None]], place: tuple[int, ...]) -> None:
        """Make a task with the present context variables: a branch of that place."""
        if self.together is None:
            self.together = Together()
            self.together.sources.users = 1
        branch = Branch(self.together, place)
        context = copy_context()
        context.run(here.set, branch)
        task = self.together.begin(branch, work, context)
        self.tasks[task] = branch
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        branch = self.tasks.pop(task)
        error: BaseException | None
        if not task.cancelled():
            error = task.exception()
        elif self._has_left or self._is_given_up(branch):
            error = None
        else:
            error = RuntimeError("what a {% defer %} shows in place of its contents was cancelled")
        self.error = self.error or error

    def _is_given_up(self, branch: Branch) -> bool:
        place = branch.place
        return any(place[:end] in self._given_up for end in range(1, len(place) + 1))

    async def _run(self, part: DeferredPart) -> None:
        if self.before is not None:
            await self.before()
        branch, task, timer = here.get(), asyncio.current_task(), None
        assert branch is not None
        assert task is not None
        if part.timeout is not None:
            late = TimeoutError(f"not ready after {part.timeout:g} seconds")
            timer = self.loop.call_later(part.timeout, self._give_up, part, branch, late, task)
        sink = Sink()
        failure: Exception | None = None
        try:
            await part.render(sink)
        except UNSWALLOWED:
            raise
        except asyncio.CancelledError as error:
            if task.cancelling():
                raise
            failure = RuntimeError("what it waits for was cancelled")
            failure.__cause__ = error
        except Exception as error:
            failure = error
        finally:
            if timer is not None:
                timer.cancel()
        if self._is_given_up(branch):  # it has held on in spite of being cancelled
            return
        if failure is None:
            self._ready(part, sink)
        else:
            self._give_up(part, branch, failure)

    def _give_up(
        self,
        part: DeferredPart,
        branch: Branch,
        failure: Exception,
        task: asyncio.Task[None] | None = None,
    ) -> None:
        """Have another task show that a part has failed.

        Args:
            branch: its branch. What has begun inside it is cancelled.
            failure: why.
            task: its task, if that goes on. It is cancelled, but may end late: not before the
                request's thread comes back.
        """
        if task is not None and (task.done() or self._is_given_up(branch)):
            return
        place = branch.place
        self._begin_all()
        self._given_up.add(place)
        if task is not None:
            task.cancel()
        for inner, its_branch in self.tasks.items():
            if its_branch is not branch and its_branch.place[: len(place)] == place:
                inner.cancel()
        # It stands beside the part, not inside.
        self._begin_task(
            partial(self._show_failure, part, failure), (*place[:-1], next(self._places))
        )

    def _ready(self, part: DeferredPart, sink: Sink) -> None:
        part.hole.sink = sink
        self.on_ready(part.hole)

    async def _show_failure(self, part: DeferredPart, failure: Exception) -> None:
        log_failure(failure, part.place)
        try:
            sink = Sink()
            if await part.on_error(sink, failure):
                self._ready(part, sink)
                return
        except UNSWALLOWED:
            raise
        except Exception as error:
            log_failed_error(error, part.place)
        if part.hole.is_sent:
            return  # the placeholder is there
        sink = Sink()
        if self.out_of_order:
            sink.append(part.hole.waiting)
        else:
            await part.on_nothing(sink)
        self._ready(part, sink)

    async def end(self) -> None:
        """Wait until all parts are ready.

        Raises:
            BaseException: what a part has failed with for good.
        """
        self._begin_all()
        while self.tasks and self.error is None:
            await asyncio.wait(self.tasks, return_when=asyncio.FIRST_COMPLETED)
            self._begin_all()
        if self.error is not None:
            raise self.error

    async def leave(self) -> None:
        """Stop rendering the parts that are not ready, and wait until that is done."""
        self._has_left = True
        await cancel(list(self.tasks))
        if self.together is not None:
            await self.together.cancel_calls()
            await self.together.sources.leave()
            forget_loadings(self.together.started)
