"""What the expressions of a Jinja2 template read, and what they may stand for."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any

from jinja2 import nodes

from ...relations.paths import Consumption
from ..django.values import UNKNOWN, PathValue, RecordValue, RowsValue, Unknown, Value, several
from ..functions import is_own_function
from .names import Caller, MacroValue, NameScope, Recursion, short_text

SAME_ROWS = frozenset({"list", "reverse", "select", "reject", "slice"})
"""Filters that give the items of their value again."""
BY_ATTRIBUTE = frozenset(
    {"selectattr", "rejectattr", "sort", "unique", "min", "max", "sum", "join", "map", "groupby"}
)
ITEMS = frozenset({"first", "last", "random", "min", "max"})
ROW_FILTERS = frozenset({"selectattr", "rejectattr", "sort", "unique"})
PATHS = (nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Call)


class Expressions(NameScope):
    """Walks expressions."""

    @abstractmethod
    def macro(
        self,
        macro: MacroValue,
        positional: list[Value],
        named: dict[str, Value],
        caller: Value = UNKNOWN,
    ) -> None:
        """Walk a macro's body with the arguments of a call."""

    @abstractmethod
    def caller(self, caller: Caller, positional: list[Value], named: dict[str, Value]) -> None:
        """Walk the body of a ``{% call %}`` with what the macro gives to it."""

    @abstractmethod
    def recursion(self, loop: Recursion, rows: Value) -> None:
        """Walk the body of a recursive loop once more."""

    def expression(self, node: Any, consumption: Consumption, lost: str | None = None) -> Value:
        """Note what an expression reads; return what it may stand for."""
        value = self.value(node)
        if isinstance(node, PATHS):
            self.record(node, value, consumption, lost)
        return value

    def value(self, node: Any) -> Value:
        """What an expression stands for; what is read on the way is noted."""
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
            self.expression(node.test, "truth")
            with self.maybe():
                both = [
                    self.expression(each, "output") for each in (node.expr1, node.expr2) if each
                ]
            return several(both)
        if isinstance(node, (nodes.And, nodes.Or)):
            left = self.expression(node.left, "truth")
            with self.maybe():
                return several([left, self.expression(node.right, "truth")])
        if isinstance(node, nodes.Not):
            self.expression(node.node, "truth")
            return UNKNOWN
        lost = None
        if isinstance(node, nodes.Test) and is_own_function(self.environment.tests.get(node.name)):
            lost = f"passed to the test {node.name!r}"
        for child in node.iter_child_nodes():
            inner: Any = child
            if isinstance(child, nodes.Operand):
                inner = child.expr
            elif isinstance(child, (nodes.Keyword, nodes.Pair)):
                inner = child.value
            if isinstance(inner, nodes.Expr):
                self.expression(inner, "operand", lost)
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
        if isinstance(callee, MacroValue):
            self.macro(callee, positional, named, caller)
            return UNKNOWN
        if isinstance(callee, Caller):
            self.caller(callee, positional, named)
            return UNKNOWN
        if isinstance(callee, Recursion):
            self.recursion(callee, positional[0] if positional else UNKNOWN)
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
        name = node.name
        if is_own_function(self.environment.filters.get(name)):
            return self.unknown_filter(node)
        rows = name in SAME_ROWS | BY_ATTRIBUTE
        uses: Consumption = "loop" if rows else "length" if name in ("length", "count") else "item"
        if name not in ITEMS and not rows and uses == "item":
            uses = "output"
        value = self.expression(node.node, uses)
        for argument in (*node.args, *(each.value for each in node.kwargs)):
            self.expression(argument, "argument")
        item = value.item()
        attribute = attribute_of(node) if name in BY_ATTRIBUTE else None
        reached = item
        if attribute is not None:
            for bit in attribute.split("."):
                reached = reached.step(bit)
            self.record(node, reached, "operand")
        if name == "map":
            return RowsValue(reached, value) if attribute is not None else RowsValue(UNKNOWN, value)
        if name == "groupby":
            group = RecordValue((("grouper", reached), ("list", RowsValue(item, value))))
            return RowsValue(group, value)
        if name in SAME_ROWS | ROW_FILTERS:
            return RowsValue(item, value)
        if name in ITEMS:
            return item
        if name in ("default", "d") and node.args:
            return several([value, self.value(node.args[0])])
        return UNKNOWN

    def unknown_filter(self, node: nodes.Filter) -> Value:
        """A filter of somebody's own: what it is given, it may reach through."""
        lost = f"passed to the filter |{node.name}"
        for each in (node.node, *node.args, *(each.value for each in node.kwargs)):
            self.expression(each, "argument", lost)
        return Unknown(f"the result of the filter |{node.name}")


def attribute_of(node: nodes.Filter) -> str | None:
    """The attribute that a filter reads on each item, when it is a literal."""
    for each in node.kwargs:
        if each.key == "attribute" and isinstance(each.value, nodes.Const):
            return str(each.value.value)
    if node.name in ("selectattr", "rejectattr", "groupby") and node.args:
        first = node.args[0]
        return str(first.value) if isinstance(first, nodes.Const) else None
    return None
