"""The names in scope while a Jinja2 template is walked, and the records made so far."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from jinja2 import Environment, nodes

from ...relations.paths import AccessPath, Consumption
from ..django.values import UNKNOWN, PathValue, Value

OWN_NAMES = frozenset({"super", "self", "caller", "varargs", "kwargs"})
"""Names that Jinja2 sets itself."""

Jinja2Frames: TypeAlias = tuple[dict[str, Value], ...]


@dataclass(frozen=True, slots=True)
class MacroValue(Value):
    """A macro of a template; equal only to itself."""

    node: Any
    template: str
    frames: Jinja2Frames = field(default=(), compare=False, repr=False)
    """The names around it, where it is defined."""


@dataclass(frozen=True, slots=True, eq=False)
class Caller(Value):
    """What ``caller`` is in a macro that ``{% call %}`` calls."""

    node: Any
    template: str
    frames: Jinja2Frames


@dataclass(frozen=True, slots=True, eq=False)
class Recursion(Value):
    """What ``loop`` is in a recursive loop: called with rows, it is the loop over them."""

    node: Any


@dataclass(frozen=True, slots=True)
class ImportedModule(Value):
    """What ``{% import %}`` gives: the macros of a template."""

    macros: tuple[tuple[str, MacroValue], ...]

    def step(self, bit: str) -> Value:
        return dict(self.macros).get(bit, UNKNOWN)


class NameScope:
    """The names in scope while a tree is walked, and the records made so far."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.records: list[AccessPath] = []
        self.frames: list[dict[str, Value]] = [{}]
        self.name = ""
        self.conditional = False

    def find(self, name: str) -> Value:
        """What a name stands for: a name of the template's own, else a variable of the context."""
        for frame in reversed(self.frames):
            if name in frame:
                return frame[name]
        return UNKNOWN if name in self.environment.globals or name in OWN_NAMES else PathValue(name)

    @contextmanager
    def frame(self, names: dict[str, Value] | None = None) -> Iterator[None]:
        """A frame of names around what is walked inside."""
        self.frames.append(dict(names or {}))
        try:
            yield
        finally:
            self.frames.pop()

    @contextmanager
    def maybe(self) -> Iterator[None]:
        """What is walked inside may not be rendered."""
        before, self.conditional = self.conditional, True
        try:
            yield
        finally:
            self.conditional = before

    @contextmanager
    def in_template(self, name: str) -> Iterator[None]:
        """What is walked inside stands in another template."""
        before, self.name = self.name, name
        try:
            yield
        finally:
            self.name = before

    def record(
        self, node: Any, value: Value, consumption: Consumption, lost: str | None = None
    ) -> None:
        """Note that an expression reads a value."""
        for place in value.places():
            self._add(node, short_text(node), place, consumption, place.lost or lost)

    def lose(self, node: Any, reason: str) -> None:
        """Note that something may read what the template does not show."""
        self._add(node, short_text(node), PathValue(""), "argument", reason)

    def _add(
        self, node: Any, text: str, place: PathValue, consumption: Consumption, lost: str | None
    ) -> None:
        self.records.append(
            AccessPath(
                template=self.name,
                line=node.lineno,
                expression=text,
                root=place.root,
                path=place.path,
                conditional=self.conditional or place.maybe,
                consumption=consumption,
                lost=lost,
            )
        )


def short_text(node: Any) -> str:
    """An expression in short: the path that it begins with."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        return f"{short_text(node.node)}.{node.attr}"
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        return f"{short_text(node.node)}[{node.arg.value!r}]"
    if isinstance(node, nodes.Call):
        return f"{short_text(node.node)}()"
    if isinstance(node, nodes.Filter):
        return f"{short_text(node.node)}|{node.name}"
    if isinstance(node, nodes.Const):
        return repr(node.value)
    return type(node).__name__.lower()
