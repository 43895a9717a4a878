"""Walking a Jinja2 template, with its parents, includes, imports and macros."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from jinja2 import Environment, TemplateError, nodes

from ...compiler.access.values import NOTHING, Value
from .expressions import Expressions
from .names import Macro

DEEPEST = 3
"""How often a template or macro may stand inside itself."""
SETTING = (nodes.Assign, nodes.AssignBlock, nodes.Macro, nodes.Import, nodes.FromImport)
"""Statements that set names."""
HANDLERS: dict[type[Any], Callable[[Walker, Any], None]] = {}
"""What walks each type of statement; `statements` fills it."""


class Walker(Expressions):
    """Walks templates."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.blocks: dict[str, list[tuple[str, Any]]] = {}
        self.inside: list[Any] = []
        self.trees: dict[str, nodes.Template] = {}

    def parse(self, name: str) -> nodes.Template:
        """Load and parse a template, once."""
        if name not in self.trees:
            loader = self.environment.loader
            if loader is None:
                raise TemplateError("the environment has no loader")
            source, filename, _ = loader.get_source(self.environment, name)
            self.trees[name] = self.environment.parse(source, name, filename)
        return self.trees[name]

    def template(self, name: str, tree: nodes.Template) -> None:
        """Walk a template, its parents first found, with the innermost blocks in their places."""
        extends = next(tree.find_all(nodes.Extends), None)
        for block in tree.find_all(nodes.Block):
            self.blocks.setdefault(block.name, []).append((name, block))
        with self.in_template(name):
            if extends is None:
                self.body(tree.body)
                return
            # What stands outside of blocks sets names for them.
            self.body(each for each in tree.body if isinstance(each, SETTING))
            parent = self.named(extends.template)
            if parent is None:
                self.lose(extends.template, "the template that is extended is not known or there")
                with self.maybe():
                    self.body(tree.find_all(nodes.Block))
        if parent is not None:
            self.template(*parent)

    def named(self, node: Any) -> tuple[str, nodes.Template] | None:
        """The template that an expression names, if it is a literal and can be loaded."""
        names = node.items if isinstance(node, (nodes.List, nodes.Tuple)) else [node]
        for each in names:
            if not isinstance(each, nodes.Const) or not isinstance(each.value, str):
                self.expression(each, "argument")
                return None
            try:
                return each.value, self.parse(each.value)
            except TemplateError:
                continue  # the next name of a list, or one that the caller says is not there
        return None

    def body(self, found: Iterable[Any]) -> None:
        """Walk nodes one after the other."""
        for node in found:
            handler = HANDLERS.get(type(node))
            if handler is not None:
                handler(self, node)
            else:
                self.unknown(node)

    def unknown(self, node: Any) -> None:
        """A node of an extension: its expressions are read, what it does is not known."""
        for child in node.iter_child_nodes():
            if isinstance(child, nodes.Expr):
                self.expression(child, "argument")
            elif isinstance(child, nodes.Stmt):
                with self.maybe():
                    self.body([child])

    def macro(self, macro: Macro, positional: list[Value], named: dict[str, Value]) -> None:
        """Walk a macro's body with the arguments of a call."""
        if self.inside.count(macro.node) >= DEEPEST:
            return
        names = [argument.name for argument in macro.node.args]
        beside = self.parse(macro.template).find_all(nodes.Macro) if macro.template else ()
        values: dict[str, Value] = {each.name: Macro(each, macro.template) for each in beside}
        values.update(dict.fromkeys(names, NOTHING))
        values.update(zip(names, positional, strict=False))
        values.update(named)
        self.inside.append(macro.node)
        with self.in_template(macro.template), self.frame(values):
            self.body(macro.node.body)
        self.inside.pop()
