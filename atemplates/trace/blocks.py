"""``with trace() as t:`` - the renders of a block of code."""

from __future__ import annotations

from typing import Any

from ..relations.events import Event
from ..relations.observed_block import ObservedBlock
from .collecting import load_record
from .observers import Tracer
from .records import LoadRecord, RenderTrace
from .report import report

SCHEMA = 1
"""The version of what `Trace.as_data` gives: it changes when something is renamed or taken out."""


class Trace:
    """What the renders inside a block did, in the order in which they began.

    Those that go on when the block ends (a page that is streamed) are in it, and are filled in as
    they go on.
    """

    def __init__(self) -> None:
        self.renders: list[RenderTrace] = []
        self.loads: list[LoadRecord] = []
        """What was loaded in parallel outside of any render: by ``aload`` in a view."""

    def __iter__(self) -> Any:
        return iter(self.renders)

    def __len__(self) -> int:
        return len(self.renders)

    def __getitem__(self, index: int) -> RenderTrace:
        return self.renders[index]

    def begin(self, render: RenderTrace) -> None:
        """Take up a render that begins."""
        self.renders.append(render)

    def end(self, render: RenderTrace) -> None:
        """It has ended: it is here already."""

    def __str__(self) -> str:
        return report(self.renders, self.loads)

    def as_data(self) -> dict[str, Any]:
        """Return all of it as dicts, lists, texts and numbers, ready for JSON.

        docs/tracing.md says what each key means. Times are milliseconds.
        """
        return {
            "schema": SCHEMA,
            "renders": [render.as_data() for render in list(self.renders)],
            "loads": [load.as_data() for load in list(self.loads)],
        }


class BlockTracer(Tracer):
    """Collects for a `Trace`."""

    def __init__(self, found: Trace) -> None:
        super().__init__(found)
        self.found = found

    def __call__(self, event: Event) -> None:
        """Take up a load that belongs to no render."""
        if event.kind == "load":
            self.found.loads.append(load_record(event, 0.0))


class trace(ObservedBlock[Trace]):
    """Trace every render begun inside the block; for ``with`` and ``async with``.

    Renders in other tasks and threads count when they were begun from inside the block.
    """

    def __init__(self) -> None:
        found = Trace()
        super().__init__(found, BlockTracer(found))
