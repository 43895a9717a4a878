"""What the plans of a page write to where its text is sent piece by piece: the sink."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class Hole:
    """The place in a sink of a part that is rendered while the page goes on."""

    __slots__ = ("is_sent", "name", "sink", "waiting")

    def __init__(self, name: str = "", waiting: str = "") -> None:
        self.sink: Sink | None = None
        """What the part has written, once it is rendered."""
        self.name = name
        """What its placeholder is called, where it may follow out of order."""
        self.waiting = waiting
        """The text of that placeholder."""
        self.is_sent = False
        """Whether the placeholder was sent."""

    def fill(self, texts: Iterable[Any]) -> None:
        """Put in what the part has written, unless that is there."""
        if self.sink is None:
            self.sink = Sink()
            self.sink.extend(texts)


class Sink(list[Any]):
    """The text that was written and not taken yet, in the order of the page.

    A plan that runs in the request's thread goes on writing while the event loop takes what is
    there: each of the two does it in single steps of a list.
    """

    __slots__ = ("has_holes",)

    def __init__(self) -> None:
        super().__init__()
        self.has_holes = False
        """Whether there have been holes, open or filled."""

    def new_hole(self, name: str = "", waiting: str = "") -> Hole:
        """Leave a place for a part that is rendered meanwhile; arguments as for `Hole`."""
        hole = Hole(name, waiting)
        self.has_holes = True
        self.append(hole)
        return hole

    def take(self) -> str:
        """Take out the text before the first part that is missing, or all."""
        return "".join(self.take_pieces())

    def take_pieces(self) -> list[str]:
        """Do what `take` does; return the text as it was written."""
        end = self._first_open() if self.has_holes else len(self)
        pieces = self[:end]
        del self[:end]
        return pieces

    def _first_open(self) -> int:
        """Put in what parts have written, up to the first that is missing; return its index."""
        index = 0
        while index < len(self):
            item = self[index]
            if type(item) is not Hole:
                index += 1
            elif item.sink is None:
                return index
            else:
                self[index : index + 1] = item.sink
        return index
