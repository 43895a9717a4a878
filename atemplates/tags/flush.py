"""``{% flush %}``: what is written so far leaves here, where the page is streamed."""

from __future__ import annotations

from typing import Any

from django.template.base import Node, Parser, Token
from django.template.exceptions import TemplateSyntaxError
from django.utils.safestring import SafeString

from ..compiler.nodes import NodeWriting, TagFamily, without_effects
from ..compiler.writer import Writer
from ..runtime.state import State
from ..runtime.waits import Kind, Plan, Wait
from .relations import library


class FlushNode(Node):
    """``{% flush %}``."""

    def render(self, context: Any) -> SafeString:
        """Render under Django's own renderer, which sends nothing meanwhile: no text."""
        return SafeString("")


@library.tag("flush")
def parse_flush(parser: Parser, token: Token) -> FlushNode:
    """Parse ``{% flush %}``.

    Raises:
        TemplateSyntaxError: there are arguments.
    """
    if len(token.split_contents()) > 1:
        raise TemplateSyntaxError("{% flush %} takes no arguments.")
    return FlushNode()


def write_flush(w: Writer, node: FlushNode) -> None:
    if w.sends:
        w.flush()
        w.line("if state.sending is not None:")
        w.line("    yield from flush_plan(state)")


def flush_plan(state: State) -> Plan:
    """The plan of a ``{% flush %}`` in a page that is sent."""
    assert state.sending is not None
    yield Wait(Kind.AWAIT, state.sending.flush())


FLUSH_TAGS = TagFamily(
    nodes={FlushNode: NodeWriting(write_flush, without_effects)},
    names={"flush_plan": flush_plan},
)
