"""How deep expressions are: Python reads 200 brackets inside each other, and a step may take three.

A long path, ``a.b.c.d…`` or ``x|f|g|h…``, is written as steps that follow each other, with the
value so far in a variable. What is deep because of brackets or arguments is written with fewer
brackets.
"""

from __future__ import annotations

from typing import Any

from jinja2 import nodes

longest_path = 10
"""How many steps of a path are written as nested expressions."""
deepest = 20
"""How high an expression may be to be written with as many brackets as is fastest."""

lefts: dict[type[nodes.Node], str] = {
    nodes.Getattr: "node",
    nodes.Getitem: "node",
    nodes.Call: "node",
    nodes.Filter: "node",
    nodes.Test: "node",
    nodes.Neg: "node",
    nodes.Pos: "node",
    nodes.Compare: "expr",
}
"""The expressions that are a step from another one, which is computed before all else in them, and
what they call it."""


chains: dict[type[nodes.Node], str] = {
    **lefts,
    **dict.fromkeys((nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv), "left"),
    **dict.fromkeys((nodes.Mod, nodes.Pow, nodes.And, nodes.Or), "left"),
    nodes.Not: "node",
    nodes.CondExpr: "expr2",
}
"""The same, and others that are often many in a row: what constants are folded in one by one."""


def previous(node: nodes.Node, table: dict[type[nodes.Node], str] = lefts) -> Any:
    """What an expression is a step from, or None."""
    name = table.get(type(node))
    return None if name is None else getattr(node, name)


def path_to(node: nodes.Node, table: dict[type[nodes.Node], str] = lefts) -> list[nodes.Node]:
    """The steps of a path, the last one first."""
    steps: list[nodes.Node] = []
    while (before := previous(node, table)) is not None:
        steps.append(node)
        node = before
    return steps


def is_long(node: nodes.Node, table: dict[type[nodes.Node], str] = lefts) -> bool:
    """Whether a path has many steps."""
    for _ in range(longest_path + 1):
        node = previous(node, table)
        if node is None:
            return False
    return True


def kept_as(name: str, original: nodes.Node) -> nodes.Expr:
    """A node that stands for one whose value is in a variable."""
    kept: nodes.InternalName = object.__new__(nodes.InternalName)
    nodes.Node.__init__(kept, name, lineno=original.lineno)
    kept.original = original  # type: ignore[attr-defined]
    return kept


def original_of(node: nodes.Node) -> nodes.Node:
    """What a node stands for; the node itself if it is none of `kept_as`."""
    return getattr(node, "original", node)


class Heights:
    """How high expressions are, each computed once."""

    def __init__(self) -> None:
        self.known: dict[int, tuple[nodes.Node, int]] = {}

    def of(self, node: nodes.Node) -> int:
        """How many expressions stand inside each other."""
        known = self.known.get(id(node))
        if known is not None:
            return known[1]
        height = 0
        for child in node.iter_child_nodes():
            height = max(height, self.of(child))
        self.known[id(node)] = (node, height + 1)
        return height + 1
