"""What each statement of a Jinja2 template reads, and which names it sets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jinja2 import nodes

from ...compiler.access.values import NOTHING, Place, Value, several
from .names import Macro, Module, text_of
from .walker import DEEPEST, HANDLERS
from .walker import Walker as Walker


def walk_output(w: Walker, node: nodes.Output) -> None:
    for each in node.nodes:
        if not isinstance(each, nodes.TemplateData):
            w.expression(each, "output")


def walk_for(w: Walker, node: nodes.For) -> None:
    rows = w.expression(node.iter, "loop")
    with w.frame(dict(targets(node.target, rows.item()))):
        w.frames[-1]["loop"] = NOTHING
        if node.test is not None:
            w.expression(node.test, "truth")
        w.body(node.body)
        if node.recursive:
            w.lose(node.iter, "a recursive loop goes through who knows which lists")
    with w.frame(), w.maybe():
        w.body(node.else_)


def targets(target: Any, value: Value) -> Iterator[tuple[str, Value]]:
    """The names that a target sets, and what they stand for."""
    if isinstance(target, nodes.Name):
        yield target.name, value
    elif isinstance(target, (nodes.Tuple, nodes.List)):
        for index, each in enumerate(target.items):
            yield from targets(each, value.position(index))


def walk_if(w: Walker, node: nodes.If) -> None:
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
            name: several(each[name] if name in each else Place(name) for each in outcomes)
            for name in names
        }


def walk_with(w: Walker, node: nodes.With) -> None:
    names: dict[str, Value] = {}
    for target, value in zip(node.targets, node.values, strict=True):
        names.update(targets(target, w.expression(value, "name")))
    with w.frame(names):
        w.body(node.body)


def walk_assign(w: Walker, node: nodes.Assign) -> None:
    w.frames[-1].update(targets(node.target, w.expression(node.node, "name")))


def walk_assign_block(w: Walker, node: nodes.AssignBlock) -> None:
    with w.frame():
        w.body(node.body)
    w.frames[-1].update(targets(node.target, NOTHING))


def walk_block(w: Walker, node: nodes.Block) -> None:
    """The innermost override is rendered; ``super()`` may render the others."""
    template, source = w.blocks.get(node.name, [(w.name, node)])[0]
    others = w.blocks.get(node.name, [])[1:]
    with w.in_template(template), w.frame():
        w.body(source.body)
    if any(text_of(call.node) == "super" for call in source.find_all(nodes.Call)):
        for name, other in others:
            with w.in_template(name), w.frame():
                w.body(other.body)


def walk_include(w: Walker, node: nodes.Include) -> None:
    found = w.named(node.template)
    if found is None:
        if not (node.ignore_missing and isinstance(node.template, nodes.Const)):
            w.lose(node.template, "it includes a template that is known only when it renders")
        return
    name, tree = found
    if w.inside.count(tree) >= DEEPEST:
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


def macros_of(w: Walker, node: Any) -> dict[str, Macro]:
    """The macros of a template that is imported by a literal name."""
    found = w.named(node.template)
    if found is None:
        w.lose(node.template, "it imports a template that is not known or not there")
        return {}
    name, tree = found
    return {each.name: Macro(each, name) for each in tree.find_all(nodes.Macro)}


def walk_import(w: Walker, node: nodes.Import) -> None:
    w.frames[-1][node.target] = Module(tuple(macros_of(w, node).items()))


def walk_from_import(w: Walker, node: nodes.FromImport) -> None:
    macros = macros_of(w, node)
    for each in node.names:
        name, alias = each if isinstance(each, tuple) else (each, each)
        w.frames[-1][alias] = macros.get(name, NOTHING)


def walk_macro(w: Walker, node: nodes.Macro) -> None:
    w.frames[-1][node.name] = Macro(node, w.name)


def walk_call_block(w: Walker, node: nodes.CallBlock) -> None:
    w.expression(node.call, "argument")
    with w.frame(dict.fromkeys([argument.name for argument in node.args], NOTHING)), w.maybe():
        w.body(node.body)


def walk_inner(w: Walker, node: Any) -> None:
    with w.frame():
        w.body(node.body)


def walk_expression(w: Walker, node: nodes.ExprStmt) -> None:
    w.expression(node.node, "argument")


def walk_nothing(w: Walker, node: Any) -> None:
    """Breaks and the like read nothing."""


HANDLERS |= {
    nodes.Output: walk_output,
    nodes.For: walk_for,
    nodes.If: walk_if,
    nodes.With: walk_with,
    nodes.Assign: walk_assign,
    nodes.AssignBlock: walk_assign_block,
    nodes.Block: walk_block,
    nodes.Include: walk_include,
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
