"""Reads: each name of a template with the lookups that stand after it, as they are written.

An access path (`atemplates.relations.paths`) says what is read of a context variable. A read says
which text of the template does so, for who has to point at it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from ..relations.paths import ITEM, AccessPath
from .values import Value

Tolerance: TypeAlias = Literal["", "test", "default", "foreign", "silent"]
"""What becomes of a read that fails: it is printed as nothing; its truth is asked; something else
is taken in its place; a tag of others gets it; nobody knows whether it is a read at all."""

CALL, CALL_WITH = "()", "(…)"
"""The steps of calls that stand in the text, without arguments and with some."""
CALLS = frozenset({CALL, CALL_WITH})


@dataclass(frozen=True, slots=True)
class ReadStep:
    """One lookup, or call, that stands in the text."""

    bit: str
    """A name, the digits of a position, `ITEM` for any item, or one of `CALLS`."""
    line: int | None = None
    """The template's line, where the language tells it for each step."""


@dataclass(frozen=True, slots=True)
class Read:
    """A name of a template, and what is looked up on it."""

    template: str
    file: str
    """Where the template comes from: its file, or its name where it has none."""
    line: int | None
    name: str
    """The first name; empty where the lookups stand after something else: ``(a or b).title``."""
    steps: tuple[ReadStep, ...]
    value: Value
    """What the name, or what stands before the lookups, may be."""
    conditional: bool = False
    """Whether a render of the template may do without it."""
    tolerance: Tolerance = ""
    is_free: bool = False
    """Whether only the context can give the name: no tag around it, or before it, does."""
    is_open: bool = False
    """Whether a tag of others may have set the name."""
    calls: bool = True
    """Whether the language calls what is callable by itself, as Django's does."""
    text: str = ""
    """As it stands in the template, where that is one text: ``book.author.name``."""
    token: Any = field(default=None, compare=False, repr=False)
    """The tag or variable that holds it: Django's own ``Token``; of Jinja2, the node of what the
    steps stand after."""

    def at(self, index: int) -> str:
        """The text up to one of the steps, for people."""
        return self.name + "".join(map(_shown, self.steps[: index + 1]))


def _shown(step: ReadStep) -> str:
    if step.bit in CALLS:
        return step.bit
    return "[…]" if step.bit == ITEM else f".{step.bit}"


@dataclass(frozen=True, slots=True)
class TemplateWalk:
    """What one walk through a template, its parents and its parts has found."""

    paths: list[AccessPath]
    reads: WalkReads
    templates: Mapping[str, Any]
    """File, as `Read.file` names it -> the parsed template that it holds."""


class WalkReads:
    """The reads of one walk, none of them twice."""

    def __init__(self) -> None:
        self._found: dict[tuple[Any, ...], Read] = {}

    def add(self, read: Read) -> None:
        """Note a read; of two that differ in ``conditional`` alone, the certain one stays."""
        key = (
            *(read.file, read.line, read.name, read.steps, read.text, id(read.token)),
            *(read.value, read.tolerance, read.is_free, read.is_open),
        )
        known = self._found.get(key)
        if known is None or (known.conditional and not read.conditional):
            self._found[key] = read

    def __iter__(self) -> Iterator[Read]:
        return iter(self._found.values())

    def __len__(self) -> int:
        return len(self._found)
