"""The code of a template that tells a clock which line it is at (`atemplates.runtime.line_times`).

It is the usual code, with a call before each statement of a template, and one behind each block of
statements, where the code is back at the line around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from jinja2 import nodes
from jinja2.compiler import CompilerExit, Frame

from . import timed_plans
from .template_texts import noted_text

if TYPE_CHECKING:
    from .codegen import PlanCodeGenerator as UsualWriter
else:
    UsualWriter = object


class TimedCodeWriter(UsualWriter):
    """The part of a code generator that writes such code."""

    timed_lines: frozenset[int] = frozenset()
    """The lines that the code tells of."""

    def write_module_imports(self, node: nodes.Template) -> None:
        """Import what the code calls besides."""
        names = "back_to_line, enter_line, line_now, template_described"
        self.writeline(f"from {timed_plans.__name__} import {names}")
        super().write_module_imports(node)

    def write_text(self) -> None:
        """Write the template's text, and the places of its lines."""
        text = noted_text() or ""
        super().write_text()
        self.writeline(f"timed = template_described({self.name!r}, {self.filename!r}, {text!r})")
        for line in sorted(self.timed_lines):
            self.writeline(f"place_{line} = timed.at({line})")

    def write_place(self, line: int | None) -> None:
        """Write that a line begins; what an extension has made may have none."""
        if line is None:
            return
        self.timed_lines |= {line}
        self.writeline(f"enter_line(place_{line})")

    def blockvisit(self, nodes: Iterable[nodes.Node], frame: Frame) -> None:
        """Write some statements, and that the code is back at the line around them."""
        around = self.temporary_identifier()
        self.writeline(f"{around} = line_now(timed)")
        try:
            for node in nodes:
                self.write_beginning(node)
                self.visit(node, frame)
        except CompilerExit:
            return  # nothing that follows can be reached
        self.writeline(f"back_to_line({around})")

    def write_beginning(self, node: nodes.Node) -> None:
        """Write that the line of a statement begins; output says it by itself."""
        if not isinstance(node, nodes.Output):
            self.write_place(node.lineno)

    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:
        """Write output line by line."""
        if frame.toplevel and self.has_known_extends:
            return
        for line, parts in _by_line(node):
            piece = nodes.Output(parts, lineno=line)
            if any(not isinstance(part, nodes.TemplateData) for part in parts):
                self.write_place(line)
            super().visit_Output(piece, frame)


def _by_line(node: nodes.Output) -> Iterator[tuple[int | None, list[nodes.Expr]]]:
    """The parts of an output that stand on the same line, with what text stands before."""
    held: list[nodes.Expr] = []
    for line, parts in groupby(node.nodes, key=lambda part: part.lineno):
        held += parts
        if any(not isinstance(part, nodes.TemplateData) for part in held):
            yield line, held
            held = []
    if held:
        yield held[0].lineno, held


@lru_cache(maxsize=64)
def timed_generator(usual: type[Any]) -> type[Any]:
    """The code generator for timed code, made of the usual one of an environment."""
    return type(f"Timed{usual.__name__}", (TimedCodeWriter, usual), {})
