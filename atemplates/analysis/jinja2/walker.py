"""Walking a Jinja2 template, with its parents, includes, imports and macros."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

from jinja2 import Environment, TemplateError, TemplateNotFound, nodes

from ..django.values import UNKNOWN, Value
from .expressions import Expressions
from .names import Caller, Jinja2Frames, MacroValue, Recursion

DEEPEST_RECURSION = 3
"""How often a template or macro may stand inside itself."""
SETTING = (nodes.Assign, nodes.AssignBlock, nodes.Macro, nodes.Import, nodes.FromImport)
"""Statements that set names."""
STATEMENT_HANDLERS: dict[type[Any], Callable[[TreeWalker, Any], None]] = {}
"""What walks each type of statement; `statements` fills it when it is imported."""
Trees: TypeAlias = dict[str, nodes.Template]
"""Template -> its syntax tree."""
MissingTemplates: TypeAlias = dict[tuple[str, int, str], None]
"""Template and line that name another template, and its name, when it does not exist."""


class TreeWalker(Expressions):
    """Walks templates."""

    def __init__(self, environment: Environment, trees: Trees | None = None) -> None:
        super().__init__(environment)
        self.blocks: dict[str, list[tuple[str, Any]]] = {}
        self.inside: list[Any] = []
        self.trees: Trees = {} if trees is None else trees
        self.called: list[Caller] = []
        self.missing: MissingTemplates = {}

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
            if isinstance(parent, str):
                self.lose(extends.template, f"it extends {parent}")
                with self.maybe():
                    self.body(tree.find_all(nodes.Block))
        if not isinstance(parent, str):
            self.template(*parent)

    def named(self, node: Any, may_be_missing: bool = False) -> tuple[str, nodes.Template] | str:
        """The template that an expression names; or what it is, when that cannot be followed."""
        names = node.items if isinstance(node, (nodes.List, nodes.Tuple)) else [node]
        missing = []
        for each in names:
            if not isinstance(each, nodes.Const) or not isinstance(each.value, str):
                self.expression(each, "argument")
                return "a template that is known only when it renders"
            try:
                return each.value, self.parse(each.value)
            except TemplateNotFound:
                missing.append(each.value)
            except TemplateError as error:
                return f"{each.value!r}, which does not parse: {error.message}"
        if not may_be_missing:
            self.missing |= dict.fromkeys((self.name, node.lineno, each) for each in missing)
        return f"{' or '.join(map(repr, missing))}, which does not exist"

    def times_inside(self, node: Any) -> int:
        """How often what is walked now stands inside a node; one that is equal is another one."""
        return sum(each is node for each in self.inside)

    def body(self, found: Iterable[Any]) -> None:
        """Walk nodes one after the other."""
        for node in found:
            handler = STATEMENT_HANDLERS.get(type(node))
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

    def macro(
        self,
        macro: MacroValue,
        positional: list[Value],
        named: dict[str, Value],
        caller: Value = UNKNOWN,
    ) -> None:
        """Walk a macro's body with the arguments of a call."""
        if self.times_inside(macro.node) >= DEEPEST_RECURSION:
            return
        beside = self.parse(macro.template).find_all(nodes.Macro) if macro.template else ()
        frames = macro.frames or ({each.name: MacroValue(each, macro.template) for each in beside},)
        values = {**self.given(macro.node, positional, named), "caller": caller}
        self.inner(macro.node, macro.template, frames, values)

    def caller(self, caller: Caller, positional: list[Value], named: dict[str, Value]) -> None:
        """Walk the body of a ``{% call %}`` with what the macro gives to it."""
        self.called.append(caller)
        if self.times_inside(caller.node) < DEEPEST_RECURSION:
            values = self.given(caller.node, positional, named)
            self.inner(caller.node, caller.template, caller.frames, values)

    def recursion(self, loop: Recursion, rows: Value) -> None:
        """Walk the body of a recursive loop once more; how often it runs nobody knows."""
        if self.times_inside(loop.node):
            return
        self.inside.append(loop.node)
        self.rows(loop.node, rows)
        self.inside.pop()

    def rows(self, node: nodes.For, rows: Value) -> None:
        """Walk a loop's body; twice when one row sets what the next reads, in a namespace."""
        with self.frame(dict(targets(node.target, rows.item()))):
            self.frames[-1]["loop"] = Recursion(node) if node.recursive else UNKNOWN
            if node.test is not None:
                self.expression(node.test, "truth")
            sets = any(isinstance(each.target, nodes.NSRef) for each in node.find_all(nodes.Assign))
            for _ in range(2 if sets else 1):
                self.body(node.body)

    def given(
        self, node: Any, positional: list[Value], named: dict[str, Value]
    ) -> dict[str, Value]:
        """The arguments of a macro or ``{% call %}`` by name; its defaults where none is given."""
        names = [argument.name for argument in node.args]
        values: dict[str, Value] = dict.fromkeys(names, UNKNOWN)
        for name, default in zip(reversed(names), reversed(node.defaults), strict=False):
            values[name] = self.value(default)
        values.update(zip(names, positional, strict=False))
        values.update(named)
        return values

    def inner(
        self, node: Any, template: str, frames: Jinja2Frames, values: dict[str, Value]
    ) -> None:
        """Walk a body that stands elsewhere, with the names that it sees there."""
        self.inside.append(node)
        before, self.frames = self.frames, [*frames]
        with self.in_template(template), self.frame(values):
            self.body(node.body)
        self.frames = before
        self.inside.pop()


def targets(target: Any, value: Value) -> Iterator[tuple[str, Value]]:
    """The names that a target sets, and what they stand for."""
    if isinstance(target, nodes.Name):
        yield target.name, value.named(target.name)
    elif isinstance(target, (nodes.Tuple, nodes.List)):
        for index, each in enumerate(target.items):
            yield from targets(each, value.position(index))
