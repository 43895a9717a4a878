"""From the sink of a page to who reads it: the feed."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from .out_of_order import OutOfOrder
from .shell import Shell
from .sink import Hole, Sink

FIRST_LOOK = 0.001
"""After how many seconds in the request's thread it is looked for the first time whether the plan
has written something: what it waits for there nobody tells the loop."""
LONGEST_LOOK = 0.016
"""How many seconds apart these looks are at most; each is twice as far as the one before."""


class Feed:
    """The text of one page on its way from the plan to who reads it. Belongs to one event loop.

    Nothing is given out before the shell of the page has ended, and then only when the plan waits:
    what is written in one go is one chunk.

    Args:
        out_of_order: what takes the text out of the sink where parts follow when they are ready;
            None where the page is sent in its order.
    """

    def __init__(self, out_of_order: OutOfOrder | None = None) -> None:
        self.out_of_order = out_of_order
        self.loop = asyncio.get_running_loop()
        self.sink = Sink()
        self.shell = Shell()
        self.held = ""
        """The text of the shell, while it has not ended."""
        self.chunks: deque[str] = deque()
        self.closed_chunk = False
        """Whether what comes next begins a chunk of its own."""
        self.has_ended = False
        self.error: BaseException | None = None
        """What the render has raised."""
        self.is_held: Callable[[], bool] = bool
        """Whether the response must not be sent yet, though the shell has ended."""
        self.has_left = True
        """Whether the headers of the response have left: who reads the first chunk has sent them.
        False where there is a response, until then."""
        self._leaving: asyncio.Future[None] | None = None
        self._bell: asyncio.Future[None] | None = None
        self._look: asyncio.TimerHandle | None = None

    # -- writing -------------------------------------------------------------------------------

    def send(self) -> None:
        """Give out what is written, if the shell has ended: the plan is about to wait."""
        self._give_out(self._take())

    def part_ready(self, hole: Hole) -> None:
        """Give out a part that was rendered beside the page, if its turn has come."""
        if hole.is_sent and self.out_of_order is not None:
            self.out_of_order.ready(hole)
        self.send()

    async def flush(self) -> None:
        """Give out what is written as a chunk, and give the loop its turn.

        The shell ends here if it has not yet.
        """
        text = self._take()
        if self.held or text:
            self.shell.end()
        self._give_out(text)
        self.closed_chunk = True
        await asyncio.sleep(0)

    def end_shell(self) -> None:
        """End the shell with what is written until the next wait. Any thread may call it."""
        self.shell.end()

    def end(self, error: BaseException | None = None) -> None:
        """Give out the rest: the render has ended.

        Args:
            error: what it has raised; what is written is not given out then.
        """
        self.leave_thread()
        self.error = error
        if error is None:
            self.is_held = bool
            self.shell.end()
            self._give_out(
                self._take() if self.out_of_order is None else self.out_of_order.rest(self.sink)
            )
        self.has_ended = True
        self._note_left()
        self._ring()

    def _take(self) -> str:
        if self.out_of_order is None:
            return self.sink.take()
        return self.out_of_order.take(self.sink)

    def _give_out(self, text: str) -> None:
        if self.shell.has_ended and not self.held:
            if not text:
                return
        else:
            self.shell.follow(text)
            self.held += text
            if not self.held or not self.shell.has_ended or self.is_held():
                return
            text, self.held = self.held, ""
        if self.chunks and not self.closed_chunk:
            self.chunks[-1] += text
        else:
            self.chunks.append(text)
            self.closed_chunk = False
        self._ring()

    # -- the headers ---------------------------------------------------------------------------

    @property
    def is_awaited(self) -> bool:
        """Whether the headers have yet to leave, and nothing but the page keeps them."""
        return not self.has_left and not (self.shell.has_ended and self.is_held())

    @property
    def is_leaving(self) -> bool:
        """Whether the headers are about to leave: there is a chunk, and nobody has read it yet."""
        return not self.has_left and bool(self.chunks)

    async def left(self) -> None:
        """Wait until the headers have left.

        Middleware has them until then, most of it in the request's thread: what the page does
        there, or waits for there, would hold them back.
        """
        while self.is_leaving:
            if self._leaving is None:
                self._leaving = self.loop.create_future()
            await asyncio.shield(self._leaving)

    async def before_part(self) -> None:
        """Wait until the headers have left, if they can: a part begins that is rendered beside the
        page."""
        self.send()
        await self.left()

    def _note_left(self) -> None:
        self.has_left = True
        if self._leaving is not None and not self._leaving.done():
            self._leaving.set_result(None)

    # -- in the thread -------------------------------------------------------------------------

    def enter_thread(self) -> None:
        """Look again and again what the plan has written, while it is in the request's thread."""
        self._look = self.loop.call_later(FIRST_LOOK, self._look_after, FIRST_LOOK)

    def leave_thread(self) -> None:
        """The plan is back."""
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def _look_after(self, waited: float) -> None:
        self.send()
        waited = min(waited * 2, LONGEST_LOOK)
        self._look = self.loop.call_later(waited, self._look_after, waited)

    # -- reading -------------------------------------------------------------------------------

    async def begun(self) -> None:
        """Wait until there is a chunk to read, or the render has ended.

        Raises:
            BaseException: what the render has raised before there was one.
        """
        while not self.chunks and not self.has_ended:
            await self._wait()
        if not self.chunks and self.error is not None:
            raise self.error

    async def read(self) -> str | None:
        """Wait for the next chunk; None: there is no more.

        Raises:
            BaseException: what the render has raised, once all text before it is read.
        """
        await self.begun()
        self._note_left()
        return self.chunks.popleft() if self.chunks else None

    async def _wait(self) -> None:
        self._bell = self.loop.create_future()
        try:
            await self._bell
        finally:
            self._bell = None

    def _ring(self) -> None:
        if self._bell is not None and not self._bell.done():
            self._bell.set_result(None)
