"""When the chunks of a page leave that is sent while it is rendered."""

from __future__ import annotations

import weakref
from collections import deque
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..streaming.feed import Feed
    from .collecting import RenderCollector


class NotedChunks(deque[str]):
    """The chunks of a feed, which note when each is taken by who sends it.

    All is known of the render when its last chunk was taken, or when nobody will take it.

    Args:
        feed: whose they are.
        collector: the render.
    """

    def __init__(self, feed: Feed, collector: RenderCollector) -> None:
        super().__init__(feed.chunks)
        self._feed = weakref.ref(feed)
        self._collector: RenderCollector | None = collector

    def popleft(self) -> str:
        """Take the next chunk."""
        chunk = super().popleft()
        collector = self._collector
        if collector is not None:
            now = collector.offset(perf_counter())
            render = collector.render
            if render.first_byte_ms is None:
                render.first_byte_ms = now
            render.last_byte_ms = now
            render.chunks += 1
            self._look()
        return chunk

    def __bool__(self) -> bool:
        """Whether there is a chunk. A feed asks before it waits for the next one, and when the
        render has ended."""
        return self._look()

    def _look(self) -> bool:
        has_some = len(self) > 0
        feed = self._feed()
        if not has_some and feed is not None and feed.has_ended:
            self._finish()
        return has_some

    def _finish(self) -> None:
        collector, self._collector = self._collector, None
        if collector is not None and collector.render.is_done:
            collector.finish()

    def __del__(self) -> None:
        self._finish()
