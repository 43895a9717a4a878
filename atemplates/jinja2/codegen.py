"""Jinja2's code generator with other output: each render function is a plan.

A template's code is a generator function that adds the pieces of the output to a list and yields
only when it has to wait. Everything that is not overridden here or in `ExpressionWriter` (macro
signatures, scopes, imports of names, output, …) is Jinja2's own and follows its releases.
"""

from __future__ import annotations

from typing import Any
from zlib import crc32

from jinja2 import nodes, runtime
from jinja2.compiler import CompilerExit, Frame, find_undeclared
from jinja2.nativetypes import NativeCodeGenerator
from jinja2.nodes import EvalContext

from ..runtime.types import is_coroutine_function
from . import runtime as plan_runtime
from .certain_items import certain_items
from .defer_writer import DeferWriter
from .expressions import chain_types
from .flush import is_flush
from .loop_writer import holds_assignment
from .optimizer import can_fold
from .template_texts import parsed_text


class PlanCodeGenerator(DeferWriter):
    """Writes templates as plans."""

    digest: int | None = None
    """What tells whether two codes are the same, where the template's text is known."""

    def choose_async(self, async_value: str = "async ", sync_value: str = "") -> str:
        """Every function is a generator function, in both modes."""
        return sync_value

    # -- Templates and blocks

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:
        eval_ctx = EvalContext(self.environment, self.name)
        used = sorted({name.name for name in node.find_all(nodes.Name) if name.ctx == "load"})
        self.note_chains(node)
        self.note_macros(node)
        names = ", ".join(sorted(runtime.exported))
        self.writeline(f"from jinja2.runtime import {names}")
        self.writeline(
            f"from {plan_runtime.__name__} import {', '.join(sorted(plan_runtime.__all__))}"
        )
        for block in node.find_all(nodes.Block):
            if block.name in self.blocks:
                self.fail(f"block {block.name!r} defined twice", block.lineno)
            self.blocks[block.name] = block
        self.write_module_imports(node)
        self.writeline(f"name = {self.name!r}")
        self.write_root(node, eval_ctx)
        for name, block in self.blocks.items():
            self.write_block(name, block, eval_ctx)
        blocks = ", ".join(f"{name!r}: block_{name}" for name in self.blocks)
        self.writeline(f"blocks = {{{blocks}}}", extra=1)
        self.writeline(f"own_names = frozenset({used!r})")
        from jinja2.meta import find_referenced_templates  # compiling is rare

        references = [name for name in find_referenced_templates(node) if name is not None]
        self.writeline(f"references = {tuple(references)!r}")
        self.writeline(f"certain = {certain_items(self.environment, node)!r}")
        template, file = self.name or "<template>", self.filename or ""
        self.writeline("sites = (")
        for line, bits, text in self.sites:
            arguments = f"{bits!r}, {text!r}, template={template!r}, line={line}"
            self.writeline(f"    Site({arguments}, file={file!r}),")
        self.writeline(")")
        self.write_text()
        lines = "&".join(f"{line}={code_line}" for line, code_line in self.debug_info)
        self.writeline(f"debug_info = {lines!r}")

    def write_text(self) -> None:
        """Write the template's text, and what tells whether it gives this very code."""
        text = parsed_text()
        if text is not None:
            self.digest = crc32(self.stream.getvalue().encode())  # type: ignore[attr-defined]
            self.writeline(f"source = {text!r}")
            self.writeline(f"defers = {self.defers}")
            self.writeline(f"digest = {self.digest}")

    def write_module_imports(self, node: nodes.Template) -> None:
        """Import what extensions refer to by ``ImportedName``."""
        for imported in node.find_all(nodes.ImportedName):
            if imported.importname in self.import_aliases:
                continue
            alias = self.import_aliases[imported.importname] = self.temporary_identifier()
            module, _, name = imported.importname.rpartition(".")
            source = f"from {module} import {name}" if module else f"import {name}"
            self.writeline(f"{source} as {alias}")

    def write_function(self, name: str, node: nodes.Node | None = None) -> None:
        """Write the head of a render function."""
        environment = "" if self.defer_init else ", environment=environment"
        self.writeline("@RenderFunction", extra=1)
        self.writeline(f"def {name}(context, out, missing=missing{environment}):", node)
        self.indent()
        self.write_commons()
        self.writeline("loops = (running := running_state()).loops")
        self.name_context()

    def write_root(self, node: nodes.Template, eval_ctx: EvalContext) -> None:
        extends = node.find(nodes.Extends) is not None
        self.write_function("root")
        frame = Frame(eval_ctx)
        frame.buffer = "out"
        self.declare_self(node.body, frame)
        frame.symbols.analyze_node(node)
        frame.toplevel = frame.rootlevel = True
        frame.require_output_check = extends and not self.has_known_extends
        if extends:
            self.writeline("parent_template = None")
        self.enter_frame(frame)
        self.pull_dependencies(node.body)
        self.blockvisit(node.body, frame)
        self.leave_frame(frame, with_python_scope=True)
        if extends:
            if not self.has_known_extends:
                self.writeline("if parent_template is not None:")
                self.indent()
            run = self.running("run_root", frame)
            self.writeline(f"yield from {run}(parent_template, context, out)")
            if not self.has_known_extends:
                self.outdent()
        self.outdent()

    def write_block(self, name: str, block: nodes.Block, eval_ctx: EvalContext) -> None:
        self.write_function(f"block_{name}", block)
        # A frame without parent: blocks see the context, not the variables of the template's root.
        frame = Frame(eval_ctx)
        frame.buffer = "out"
        frame.block_frame = True
        frame.assigns = holds_assignment(block)  # type: ignore[attr-defined]
        frame.block = name
        self.declare_self(block.body, frame)
        if "super" in find_undeclared(block.body, ("super",)):
            parent = frame.symbols.declare_parameter("super")
            self.writeline(f"{parent} = context.super({name!r}, block_{name})")
        frame.symbols.analyze_node(block)
        if holds_assignment(block):
            self.writeline("_block_vars = {}")
        self.enter_frame(frame)
        self.pull_dependencies(block.body)
        self.blockvisit(block.body, frame)
        self.leave_frame(frame, with_python_scope=True)
        self.outdent()

    def declare_self(self, body: list[nodes.Node], frame: Frame) -> None:
        if "self" in find_undeclared(body, ("self",)):
            reference = frame.symbols.declare_parameter("self")
            self.writeline(f"{reference} = TemplateReference(context)")

    def visit_Block(self, node: nodes.Block, frame: Frame) -> None:
        conditional = False
        if frame.toplevel:
            if self.has_known_extends:
                return
            if self.extends_so_far > 0:
                self.writeline("if parent_template is None:")
                self.indent()
                conditional = True
        context = self.derive_context(frame) if node.scoped else self.get_context_ref()
        if node.required:
            message = f"Required block {node.name!r} not found"
            self.writeline(f"if len(context.blocks[{node.name!r}]) <= 1:", node)
            self.indent()
            self.writeline(f"raise TemplateRuntimeError({message!r})", node)
            self.outdent()
        run = self.running("run_block", frame)
        self.writeline(
            f"yield from {run}({context}, context.blocks[{node.name!r}][0], {frame.buffer})", node
        )
        if conditional:
            self.outdent()

    # -- Other templates

    def visit_Extends(self, node: nodes.Extends, frame: Frame) -> None:
        if not frame.toplevel:
            self.fail("cannot use extend from a non top-level scope", node.lineno)
        if self.extends_so_far > 0:
            if not self.has_known_extends:
                self.writeline("if parent_template is not None:")
                self.indent()
            self.writeline('raise TemplateRuntimeError("extended multiple times")')
            if self.has_known_extends:
                raise CompilerExit  # nothing that follows can be reached
            self.outdent()
        self.writeline("parent_template = ", node)
        self.write_loading("get_template", node.template, frame)
        extend = self.running("extend", frame)
        self.writeline(f"yield from {extend}(context, parent_template)")
        if frame.rootlevel:
            self.has_known_extends = True
        self.extends_so_far += 1

    def write_loading(self, method: str, template: nodes.Expr, frame: Frame) -> None:
        self.write(f"yield from load_named(environment, {method!r}, ")
        self.visit(template, frame)
        self.write(f", {self.name!r})")

    def visit_Include(self, node: nodes.Include, frame: Frame) -> None:
        method = "get_or_select_template"
        template = node.template
        if isinstance(template, nodes.Const) and isinstance(template.value, str):
            method = "get_template"
        elif isinstance(template, (nodes.Tuple, nodes.List)) or (
            isinstance(template, nodes.Const) and isinstance(template.value, (tuple, list))
        ):
            method = "select_template"
        if node.ignore_missing:
            self.writeline("try:")
            self.indent()
        self.writeline("template = ", node)
        self.write_loading(method, template, frame)
        if node.ignore_missing:
            self.outdent()
            self.writeline("except TemplateNotFound:")
            self.indent()
            self.writeline("pass")
            self.outdent()
            self.writeline("else:")
            self.indent()
        if node.with_context:
            values = self.dump_local_context(frame)
            include = self.running("include", frame)
            arguments = f"context, template, {values}, {frame.buffer}"
            self.writeline(f"yield from {include}({arguments})", node)
        else:
            include = self.running("include_plain", frame)
            self.writeline(f"yield from {include}(template, {frame.buffer})", node)
        if node.ignore_missing:
            self.outdent()

    def _import_common(self, node: nodes.Import | nodes.FromImport, frame: Frame) -> None:
        values = self.dump_local_context(frame) if node.with_context else None
        self.write("(yield from import_template(context, ")
        self.visit(node.template, frame)
        self.write(f", {self.name!r}, {values}))")

    # -- Conditions and assignments

    def write_if(self, node: nodes.If, frame: Frame) -> None:
        """Write an ``{% if %}``."""
        frame = frame.soft()
        word = "if"
        for branch in (node, *node.elif_):
            self.writeline(f"{word} ", branch)
            self.visit_condition(branch.test, frame)
            self.write(":")
            self.indent()
            self.blockvisit(branch.body, frame)
            self.outdent()
            word = "elif"
        if node.else_:
            self.writeline("else:")
            self.indent()
            self.blockvisit(node.else_, frame)
            self.outdent()

    def visit_Assign(self, node: nodes.Assign, frame: Frame) -> None:
        if isinstance(node.target, nodes.Tuple):
            node.node = self.unpackable(node.node, node.target, frame)
        super().visit_Assign(node, frame)
        self.write_origin(node.target, node.node, frame, frame)

    def write_origin(
        self, target: nodes.Node, value: nodes.Node, frame: Frame, inner: Frame
    ) -> None:
        """Note where an object comes from that gets a new name."""
        origin = self.origin(value, frame) if isinstance(value, chain_types) else ""
        if origin and isinstance(target, nodes.Name):
            name = inner.symbols.ref(target.name)
            self.writeline(
                f"if type({name}) not in JINJA2_SCALARS: note_named_value({name}{origin})"
            )

    def visit_With(self, node: nodes.With, frame: Frame) -> None:
        for number, target in enumerate(node.targets):
            if isinstance(target, nodes.Tuple):
                node.values[number] = self.unpackable(node.values[number], target, frame)
        super().visit_With(node, frame)

    def unpackable(self, node: nodes.Node, target: nodes.Tuple, frame: Frame) -> nodes.Expr:
        """Compute a value that will be unpacked, with its items ready; return its name."""
        kept = self.temporary_identifier()
        self.writeline(f"{kept} = yield from settled_items(", node)
        self.visit(node, frame)
        self.write(f", {len(target.items)}, environment.is_async)")
        name: nodes.InternalName = object.__new__(nodes.InternalName)
        nodes.Node.__init__(name, kept, lineno=node.lineno)
        return name

    def visit_ExprStmt(self, node: nodes.ExprStmt, frame: Frame) -> None:
        if not is_flush(node):  # nobody is sent anything
            super().visit_ExprStmt(node, frame)

    # -- Output

    def _make_finalize(self) -> Any:
        known = super()._make_finalize()
        if is_coroutine_function(self.environment.finalize):
            self._finalize = known = known._replace(const=None)  # not while compiling
        return known

    def _output_child_to_const(self, node: nodes.Expr, frame: Frame, finalize: Any) -> Any:
        if not can_fold(node, self.environment):
            raise nodes.Impossible
        return super()._output_child_to_const(node, frame, finalize)

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if isinstance(self, NativeCodeGenerator):
            super()._output_child_pre(node, frame, finalize)
            return
        if frame.eval_ctx.volatile:
            text = f"{self.text_function(frame)}(t)"
        else:
            text = "markup_escaped(t)" if frame.eval_ctx.autoescape else "t"
        self.write(f"{text} if type(t := ")
        if finalize.src is None:
            self.raw = node
        else:
            self.write("guard(" + finalize.src.replace("(", ", ", 1))

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if isinstance(self, NativeCodeGenerator):
            super()._output_child_post(node, frame, finalize)
            return
        self.raw = None
        if finalize.src is not None:
            self.write(")")
        printed = f"(yield from printed({self.text_function(frame)}, t{self.origin(node, frame)}))"
        if frame.eval_ctx.volatile:
            self.write(f") in JINJA2_SCALARS else {printed}")
        else:
            harmless = "UNESCAPED" if frame.eval_ctx.autoescape else "JINJA2_SCALARS"
            self.write(f") is str else str(t) if type(t) in {harmless} else {printed}")

    def text_function(self, frame: Frame) -> str:
        if frame.eval_ctx.volatile:
            return "(escape if context.eval_ctx.autoescape else str)"
        return "escape" if frame.eval_ctx.autoescape else "str"

    def visit_OverlayScope(self, node: nodes.OverlayScope, frame: Frame) -> None:
        context = self.temporary_identifier()
        self.writeline(f"{context} = {self.derive_context(frame)}", node)
        self.writeline(f"{context}.vars = ")
        self.visit(node.context, frame)
        self.push_context_reference(context)
        scope = frame.inner(isolated=True)
        scope.buffer = frame.buffer  # an isolated frame does not inherit it
        scope.symbols.analyze_node(node)
        self.enter_frame(scope)
        self.blockvisit(node.body, scope)
        self.leave_frame(scope)
        self.pop_context_reference()


class NativePlanCodeGenerator(PlanCodeGenerator, NativeCodeGenerator):
    """The same for environments whose output is Python values."""


def generator_for(stock: type[Any]) -> type[Any]:
    """The plan code generator that takes the place of an environment's own.

    One that a user has derived from Jinja2's keeps what it overrides beyond ours.
    """
    if issubclass(stock, PlanCodeGenerator):
        return stock
    if stock is NativeCodeGenerator:
        return NativePlanCodeGenerator
    if issubclass(PlanCodeGenerator, stock):
        return PlanCodeGenerator
    return type("PlanCodeGenerator", (PlanCodeGenerator, stock), {})
