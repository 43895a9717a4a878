"""What each statement of a Jinja2 template reads, and which names it sets."""

from __future__ import annotations

from typing import Any

from jinja2 import nodes

from ..django.values import UNKNOWN, PathValue, RecordValue, Value, several
from .names import Caller, ImportedModule, MacroValue, short_text
from .walker import DEEPEST_RECURSION, STATEMENT_HANDLERS, TreeWalker, targets


def walk_output(w: TreeWalker, node: nodes.Output) -> None:
    for each in node.nodes:
        if not isinstance(each, nodes.TemplateData):
            w.expression(each, "output")


def walk_for_statement(w: TreeWalker, node: nodes.For) -> None:
    rows = w.expression(node.iter, "loop")
    w.rows(node, rows)
    if node.recursive:
        w.lose(node.iter, "a recursive loop goes through who knows which lists")
    with w.frame(), w.maybe():
        w.body(node.else_)


def walk_if_statement(w: TreeWalker, node: nodes.If) -> None:
    w.expression(node.test, "truth")
    with w.maybe():
        before = dict(w.frames[-1])
        outcomes = [before]
        for part in (node.body, node.elif_, node.else_):
            w.frames[-1] = dict(before)
            w.body(part)
            outcomes.append(w.frames[-1])
        names = {name for outcome in outcomes for name in outcome}
        w.frames[-1] = {
            name: several(each[name] if name in each else PathValue(name) for each in outcomes)
            for name in names
        }


def walk_with_statement(w: TreeWalker, node: nodes.With) -> None:
    names: dict[str, Value] = {}
    for target, value in zip(node.targets, node.values, strict=True):
        names.update(targets(target, w.expression(value, "name")))
    with w.frame(names):
        w.body(node.body)


def walk_assign(w: TreeWalker, node: nodes.Assign) -> None:
    value = w.expression(node.node, "name")
    if isinstance(node.target, nodes.NSRef):
        set_in_namespace(w, node.target, value)
    else:
        w.frames[-1].update(targets(node.target, value))


def set_in_namespace(w: TreeWalker, target: nodes.NSRef, value: Value) -> None:
    """``{% set ns.name = value %}``: it may be what it was before, for who reads it earlier."""
    for frame in reversed(w.frames):
        space = frame.get(target.name)
        if isinstance(space, RecordValue):
            members = dict(space.members)
            members[target.attr] = several([members.get(target.attr, UNKNOWN), value])
            frame[target.name] = RecordValue(tuple(members.items()))
            return


def walk_assign_block(w: TreeWalker, node: nodes.AssignBlock) -> None:
    with w.frame():
        w.body(node.body)
    w.frames[-1].update(targets(node.target, UNKNOWN))


def walk_block_statement(w: TreeWalker, node: nodes.Block) -> None:
    """The innermost override is rendered; ``super()`` may render the others."""
    template, source = w.blocks.get(node.name, [(w.name, node)])[0]
    others = w.blocks.get(node.name, [])[1:]
    with w.in_template(template), w.frame():
        w.body(source.body)
    if any(short_text(call.node) == "super" for call in source.find_all(nodes.Call)):
        for name, other in others:
            with w.in_template(name), w.frame():
                w.body(other.body)


def walk_include_statement(w: TreeWalker, node: nodes.Include) -> None:
    found = w.named(node.template, may_be_missing=node.ignore_missing)
    if isinstance(found, str):
        if not (node.ignore_missing and found.endswith("does not exist")):
            w.lose(node.template, f"it includes {found}")
        return
    name, tree = found
    if w.times_inside(tree) >= DEEPEST_RECURSION:
        return
    w.inside.append(tree)
    blocks, w.blocks = w.blocks, {}
    frames = w.frames
    if not node.with_context:
        w.frames = [{}]
    with w.frame():
        w.template(name, tree)
    w.frames, w.blocks = frames, blocks
    w.inside.pop()


def macros_of(w: TreeWalker, node: Any) -> dict[str, MacroValue]:
    """The macros of a template that is imported by a literal name."""
    found = w.named(node.template)
    if isinstance(found, str):
        w.lose(node.template, f"it imports {found}")
        return {}
    name, tree = found
    return {each.name: MacroValue(each, name) for each in tree.find_all(nodes.Macro)}


def walk_import(w: TreeWalker, node: nodes.Import) -> None:
    w.frames[-1][node.target] = ImportedModule(tuple(macros_of(w, node).items()))


def walk_from_import(w: TreeWalker, node: nodes.FromImport) -> None:
    macros = macros_of(w, node)
    for each in node.names:
        name, alias = each if isinstance(each, tuple) else (each, each)
        w.frames[-1][alias] = macros.get(name, UNKNOWN)


def walk_macro(w: TreeWalker, node: nodes.Macro) -> None:
    w.frames[-1][node.name] = MacroValue(node, w.name, tuple(w.frames))


def walk_call_block(w: TreeWalker, node: nodes.CallBlock) -> None:
    caller = Caller(node, w.name, tuple(w.frames))
    w.call(node.call, caller)
    if caller not in w.called:
        # Whoever is called may render it, with who knows what.
        with w.maybe():
            w.caller(caller, [], {})


def walk_inner(w: TreeWalker, node: Any) -> None:
    with w.frame():
        w.body(node.body)


def walk_expression(w: TreeWalker, node: nodes.ExprStmt) -> None:
    w.expression(node.node, "argument")


def walk_nothing(w: TreeWalker, node: Any) -> None:
    """Breaks and the like read nothing."""


STATEMENT_HANDLERS |= {
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
    nodes.FilterBlock: walk_inner,
    nodes.Scope: walk_inner,
    nodes.ScopedEvalContextModifier: walk_inner,
    nodes.ExprStmt: walk_expression,
    nodes.Extends: walk_nothing,
    nodes.Break: walk_nothing,
    nodes.Continue: walk_nothing,
}
