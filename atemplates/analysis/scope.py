"""The names in scope while a template is walked, and what each of them stands for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeAlias

from .values import Value, several

Names: TypeAlias = dict[str, Value]
PASSES = 3
"""How often the body of a loop is walked, at most: names set in one row may be read in the next."""


class NameScope(ABC):
    """Frames of names, the innermost one last.

    A frame is the same dict for as long as it lasts: whatever keeps it (a macro does) sees the
    names that are set later.
    """

    def __init__(self) -> None:
        self.frames: list[Names] = [{}]

    @abstractmethod
    def find_outside(self, name: str) -> Value:
        """Return what a name stands for that no frame holds."""

    def find(self, name: str, frames: Sequence[Names] | None = None) -> Value:
        """Return what a name stands for."""
        for frame in reversed(self.frames if frames is None else frames):
            if name in frame:
                return frame[name]
        return self.find_outside(name)

    def visible(self) -> Names:
        """Return every name that some frame holds, with what it stands for."""
        names: Names = {}
        for frame in self.frames:
            names.update(frame)
        return names

    def bind(self, name: str | None, value: Value) -> None:
        """Set a name in the innermost frame; None is the name of nothing."""
        if name:
            self.frames[-1][name] = value.named(name)

    @contextmanager
    def frame(self, names: Mapping[str, Value] | None = None) -> Iterator[None]:
        """A frame of names around what is walked inside."""
        depth = len(self.frames)
        self.frames.append({name: value.named(name) for name, value in (names or {}).items()})
        try:
            yield
        finally:
            del self.frames[depth:]

    @contextmanager
    def only_frames(self, frames: Sequence[Names]) -> Iterator[None]:
        """What is walked inside sees these frames, and none of those around it."""
        before, self.frames = self.frames, [*frames]
        try:
            yield
        finally:
            self.frames = before

    # -- what is rendered perhaps, or more than once -----------------------------------------------

    def branches(self, *parts: Callable[[], None]) -> None:
        """Walk parts of which a render takes one."""
        start = self._copy()
        outcomes = []
        for part in parts:
            self._put_back(start)
            part()
            outcomes.append(self._copy())
        self._merge(outcomes)

    def repeat(self, row: Callable[[], None]) -> None:
        """Walk what a loop does for each row, until a further row would find no other names."""
        for _ in range(PASSES):
            start = self._copy()
            row()
            self._merge([start, self._copy()])
            if self.frames == start:
                break

    def _copy(self) -> list[Names]:
        return [dict(frame) for frame in self.frames]

    def _put_back(self, frames: list[Names]) -> None:
        for frame, names in zip(self.frames, frames, strict=True):
            frame.clear()
            frame.update(names)

    def _merge(self, outcomes: list[list[Names]]) -> None:
        """Go on with the names as any of these left them."""
        if all(frames == outcomes[0] for frames in outcomes):
            return
        merged: list[Names] = []
        for index in range(len(self.frames)):
            names = dict.fromkeys(name for frames in outcomes for name in frames[index])
            merged.append(
                {
                    name: several(self.find(name, frames[: index + 1]) for frames in outcomes)
                    for name in names
                }
            )
        self._put_back(merged)
