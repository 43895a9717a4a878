"""How expressions are written: straight through, with a way out for values that have to wait.

An expression is written as
``(t if type(t := EXPRESSION) in SETTLED_TYPES else (yield from settled(t)))``: a value at hand
costs one test. Where the consumer of a value makes a test of its own (output, conditions,
operators), the value is written raw, and that test serves for both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from jinja2 import nodes
from jinja2.compiler import DependencyFinderVisitor, Frame, optimizeconst
from jinja2.idtracking import VAR_LOAD_ALIAS, VAR_LOAD_RESOLVE

from ..runtime.async_twins import READING_METHODS
from .depth import (
    Heights,
    deepest,
    is_long,
    kept_as,
    lefts,
    longest_path,
    original_of,
    path_to,
    previous,
)
from .filter_calls import PlanFilter, plain_functions
from .function_marks import first_argument, shows_context
from .lookups import has_own, item_lookup
from .operators import OperatorWriter, operands_of
from .optimizer import PlanOptimizer, is_hashable_in

chain_types = (nodes.Getattr, nodes.Getitem, nodes.Call)
"""The parts of a path."""

before_value = {
    "context": "context, ",
    "eval_context": "context.eval_ctx, ",
    "environment": "environment, ",
}

SHOWN = "(context if context.begun is None else (yield from shown(context)))"
"""The context, for code of others to look at."""


class ExpressionWriter(OperatorWriter):
    """The part of the code generator that writes expressions."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.optimized:
            self.optimizer = PlanOptimizer(self.environment)
        self.raw: nodes.Node | None = None
        self.heights = Heights()
        self.sites: dict[tuple[int, tuple[str, ...], str], int] = {}
        self.outermost: dict[int, nodes.Node] = {}
        self.item_function = item_lookup(self.environment).__name__
        if has_own(self.environment, "getattr"):
            self.attribute_function = "secured_attribute"
        elif self.environment.is_async:
            self.attribute_function = "lookup_attribute"
        else:
            self.attribute_function = "watched_attribute"

    # -- Values and where they come from

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> Any:
        """Write a node; a path of many steps step by step."""
        if type(node) in lefts and is_long(node):
            self.write_path(node, *args, **kwargs)
        else:
            super().visit(node, *args, **kwargs)

    def write_path(self, node: nodes.Node, frame: Frame) -> None:
        """Write a path as several expressions, with the value so far in a variable."""
        if self.optimizer is not None and not frame.eval_ctx.volatile:
            folded = self.optimizer.visit(node, frame.eval_ctx)
            if folded is not node:
                self.visit(folded, frame)
                return
        raw, self.raw = self.raw is node, None
        steps = path_to(node)
        name = self.temporary_identifier()
        self.write(f"({name} := ")
        self.visit(previous(steps[-1]), frame)
        for end in range(len(steps), 0, -longest_path):
            step, last = steps[end - 1], steps[max(0, end - longest_path)]
            before = previous(step)
            self.write(f", {name} := ")
            if last is node and raw:
                self.raw = node
            setattr(step, lefts[type(step)], kept_as(name, before))
            self.visit(last, frame)
            setattr(step, lefts[type(step)], before)
        self.write(")[-1]")

    def is_deep(self, node: nodes.Node) -> bool:
        """Whether so much stands inside each other that brackets have to be saved."""
        return self.heights.of(node) > deepest

    @contextmanager
    def value(self, node: nodes.Expr, frame: Frame) -> Iterator[None]:
        """Write an expression whose value may have to wait, as a value that is at hand."""
        if node is self.raw:
            self.raw = None
            yield
            return
        otherwise = f"(yield from settled(t{self.origin(node, frame)}))"
        if self.is_deep(node):
            self.write("(t := ")
            yield
            self.write(f", t if type(t) in SETTLED_TYPES else {otherwise})[-1]")
            return
        self.write("(t if type(t := ")
        yield
        self.write(f") in SETTLED_TYPES else {otherwise})")

    def visit_raw(self, node: nodes.Node, frame: Frame) -> None:
        """Write an expression whose consumer takes care of what has to wait."""
        self.raw = node
        self.visit(node, frame)
        self.raw = None

    def origin(self, node: nodes.Node, frame: Frame) -> str:
        """The arguments that tell where a value comes from: its site, and its path's root."""
        bits: list[str] = []
        base = node.node if isinstance(node, nodes.Filter) and node.node is not None else node
        base = original_of(base)
        while isinstance(base, chain_types):
            if isinstance(base, nodes.Getattr):
                bits.append(base.attr)
            elif isinstance(base, nodes.Getitem) and isinstance(base.arg, nodes.Const):
                bits.append(str(base.arg.value))
            elif isinstance(base, nodes.Getitem) or base.args or base.kwargs:
                break  # what it gives has no path
            base = original_of(base.node)
        if not bits and not isinstance(base, nodes.Name):
            return ""
        known = isinstance(base, nodes.Name)
        name = base.name if isinstance(base, nodes.Name) else expression_text(base)
        text = expression_text(self.outermost.get(id(node), node))
        site = (node.lineno, (name, *reversed(bits)), text)
        number = self.sites.setdefault(site, len(self.sites))
        root = frame.symbols.ref(name) if known else "None"
        return f", sites[{number}], {root}"

    def note_chains(self, template: nodes.Template) -> None:
        """Note the whole expression that each part of a path belongs to."""
        for node in template.find_all(chain_types):
            part: nodes.Node = node
            while isinstance(part, chain_types) and id(part) not in self.outermost:
                self.outermost[id(part)] = node
                part = part.node

    def visit_condition(self, node: nodes.Node, frame: Frame) -> None:
        """Write an expression of which only the truth counts."""
        if isinstance(node, nodes.Not):
            self.write("(")
            while isinstance(node, nodes.Not):
                self.write("not ")
                node = node.node
            self.visit_condition(node, frame)
            self.write(")")
        elif isinstance(node, (nodes.And, nodes.Or)):
            word = " and " if isinstance(node, nodes.And) else " or "
            for number, operand in enumerate(operands_of(node)):
                self.write(word if number else "(")
                self.visit_condition(operand, frame)
            self.write(")")
        elif isinstance(node, nodes.Compare) and len(node.ops) == 1:
            left = self.operand(node.expr, frame)
            right = self.operand(node.ops[0].expr, frame)
            self.write_comparison(node.ops[0].op, left, right, as_truth=True)
        else:
            deep = self.is_deep(node)
            self.write("(t := " if deep else "(t if type(t := ")
            self.visit_raw(node, frame)
            self.write(", t if type(t" if deep else "")
            self.write(
                f") in FREE_TRUTH_TYPES else (yield from truth_plan(t{self.origin(node, frame)})))"
            )
            self.write("[-1]" if deep else "")

    def assigns_in(self, frame: Frame) -> bool:
        """Whether there may be assignments in the loop or block that a frame is of."""
        return getattr(frame, "assigns", True)

    # -- Names, lookups and calls

    def visit_ContextReference(self, node: nodes.ContextReference, frame: Frame) -> None:
        """Write the context for an extension, which may look at it."""
        self.write(SHOWN)

    def visit_DerivedContextReference(
        self, node: nodes.DerivedContextReference, frame: Frame
    ) -> None:
        """Write a context with the variables around it, for an extension, too."""
        self.write(f"(yield from shown({self.derive_context(frame)}))")

    def visit_Name(self, node: nodes.Name, frame: Frame) -> None:
        """Write a name; what the context gives may have to be waited for."""
        load = frame.symbols.find_load(frame.symbols.ref(node.name)) if node.ctx == "load" else None
        if load is None or load[0] not in (VAR_LOAD_RESOLVE, VAR_LOAD_ALIAS):
            super().visit_Name(node, frame)
            return
        with self.value(node, frame):
            super().visit_Name(node, frame)

    @optimizeconst
    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:
        function = f"{self.attribute_function}("
        of_loop = isinstance(node.node, nodes.Name) and node.node.name == "loop"
        if node.attr in READING_METHODS and not of_loop:
            function = f"read_attribute({self.attribute_function}, "
        with self.value(node, frame):
            self.write(f"{function}environment, ")
            self.visit(node.node, frame)
            self.write(f", {node.attr!r})")

    @optimizeconst
    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:
        with self.value(node, frame):
            cut = isinstance(node.arg, nodes.Slice)
            self.write("cut_section(" if cut else f"{self.item_function}(environment, ")
            self.visit(node.node, frame)
            self.write(", ")
            self.visit(node.arg, frame)
            self.write(")")

    def visit_Slice(self, node: nodes.Slice, frame: Frame) -> None:
        self.write("slice(")
        for part in (node.start, node.stop, node.step):
            if part is None:
                self.write("None, ")
            else:
                self.visit(part, frame)
                self.write(", ")
        self.write(")")

    @optimizeconst
    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:
        extra = {name: name for name in self.extra_arguments(frame)}
        if forward_caller:
            extra["caller"] = "caller"
        with self.value(node, frame):
            secured = self.environment.sandboxed
            self.write(
                "secured_call(environment, context, " if secured else "call_in_template(context, "
            )
            self.visit(node.node, frame)
            self.signature(node, frame, extra)
            self.write(")")

    def extra_arguments(self, frame: Frame) -> list[str]:
        """What only functions that ask for the context see; empty without assignments."""
        extra = []
        if frame.loop_frame and self.assigns_in(frame):
            extra.append("_loop_vars")
        if frame.block_frame and self.assigns_in(frame):
            extra.append("_block_vars")
        return extra

    @contextmanager
    def _filter_test_common(
        self, node: nodes.Filter | nodes.Test, frame: Frame, is_filter: bool
    ) -> Iterator[None]:
        name, passed = self.applied_function(node, frame, is_filter)
        with self.value(node, frame):
            bare = type(self.known(node)) is PlanFilter
            self.write(f"{name}_bare({passed}" if bare else f"guard({name}, {passed}")
            yield
            self.signature(node, frame)
            self.write(")")

    def applied_function(
        self, node: nodes.Filter | nodes.Test, frame: Frame, is_filter: bool
    ) -> tuple[str, str]:
        """The name of a filter or test in the code, and what it is passed before its value."""
        kind, names = ("filter", self.filters) if is_filter else ("test", self.tests)
        function = self.known(node)
        if function is None and not frame.soft_frame:
            self.fail(f"No {kind} named {node.name!r}.", node.lineno)
        passed = before_value.get(first_argument(function), "")
        return names[node.name], SHOWN + ", " if shows_context(function) else passed

    def pull_dependencies(self, nodes: Iterable[Any]) -> None:
        """Also name what is behind the filters and tests that are ours."""
        several = list(nodes)
        super().pull_dependencies(several)
        visitor = DependencyFinderVisitor()
        for node in several:
            visitor.visit(node)
        environment: Any = self.environment
        for functions, used, names in (
            (environment.filters, visitor.filters, self.filters),
            (environment.tests, visitor.tests, self.tests),
        ):
            for name in sorted(used):
                if type(functions.get(name)) is PlanFilter:
                    self.writeline(f"{names[name]}_bare = bare({names[name]})")

    def known(self, node: nodes.Filter | nodes.Test) -> Any:
        """The function of a filter or test, as far as it is registered by now."""
        environment: Any = self.environment
        known = environment.filters if isinstance(node, nodes.Filter) else environment.tests
        return known.get(node.name)

    def is_plain(self, node: nodes.Filter | nodes.Test) -> bool:
        """Whether a filter or test does no I/O when its value is a text or a number."""
        arguments = [*node.args, *(keyword.value for keyword in node.kwargs)]
        return (
            node.node is not None
            and node.dyn_args is None
            and node.dyn_kwargs is None
            and all(isinstance(argument, nodes.Const) for argument in arguments)
            and is_hashable_in(self.known(node), plain_functions)
        )

    def write_plain(self, node: nodes.Filter | nodes.Test, frame: Frame, is_filter: bool) -> None:
        """Write a filter or test that needs no guard for most values."""
        name, passed = self.applied_function(node, frame, is_filter)
        kept = self.temporary_identifier()
        assert node.node is not None
        with self.value(node, frame):
            self.write(f"({name}({passed}{kept}")
            self.signature(node, frame)
            self.write(f") if type({kept} := ")
            self.visit_raw(node.node, frame)
            origin = self.origin(node.node, frame)
            self.write(f") in JINJA2_SCALARS else guard({name}, {passed}")
            self.write(f"(yield from settled_within({kept}{origin}))")
            self.signature(node, frame)
            self.write("))")

    @optimizeconst
    def visit_Filter(self, node: nodes.Filter, frame: Frame) -> None:
        if self.is_plain(node):
            self.write_plain(node, frame, is_filter=True)
        else:
            super().visit_Filter(node, frame)

    @optimizeconst
    def visit_Test(self, node: nodes.Test, frame: Frame) -> None:
        if self.is_plain(node):
            self.write_plain(node, frame, is_filter=False)
        else:
            super().visit_Test(node, frame)


def expression_text(node: nodes.Node) -> str:
    """An expression as it stands in the template, roughly: for messages."""
    node = original_of(node)
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        return f"{expression_text(node.node)}.{node.attr}"
    if isinstance(node, nodes.Getitem):
        key = repr(node.arg.value) if isinstance(node.arg, nodes.Const) else "…"
        return f"{expression_text(node.node)}[{key}]"
    if isinstance(node, nodes.Call):
        return f"{expression_text(node.node)}({'…' if node.args or node.kwargs else ''})"
    if isinstance(node, nodes.Filter) and node.node is not None:
        return f"{expression_text(node.node)}|{node.name}"
    return "…"
