"""How operators are written: plainly for texts and numbers, with a way out for anything else."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame, optimizeconst

symbols = {
    "eq": ("==", operator.eq),
    "ne": ("!=", operator.ne),
    "gt": (">", operator.gt),
    "gteq": (">=", operator.ge),
    "lt": ("<", operator.lt),
    "lteq": ("<=", operator.le),
}
binary = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "**": operator.pow,
    "%": operator.mod,
}
constants = frozenset({str, int, bool, type(None)})
"""Types of constants whose repr() is code."""
longest_nested = 8
"""How many binary operators in a row are written as nested expressions."""
unary = {"+": operator.pos, "-": operator.neg}


class OperatorWriter(CodeGenerator):
    """The part of the code generator that writes operators."""

    def visit_raw(self, node: nodes.Node, frame: Frame) -> None:
        """Write an expression whose consumer takes care of what has to wait."""
        raise NotImplementedError

    def visit_condition(self, node: nodes.Node, frame: Frame) -> None:
        """Write an expression of which only the truth counts."""
        raise NotImplementedError

    def origin(self, node: nodes.Node, frame: Frame) -> str:
        """The arguments that tell where a value comes from."""
        raise NotImplementedError

    def is_deep(self, node: nodes.Node) -> bool:
        """Whether so much stands inside each other that brackets have to be saved."""
        raise NotImplementedError

    @optimizeconst
    def visit_And(self, node: nodes.BinExpr, frame: Frame) -> None:
        self.write_choice(node, frame, "if not ")

    @optimizeconst
    def visit_Or(self, node: nodes.BinExpr, frame: Frame) -> None:
        self.write_choice(node, frame, "if ")

    def write_choice(self, node: nodes.BinExpr, frame: Frame, word: str) -> None:
        """Write ``and`` or ``or``: the first operand that decides, else the last."""
        *others, last = operands_of(node)
        first = others[0]
        deep = self.is_deep(first)
        self.write("(")
        for operand in others:
            kept = self.temporary_identifier()
            if operand is first and deep:
                self.write(f"{kept} := ")
                self.visit(operand, frame)
                self.write(f", {kept} {word}(t if type(t := {kept}")
            else:
                self.write(f"{kept} {word}(t if type(t := ({kept} := ")
                self.visit(operand, frame)
                self.write(")")
            self.write(") in FREE_TRUTH_TYPES else (yield from truth_plan(t))) else ")
        self.visit(last, frame)
        self.write(")[-1]" if deep else ")")

    @optimizeconst
    def visit_Not(self, node: nodes.UnaryExpr, frame: Frame) -> None:
        self.visit_condition(node, frame)

    @optimizeconst
    def visit_CondExpr(self, node: nodes.CondExpr, frame: Frame) -> None:
        frame = frame.soft()
        self.write("(")
        while True:  # one that is another's alternative needs no brackets
            self.visit(node.expr1, frame)
            self.write(" if ")
            self.visit_condition(node.test, frame)
            self.write(" else ")
            if not isinstance(node.expr2, nodes.CondExpr):
                break
            node = node.expr2
        if node.expr2 is not None:
            self.visit(node.expr2, frame)
        else:
            message = (
                f"the inline if-expression on {self.position(node)} evaluated to false and no else"
                " section was defined."
            )
            self.write(f"cond_expr_undefined({message!r})")
        self.write(")")

    @optimizeconst
    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:
        left = self.operand(node.expr, frame)
        self.write("(")
        for number, op in enumerate(node.ops, 1):
            right = self.operand(op.expr, frame)
            if number < len(node.ops):
                right.at_once = True  # it is compared twice, and waited for once
                kept = self.temporary_identifier()
                self.write(f"{kept} if not (t if type(t := ({kept} := ")
                self.write_comparison(op.op, left, right)
                self.write(")) in FREE_TRUTH_TYPES else (yield from truth_plan(t))) else ")
            else:
                self.write_comparison(op.op, left, right)
            left = right  # in a chain the middle operand is computed once
            left.types = left.types and "JINJA2_SCALARS"
        self.write(")")

    def write_comparison(
        self, op: str, left: Operand, right: Operand, as_truth: bool = False
    ) -> None:
        if op in ("in", "notin"):
            right.types = (
                "SEARCHABLE_TYPES"  # also where it is a constant: a text is one, a number not
            )
            plain = f"{left.name} {'in' if op == 'in' else 'not in'} {right.name}"
            slow = f"(yield from contained({left.name}, {right.name}, environment.is_async))"
            if op == "notin":
                slow = f"(not {slow})"
        else:
            symbol, function = symbols[op]
            plain = f"{left.name} {symbol} {right.name}"
            slow = (
                f"(yield from operated(operators.{function.__name__}, {left.name}, {right.name}))"
            )
            if as_truth:
                slow = f"(yield from truth_plan({slow}))"
        self.write_operation(plain, slow, left, right)

    def write_operation(self, plain: str, slow: str, *operands: Operand) -> None:
        """Write an operation: ``plain`` when all operands are of known types, else ``slow``."""
        tested = [operand for operand in operands if operand.types is not None]
        for number, operand in enumerate(operands):
            # What it waits for comes before what another operand runs.
            if not all(later.runs_nothing for later in operands[number + 1 :]):
                operand.at_once = True
        if not tested:
            self.write(f"({plain})")
            return
        if any(operand.deep for operand in tested):
            self.write("(")
            for operand in tested:
                operand.write_value()
            tests = " and ".join(f"type({each.name}) in {each.types}" for each in tested)
            self.write(f"{plain} if {tests} else {slow})[-1]")
            return
        self.write(f"({plain} if ")
        for number, operand in enumerate(tested):
            # Not `and`: the test of the last operand has to be made, because it computes it.
            self.write(" & (" if number else "(" if len(tested) > 1 else "")
            operand.write_test()
            self.write(")" if len(tested) > 1 else "")
        self.write(f" else {slow})")

    def operand(self, node: nodes.Expr, frame: Frame) -> Operand:
        """One side of an operator: a constant, or an expression kept in a variable."""
        if isinstance(node, nodes.Const) and type(node.value) in constants:
            return Operand(self, repr(node.value), types=None)
        operand = Operand(self, self.temporary_identifier(), types="JINJA2_SCALARS")
        operand.runs_nothing = runs_nothing(node)
        operand.compute = lambda: self.visit_raw(node, frame)
        operand.deep = self.is_deep(node)
        return operand

    def is_intercepted(self, symbol: str) -> bool:
        """Whether a sandbox wants to be asked about a binary operator."""
        environment: Any = self.environment
        return bool(environment.sandboxed) and symbol in environment.intercepted_binops

    def write_binary(self, node: nodes.BinExpr, frame: Frame) -> None:
        chain = [node]
        while isinstance(chain[-1].left, nodes.BinExpr) and chain[-1].left.operator in binary:
            chain.append(chain[-1].left)
        assert node.operator is not None
        if len(chain) > longest_nested:
            self.write_chain(chain, frame)
        elif self.is_intercepted(node.operator):
            self.write_intercepted(node.operator, lambda: self.visit(node.left, frame), node, frame)
        else:
            self.write_step(node.operator, self.operand(node.left, frame), node.right, frame)

    def write_chain(self, chain: list[nodes.BinExpr], frame: Frame) -> None:
        """Write a long ``a + b + c + …`` step by step: nested it would be too deep for Python."""
        so_far = Operand(self, self.temporary_identifier(), types="JINJA2_SCALARS")
        self.write(f"({so_far.name} := ")
        self.visit(chain[-1].left, frame)
        for node in reversed(chain):
            self.write(f", {so_far.name} := ")
            assert node.operator is not None
            if self.is_intercepted(node.operator):
                self.write_intercepted(node.operator, lambda: self.write(so_far.name), node, frame)
            else:
                self.write_step(node.operator, so_far, node.right, frame)
        self.write(")[-1]")

    def write_intercepted(
        self, symbol: str, write_left: Callable[[], None], node: nodes.BinExpr, frame: Frame
    ) -> None:
        """Write that a sandbox is asked for what an operator gives."""
        self.write(f"(t if type(t := guard(environment.call_binop, context, {symbol!r}, ")
        write_left()
        self.write(", ")
        self.visit(node.right, frame)
        self.write(")) in SETTLED_TYPES else (yield from settled(t)))")

    def write_step(self, symbol: str, left: Operand, node: nodes.Expr, frame: Frame) -> None:
        right = self.operand(node, frame)
        function = binary[symbol].__name__
        self.write_operation(
            f"{left.name} {symbol} {right.name}",
            f"(yield from operated(operators.{function}, {left.name}, {right.name}))",
            left,
            right,
        )

    visit_Add = visit_Sub = visit_Mul = visit_Div = optimizeconst(write_binary)
    visit_FloorDiv = visit_Pow = visit_Mod = optimizeconst(write_binary)

    def write_unary(self, node: nodes.UnaryExpr, frame: Frame) -> None:
        symbol = node.operator
        assert symbol is not None
        environment: Any = self.environment
        if environment.sandboxed and symbol in environment.intercepted_unops:
            self.write(f"(t if type(t := guard(environment.call_unop, context, {symbol!r}, ")
            self.visit(node.node, frame)
            self.write(")) in SETTLED_TYPES else (yield from settled(t)))")
            return
        value = self.operand(node.node, frame)
        function = unary[symbol].__name__
        self.write_operation(
            f"{symbol}{value.name}",
            f"(yield from operated(operators.{function}, {value.name}))",
            value,
        )

    visit_Pos = visit_Neg = optimizeconst(write_unary)

    @optimizeconst
    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        if frame.eval_ctx.volatile:
            markup = "context.eval_ctx.volatile"
            join = f"(markup_join if {markup} else str_join)"
        else:
            markup = str(bool(frame.eval_ctx.autoescape))
            join = "markup_join" if frame.eval_ctx.autoescape else "str_join"
        if all(map(runs_nothing, node.nodes[1:])) and not any(map(self.is_deep, node.nodes)):
            self.write(f"{join}((")
            for operand in node.nodes:
                self.write("t if type(t := ")
                self.visit_raw(operand, frame)
                origin = self.origin(operand, frame)
                self.write(f") in JINJA2_SCALARS else (yield from text(t, {markup}{origin})), ")
            self.write("))")
            return
        # All values are there before the first becomes a text, which may run code of others.
        values = self.temporary_identifier()
        kept = [self.temporary_identifier() for _ in node.nodes]
        self.write("(")
        for name, operand in zip(kept, node.nodes, strict=True):
            self.write(f"{name} := ")
            self.visit(operand, frame)
            self.write(", ")
        origins = ", ".join(f"({self.origin(operand, frame)[2:]})" for operand in node.nodes)
        self.write(
            f"{join}({values}) if JINJA2_SCALARS.issuperset("
            f"map(type, {values} := ({', '.join(kept)})))"
            f" else {join}((yield from texts({values}, {markup}, ({origins})))))[-1]"
        )


def runs_nothing(node: nodes.Node) -> bool:
    """Whether computing an expression runs no code: a constant, or a variable."""
    return isinstance(node, (nodes.Const, nodes.Name, nodes.TemplateData))


class Operand:
    """One side of an operator in the code: how to name it, and how to test its type."""

    def __init__(self, writer: OperatorWriter, name: str, types: str | None) -> None:
        self.writer = writer
        self.name = name
        self.types = types
        """The set that the type has to be in; None for a constant, which needs no test."""
        self.compute: Callable[[], None] | None = None
        self.deep = False
        """Whether it is to be computed outside of the test, which takes more brackets."""
        self.runs_nothing = True
        """Whether computing it runs no code."""
        self.at_once = False
        """Whether it is waited for before the next operand is computed."""

    def write_value(self) -> None:
        """Write that the operand is computed, if that has not been written yet."""
        if self.compute is not None:
            self.writer.write(f"{self.name} := ")
            self.compute()
            self.compute = None
            self.writer.write(", ")
            if self.at_once:
                self.writer.write(f"{self.name} := (yield from settled({self.name})), ")

    def write_test(self) -> None:
        """Write the test of the type, which computes the operand when it is written first."""
        if self.compute is None:
            self.writer.write(f"type({self.name}) in {self.types}")
            return
        self.writer.write(f"type({self.name} := ")
        self.compute()
        self.compute = None
        self.writer.write(f") in {self.types}")
        if self.at_once:  # what follows "or" is never true
            self.writer.write(f" or ({self.name} := (yield from settled({self.name}))) is missing")


def operands_of(node: nodes.BinExpr) -> list[nodes.Expr]:
    """The operands of a chain of one operator, in their order: ``a or b or c`` has three."""
    found: list[nodes.Expr] = []
    left: nodes.Expr = node
    while type(left) is type(node):
        found.append(left.right)
        left = left.left
    return [left, *reversed(found)]
