"""What is known at one place of a function: its names, and the arguments of a call."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .known import any_of
from .types import ANYTHING, DictType, TupleType, ValueType


@dataclass(slots=True)
class Given:
    """What a call is given."""

    positional: list[ValueType] = field(default_factory=list)
    keywords: dict[str, ValueType] = field(default_factory=dict)
    is_open: bool = False
    """Whether there may be more: ``*args`` or ``**kwargs`` that cannot be told."""
    nodes: dict[int | str, ast.expr] = field(default_factory=dict)
    """Place or keyword -> its expression."""

    def get(self, place: int | None, name: str) -> ValueType | None:
        """Return an argument by its place or name; None when it is not given."""
        if name in self.keywords:
            return self.keywords[name]
        if place is not None and place < len(self.positional):
            return self.positional[place]
        return ANYTHING if self.is_open else None

    def node(self, place: int, name: str) -> ast.expr | None:
        """Return the expression of an argument."""
        return self.nodes.get(name) or self.nodes.get(place)

    def all(self) -> Iterator[ValueType]:
        """Every value that is given."""
        yield from self.positional
        yield from self.keywords.values()


@dataclass(slots=True)
class FunctionFrame:
    """A function while it is read."""

    outside: Mapping[str, Any]
    file: str
    module: str = ""
    names: dict[str, ValueType] = field(default_factory=dict)
    outer: FunctionFrame | None = None
    """That of the function around it."""
    defined_in: type | None = None
    """The class whose method it is."""
    receiver: ValueType | None = None
    """Its first argument, for ``super()``."""
    is_library: bool = False
    returned: list[ValueType] = field(default_factory=list)
    yielded: list[ValueType] = field(default_factory=list)
    ends: list[dict[str, ValueType]] = field(default_factory=list)
    """The names at each ``return``."""
    jumps: list[list[dict[str, ValueType]]] = field(default_factory=list)
    """For each loop around the place: the names at each ``break`` and ``continue``."""
    caught: list[list[dict[str, ValueType]]] = field(default_factory=list)
    """For each ``try`` around the place: the names where something may be raised."""
    escaped: bool = False
    """Whether something set local names that could not be followed."""

    def find(self, name: str) -> ValueType | None:
        """Return a local name, of this function or of one around it."""
        frame: FunctionFrame | None = self
        while frame is not None:
            if name in frame.names:
                return frame.names[name]
            frame = frame.outer
        return None

    def exchange(self, old: ValueType, new: ValueType) -> None:
        """Put a changed container in the place of the old one, under each of its names."""
        frame: FunctionFrame | None = self
        while frame is not None:
            for name, value in frame.names.items():
                if value is old:
                    frame.names[name] = new
            frame = frame.outer


def merged_names(all_names: list[dict[str, ValueType]]) -> dict[str, ValueType]:
    """Return the names after several ways have come together."""
    if not all_names:
        return {}
    found = dict(all_names[0])
    for names in all_names[1:]:
        for name, value in names.items():
            before = found.get(name)
            if before is None:
                found[name] = value
            elif before is not value:
                found[name] = any_of([before, value])
    return found


def all_given(frame_names: Mapping[str, ValueType], is_complete: bool) -> DictType:
    """Return ``locals()``."""
    return DictType(dict(frame_names), is_complete)


def unpacked(value: ValueType, count: int) -> list[ValueType]:
    """Return the values that ``a, b = value`` gives to its names."""
    if isinstance(value, TupleType) and len(value.items) == count:
        return list(value.items)
    return []
