"""The nodes below a node of a Jinja2 template by their types, looked for once."""

from __future__ import annotations

from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from jinja2 import nodes

KindOfNode = TypeVar("KindOfNode", bound=nodes.Node)

# For as long as a tree lives. Two threads that ask at once both look, and find the same.
_found: WeakKeyDictionary[nodes.Node, dict[type, list[Any]]] = WeakKeyDictionary()


def all_of(node: nodes.Node, *kinds: type[KindOfNode]) -> list[KindOfNode]:
    """Return all nodes below a node that are of some types, in order for each type.

    As ``node.find_all(kinds)``, which goes through all of the tree each time.

    Args:
        node: whose tree is not changed any more.
    """
    by_type = _found.get(node)
    if by_type is None:
        by_type = {}
        waiting = [*reversed(list(node.iter_child_nodes()))]
        while waiting:
            one = waiting.pop()
            by_type.setdefault(type(one), []).append(one)
            waiting.extend(reversed(list(one.iter_child_nodes())))
        _found[node] = by_type
    return [each for kind, some in by_type.items() if issubclass(kind, kinds) for each in some]
