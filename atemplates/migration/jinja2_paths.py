"""Access paths of Jinja2 templates, from Jinja2's own syntax tree.

The records are those of Django templates (`atemplates.relations.paths.AccessPath`), so that the
analysis does not care which engine a template is for. Inheritance, includes and imports by a
literal name, and macros, are followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from jinja2 import Environment, TemplateError, nodes

from ..compiler.access.values import NOTHING, Place, Record, Rows, Value, several
from ..relations.paths import AccessPath, Consumption, distinct

SAME_ROWS = frozenset({"list", "reverse", "select", "reject", "slice"})
"""Filters that give the items of their value again."""
BY_ATTRIBUTE = frozenset(
    {"selectattr", "rejectattr", "sort", "unique", "min", "max", "sum", "join", "map", "groupby"}
)
ITEMS = frozenset({"first", "last", "random", "min", "max"})
ROWS = frozenset({"selectattr", "rejectattr", "sort", "unique"})
OWN_NAMES = frozenset({"super", "self", "caller", "varargs", "kwargs"})
"""Names that Jinja2 sets itself."""
DEEPEST = 3
"""How often a template or macro may stand inside itself."""


@dataclass(frozen=True, slots=True)
class Macro(Value):
    """A macro of a template; equal only to itself."""

    node: Any
    template: str


@dataclass(frozen=True, slots=True)
class Module(Value):
    """What ``{% import %}`` gives: the macros of a template."""

    macros: tuple[tuple[str, Macro], ...]

    def step(self, bit: str) -> Value:
        return dict(self.macros).get(bit, NOTHING)


def jinja2_paths(environment: Environment, name: str) -> list[AccessPath]:
    """Return what a template reads when it is rendered, one record for each expression.

    Args:
        environment: whose loader finds the template and those it names.

    Raises:
        jinja2.TemplateError: it is not found, or does not parse.
    """
    walker = Walker(environment)
    walker.template(name, walker.parse(name))
    return distinct(walker.records)


class Walker:
    """The names in scope while a tree is walked, and the records made so far."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.records: list[AccessPath] = []
        self.frames: list[dict[str, Value]] = [{}]
        self.name = ""
        self.conditional = False
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

    # -- names and records ---------------------------------------------------------------------

    def find(self, name: str) -> Value:
        """What a name stands for: a name of the template's own, else a variable of the context."""
        for frame in reversed(self.frames):
            if name in frame:
                return frame[name]
        return NOTHING if name in self.environment.globals or name in OWN_NAMES else Place(name)

    @contextmanager
    def frame(self, names: dict[str, Value] | None = None) -> Iterator[None]:
        """A frame of names around what is walked inside."""
        self.frames.append(dict(names or {}))
        try:
            yield
        finally:
            self.frames.pop()

    @contextmanager
    def maybe(self) -> Iterator[None]:
        """What is walked inside may not be rendered."""
        before, self.conditional = self.conditional, True
        try:
            yield
        finally:
            self.conditional = before

    @contextmanager
    def in_template(self, name: str) -> Iterator[None]:
        """What is walked inside stands in another template."""
        before, self.name = self.name, name
        try:
            yield
        finally:
            self.name = before

    def record(
        self, node: Any, value: Value, consumption: Consumption, lost: str | None = None
    ) -> None:
        """Note that an expression reads a value."""
        for place in value.places():
            self._add(node, text_of(node), place, consumption, place.lost or lost)

    def lose(self, node: Any, reason: str) -> None:
        """Note that something may read what the template does not show."""
        self._add(node, text_of(node), Place(""), "argument", reason)

    def _add(
        self, node: Any, text: str, place: Place, consumption: Consumption, lost: str | None
    ) -> None:
        self.records.append(
            AccessPath(
                template=self.name,
                line=node.lineno,
                expression=text,
                root=place.root,
                path=place.path,
                conditional=self.conditional or place.maybe,
                consumption=consumption,
                lost=lost,
            )
        )

    # -- templates -----------------------------------------------------------------------------

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

    # -- expressions ---------------------------------------------------------------------------

    def expression(self, node: Any, consumption: Consumption, lost: str | None = None) -> Value:
        """Note what an expression reads; return what it may stand for."""
        value = self.value(node)
        if isinstance(node, PATHS):
            self.record(node, value, consumption, lost)
        return value

    def value(self, node: Any) -> Value:
        """What an expression stands for; what is read on the way is noted."""
        if isinstance(node, nodes.Name):
            return self.find(node.name)
        if isinstance(node, nodes.Getattr):
            return self.value(node.node).step(node.attr)
        if isinstance(node, nodes.Getitem):
            return self.item(node)
        if isinstance(node, nodes.Call):
            return self.call(node)
        if isinstance(node, nodes.Filter):
            return self.filter(node)
        if isinstance(node, nodes.CondExpr):
            self.expression(node.test, "truth")
            with self.maybe():
                both = [
                    self.expression(each, "output") for each in (node.expr1, node.expr2) if each
                ]
            return several(both)
        if isinstance(node, (nodes.And, nodes.Or)):
            left = self.expression(node.left, "truth")
            with self.maybe():
                return several([left, self.expression(node.right, "truth")])
        if isinstance(node, nodes.Not):
            self.expression(node.node, "truth")
            return NOTHING
        for child in node.iter_child_nodes():
            inner: Any = child
            if isinstance(child, nodes.Operand):
                inner = child.expr
            elif isinstance(child, (nodes.Keyword, nodes.Pair)):
                inner = child.value
            if isinstance(inner, nodes.Expr):
                self.expression(inner, "operand")
        return NOTHING

    def item(self, node: nodes.Getitem) -> Value:
        """``a[0]``, ``a["b"]``, ``a[1:3]``."""
        value = self.value(node.node)
        if isinstance(node.arg, nodes.Const):
            return value.step(str(node.arg.value))
        if isinstance(node.arg, nodes.Slice):
            return Rows(value.item(), value)
        self.expression(node.arg, "argument")
        reason = "a key that is known only when it renders"
        places = value.item().places()
        return several(replace(place, lost=place.lost or reason) for place in places)

    def call(self, node: nodes.Call) -> Value:
        """A method of what is at a path, a macro, or a function that nothing is known of."""
        callee = self.value(node.node)
        positional = [self.expression(each, "argument") for each in node.args]
        named = {each.key: self.expression(each.value, "argument") for each in node.kwargs}
        if isinstance(callee, Macro):
            self.macro(callee, positional, named)
            return NOTHING
        return callee

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

    def filter(self, node: nodes.Filter) -> Value:
        """A filter: what it reads of the items, and what it gives."""
        if node.node is None:
            return NOTHING
        name = node.name
        rows = name in SAME_ROWS | BY_ATTRIBUTE
        uses: Consumption = "loop" if rows else "length" if name in ("length", "count") else "item"
        if name not in ITEMS and not rows and uses == "item":
            uses = "output"
        value = self.expression(node.node, uses)
        for argument in (*node.args, *(each.value for each in node.kwargs)):
            self.expression(argument, "argument")
        item = value.item()
        attribute = attribute_of(node) if name in BY_ATTRIBUTE else None
        reached = item
        if attribute is not None:
            for bit in attribute.split("."):
                reached = reached.step(bit)
            self.record(node, reached, "operand")
        if name == "map":
            return Rows(reached, value) if attribute is not None else Rows(NOTHING, value)
        if name == "groupby":
            group = Record((("grouper", reached), ("list", Rows(item, value))))
            return Rows(group, value)
        if name in SAME_ROWS | ROWS:
            return Rows(item, value)
        if name in ITEMS:
            return item
        if name in ("default", "d") and node.args:
            return several([value, self.value(node.args[0])])
        return NOTHING


def attribute_of(node: nodes.Filter) -> str | None:
    """The attribute that a filter reads on each item, when it is a literal."""
    for each in node.kwargs:
        if each.key == "attribute" and isinstance(each.value, nodes.Const):
            return str(each.value.value)
    if node.name in ("selectattr", "rejectattr", "groupby") and node.args:
        first = node.args[0]
        return str(first.value) if isinstance(first, nodes.Const) else None
    return None


def text_of(node: Any) -> str:
    """An expression in short: the path that it begins with."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        return f"{text_of(node.node)}.{node.attr}"
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        return f"{text_of(node.node)}[{node.arg.value!r}]"
    if isinstance(node, nodes.Call):
        return f"{text_of(node.node)}()"
    if isinstance(node, nodes.Filter):
        return f"{text_of(node.node)}|{node.name}"
    if isinstance(node, nodes.Const):
        return repr(node.value)
    return type(node).__name__.lower()


PATHS = (nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Call)
SETTING = (nodes.Assign, nodes.AssignBlock, nodes.Macro, nodes.Import, nodes.FromImport)


# -- statements ------------------------------------------------------------------------------------


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


HANDLERS: dict[type[Any], Any] = {
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
