"""The code of a template whose text is sent while it is rendered.

It is the usual code, but that all text before a value is written when the value is asked for. What
collects its output (a macro, ``{% filter %}``, ``{% set %}``) is written as ever.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jinja2 import nodes
from jinja2.compiler import Frame

from .flush import is_flush

if TYPE_CHECKING:
    from .codegen import PlanCodeGenerator as Base
else:
    Base = object

SENDING = {
    "show_deferred": "begin_deferred",
    "extend": "send_extended",
    "include": "send_include",
    "include_plain": "send_plain",
    "run_block": "send_block",
    "run_root": "send_root",
}
"""What the usual code calls -> what is called where the output is that of the page."""


class SendingWriter(Base):
    """The part of a code generator that writes such code.

    In a sync environment the code says of each piece that it is there, as Jinja2's own does.
    """

    @property
    def says_so(self) -> bool:
        """Whether the code yields for each piece."""
        return not self.environment.is_async

    @property
    def pieces(self) -> str:
        """What collects the output of a part beside the page."""
        return "list" if self.says_so else "Sink"

    def running(self, function: str, frame: Frame) -> str:
        """The name of what is called to write a part of the page."""
        return SENDING[function] if frame.buffer == "out" else function

    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:
        """Write each piece by itself."""
        if frame.buffer != "out":
            super().visit_Output(node, frame)
            return
        for part in node.nodes:
            piece = nodes.Output([part])
            piece.set_lineno(part.lineno)
            super().visit_Output(piece, frame)
            if self.says_so and not (frame.require_output_check and self.has_known_extends):
                self.writeline("yield PIECE_WRITTEN")

    def end_write(self, frame: Frame) -> None:
        """End the writing of a piece."""
        super().end_write(frame)
        if self.says_so and frame.buffer == "out":
            self.writeline("yield PIECE_WRITTEN")

    def write_together(
        self,
        node: nodes.If,
        frame: Frame,
        parts: list[nodes.Node],
        calls: list[str],
        limit: str,
    ) -> None:
        """Write what runs parts of the page, and the places that they get as they are ready."""
        if frame.buffer != "out" or self.says_so:
            super().write_together(node, frame, parts, calls, limit)
            return
        holes = []
        for part in parts:
            if isinstance(part, nodes.TemplateData):
                text = nodes.Output([part])
                text.set_lineno(part.lineno)
                self.visit(text, frame)
            else:
                holes.append(self.temporary_identifier())
                self.writeline(f"{holes[-1]} = out.new_hole()", part)
        given = f"({', '.join(calls)},), ({', '.join(holes)},), {limit}"
        self.writeline(f"yield from send_parts(context, {given})", node)

    def visit_ExprStmt(self, node: nodes.ExprStmt, frame: Frame) -> None:
        """Write a ``{% do %}``, or ``{% flush %}``."""
        if not is_flush(node):
            super().visit_ExprStmt(node, frame)
        elif frame.buffer == "out" and not self.says_so:
            self.writeline("yield from flushed()", node)


@lru_cache(maxsize=64)
def sending_generator(usual: type[Any]) -> type[Any]:
    """The code generator for what is sent, made of the usual one of an environment."""
    return type(f"Sending{usual.__name__}", (SendingWriter, usual), {})
