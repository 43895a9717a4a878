"""Jinja2 pages that are sent whenever it could be: where it may be done wrongly, this shows it.

`eager` has every piece given out the moment it is written. `pausing` has the code that is compiled
meanwhile wait before each piece, and in between, so that the plan goes on on the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from atemplates.jinja2 import sending, sending_writer
from atemplates.runtime.waits import Kind, Plan, Wait
from atemplates.streaming import stream
from atemplates.streaming.sink import Hole, Sink
from tests.streaming.eager import EagerFeed, EagerSink


class AnyTextSink(EagerSink):
    """Takes texts of any class, as Jinja2 makes them."""

    __slots__ = ()

    def append(self, text: Any, /) -> None:
        assert isinstance(text, (str, Hole)), f"a {type(text)} was written"
        Sink.append(self, text)
        self.feed.give_out_now()


class AnyTextFeed(EagerFeed):
    """Sends at every write."""

    def __init__(self, out_of_order: Any = None) -> None:
        super().__init__(out_of_order)
        self.sink = AnyTextSink(self)


@contextmanager
def eager() -> Iterator[None]:
    """Have every page that is sent given out piece by piece."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "Feed", AnyTextFeed)
        yield


def paused() -> Plan:
    """The plan that gives the loop its turn."""
    yield Wait(Kind.AWAIT, asyncio.sleep(0))


@contextmanager
def pausing() -> Iterator[None]:
    """Have code that is compiled now, of templates that are sent, wait before each piece."""
    usual: Any = sending_writer.SendingWriter

    class PausingWriter(usual):  # type: ignore[misc]
        def pause(self, frame: Any) -> None:
            if frame.buffer == "out" and not frame.require_output_check:
                self.writeline(f"yield from __import__({__name__!r}, fromlist=['x']).paused()")

        def visit_Output(self, node: Any, frame: Any) -> None:
            self.pause(frame)
            super().visit_Output(node, frame)
            self.pause(frame)

    def generator(kind: type[Any]) -> type[Any]:
        return type("Pausing", (PausingWriter, kind), {})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sending, "sending_generator", generator)
        yield
