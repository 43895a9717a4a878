"""Folding constants, without calling what is the site's own."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, nodes
from jinja2.optimizer import Optimizer
from jinja2.visitor import NodeTransformer

from .depth import chains, is_long, longest_path, path_to
from .filter_calls import PlanFilter, own_functions


def can_fold(node: nodes.Node, environment: Environment) -> bool:
    """Whether an expression may be computed by the compiler, as far as its filters and tests go.

    One of a site's may give something to await, or depend on the language of the moment.
    """
    applied = list(node.find_all((nodes.Filter, nodes.Test)))
    if isinstance(node, (nodes.Filter, nodes.Test)):
        applied.append(node)
    for each in applied:
        known: Any = environment.filters if isinstance(each, nodes.Filter) else environment.tests
        function = known.get(each.name)
        if type(function) is not PlanFilter and not is_hashable_in(function, own_functions):
            return False
    return True


class PlanOptimizer(Optimizer):
    """Folds constants, but calls nothing of a site's own for it.

    An expression is folded once: Jinja2's generator asks again for each part of it.
    """

    def __init__(self, environment: Environment | None) -> None:
        super().__init__(environment)
        self.folded: dict[int, nodes.Node] = {}

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:
        """Fold an expression if all its filters and tests are Jinja2's."""
        assert self.environment is not None
        if self.folded.get(id(node)) is node:
            return node
        if type(node) in chains and is_long(node, chains):
            for step in path_to(node, chains)[:0:-longest_path]:  # or Python's stack would not do
                name = chains[type(step)]
                setattr(step, name, self.visit(getattr(step, name), *args, **kwargs))
        if can_fold(node, self.environment):
            node = super().generic_visit(node, *args, **kwargs)
        else:
            node = NodeTransformer.generic_visit(self, node, *args, **kwargs)
        self.folded[id(node)] = node
        return node


def is_hashable_in(value: Any, known: frozenset[Any]) -> bool:
    try:
        return value in known
    except TypeError:  # a callable object without a hash is the user's own
        return False
