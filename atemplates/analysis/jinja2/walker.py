"""Walking a Jinja2 template, with its parents, includes, imports and macros."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from jinja2 import Environment, TemplateError, TemplateNotFound, nodes

from ..scope import Names
from ..values import UNKNOWN, MadeValue, Value
from ..walker import DEEPEST_RECURSION
from .expressions import Caller, Expressions, MacroValue, Recursion

StatementHandler: TypeAlias = "Callable[[TreeWalker, Any], None]"
SETTING = (nodes.Assign, nodes.AssignBlock, nodes.Macro, nodes.Import, nodes.FromImport)
"""Statements that set names."""
Trees: TypeAlias = dict[str, nodes.Template]
"""Template -> its syntax tree."""
MissingTemplates: TypeAlias = dict[tuple[str, int, str], None]
"""Template and line that name another template, and its name, when it does not exist."""
LOOP = MadeValue("loop")
PARTS_ATTRIBUTE = "atemplates_parts"
"""Where a syntax tree keeps its `TreeParts`."""


@dataclass(frozen=True, slots=True)
class TreeParts:
    """What of a template others ask for: templates that are imported are asked again and again."""

    extends: nodes.Extends | None
    blocks: tuple[nodes.Block, ...]
    macros: tuple[nodes.Macro, ...]


def tree_parts(tree: nodes.Template) -> TreeParts:
    """Return the parts of a tree, which are looked for once."""
    parts: TreeParts | None = tree.__dict__.get(PARTS_ATTRIBUTE)
    if parts is None:
        parts = TreeParts(
            tree.find(nodes.Extends),
            tuple(tree.find_all(nodes.Block)),
            tuple(tree.find_all(nodes.Macro)),
        )
        setattr(tree, PARTS_ATTRIBUTE, parts)
    return parts


class TreeWalker(Expressions):
    """Walks templates.

    Args:
        handlers: what to do about a statement, by its type.
        trees: what is parsed already.
    """

    def __init__(
        self,
        environment: Environment,
        handlers: Mapping[type, StatementHandler],
        trees: Trees | None = None,
    ) -> None:
        super().__init__(environment)
        self.handlers = handlers
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

    def walk_template(self, name: str, tree: nodes.Template) -> None:
        """Walk a template, its parents first found, with the innermost blocks in their places."""
        parts = tree_parts(tree)
        extends = parts.extends
        self.add_blocks((block.name, (name, block)) for block in parts.blocks)
        with self.in_template(name):
            if extends is None:
                self.walk(tree.body)
                return
            # What stands outside of blocks sets names for them.
            self.walk(each for each in tree.body if isinstance(each, SETTING))
            parent = self.named(extends.template)
            if isinstance(parent, str):
                self.lose_node(extends.template, f"it extends {parent}")
                self.maybe_walk(parts.blocks)
        if not isinstance(parent, str):
            self.walk_template(*parent)

    @contextmanager
    def in_template(self, name: str) -> Iterator[None]:
        """What is walked inside stands in another template."""
        before = self.template, self.file
        self.template = self.file = name
        try:
            yield
        finally:
            self.template, self.file = before

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
            self.missing |= dict.fromkeys((self.template, node.lineno, each) for each in missing)
        return f"{' or '.join(map(repr, missing))}, which does not exist"

    def walk(self, nodes: Iterable[Any]) -> None:
        for node in nodes:
            self.handlers.get(type(node), walk_extension)(self, node)

    def walk_rows(self, node: nodes.For, rows: Value) -> None:
        """Walk a loop's body; once more when one row sets what the next reads, in a namespace."""

        def row() -> None:
            with self.rows(), self.frame(dict(targets(node.target, rows.item()))):
                self.frames[-1]["loop"] = Recursion(node) if node.recursive else LOOP
                if node.test is not None:
                    with self.tolerant("test"):
                        self.condition(node.test)
                self.walk(node.body)

        self.repeat(row)

    # -- what a template defines and calls ---------------------------------------------------------

    def call_value(
        self, callee: Value, positional: list[Value], named: Names, caller: Value
    ) -> bool:
        if isinstance(callee, MacroValue):
            frames = callee.frames or (self.macros_of(callee.template),)
            # One that is imported does not see the names of the template that calls it.
            with self.opened(not callee.frames):
                self.walk_inner(callee, frames, positional, named, {"caller": caller})
        elif isinstance(callee, Caller):
            self.called.append(callee)
            self.walk_inner(callee, callee.frames, positional, named)
        elif isinstance(callee, Recursion):
            # How often it runs nobody knows.
            if not self.times_inside(callee.node):
                with self.within(callee.node):
                    self.walk_rows(callee.node, positional[0] if positional else UNKNOWN)
        else:
            return False
        return True

    def macros_of(self, template: str) -> Names:
        """The macros of a template, as another one that imports it sees them."""
        found = tree_parts(self.parse(template)).macros if template else ()
        return {each.name: MacroValue(each, template) for each in found}

    def walk_inner(
        self,
        called: MacroValue | Caller,
        frames: Sequence[Names],
        positional: list[Value],
        named: Names,
        others: Mapping[str, Value] | None = None,
    ) -> None:
        """Walk a body that stands elsewhere, with its arguments and the names around it."""
        if self.times_inside(called.node) >= DEEPEST_RECURSION:
            return
        values = self.given(called.node, positional, named) | dict(others or {})
        with (
            self.within(called.node),
            self.only_frames([*frames, values]),
            self.in_template(called.template),
        ):
            self.walk(called.node.body)

    def given(self, node: Any, positional: list[Value], named: Names) -> Names:
        """The arguments of a macro or ``{% call %}`` by name; its defaults where none is given."""
        names = [argument.name for argument in node.args]
        values: Names = dict.fromkeys(names, UNKNOWN)
        for name, default in zip(reversed(names), reversed(node.defaults), strict=False):
            values[name] = self.value(default)
        values.update(zip(names, positional, strict=False))
        values.update(named)
        return values


def walk_extension(w: TreeWalker, node: Any) -> None:
    """A node of an extension: its expressions are read, what it does is not known."""
    with w.tolerant("foreign"):
        for child in node.iter_child_nodes():
            if isinstance(child, nodes.Expr):
                w.expression(child, "argument")
    w.is_open = True
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.Stmt):
            w.maybe_walk([child])


def targets(target: Any, value: Value) -> Iterator[tuple[str, Value]]:
    """The names that a target sets, and what they stand for."""
    if isinstance(target, nodes.Name):
        yield target.name, value.named(target.name)
    elif isinstance(target, (nodes.Tuple, nodes.List)):
        for index, each in enumerate(target.items):
            yield from targets(each, value.position(index))
