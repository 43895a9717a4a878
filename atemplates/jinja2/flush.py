"""``{% flush %}``: what is written leaves here, though nothing has to be waited for."""

from __future__ import annotations

from jinja2 import nodes
from jinja2.parser import Parser

from .own_tags import OwnTagExtension

FLUSHING = "sends_here"
"""The method of the extension that the tag calls."""


class FlushExtension(OwnTagExtension):
    """``{% flush %}``, for environments of any kind."""

    own_tags = frozenset({"flush"})

    def parse(self, parser: Parser) -> nodes.Node:
        """Parse the tag.

        Raises:
            TemplateSyntaxError: it has arguments.
        """
        line = next(parser.stream).lineno
        if parser.stream.current.type != "block_end":
            parser.fail("{% flush %} takes no arguments; got some. Write {% flush %}.", line)
        return nodes.ExprStmt(self.call_method(FLUSHING, lineno=line)).set_lineno(line)

    def sends_here(self) -> None:
        """Do nothing: where a page is not sent piece by piece there is nothing to send."""


def is_flush(node: nodes.ExprStmt) -> bool:
    """Whether a statement is what `FlushExtension` has made of its tag."""
    call = node.node
    return (
        isinstance(call, nodes.Call)
        and isinstance(call.node, nodes.ExtensionAttribute)
        and call.node.name == FLUSHING
    )
