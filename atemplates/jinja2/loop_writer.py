"""How loops are written: over rows that are at hand, and over streams that are waited for."""

from __future__ import annotations

from typing import Any

from jinja2 import nodes
from jinja2.compiler import Frame, find_undeclared
from jinja2.nativetypes import NativeCodeGenerator

from ..runtime.turns import FEW_ROWS, ROWS_BETWEEN_LOOKS
from .expressions import ExpressionWriter

deepest_loops = 5
"""How many loops may stand inside each other in one function: Python allows 20 blocks."""


CODE_WITH_ROWS: Any = (nodes.For, nodes.Include, nodes.Block, nodes.Call, nodes.CallBlock)
"""What may render rows of its own inside of a loop."""


class LoopWriter(ExpressionWriter):
    """The part of the code generator that writes ``{% for %}``."""

    loop_depth = 0

    def write_settling(self, target: str) -> None:
        """Write that a variable's value is waited for if it has to be."""
        self.writeline(
            f"if type({target}) not in SETTLED_TYPES: {target} = yield from settled({target})"
        )

    def visit_For(self, node: nodes.For, frame: Frame) -> None:
        self.loop_depth += 1
        if node.recursive:
            self.write_recursive_loop(node, frame)
        elif self.loop_depth > deepest_loops:
            self.write_loop_function(node, frame)
        else:
            self.write_loop(node, frame)
        self.loop_depth -= 1

    def write_loop_function(self, node: nodes.For, frame: Frame) -> None:
        """Write a deeply nested loop as a function of its own."""
        function = self.temporary_identifier()
        self.writeline(f"def {function}():", node)
        self.indent()
        self.writeline("if 0: yield None")
        depth, self.loop_depth = self.loop_depth, 1
        self.write_loop(node, frame)
        self.loop_depth = depth
        self.outdent()
        self.writeline(f"yield from {function}()", node)

    def write_recursive_loop(self, node: nodes.For, frame: Frame) -> None:
        """Write a loop that can be called for nested rows, and call it."""
        self.writeline("def loop(reciter, loop_render_func, depth=0):", node)
        self.indent()
        depth, self.loop_depth = self.loop_depth, 1
        collecting = self.write_loop(node, frame)
        self.loop_depth = depth
        self.return_buffer_contents(collecting)
        self.outdent()
        self.start_write(frame, node)
        self.write("(yield from loop(")
        self.visit(node.iter, frame)
        self.write(", loop))")
        self.end_write(frame)

    def write_loop(self, node: nodes.For, frame: Frame) -> Frame:
        """Write a loop; return the frame of its body."""
        extended = node.recursive or self.uses_loop(node)
        self.check_loop_target(node)
        body, otherwise = frame.inner(), frame.inner()
        body.loop_frame = True
        body.assigns = holds_assignment(node)  # type: ignore[attr-defined]
        loop = body.symbols.declare_parameter("loop") if extended else None
        body.symbols.analyze_node(node, for_branch="body")
        if node.else_:
            otherwise.symbols.analyze_node(node, for_branch="else")
        if node.recursive:
            self.buffer(body)
            otherwise.buffer = body.buffer
        test = self.write_test_function(node, frame) if node.test and extended else None
        empty = self.temporary_identifier() if node.else_ else None
        if empty is not None:
            self.writeline(f"{empty} = 1")
        rows, stream = self.write_opening(node, frame, extended, test)
        if loop is not None:
            recursion = ", loop_render_func, depth" if node.recursive else ""
            self.writeline(f"{loop} = LoopContext({rows}, {stream}, undefined{recursion})")
        self.write_iteration(node, frame, body, rows, stream, loop, empty)
        self.leave_frame(body, with_python_scope=node.recursive and not node.else_)
        if empty is not None:
            self.writeline(f"if {empty}:")
            self.indent()
            self.enter_frame(otherwise)
            self.blockvisit(node.else_, otherwise)
            self.leave_frame(otherwise)
            self.outdent()
        if self._assign_stack:
            self._assign_stack[-1].difference_update(body.symbols.stores)
        return body

    def uses_loop(self, node: nodes.For) -> bool:
        """Whether a loop's body uses ``loop``."""
        return "loop" in find_undeclared(node.iter_child_nodes(only=("body",)), ("loop",)) or any(
            block.scoped for block in node.find_all(nodes.Block)
        )

    def check_loop_target(self, node: nodes.For) -> None:
        """Refuse what sets ``loop``.

        Raises:
            TemplateAssertionError: something does.
        """
        for name in node.find_all(nodes.Name):
            if name.ctx == "store" and name.name == "loop":
                message = "Can't assign to special loop variable in for-loop target"
                self.fail(message, name.lineno)

    def write_opening(
        self, node: nodes.For, frame: Frame, extended: bool, test: str | None
    ) -> tuple[str, str]:
        """Write how the rows are had; return the names of the rows and of the stream."""
        rows, stream = self.temporary_identifier(), self.temporary_identifier()
        self.writeline(f"{rows} = ", node)
        if node.recursive:
            self.write("reciter")
        else:
            self.visit_raw(node.iter, frame)
        self.writeline(f"{stream} = None")
        origin = self.origin(node.iter, frame)
        if test is not None:
            count = len(node.target.items) if isinstance(node.target, nodes.Tuple) else None
            arguments = f"{rows}, {test}, {count}{origin}"
            self.writeline(
                f"{rows}, {stream} = yield from open_filtered(environment.is_async, {arguments})"
            )
            return rows, stream
        self.writeline(f"if type({rows}) not in SEARCHABLE_TYPES:", node)
        self.indent()
        function = "open_loop" if extended else "open_rows"
        self.writeline(
            f"{rows}, {stream} = yield from {function}(environment.is_async, {rows}{origin})", node
        )
        self.outdent()
        return rows, stream

    def write_iteration(
        self,
        node: nodes.For,
        frame: Frame,
        body: Frame,
        rows: str,
        stream: str,
        loop: str | None,
        empty: str | None,
    ) -> None:
        """Write the loop itself: over the rows at hand, and again when the stream has more."""
        origin = self.origin(node.iter, frame).removeprefix(", ") or "None, None"
        site, root = origin.split(", ")
        around = self.temporary_identifier()
        self.writeline(f"loops.append({around} := [{rows}, {root}, {site}, None])")
        self.writeline("try:")
        self.indent()
        if loop is not None:
            first = f"{loop}._rows if {stream} is None else (yield from {loop}._advance())"
            self.writeline(f"{around}[0] = {rows} = {first}")
        is_text = body.buffer is not None and not isinstance(self, NativeCodeGenerator)
        texts = body.buffer if is_text else "None"
        blocks = self.write_counting(node, rows, stream, loop is not None, str(texts))
        self.writeline(f"while {rows} is not None:")
        self.indent()
        self.writeline(f"for {loop}.index0, " if loop is not None else "for ", node)
        tested = bool(node.test) and loop is None
        row = None
        if tested or isinstance(node.target, nodes.Tuple):
            row = self.temporary_identifier()
            self.write(row)
        else:
            self.visit(node.target, body)
        plain = f"enumerate({rows}, {loop}._start)" if loop is not None else rows
        self.write(f" in {plain} if {blocks} is None else {blocks}.rows:")
        self.indent()
        if row is not None:
            self.write_row_settling(node.target, row)
            if tested:
                self.write_inline_test(node, frame, row)
            self.newline(node)
            self.visit(node.target, body)
            self.write(f" = {row}")
        self.write_targets_settling(node.target, body)
        self.enter_frame(body)
        if holds_assignment(node):
            self.writeline("_loop_vars = {}")
        self.blockvisit(node.body, body)
        if empty is not None:
            self.writeline(f"{empty} = 0")
        self.outdent()
        self.writeline("else:")
        self.indent()
        more = f"{loop}._advance()" if loop is not None else f"{stream}.chunk()"
        self.writeline(f"if {stream} is None:", node)
        self.writeline(f"    if {blocks} is None or (yield from {blocks}.have_ended()): break")
        self.writeline("else:")
        self.indent()
        self.writeline(f"{around}[0] = {rows} = yield from {more}", node)
        self.writeline("if running.turning:")
        count = "1" if loop is not None else f"len({stream}.ready) or 1"
        self.writeline(f"    running.rows += {count}")
        self.writeline(f"    if running.rows > {ROWS_BETWEEN_LOOKS - 1}:")
        self.writeline("        yield from turn_if_due(running)")
        self.outdent()
        self.writeline("continue")
        self.outdent()
        self.writeline("break")
        self.outdent(2)
        self.writeline("finally:")
        self.indent()
        self.writeline("loops.pop()")
        self.writeline(f"if {stream} is not None: yield from closed({stream})")
        self.outdent()

    def write_counting(
        self, node: nodes.For, rows: str, stream: str, numbered: bool, texts: str
    ) -> str:
        """Write that rows are counted where the event loop may be due to have its turn.

        A long loop over rows at hand is one ``for`` after the other then, each through a block.

        Args:
            node: the loop.
            rows: the name of the rows.
            stream: the name of the stream that has more of them, or holds None.
            numbered: whether the loop numbers its rows.
            texts: the name of the list that the loop writes to; ``None`` if that is no text.

        Returns:
            The name of what gives the next block, if there are blocks.
        """
        blocks, length = self.temporary_identifier(), self.temporary_identifier()
        # Those hold what else may count, or go through rows: other code's.
        holds_no_other = all(each.find(CODE_WITH_ROWS) is None for each in node.body)
        self.writeline(f"{blocks} = None")
        self.writeline(f"if running.turning and {stream} is None:")
        self.indent()
        self.writeline(f"{length} = len({rows}) if type({rows}) is list else known_length({rows})")
        self.writeline(f"if {length} > {FEW_ROWS if holds_no_other else 0}:")
        self.indent()
        self.writeline(f"running.rows = counted = running.rows + {length}")
        self.writeline(f"if counted > {ROWS_BETWEEN_LOOKS - 1}:")
        self.writeline(f"    {blocks} = row_blocks(running, {rows}, {length}, {numbered}, {texts})")
        self.outdent(2)
        return blocks

    def write_row_settling(self, target: nodes.Node, row: str) -> None:
        """Make a row ready that will be unpacked."""
        if isinstance(target, nodes.Tuple):
            arguments = f"{row}, {len(target.items)}, environment.is_async"
            self.writeline(
                f"if type({row}) is not tuple: {row} = yield from settled_items({arguments})",
                target,
            )

    def write_targets_settling(self, target: nodes.Node, frame: Frame) -> None:
        """Make what the loop variables were set to ready to use."""
        for name in target.find_all(nodes.Name) if isinstance(target, nodes.Tuple) else [target]:
            assert isinstance(name, nodes.Name)
            self.write_settling(frame.symbols.ref(name.name))

    def test_frame(self, node: nodes.For, frame: Frame, level: int) -> Frame:
        """The frame of a loop's condition, which sees the loop's variables but not ``loop``."""
        test = Frame(frame.eval_ctx, frame, level=frame.symbols.level + level)
        test.symbols.analyze_node(node, for_branch="test")
        return test

    def write_test_head(self, node: nodes.For, test: Frame, row: str) -> None:
        self.newline(node.test)
        self.visit(node.target, test)
        self.write(f" = {row}")
        self.write_targets_settling(node.target, test)
        self.enter_frame(test)

    def write_inline_test(self, node: nodes.For, frame: Frame, row: str) -> None:
        """Write a loop's condition at the beginning of its body."""
        assert node.test is not None
        # Two levels down: its variables are none of those that the body sets.
        test = self.test_frame(node, frame, level=2)
        self.write_test_head(node, test, row)
        self.writeline("if not ", node.test)
        self.visit_condition(node.test, test)
        self.write(": continue")

    def write_test_function(self, node: nodes.For, frame: Frame) -> str:
        """Write a loop's condition as a function, where ``loop`` has to look ahead."""
        assert node.test is not None
        function = self.temporary_identifier()
        test = self.test_frame(node, frame, level=1)
        self.writeline(f"def {function}(row):", node.test)
        self.indent()
        self.writeline("if 0: yield None")
        self.write_test_head(node, test, "row")
        self.writeline("return ", node.test)
        self.visit_condition(node.test, test)
        self.outdent()
        return function


def holds_assignment(node: nodes.Node) -> bool:
    """Whether there is an assignment somewhere inside."""
    return any(node.find(kind) is not None for kind in (nodes.Assign, nodes.AssignBlock))
