"""The parts of a page while it is rendered: what they are called and where is found out later."""

from __future__ import annotations

from types import CodeType, FrameType
from typing import Any

from .places import NOWHERE, place_of_code
from .records import PartRecord


class NotedPart:
    """A part that is rendered at one place, once or several times.

    Args:
        name: the template, or ``block`` and the name of the block.
        frame: the code that renders it.
        at_ms: when it began for the first time.
        is_timed: whether it is known how long it takes.
    """

    __slots__ = ("at_ms", "code", "count", "instruction", "is_timed", "known", "line", "ms", "name")

    def __init__(self, name: str, frame: FrameType, at_ms: float, is_timed: bool = True) -> None:
        self.name = name
        self.known: dict[str, Any] = frame.f_globals
        self.code: CodeType = frame.f_code
        self.instruction = frame.f_lasti
        self.line = frame.f_lineno
        self.at_ms = at_ms
        self.is_timed = is_timed
        self.count = 1
        self.ms = 0.0

    def record(self) -> PartRecord:
        """Return what is known of it, for people."""
        place = place_of_code(self.known, self.code, self.instruction, self.line) or NOWHERE
        name, kind = self.name, place.tag or "template"
        if name.startswith("block "):  # also one that {{ block.super }} shows
            name, kind = name.removeprefix("block "), "block"
        return PartRecord(
            kind,
            name,
            place.template,
            place.line,
            self.count,
            self.ms if self.is_timed else None,
            self.at_ms,
        )
