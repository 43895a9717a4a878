"""``{% load atemplates %}``: tags of our own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.template.base import FilterExpression, Node, NodeList, Parser, Token
from django.template.exceptions import TemplateSyntaxError
from django.template.library import Library

from ..compiler.expressions import write_expression
from ..compiler.nodes import NodeWriting, TagFamily, effects_of, write_nodes
from ..compiler.scope import Effects
from ..compiler.writer import Writer
from ..runtime.policy import POLICIES
from ..runtime.state import State

library = Library()


class RelationsNode(Node):
    """``{% relations "raise" %}…{% endrelations %}``: another policy for what stands inside."""

    def __init__(self, policy: FilterExpression, nodelist: NodeList) -> None:
        self.policy = policy
        self.nodelist = nodelist

    def render(self, context: Any) -> str:
        """Render under Django's own renderer, which has no policy: just what stands inside."""
        return self.nodelist.render(context)


@library.tag("relations")
def parse_relations(parser: Parser, token: Token) -> RelationsNode:
    """Parse ``{% relations POLICY %}``.

    Raises:
        TemplateSyntaxError: there is not one argument, or it is a string that names no policy.
    """
    bits = token.split_contents()
    if len(bits) != 2:
        raise TemplateSyntaxError(
            f"{{% relations %}} takes one argument, one of {', '.join(map(repr, POLICIES))}; "
            f"got {len(bits) - 1}."
        )
    policy = parser.compile_filter(bits[1])
    if isinstance(policy.var, str) and not policy.filters:
        resolved_policy(policy.var)
    nodelist = parser.parse(("endrelations",))
    parser.delete_first_token()
    return RelationsNode(policy, nodelist)


def resolved_policy(policy: Any) -> str:
    """Return the policy.

    Raises:
        TemplateSyntaxError: there is no such policy.
    """
    if policy not in POLICIES:
        raise TemplateSyntaxError(
            f"{{% relations {policy!r} %}}: expected one of {', '.join(map(repr, POLICIES))}."
        )
    return str(policy)


def relations_effects(node: RelationsNode) -> Effects:
    return effects_of(node.nodelist)


def write_relations(w: Writer, node: RelationsNode) -> None:
    with w.block(f"with under_policy(state, {write_expression(w, node.policy)}):"):
        write_nodes(w, node.nodelist)


@contextmanager
def under_policy(state: State, policy: Any) -> Iterator[None]:
    """Change a render's policy for a while."""
    before = state.relations.policy
    state.relations.policy = resolved_policy(policy)
    try:
        if state.on_loop:
            yield
        else:
            with state.relations.watching():
                yield
    finally:
        state.relations.policy = before


RELATIONS_TAGS = TagFamily(
    nodes={
        RelationsNode: NodeWriting(write_relations, relations_effects),
    },
    names={
        "under_policy": under_policy,
    },
)
