"""The pieces of a page one by one, as its plans write them: none is joined to another."""

from __future__ import annotations

import asyncio

from .feed import Feed
from .stream import TemplateChunks


class PieceFeed(Feed):
    """Gives out what is written piece by piece, whenever the plan waits."""

    def send(self) -> None:
        """Give out what is written: the plan is about to wait."""
        pieces = self.sink.take_pieces()
        if pieces:
            self.chunks.extend(pieces)
            self._ring()

    async def flush(self) -> None:
        """Give out what is written, and give the loop its turn."""
        self.send()
        await asyncio.sleep(0)

    def end(self, error: BaseException | None = None) -> None:
        """Give out the rest: the render has ended; arguments as for `Feed.end`."""
        self.leave_thread()
        self.error = error
        if error is None:
            self.send()
        self.has_ended = True
        self._ring()


class TemplatePieces(TemplateChunks):
    """The pieces of a page, in order; read once. Arguments as for `TemplateChunks`."""

    @property
    def feed(self) -> Feed:
        """What the page is written to. There is one when a loop runs."""
        if self._feed is None:
            self._feed = PieceFeed()
        return self._feed
