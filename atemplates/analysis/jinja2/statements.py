"""What each statement of a Jinja2 template reads, and which names it sets."""

from __future__ import annotations

from typing import Any

from jinja2 import nodes

from ...jinja2.parallel import is_parallel
from ..scope import Names
from ..values import UNKNOWN, Value
from ..walker import DEEPEST_RECURSION
from .expressions import Caller, ImportedModule, MacroValue, short_text
from .tree_parts import all_of
from .walker import StatementHandler, TreeWalker, targets


def walk_output(w: TreeWalker, node: nodes.Output) -> None:
    for each in node.nodes:
        if not isinstance(each, nodes.TemplateData):
            w.expression(each, "output")


def walk_for_statement(w: TreeWalker, node: nodes.For) -> None:
    rows = w.expression(node.iter, "loop")
    w.walk_rows(node, rows)
    if node.recursive:
        w.lose_node(node.iter, "a recursive loop goes through who knows which lists")
    with w.frame():
        w.maybe_walk(node.else_)


def walk_if_statement(w: TreeWalker, node: nodes.If) -> None:
    if is_parallel(node):
        w.expression(node.test, "argument")
        w.walk(node.body)
        return
    cases = [(each.test, each.body) for each in (node, *node.elif_)]
    w.choose([*cases, (None, node.else_)])


def walk_with_statement(w: TreeWalker, node: nodes.With) -> None:
    names: Names = {}
    for target, value in zip(node.targets, node.values, strict=True):
        names.update(targets(target, w.expression(value, "name")))
    with w.frame(names):
        w.walk(node.body)


def walk_assign(w: TreeWalker, node: nodes.Assign) -> None:
    value = w.expression(node.node, "name")
    if isinstance(node.target, nodes.NSRef):
        set_in_namespace(w, node.target, value)
    else:
        w.frames[-1].update(targets(node.target, value))


def set_in_namespace(w: TreeWalker, target: nodes.NSRef, value: Value) -> None:
    """``{% set ns.name = value %}``."""
    for frame in reversed(w.frames):
        if target.name in frame:
            frame[target.name] = frame[target.name].with_member(target.attr, value)
            return


def walk_assign_block(w: TreeWalker, node: nodes.AssignBlock) -> None:
    walk_inner_scope(w, node)
    w.frames[-1].update(targets(node.target, UNKNOWN))


def walk_block_statement(w: TreeWalker, node: nodes.Block) -> None:
    """The innermost override is rendered; ``super()`` may render the others."""
    (template, source), *others = w.blocks.get(node.name, [(w.template, node)])
    if not any(short_text(call.node) == "super" for call in all_of(source, nodes.Call)):
        others = []
    for name, block in ((template, source), *others):
        with w.in_template(name):
            walk_inner_scope(w, block)


def walk_include_statement(w: TreeWalker, node: nodes.Include) -> None:
    found = w.named(node.template, may_be_missing=node.ignore_missing)
    if isinstance(found, str):
        if not (node.ignore_missing and found.endswith("does not exist")):
            w.lose_node(node.template, f"it includes {found}")
        return
    name, tree = found
    if w.times_inside(tree) >= DEEPEST_RECURSION:
        return
    with (
        w.included(tree),
        w.only_frames([*(w.frames if node.with_context else ()), {}]),
        w.opened(not node.with_context),
    ):
        w.walk_template(name, tree)


def imported_macros(w: TreeWalker, node: Any) -> Names:
    """The macros of a template that is imported by a literal name."""
    found = w.named(node.template)
    if isinstance(found, str):
        w.lose_node(node.template, f"it imports {found}")
        return {}
    return w.macros_of(found[0])


def walk_import(w: TreeWalker, node: nodes.Import) -> None:
    w.frames[-1][node.target] = ImportedModule(tuple(imported_macros(w, node).items()))


def walk_from_import(w: TreeWalker, node: nodes.FromImport) -> None:
    macros = imported_macros(w, node)
    for each in node.names:
        name, alias = each if isinstance(each, tuple) else (each, each)
        w.frames[-1][alias] = macros.get(name, UNKNOWN)


def walk_macro(w: TreeWalker, node: nodes.Macro) -> None:
    w.frames[-1][node.name] = MacroValue(node, w.template, tuple(w.frames))


def walk_call_block(w: TreeWalker, node: nodes.CallBlock) -> None:
    caller = Caller(node, w.template, tuple(w.frames))
    w.call(node.call, caller)
    if caller not in w.called:
        # Whoever is called may render it, with who knows what.
        with w.maybe():
            w.call_value(caller, [], {}, UNKNOWN)


def walk_inner_scope(w: TreeWalker, node: Any) -> None:
    with w.frame():
        w.walk(node.body)


def walk_expression(w: TreeWalker, node: nodes.ExprStmt) -> None:
    w.expression(node.node, "argument")


def walk_nothing(w: TreeWalker, node: Any) -> None:
    """Breaks and the like read nothing."""


STATEMENT_HANDLERS: dict[type[nodes.Node], StatementHandler] = {
    nodes.Output: walk_output,
    nodes.For: walk_for_statement,
    nodes.If: walk_if_statement,
    nodes.With: walk_with_statement,
    nodes.Assign: walk_assign,
    nodes.AssignBlock: walk_assign_block,
    nodes.Block: walk_block_statement,
    nodes.Include: walk_include_statement,
    nodes.Import: walk_import,
    nodes.FromImport: walk_from_import,
    nodes.Macro: walk_macro,
    nodes.CallBlock: walk_call_block,
    nodes.FilterBlock: walk_inner_scope,
    nodes.Scope: walk_inner_scope,
    nodes.ScopedEvalContextModifier: walk_inner_scope,
    nodes.ExprStmt: walk_expression,
    nodes.Extends: walk_nothing,
    nodes.Break: walk_nothing,
    nodes.Continue: walk_nothing,
}
