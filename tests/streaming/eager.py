"""Streaming that sends whenever it could: where it may do so wrongly, this shows it.

`eager` has every piece of text given out the moment it is written, also before the shell of the
page has ended. `pausing` has the compiled code wait before each node, so that who reads the page
runs there, and the plan goes on on the loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.template.base import Node
from django.utils.safestring import SafeString

from atemplates.compiler import writer
from atemplates.streaming import stream
from atemplates.streaming.feed import Feed
from atemplates.streaming.out_of_order import OutOfOrder
from atemplates.streaming.sink import Hole, Sink


class EagerSink(Sink):
    """Gives out each piece on its own; checks that it is one that can be sent."""

    __slots__ = ("feed",)

    def __init__(self, feed: EagerFeed) -> None:
        super().__init__()
        self.feed = feed

    def append(self, text: Any, /) -> None:
        assert type(text) in (str, SafeString, Hole), f"a {type(text)} was written"
        super().append(text)
        self.feed.give_out_now()

    def extend(self, texts: Any, /) -> None:
        for text in texts:
            self.append(text)


class EagerFeed(Feed):
    """Sends at every write."""

    def __init__(self, out_of_order: OutOfOrder | None = None) -> None:
        super().__init__(out_of_order)
        self.sink = EagerSink(self)
        self.lock = threading.Lock()

    def give_out_now(self) -> None:
        """Give out what is written as a chunk, from whichever thread writes."""
        text = self._take()
        if self.held or text:
            self.shell.end()
        self._give_out(text)
        self.closed_chunk = True

    def _take(self) -> str:
        with self.lock:  # the loop may look while the plan writes in the thread
            return super()._take()

    def _ring(self) -> None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            self.loop.call_soon_threadsafe(super()._ring)
        else:
            super()._ring()


@contextmanager
def eager() -> Iterator[None]:
    """Have every page that is sent given out piece by piece."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "Feed", EagerFeed)
        yield


async def turn() -> None:
    """Give the loop its turn."""
    await asyncio.sleep(0)


@contextmanager
def pausing() -> Iterator[None]:
    """Have streamed code that is compiled now wait before each node."""
    usual = writer.Writer.writing_for

    @contextmanager
    def writing_for(w: Any, node: Node) -> Iterator[None]:
        if w.sends:
            w.line(f"yield Wait(AWAIT, {w.constant(turn)}())")
        with usual(w, node):
            yield

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer.Writer, "writing_for", writing_for)
        yield
