"""What the expressions of a Jinja2 template read, and what they may stand for."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any

from jinja2 import nodes

from ...compiler.access.values import NOTHING, Record, Rows, Value, several
from ...relations.paths import Consumption
from .names import Macro, Names

SAME_ROWS = frozenset({"list", "reverse", "select", "reject", "slice"})
"""Filters that give the items of their value again."""
BY_ATTRIBUTE = frozenset(
    {"selectattr", "rejectattr", "sort", "unique", "min", "max", "sum", "join", "map", "groupby"}
)
ITEMS = frozenset({"first", "last", "random", "min", "max"})
ROWS = frozenset({"selectattr", "rejectattr", "sort", "unique"})
PATHS = (nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Call)


class Expressions(Names):
    """Walks expressions."""

    @abstractmethod
    def macro(self, macro: Macro, positional: list[Value], named: dict[str, Value]) -> None:
        """Walk a macro's body with the arguments of a call."""

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
            return NOTHING
        for child in node.iter_child_nodes():
            inner: Any = child
            if isinstance(child, nodes.Operand):
                inner = child.expr
            elif isinstance(child, (nodes.Keyword, nodes.Pair)):
                inner = child.value
            if isinstance(inner, nodes.Expr):
                self.expression(inner, "operand")
        return NOTHING

    def item(self, node: nodes.Getitem) -> Value:
        """``a[0]``, ``a["b"]``, ``a[1:3]``."""
        value = self.value(node.node)
        if isinstance(node.arg, nodes.Const):
            return value.step(str(node.arg.value))
        if isinstance(node.arg, nodes.Slice):
            return Rows(value.item(), value)
        self.expression(node.arg, "argument")
        reason = "a key that is known only when it renders"
        places = value.item().places()
        return several(replace(place, lost=place.lost or reason) for place in places)

    def call(self, node: nodes.Call) -> Value:
        """A method of what is at a path, a macro, or a function that nothing is known of."""
        callee = self.value(node.node)
        positional = [self.expression(each, "argument") for each in node.args]
        named = {each.key: self.expression(each.value, "argument") for each in node.kwargs}
        if isinstance(callee, Macro):
            self.macro(callee, positional, named)
            return NOTHING
        return callee

    def filter(self, node: nodes.Filter) -> Value:
        """A filter: what it reads of the items, and what it gives."""
        if node.node is None:
            return NOTHING
        name = node.name
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
            return Rows(reached, value) if attribute is not None else Rows(NOTHING, value)
        if name == "groupby":
            group = Record((("grouper", reached), ("list", Rows(item, value))))
            return Rows(group, value)
        if name in SAME_ROWS | ROWS:
            return Rows(item, value)
        if name in ITEMS:
            return item
        if name in ("default", "d") and node.args:
            return several([value, self.value(node.args[0])])
        return NOTHING


def attribute_of(node: nodes.Filter) -> str | None:
    """The attribute that a filter reads on each item, when it is a literal."""
    for each in node.kwargs:
        if each.key == "attribute" and isinstance(each.value, nodes.Const):
            return str(each.value.value)
    if node.name in ("selectattr", "rejectattr", "groupby") and node.args:
        first = node.args[0]
        return str(first.value) if isinstance(first, nodes.Const) else None
    return None
