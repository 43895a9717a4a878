"""What the walkers of both languages share: records, and the parts of a template they stand in."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import Any

from ..relations.paths import AccessPath, Consumption
from .reads import Read, ReadStep, Tolerance, WalkReads
from .scope import NameScope
from .values import PathValue, Value

DEEPEST_RECURSION = 3
"""How often a template or macro may stand inside itself."""


class AccessWalker(NameScope):
    """Walks the nodes of a template with the names in scope, as a render would, without data."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[AccessPath] = []
        self.reads = WalkReads()
        self.template = ""
        """The name of the template that is walked."""
        self.file = ""
        """Where that template comes from."""
        self.line: int | None = None
        self.conditional = False
        """Whether a render may do without what is walked."""
        self.in_rows = False
        """Whether what is walked is rendered once for each row of a loop."""
        self.arms: tuple[int, ...] = ()
        """The parts around what is walked that a render may do without, by their numbers."""
        self._arms = count(1)
        self.tolerance: Tolerance = ""
        """What becomes of what is read and is not there."""
        self.is_open = False
        """Whether a tag of others may have set names that nobody knows."""
        self.inside: list[Any] = []
        """The templates and macros around what is walked, as they include or call each other."""
        self.blocks: dict[str, list[Any]] = {}
        """Block name -> what defines it in a template and those it extends, the innermost first."""

    @abstractmethod
    def walk(self, nodes: Iterable[Any]) -> None:
        """Walk some nodes one after the other."""

    @abstractmethod
    def condition(self, condition: Any) -> None:
        """Note what the condition of an ``{% if %}`` reads."""

    # -- records -----------------------------------------------------------------------------------

    def record(
        self, text: str, value: Value, consumption: Consumption, lost: str | None = None
    ) -> None:
        """Note that an expression reads a value."""
        for place in value.places():
            self._add(text, place, consumption, place.lost or lost)

    def lose(self, text: str, reason: str) -> None:
        """Note that something may read what the template does not show."""
        self._add(text, PathValue(""), "argument", reason)

    def _add(self, text: str, place: PathValue, consumption: Consumption, lost: str | None) -> None:
        self.records.append(
            AccessPath(
                template=self.template,
                line=self.line,
                expression=text,
                root=place.root,
                path=place.path,
                conditional=self.conditional or place.maybe,
                consumption=consumption,
                lost=lost,
                in_rows=self.in_rows,
                arms=self.arms,
            )
        )

    def note(
        self,
        name: str,
        steps: tuple[ReadStep, ...],
        value: Value,
        *,
        calls: bool,
        text: str = "",
        token: Any = None,
    ) -> None:
        """Note a name, or another value, and the lookups that stand after it."""
        self.reads.add(
            Read(
                template=self.template,
                file=self.file,
                line=self.line,
                name=name,
                steps=steps,
                value=value,
                conditional=self.conditional,
                tolerance=self.tolerance,
                is_free=bool(name) and not any(name in frame for frame in self.frames),
                is_open=self.is_open,
                calls=calls,
                text=text,
                token=token,
            )
        )

    @contextmanager
    def tolerant(self, tolerance: Tolerance) -> Iterator[None]:
        """What is read inside may be missing; nothing changes where ``tolerance`` is empty."""
        before = self.tolerance
        self.tolerance = tolerance or before
        try:
            yield
        finally:
            self.tolerance = before

    @contextmanager
    def opened(self, is_open: bool = True) -> Iterator[None]:
        """What is walked inside may see names that nobody knows, or none of those around it."""
        before = self.is_open
        self.is_open = before or is_open
        try:
            yield
        finally:
            self.is_open = before

    # -- parts of a template -----------------------------------------------------------------------

    @contextmanager
    def maybe(self, uncertain: bool = True) -> Iterator[None]:
        """What is walked inside may not be rendered."""
        before = self.conditional, self.arms
        if uncertain:
            self.conditional, self.arms = True, (*self.arms, next(self._arms))
        try:
            yield
        finally:
            self.conditional, self.arms = before

    @contextmanager
    def rows(self) -> Iterator[None]:
        """What is walked inside is read once for each row."""
        before, self.in_rows = self.in_rows, True
        try:
            yield
        finally:
            self.in_rows = before

    def maybe_walk(self, nodes: Iterable[Any]) -> None:
        """Walk nodes that may not be rendered."""
        with self.maybe():
            self.walk(nodes)

    def choose(self, cases: Iterable[tuple[Any, Any]]) -> None:
        """Walk an ``{% if %}``: each condition and its nodes; that of ``{% else %}`` is None."""

        def case(index: int, condition: Any, nodes: Any) -> None:
            if condition is not None:
                with self.maybe(index > 0), self.tolerant("test"):
                    self.condition(condition)
            self.maybe_walk(nodes)

        parts = [partial(case, index, *each) for index, each in enumerate(cases)]
        self.branches(*parts)

    @contextmanager
    def within(self, node: Any) -> Iterator[None]:
        """What is walked inside stands in a template or macro."""
        self.inside.append(node)
        try:
            yield
        finally:
            self.inside.pop()

    @contextmanager
    def included(self, template: Any) -> Iterator[None]:
        """What is walked inside stands in an included template, which has blocks of its own."""
        before, self.blocks = self.blocks, {}
        try:
            with self.within(template):
                yield
        finally:
            self.blocks = before

    def add_blocks(self, blocks: Iterable[tuple[str, Any]]) -> None:
        """Add the blocks of a template further up, by name."""
        for name, block in blocks:
            self.blocks.setdefault(name, []).append(block)

    def times_inside(self, node: Any) -> int:
        """How often what is walked now stands inside a node; one that is equal is another one."""
        return sum(each is node for each in self.inside)
