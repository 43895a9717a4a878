"""The nodes of one Django template that a render may meet, with the conditions around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.template import defaulttags
from django.template.base import Node, TextNode
from django.template.loader_tags import BlockNode, ExtendsNode

from ...compiler.foreign import child_nodelists

_RENDERED_BELOW_EXTENDS: tuple[type[Node], ...] = (BlockNode,)
"""What counts of a template that extends another one: the rest of it is never rendered."""
if hasattr(defaulttags, "PartialDefNode"):
    _RENDERED_BELOW_EXTENDS += (defaulttags.PartialDefNode,)


@dataclass(frozen=True, slots=True)
class PlacedNode:
    """A node of a template, and where in it it stands."""

    node: Any
    conditions: tuple[Any, ...] = ()
    """The conditions of each ``{% if %}`` around it that are tested before it is rendered."""
    blocks: tuple[Node, ...] = ()
    """The blocks and definitions of partials around it, the outermost first."""

    @property
    def line(self) -> int | None:
        """The line of the template."""
        return getattr(getattr(self.node, "token", None), "lineno", None)


def placed_nodes(template: Any) -> Iterator[PlacedNode]:
    """Go through the nodes of a template in order, also those inside of other nodes.

    Text is left out, and so is what stands outside of the blocks of a template that extends
    another one.

    Args:
        template: a parsed ``django.template.base.Template``.
    """
    yield from _below(template.nodelist, True, (), ())


def _below(
    nodes: Iterable[Any],
    rendered: bool,
    conditions: tuple[Any, ...],
    blocks: tuple[Node, ...],
) -> Iterator[PlacedNode]:
    for node in nodes:
        if isinstance(node, TextNode):
            continue
        renders = rendered or isinstance(node, _RENDERED_BELOW_EXTENDS)
        if renders:
            yield PlacedNode(node, conditions, blocks)
        if isinstance(node, ExtendsNode):
            renders = False
        inside = (*blocks, node) if isinstance(node, _RENDERED_BELOW_EXTENDS) else blocks
        if isinstance(node, defaulttags.IfNode):
            tested = conditions
            for condition, inner in node.conditions_nodelists:
                if condition is not None:
                    tested = (*tested, condition)
                yield from _below(inner, renders, tested, inside)
        else:
            for inner in child_nodelists(list(vars(node).values())):
                yield from _below(inner, renders, conditions, inside)
