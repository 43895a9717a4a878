"""Something that could not be analysed: named with its place, while the rest goes on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """What was wrong, and where."""

    message: str
    file: str = ""
    """A file, or a template's name."""
    line: int | None = None

    def __str__(self) -> str:
        if not self.file:
            return self.message
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.message}"
