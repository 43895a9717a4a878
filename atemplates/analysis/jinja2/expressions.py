"""What the expressions of a Jinja2 template read, and what they may stand for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from jinja2 import Environment, nodes

from ...relations.paths import ITEM, Consumption
from ..filters import JINJA2_FILTERS, TEXT, Arguments, unknown_effect
from ..functions import is_own_function
from ..reads import CALL, CALL_WITH, ReadStep, Tolerance
from ..scope import Names
from ..values import UNKNOWN, MadeValue, PathValue, RecordValue, RowsValue, Unknown, Value, several
from ..walker import AccessWalker

OWN_NAMES = frozenset({"super", "self", "caller", "varargs", "kwargs"})
"""Names that Jinja2 sets itself."""
REPLACING_JINJA2_FILTERS = frozenset({"default", "d"})
"""Filters that put something else in the place of what is not there."""
PATHS = (nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Call)


@dataclass(frozen=True, slots=True)
class MacroValue(Value):
    """A macro of a template; equal only to itself."""

    node: Any
    template: str
    frames: Sequence[Names] = field(default=(), compare=False, repr=False)
    """The names around it, where it is defined."""


@dataclass(frozen=True, slots=True, eq=False)
class Caller(Value):
    """What ``caller`` is in a macro that ``{% call %}`` calls."""

    node: Any
    template: str
    frames: Sequence[Names]


@dataclass(frozen=True, slots=True, eq=False)
class Recursion(Value):
    """What ``loop`` is in a recursive loop: called with rows, it is the loop over them."""

    node: Any


@dataclass(frozen=True, slots=True)
class ImportedModule(Value):
    """What ``{% import %}`` gives: the macros of a template."""

    macros: tuple[tuple[str, Value], ...]

    def step(self, bit: str) -> Value:
        return dict(self.macros).get(bit, UNKNOWN)


class Expressions(AccessWalker):
    """Walks expressions."""

    def __init__(self, environment: Environment) -> None:
        super().__init__()
        self.environment = environment
        self.base: Any = None
        """What the lookups of the expression that is walked stand after."""
        self.base_value: Value = UNKNOWN

    @abstractmethod
    def call_value(
        self, callee: Value, positional: list[Value], named: Names, caller: Value
    ) -> bool:
        """Walk what a template itself defines and calls; return whether ``callee`` is such."""

    def find_outside(self, name: str) -> Value:
        is_known = name in self.environment.globals or name in OWN_NAMES
        return UNKNOWN if is_known else PathValue(name)

    def record_node(
        self, node: Any, value: Value, consumption: Consumption, lost: str | None = None
    ) -> None:
        """Note that an expression reads a value."""
        self.line = node.lineno
        self.record(short_text(node), value, consumption, lost)

    def lose_node(self, node: Any, reason: str) -> None:
        """Note that something may read what the template does not show."""
        self.line = node.lineno
        self.lose(short_text(node), reason)

    def condition(self, condition: Any) -> None:
        self.expression(condition, "truth")

    def expression(self, node: Any, consumption: Consumption, lost: str | None = None) -> Value:
        """Note what an expression reads; return what it may stand for."""
        if not isinstance(node, PATHS):
            return self.value(node)
        around = self.base, self.base_value
        self.base, steps = lookups_of(node)
        value = self.value(node)
        self.line = self.base.lineno
        name = self.base.name if isinstance(self.base, nodes.Name) else ""
        self.note(name, steps, self.base_value, calls=False, token=self.base)
        self.base, self.base_value = around
        is_cut = isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice)
        self.record_node(node, value, "slice" if is_cut else consumption, lost)
        return value

    def value(self, node: Any) -> Value:
        """Return what an expression stands for; note what is read on the way."""
        value = self._value(node)
        if node is self.base:
            self.base_value = value
        return value

    def _value(self, node: Any) -> Value:
        if isinstance(node, nodes.Const):
            return MadeValue(type(node.value))
        if isinstance(node, nodes.Name):
            return self.find(node.name)
        if isinstance(node, nodes.Getattr):
            return self.value(node.node).step(node.attr)
        if isinstance(node, nodes.Getitem):
            return self.item(node)
        if isinstance(node, nodes.Call):
            return self.call(node)
        if isinstance(node, nodes.Filter):
            return self.filter(node)
        if isinstance(node, nodes.CondExpr):
            with self.tolerant("test"):
                self.condition(node.test)
            with self.maybe():
                both = [each for each in (node.expr1, node.expr2) if each]
                return several([self.expression(each, "output") for each in both])
        if isinstance(node, (nodes.And, nodes.Or)):
            with self.tolerant("default" if isinstance(node, nodes.Or) else "test"):
                left = self.expression(node.left, "truth")
            with self.maybe():
                return several([left, self.expression(node.right, "truth")])
        if isinstance(node, nodes.Not):
            with self.tolerant("test"):
                self.condition(node.node)
            return UNKNOWN
        lost = None
        if isinstance(node, nodes.Test) and is_own_function(self.environment.tests.get(node.name)):
            lost = f"passed to the test {node.name!r}"
        with self.tolerant(tolerance_of(node)):
            for each in operands(node):
                self.expression(each, "operand", lost)
        return UNKNOWN

    def item(self, node: nodes.Getitem) -> Value:
        """``a[0]``, ``a["b"]``, ``a[1:3]``."""
        value = self.value(node.node)
        if isinstance(node.arg, nodes.Const):
            return value.step(str(node.arg.value))
        if isinstance(node.arg, nodes.Slice):
            return RowsValue(value.item(), value)
        self.expression(node.arg, "argument")
        reason = "a key that is known only when it renders"
        places = value.item().places()
        return several(replace(place, lost=place.lost or reason) for place in places)

    def call(self, node: nodes.Call, caller: Value = UNKNOWN) -> Value:
        """A method of what is at a path, a macro, or a function that nothing is known of."""
        callee = self.value(node.node)
        lost = self.why_lost(node.node, callee)
        # A macro only gives its arguments other names.
        use: Consumption = "name" if isinstance(callee, (MacroValue, Caller)) else "argument"
        positional = [self.expression(each, use, lost) for each in node.args]
        named = {each.key: self.expression(each.value, use, lost) for each in node.kwargs}
        for each in (node.dyn_args, node.dyn_kwargs):
            if each is not None:
                self.expression(each, "argument", lost or "unpacked into arguments")
        if self.call_value(callee, positional, named, caller):
            return UNKNOWN
        if isinstance(node.node, nodes.Name) and callee is UNKNOWN:
            if node.node.name == "namespace":
                return RecordValue(tuple(named.items()))
            if lost is not None:
                return Unknown(f"the result of {short_text(node.node)}()")
        return callee

    def why_lost(self, callee: Any, value: Value) -> str | None:
        """Why what is given to a function cannot be followed; None when it does nothing with it."""
        if isinstance(value, PathValue):
            return f"passed to {short_text(callee)}()"
        if value is UNKNOWN and isinstance(callee, nodes.Name):
            function = self.environment.globals.get(callee.name)
            if function is not None and is_own_function(function):
                return f"passed to {callee.name}()"
        return None

    def filter(self, node: nodes.Filter) -> Value:
        """A filter: what it reads of the items, and what it gives."""
        if node.node is None:
            return UNKNOWN
        if is_own_function(self.environment.filters.get(node.name)):
            effect = unknown_effect(node.name)
        else:
            effect = JINJA2_FILTERS.get(node.name, TEXT)
        with self.tolerant("default" if node.name in REPLACING_JINJA2_FILTERS else ""):
            value = self.expression(node.node, effect.consumption or "output", effect.lost)
        arguments = (*node.args, *(each.value for each in node.kwargs))
        given = [self.expression(each, "argument", effect.lost) for each in arguments]
        self.line = node.lineno
        return effect.result(self, short_text(node), value, Arguments(given, attribute_of(node)))


def lookups_of(node: Any) -> tuple[Any, tuple[ReadStep, ...]]:
    """The lookups and calls that an expression ends with, and what they stand after."""
    steps: list[ReadStep] = []
    while isinstance(node, (nodes.Getattr, nodes.Getitem, nodes.Call)):
        if isinstance(node, nodes.Getattr):
            bit = node.attr
        elif isinstance(node, nodes.Call):
            given = node.args or node.kwargs or node.dyn_args or node.dyn_kwargs
            bit = CALL_WITH if given else CALL
        else:
            is_key = isinstance(node.arg, nodes.Const) and not isinstance(node.arg.value, bool)
            bit = str(node.arg.value) if is_key else ITEM  # type: ignore[attr-defined]
            if isinstance(node.arg, nodes.Slice):
                # What is cut out is no item, and no lookup says what it is.
                return node, tuple(reversed(steps))
        steps.append(ReadStep(bit, node.lineno))
        node = node.node
    return node, tuple(reversed(steps))


def tolerance_of(node: Any) -> Tolerance:
    """What becomes of an operand that is not there."""
    if not isinstance(node, nodes.Test):
        return ""
    return "default" if node.name in ("defined", "undefined") else "test"


def operands(node: Any) -> Iterator[Any]:
    """The expressions that an operator, a list or a dict is made of."""
    for child in node.iter_child_nodes():
        inner: Any = child
        if isinstance(child, nodes.Operand):
            inner = child.expr
        elif isinstance(child, (nodes.Keyword, nodes.Pair)):
            inner = child.value
        if isinstance(inner, nodes.Expr):
            yield inner


def attribute_of(node: nodes.Filter) -> list[str] | None:
    """The names of the attribute that a filter reads on each item, when it is a literal."""
    found = [each.value for each in node.kwargs if each.key == "attribute"]
    if node.name in ("selectattr", "rejectattr", "groupby"):
        found += node.args[:1]
    literals = [str(each.value) for each in found if isinstance(each, nodes.Const)]
    return literals[0].split(".") if literals else None


def short_text(node: Any) -> str:
    """An expression in short: the path that it begins with."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        return f"{short_text(node.node)}.{node.attr}"
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        return f"{short_text(node.node)}[{node.arg.value!r}]"
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice):
        return f"{short_text(node.node)}[:]"
    if isinstance(node, nodes.Call):
        return f"{short_text(node.node)}()"
    if isinstance(node, nodes.Filter):
        return f"{short_text(node.node)}|{node.name}"
    if isinstance(node, nodes.Const):
        return repr(node.value)
    return type(node).__name__.lower()
