"""The tables that say how each type of node is written, and what it does to the context.

Dispatch is on the exact type: a subclass may override ``render()``, so it is a foreign node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.template.base import Node, TextNode

from .scope import NONE, OPAQUE, Effects, foreign_effects
from .writer import Writer

# Filled by imports, and by a library's own `register`: before its nodes are compiled.
WRITERS: dict[type[Node], Callable[[Writer, Any], None]] = {}
NODE_EFFECTS: dict[type[Node], Callable[[Any], Effects]] = {}
# Both are set and read in single steps; `NODE_EFFECTS` has a type before `WRITERS` has it.


LONGEST_NODE_LIST = 100
"""The nodes that one function takes; longer node lists are written as several functions."""


class Unwritable(Exception):
    """A node of a known type holds something unknown; it is treated as foreign."""


def register(
    kind: type[Node], write: Callable[[Writer, Any], None], effects: Callable[[Any], Effects]
) -> None:
    """Say how nodes of exactly this type are written, and what their effects are."""
    NODE_EFFECTS[kind] = effects
    WRITERS[kind] = write


def without_effects(node: Node) -> Effects:
    """The effects of a node that only writes text."""
    return NONE


def effects_of(nodes: Iterable[Node]) -> Effects:
    """The effects of rendering some nodes."""
    effects = NONE
    for node in nodes:
        if type(node) is not TextNode:
            effects |= effects_of_node(node)
    return effects


def effects_of_node(node: Node) -> Effects:
    """The effects of rendering a node."""
    known = NODE_EFFECTS.get(type(node))
    if known is None and hasattr(type(node), "render_async"):
        return OPAQUE
    if known is None:
        return foreign_effects(type(node).__module__)
    try:
        return known(node)
    except Unwritable:
        return foreign_effects(type(node).__module__)


def write_nodes(w: Writer, nodes: Iterable[Node], *, joined: bool = True) -> None:
    """Write some nodes one after the other.

    Args:
        joined: whether the node they stand in joins their results each time; a loop does so once.
    """

    if w.can_split and isinstance(nodes, list) and len(nodes) > LONGEST_NODE_LIST:
        for start in range(0, len(nodes), LONGEST_NODE_LIST):
            w.call(w.module.new_piece(nodes[start : start + LONGEST_NODE_LIST]))
        return

    def write(inner: Writer) -> None:
        # The results of a whole template are joined at the end of the plan.
        if inner.node is not None and (joined or inner is not w):
            with inner.joining():
                _write_nodes(inner, nodes)
        else:
            _write_nodes(inner, nodes)

    w.nest(write)


def _write_nodes(w: Writer, nodes: Iterable[Node]) -> None:
    for node in nodes:
        if type(node) is TextNode:
            w.text(node.s)
        else:
            with w.writing_for(node):
                write = WRITERS.get(type(node)) or WRITERS[Node]
                try:
                    write(w, node)
                except Unwritable:
                    WRITERS[Node](w, node)
