"""How ``{% parallel %}`` is written: each part, and the body of a loop, as a function of its own.

Such a function has ``context`` and what belongs to it as parameters; all other variables it reads
from the functions around it, which wait until it has ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from jinja2 import nodes
from jinja2.compiler import Frame, find_undeclared

from .loop_writer import holds_assignment
from .macro_writer import MacroWriter
from .parallel import asks_loop, direct_parts, is_parallel, is_rows


class ParallelWriter(MacroWriter):
    """The part of the code generator that writes ``{% parallel %}``."""

    def visit_If(self, node: nodes.If, frame: Frame) -> None:
        if is_parallel(node) and self.can_be_parallel(node, frame):
            self.write_parallel(node, frame.soft())
        else:
            self.write_if(node, frame)

    def can_be_parallel(self, node: nodes.If, frame: Frame) -> bool:
        """Whether there are parts that can be rendered at the same time."""
        if frame.toplevel and self.has_known_extends:
            return False  # a child template's own output is not written: its blocks are defined
        if self.get_context_ref() != "context":
            return False  # what an extension writes has a context of its own
        return any(not isinstance(part, nodes.TemplateData) for part in direct_parts(node.body))

    def write_if(self, node: nodes.If, frame: Frame) -> None:
        """Write an ``{% if %}``."""
        raise NotImplementedError

    def write_parallel(self, node: nodes.If, frame: Frame) -> None:
        """Write the functions, what runs them, and what puts their output in order."""
        limit = self.write_limit(node, frame)
        ahead, fully = asks_loop(node.body)
        if ahead and frame.symbols.find_ref("loop") is not None:
            loop = frame.symbols.ref("loop")
            self.writeline(f"yield from loop_ahead({loop}, {fully})", node)
        parts = list(direct_parts(node.body))
        calls = [
            self.write_part(part, frame, limit)
            for part in parts
            if not isinstance(part, nodes.TemplateData)
        ]
        self.write_together(node, frame, parts, calls, limit)

    def write_together(
        self,
        node: nodes.If,
        frame: Frame,
        parts: list[nodes.Node],
        calls: list[str],
        limit: str,
    ) -> None:
        """Write what runs the functions of the parts, and puts their output in order."""
        texts = self.temporary_identifier()
        given = ", ".join(calls)
        self.writeline(f"{texts} = yield from parallel_parts(context, ({given},), {limit})", node)
        number = 0
        for part in parts:
            if isinstance(part, nodes.TemplateData):
                self.visit(nodes.Output([part]).set_lineno(part.lineno), frame)
            else:
                self.writeline(f"{frame.buffer}.extend({texts}[{number}])", part)
                number += 1

    def write_limit(self, node: nodes.If, frame: Frame) -> str:
        """Write what says how many parts may run at a time; return its name."""
        assert isinstance(node.test, nodes.Call)
        if not node.test.args:
            return "None"
        limit = self.temporary_identifier()
        self.writeline(f"{limit} = parallel_limit(", node)
        self.visit(node.test.args[0], frame)
        self.write(")")
        return limit

    def write_part(self, part: nodes.Node, frame: Frame, limit: str) -> str:
        """Write a part's function; return the code of its name and arguments."""
        given = []
        for name in ("super", "self"):
            reference = frame.symbols.find_ref(name)
            if reference is not None and name in find_undeclared([part], (name,)):
                given.append(reference)
        function = self.temporary_identifier()
        with self.part_function(function, given, part, frame.copy()) as own:
            if is_rows(part):
                assert isinstance(part, nodes.For)
                self.write_rows(part, own, limit)
            elif isinstance(part, nodes.Expr):
                self.visit(nodes.Output([part]).set_lineno(part.lineno), own)
            else:
                self.visit(part, own)
        return f"({function}, ({''.join(f'{name}, ' for name in given)}))"

    @contextmanager
    def part_function(
        self, function: str, parameters: list[str], node: nodes.Node, frame: Frame
    ) -> Iterator[Frame]:
        """Write a function that returns the pieces of its output; give the frame of its code."""
        self.writeline(f"def {function}({', '.join(['context', *parameters])}):", node)
        self.indent()
        self.writeline("if 0: yield None")
        self.writeline("loops = (running := running_state()).loops")
        around = self.around
        self.name_context()
        frame.buffer = self.temporary_identifier()
        self.writeline(f"{frame.buffer} = []")
        depth, self.loop_depth = self.loop_depth, 0
        yield frame
        self.loop_depth, self.around = depth, around
        self.writeline(f"return {frame.buffer}")
        self.outdent()

    def write_rows(self, node: nodes.For, frame: Frame, limit: str) -> None:
        """Write a loop whose rows are rendered at the same time."""
        self.check_loop_target(node)
        extended = self.uses_loop(node)
        body, otherwise = frame.inner(), frame.inner()
        body.loop_frame = True
        body.assigns = holds_assignment(node)  # type: ignore[attr-defined]
        if extended:
            body.symbols.declare_parameter("loop")
        body.symbols.analyze_node(node, for_branch="body")
        if node.else_:
            otherwise.symbols.analyze_node(node, for_branch="else")
        test = self.write_test_function(node, frame) if node.test else None
        rows, origin = self.temporary_identifier(), self.origin(node.iter, frame)
        self.writeline(f"{rows} = ", node)
        self.visit_raw(node.iter, frame)
        self.writeline(f"{rows} = yield from all_rows({rows}, environment.is_async{origin})", node)
        if test is not None:
            count = len(node.target.items) if isinstance(node.target, nodes.Tuple) else None
            arguments = f"context, {rows}, {test}, {count}, {limit}{origin}"
            self.writeline(f"{rows} = yield from passing_rows({arguments})", node)
        self.writeline(f"if {rows}:")
        self.indent()
        function = self.write_row(node, body)
        arguments = f"context, {rows}, {function}, undefined, {limit}{origin}"
        self.writeline(f"{frame.buffer}.extend((yield from rendered_rows({arguments})))", node)
        self.outdent()
        if node.else_:
            self.writeline("else:")
            self.indent()
            self.enter_frame(otherwise)
            self.blockvisit(node.else_, otherwise)
            self.leave_frame(otherwise)
            self.outdent()
        if self._assign_stack:
            self._assign_stack[-1].difference_update(body.symbols.stores)

    def write_row(self, node: nodes.For, body: Frame) -> str:
        """Write the function of a loop's body; return its name."""
        function, row = self.temporary_identifier(), self.temporary_identifier()
        loop = body.symbols.refs.get("loop") or self.temporary_identifier()
        with self.part_function(function, [row, loop], node, body):
            self.write_row_settling(node.target, row)
            self.newline(node)
            self.visit(node.target, body)
            self.write(f" = {row}")
            self.write_targets_settling(node.target, body)
            self.enter_frame(body)
            if holds_assignment(node):
                self.writeline("_loop_vars = {}")
            self.blockvisit(node.body, body)
            self.leave_frame(body, with_python_scope=True)
        return function
