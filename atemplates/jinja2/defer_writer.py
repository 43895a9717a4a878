"""How ``{% defer %}`` is written: its contents, the placeholder and the error as functions.

They are called with a copy of the variables around them (`snapshots.Snapshot`): the page may go on
before they have ended.
"""

from __future__ import annotations

from jinja2 import nodes
from jinja2.compiler import Frame

from .defer import Deferring, deferring
from .parallel import asks_loop
from .parallel_writer import ParallelWriter


class DeferWriter(ParallelWriter):
    """The part of the code generator that writes ``{% defer %}``."""

    defers = False
    """Whether there is a ``{% defer %}`` in the template."""

    def visit_Scope(self, node: nodes.Scope, frame: Frame) -> None:
        """Write a scope, or what was made of a ``{% defer %}``."""
        found = deferring(node)
        if found is None or self.get_context_ref() != "context":
            super().visit_Scope(node, frame)
        elif not frame.require_output_check:
            self.write_defer(found, node, frame)
        elif not self.has_known_extends:
            self.writeline("if parent_template is None:")
            self.indent()
            self.write_defer(found, node, frame)
            self.outdent()

    @property
    def pieces(self) -> str:
        """What collects the output of a part."""
        return "list"

    def running(self, function: str, frame: Frame) -> str:
        """The name of what is called to write a part of the output."""
        return function

    def write_defer(self, found: Deferring, node: nodes.Scope, frame: Frame) -> None:
        """Write the functions, and what runs them."""
        self.defers = True
        timeout = self.temporary_identifier()
        inner = frame.inner()
        inner.symbols.analyze_node(nodes.Scope([nodes.Output([found.timeout])]))
        self.enter_frame(inner)
        self.writeline(f"{timeout} = defer_timeout(", node)
        self.visit(found.timeout, inner)
        self.write(")")
        self.leave_frame(inner)
        bodies = [found.body, found.waiting, found.failed]
        ahead, _ = asks_loop([each for body in bodies if body is not None for each in body])
        if ahead and frame.symbols.find_ref("loop") is not None:
            self.writeline(f"yield from loop_ahead({frame.symbols.ref('loop')}, True)", node)
        names = [
            "None" if body is None else self.write_deferred(body, frame, node, body is found.failed)
            for body in bodies
        ]
        place = f"({self.name!r}, {node.lineno}, {self.filename!r})"
        given = f"context, ({', '.join(names)}), {timeout}, {place}, {frame.buffer}, {self.pieces}"
        self.writeline(f"yield from {self.running('show_deferred', frame)}({given})", node)

    def write_deferred(
        self, body: list[nodes.Node], frame: Frame, node: nodes.Scope, is_error: bool
    ) -> str:
        """Write a function that adds the pieces of its output to a list; return its name."""
        function = self.temporary_identifier()
        inner = frame.inner()
        inner.buffer = "out"
        error = inner.symbols.declare_parameter("error") if is_error else ""
        more = f", {error}=missing" if error else ""
        self.writeline(f"def {function}(context, out{more}):", node)
        self.indent()
        self.writeline("if 0: yield None")
        self.writeline("resolve = context.resolve_or_missing")
        self.writeline("loops = (running := running_state()).loops")
        around = self.around
        self.name_context()
        if is_error:
            outer = frame.symbols.find_ref("error") or "resolve('error')"
            self.writeline(f"if {error} is missing: {error} = {outer}")
            self.writeline(f"if {error} is missing: {error} = undefined(name='error')")
        depth, self.loop_depth = self.loop_depth, 0
        inner.symbols.analyze_node(nodes.Scope(body))
        self.enter_frame(inner)
        self.blockvisit(body, inner)
        self.leave_frame(inner, with_python_scope=True)
        self.loop_depth, self.around = depth, around
        self.outdent()
        return function
