"""The nodes of one Jinja2 template that a render may meet, with the conditions around them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

from jinja2 import nodes

_WRITTEN_BELOW_EXTENDS = (nodes.Block, nodes.Macro, nodes.Assign, nodes.AssignBlock)
"""What counts of a template that extends another one: nothing else of it is written."""


@dataclass(frozen=True, slots=True)
class PlacedExpression:
    """A node of a template, and where in it it stands."""

    node: Any
    conditions: tuple[nodes.Node, ...] = ()
    """The conditions around it that are tested before it is rendered."""
    block: str = ""
    """The block around it."""


# For as long as a tree lives. Two threads that ask at once both look, and find the same.
_placed: WeakKeyDictionary[nodes.Template, tuple[PlacedExpression, ...]] = WeakKeyDictionary()


def placed_expressions(tree: nodes.Template) -> tuple[PlacedExpression, ...]:
    """Return all nodes of a template in order, also those inside of other nodes.

    What stands outside of the blocks of a template that extends another one is left out, as far as
    it is not written.
    """
    found = _placed.get(tree)
    if found is None:
        found = _placed[tree] = tuple(_placed_in(tree))
    return found


def _placed_in(tree: nodes.Template) -> Iterator[PlacedExpression]:
    extends = any(isinstance(each, nodes.Extends) for each in tree.body)
    place = PlacedExpression(tree)
    for child in tree.body:
        yield from _from(replace(place, node=child), not extends)


def _from(place: PlacedExpression, rendered: bool) -> Iterator[PlacedExpression]:
    node = place.node
    rendered = rendered or isinstance(node, _WRITTEN_BELOW_EXTENDS)
    if rendered or not isinstance(node, (nodes.Output, nodes.CallBlock, nodes.Include)):
        yield place
    elif not rendered:
        return
    if isinstance(node, nodes.Block):
        place = replace(place, block=node.name)
    if isinstance(node, nodes.If):
        yield from _from(replace(place, node=node.test), rendered)
        tested = (*place.conditions, node.test)
        for each in node.body:
            yield from _from(replace(place, node=each, conditions=tested), rendered)
        for each in node.elif_:
            yield from _from(replace(place, node=each, conditions=tested), rendered)
            tested = (*tested, each.test)
        for each in node.else_:
            yield from _from(replace(place, node=each, conditions=tested), rendered)
    elif isinstance(node, nodes.CondExpr):
        yield from _from(replace(place, node=node.test), rendered)
        tested = (*place.conditions, node.test)
        for part in (node.expr1, node.expr2):
            if part is not None:
                yield from _from(replace(place, node=part, conditions=tested), rendered)
    elif isinstance(node, (nodes.And, nodes.Or)):
        yield from _from(replace(place, node=node.left), rendered)
        tested = (*place.conditions, node.left)
        yield from _from(replace(place, node=node.right, conditions=tested), rendered)
    else:
        for child in node.iter_child_nodes():
            yield from _from(replace(place, node=child), rendered)
