"""The table that says how each type of node is written, and what it does to the context.

Dispatch is on the exact type: a subclass may override ``render()``, so it is a foreign node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from django.template.base import Node, TextNode

from .runtime_names import RUNTIME
from .scope import NONE, OPAQUE, Effects, foreign_effects
from .writer import Writer


class NodeWriting(NamedTuple):
    """How nodes of exactly one type are written."""

    write: Callable[[Writer, Any], None]
    effects: Callable[[Any], Effects]
    """What such a node does to the context."""


class TagFamily(NamedTuple):
    """Tags that are written alike, and what their code refers to."""

    nodes: Mapping[type[Node], NodeWriting]
    names: Mapping[str, Any]
    """The names that the generated source refers to besides its constants -> what they are."""


NODES: dict[type[Node], NodeWriting] = {}
"""The type of a node -> how it is written; under `Node` what writes all others. Filled by
`use_families` alone, when an engine's module is imported: before anything is compiled."""


LONGEST_NODE_LIST = 100
"""The nodes that one function takes; longer node lists are written as several functions."""


class Unwritable(Exception):
    """A node of a known type holds something unknown; it is treated as foreign."""


def use_families(families: Iterable[TagFamily]) -> None:
    """Say which tags are written as code.

    Raises:
        ValueError: two families say different things about one type of node, or one name.
    """
    for family in families:
        _add(NODES, family.nodes)
        _add(RUNTIME, family.names)


def _add(table: dict[Any, Any], entries: Mapping[Any, Any]) -> None:
    for key, value in entries.items():
        if table.setdefault(key, value) is not value:
            raise ValueError(f"{key!r} stands for {table[key]!r} already, not for {value!r}.")


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
    known = NODES.get(type(node))
    if known is None and hasattr(type(node), "render_async"):
        return OPAQUE
    if known is None:
        return foreign_effects(type(node).__module__)
    try:
        return known.effects(node)
    except Unwritable:
        return foreign_effects(type(node).__module__)


def write_nodes(w: Writer, nodes: Iterable[Node], *, joined: bool = True) -> None:
    """Write some nodes one after the other.

    Args:
        joined: whether the node they stand in joins their results each time; a loop does so once.
    """

    if w.can_split and isinstance(nodes, list) and len(nodes) > LONGEST_NODE_LIST:
        for start in range(0, len(nodes), LONGEST_NODE_LIST):
            piece = nodes[start : start + LONGEST_NODE_LIST]
            w.call(w.module.new_piece(piece, streamed=w.sends))
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
            if w.sends:  # the node may have to wait
                w.flush()
            with w.writing_for(node):
                writing = NODES.get(type(node)) or NODES[Node]
                try:
                    writing.write(w, node)
                except Unwritable:
                    NODES[Node].write(w, node)
