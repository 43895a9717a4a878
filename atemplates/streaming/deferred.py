"""Parts of a page that are rendered while the page goes on: what ``{% defer %}`` holds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextvars import copy_context
from functools import partial
from secrets import token_hex
from typing import Any

from ..errors import UNSWALLOWED, Location, logger
from ..runtime.branches import Branch, Together, here
from ..runtime.hops import P, R, allow_hops
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
        try:
            async with asyncio.timeout(timeout) as limit:
                return await function(*args, **kwargs)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise TimeoutError(f"not ready after {timeout:g} seconds") from error

    return limited


def log_failure(error: Exception, place: Location | None) -> None:
    """Log that the contents of a ``{% defer %}`` cannot be shown."""
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    logger.error("{%% defer %%} cannot show its contents: %s (%s)", said, place, exc_info=error)


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
        self.tasks: set[asyncio.Task[None]] = set()
        self._coming = 0
        self._has_begun = asyncio.Event()
        self.error: BaseException | None = None
        """What has failed for good: the page fails with it."""
        self._named = 0
        self._begun = 0
        self._token = token_hex(3)

    def new_name(self) -> str:
        """Return the name of the next placeholder: of all pages that one may meet in a browser, no
        other has it."""
        self._named += 1
        return f"p{self._token}-{self._named}"

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
        context = copy_context()
        context.run(allow_hops)  # the plan may be in the thread, and does not wait there
        self._coming += 1
        self.loop.call_soon_threadsafe(self._begin, part, shared, list(awaited), context)

    def _begin(
        self, part: DeferredPart, shared: SharedAwaitables, awaited: list[Any], context: Any
    ) -> None:
        for each in awaited:
            shared.begun(each)
        if self.together is None:
            self.together = context.run(Together)
            self.together.sources.users = 1
        self._begun += 1
        branch = Branch(self.together, (self._begun,))
        context.run(here.set, branch)
        task = self.together.begin(branch, partial(self._run, part), context)
        self._coming -= 1
        self._has_begun.set()
        self.tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None and self.error is None:
            self.error = task.exception()

    async def _run(self, part: DeferredPart) -> None:
        if self.before is not None:
            await self.before()
        sink = await self._rendered(part)
        if sink is not None:
            part.hole.sink = sink
            self.on_ready(part.hole)

    async def _rendered(self, part: DeferredPart) -> Sink | None:
        sink = Sink()
        try:
            await within(part.timeout, part.render)(sink)
            return sink
        except UNSWALLOWED:
            raise
        except Exception as error:
            failure = error
        log_failure(failure, part.place)
        try:
            sink = Sink()
            if await part.on_error(sink, failure):
                return sink
        except UNSWALLOWED:
            raise
        except Exception:
            logger.exception("{%% error %%} cannot be shown (%s)", part.place)
        if part.hole.is_sent:
            return None  # the placeholder is there
        sink = Sink()
        if self.out_of_order:
            sink.append(part.hole.waiting)
        else:
            await part.on_nothing(sink)
        return sink

    async def end(self) -> None:
        """Wait until all parts are ready.

        Raises:
            BaseException: what a part has failed with for good.
        """
        await self._all_begun()
        while self.tasks and self.error is None:
            await asyncio.wait(self.tasks, return_when=asyncio.FIRST_COMPLETED)
            await self._all_begun()
        if self.error is not None:
            raise self.error

    async def _all_begun(self) -> None:
        """Wait until there is a task of each part: it is made in the loop's next turn."""
        while self._coming:
            self._has_begun.clear()
            await self._has_begun.wait()

    async def leave(self) -> None:
        """Stop rendering the parts that are not ready, and wait until that is done."""
        await self._all_begun()
        await cancel(self.tasks.copy())
        if self.together is not None:
            await self.together.cancel_calls()
            await self.together.sources.leave()
            forget_loadings(self.together.started)
