"""How macros are written and called: as functions whose plans become part of the caller's own."""

from __future__ import annotations

from typing import Any

from jinja2 import nodes
from jinja2.compiler import Frame, MacroRef, optimizeconst
from jinja2.nativetypes import NativeCodeGenerator

from .loop_writer import LoopWriter


class MacroWriter(LoopWriter):
    """The part of the code generator that writes macros and their calls.

    A macro that does not collect arguments is called directly: the code of the call makes sure
    that it is one and that both escape alike, and runs its plan.
    """

    entering_macro = False
    escaping_macros = False
    """Whether a macro says itself how it escapes."""
    around = "context"
    """The name that the context has in the functions inside the one that is written."""
    entering_escaping = False
    macro_names: frozenset[str] = frozenset()
    """Names that macros have in this template, unless something else takes them."""
    module_names: frozenset[str] = frozenset()
    """Names of imported templates, whose attributes are macros."""

    def note_macros(self, template: nodes.Template) -> None:
        """Note which names stand for macros."""
        names = {"caller", *(macro.name for macro in template.find_all(nodes.Macro))}
        for found in template.find_all(nodes.FromImport):
            names.update(name if isinstance(name, str) else name[1] for name in found.names)
        self.macro_names = frozenset(names)
        self.module_names = frozenset(each.target for each in template.find_all(nodes.Import))
        self.escaping_macros = any(
            says_how_to_escape(each) for each in template.find_all((nodes.Macro, nodes.CallBlock))
        )

    # -- Definitions

    def buffer(self, frame: Frame) -> None:
        """Begin to collect output; in a macro this is the first statement."""
        self.writeline("if 0: yield None")
        if self.entering_macro:
            self.entering_macro = False
            # A macro may be called in another render than the one that has defined it.
            self.writeline("loops = (running := running_state()).loops")
        if self.entering_escaping:
            self.entering_escaping = False
            # It may be called again before it has ended, by what runs at the same time.
            self.writeline(f"context = own_evaluation({self.around})")
            self.name_context()
        super().buffer(frame)

    def name_context(self) -> None:
        """Write what gives the context the name that functions inside know it by."""
        if self.escaping_macros:
            self.around = self.temporary_identifier()
            self.writeline(f"{self.around} = context")

    def macro_body(self, node: Any, frame: Frame) -> tuple[Frame, MacroRef]:
        outer_depth, self.loop_depth = self.loop_depth, 0
        around = self.around
        self.entering_escaping = says_how_to_escape(node)
        self.entering_macro = any(node.find(nodes.For) for node in node.body)
        result = super().macro_body(node, frame)
        self.loop_depth, self.around = outer_depth, around
        return result

    def push_parameter_definitions(self, frame: Frame) -> None:
        """Called where a macro's parameters are about to be filled in."""
        super().push_parameter_definitions(frame)
        for target in sorted(frame.symbols.dump_param_targets()):
            self.write_settling(target)

    def marks(self, frame: Frame) -> bool:
        """Whether a macro's function gives markup, and not a text to be made markup of."""
        context = frame.eval_ctx
        native = isinstance(self, NativeCodeGenerator)
        return bool(context.autoescape) and not context.volatile and not native

    def return_buffer_contents(self, frame: Frame, force_unescaped: bool = False) -> None:
        """Return what a macro has collected (``force_unescaped``), or a loop's function."""
        if force_unescaped and self.marks(frame):
            self.writeline(f"return as_markup(concat({frame.buffer}))")
        else:
            super().return_buffer_contents(frame, force_unescaped)

    def macro_def(self, macro_ref: MacroRef, frame: Frame) -> None:
        super().macro_def(macro_ref, frame)
        names = [argument.name for argument in macro_ref.node.args]
        if (
            macro_ref.accesses_kwargs
            or macro_ref.accesses_varargs
            or "caller" in names
            or isinstance(self, NativeCodeGenerator)
        ):
            return
        kind = "calls" if macro_ref.accesses_caller else "takes"
        self.write(f"._direct({self.marks(frame)}, {kind}={len(names)})")

    # -- Calls

    def calls_macro(self, node: nodes.Call) -> bool:
        """Whether a call looks like one of a macro, without arguments whose number is open."""
        called = node.node
        names = {keyword.key for keyword in node.kwargs}
        if self.environment.sandboxed or node.dyn_args is not None or node.dyn_kwargs is not None:
            return False
        if len(names) < len(node.kwargs):
            return False  # Python says what is wrong with a name that is there twice
        if isinstance(called, nodes.Getattr) and isinstance(called.node, nodes.Name):
            return called.node.name in self.module_names
        return isinstance(called, nodes.Name) and called.name in self.macro_names

    @optimizeconst
    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:
        if self.calls_macro(node):
            self.write_macro_call(node, frame, forward_caller)
        else:
            super().visit_Call(node, frame, forward_caller=forward_caller)

    def write_macro_call(self, node: nodes.Call, frame: Frame, forward_caller: bool) -> None:
        if node is self.raw:
            self.raw = None  # the value is at hand in any case
        names = tuple(keyword.key for keyword in node.kwargs)
        count = len(node.args) + len(names)
        self.write("(yield from (t._func if type(t := ")
        if isinstance(node.node, nodes.Name):
            self.write(frame.symbols.ref(node.node.name))
        else:
            self.visit(node.node, frame)
        self.write(") is Macro and t._marked is context.eval_ctx.autoescape and ")
        self.write(f"t._calls == {count}" if forward_caller else f"t._takes >= {count}")
        if names:
            self.write(f" and t.arguments[{len(node.args)}:{count}] == {names!r}")
        self.write(" else macro_plan(context, ")
        if isinstance(node.node, nodes.Name):
            self.visit(node.node, frame)
        else:
            self.write("t")
        self.write(f", {(*names, 'caller') if forward_caller else names!r}")
        self.write(self.origin(node, frame))
        for name in self.extra_arguments(frame):
            self.write(f", {name}={name}")
        self.write("))(")
        for argument in (*node.args, *(keyword.value for keyword in node.kwargs)):
            self.visit(argument, frame)
            self.write(", ")
        self.write("caller))" if forward_caller else "))")


def says_how_to_escape(macro: nodes.Node) -> bool:
    """Whether there is an ``{% autoescape %}`` inside."""
    return macro.find(nodes.EvalContextModifier) is not None
