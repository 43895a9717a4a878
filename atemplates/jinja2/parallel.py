"""``{% parallel %}…{% endparallel %}``: what stands directly inside is rendered at the same time.

The tag parses to an ``{% if %}`` whose test is a call of the extension. Jinja2's own generator
renders its body, one part after the other; `ParallelWriter` knows it by that call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

from jinja2 import nodes
from jinja2.parser import Parser

from ..runtime.branches import limit_error
from .own_tags import OwnTagExtension
from .together import parallel_limit

METHOD = "renders_at_once"
"""The method of the extension that the test calls."""


class ParallelExtension(OwnTagExtension):
    """``{% parallel [limit] %}…{% endparallel %}``, for environments of any kind."""

    own_tags = frozenset({"parallel"})

    def parse(self, parser: Parser) -> nodes.Node:
        """Parse the tag.

        Raises:
            TemplateSyntaxError: the limit is no number above 0, or something inside sets what
                other parts would see.
        """
        line = next(parser.stream).lineno
        arguments = []
        if parser.stream.current.type != "block_end":
            arguments.append(parse_limit(parser, line))
        body = parser.parse_statements(("name:endparallel",), drop_needle=True)
        body = with_their_values(body)
        for part in direct_parts(body):
            if isinstance(part, nodes.Node) and not isinstance(part, nodes.TemplateData):
                PartCheck(parser).check(part)
        test = self.call_method(METHOD, arguments, lineno=line)
        return nodes.If(test, body, [], []).set_lineno(line)

    def renders_at_once(self, limit: Any = 1) -> bool:
        """Check the limit of a tag; always true.

        Raises:
            TemplateRuntimeError: it is no whole number above 0.
        """
        parallel_limit(limit)
        return True


def parse_limit(parser: Parser, line: int) -> nodes.Expr:
    """Parse ``LIMIT`` or ``limit=LIMIT``."""
    stream = parser.stream
    if stream.current.test("name:limit") and stream.look().type == "assign":
        stream.skip(2)
    limit = parser.parse_expression()
    if stream.current.type != "block_end":
        parser.fail(
            "{% parallel %} takes one argument at most, how many parts run at a time; got more.",
            line,
        )
    try:
        known = limit.as_const(nodes.EvalContext(parser.environment))
    except nodes.Impossible:
        return limit
    error = limit_error(known)
    if error:
        parser.fail(error, line)
    return limit


def with_their_values(body: list[nodes.Node]) -> list[nodes.Node]:
    """Put what ``{% trans %}`` sets for itself into one part with the text that uses it."""
    found: list[nodes.Node] = []
    for node in body:
        if found and sets_for_translation(found[-1]):
            node = nodes.Scope([found.pop(), node]).set_lineno(node.lineno)
        found.append(node)
    return found


def sets_for_translation(node: nodes.Node) -> bool:
    """Whether a node is what ``{% trans count=call() %}`` begins with."""
    return (
        isinstance(node, nodes.Assign)
        and isinstance(node.target, nodes.Name)
        and node.target.name == "_trans"
    )


def is_parallel(node: nodes.If) -> bool:
    """Whether an ``{% if %}`` is what `ParallelExtension` has made of its tag."""
    test = node.test
    return (
        isinstance(test, nodes.Call)
        and isinstance(test.node, nodes.ExtensionAttribute)
        and test.node.name == METHOD
    )


def direct_parts(body: Iterable[nodes.Node]) -> Iterator[nodes.Node]:
    """Give what stands directly inside the tag, in order: texts as ``TemplateData``."""
    for node in body:
        if isinstance(node, nodes.Output):
            yield from node.nodes
        else:
            yield node


def is_rows(part: nodes.Node) -> bool:
    """Whether a part is a loop whose rows are parts themselves."""
    return isinstance(part, nodes.For) and not part.recursive


class PartCheck:
    """Refuses a part whose output would depend on what the other parts do.

    Args:
        parser: what parses the template.
    """

    def __init__(self, parser: Parser) -> None:
        self.parser = parser
        self.set_inside: set[str] = set()
        """Names that something inside sets: what is done to them is the part's own matter."""

    def check(self, part: nodes.Node) -> None:
        """Raise TemplateSyntaxError, with line and reason, if the part cannot stand there."""
        self.set_inside = {
            name.name for name in part.find_all(nodes.Name) if name.ctx in ("store", "param")
        }
        if is_rows(part):
            assert isinstance(part, nodes.For)
            self.look(part.iter, own=False, jumps=False, loops=False)
            self.look_at_all(part.body, own=True, jumps=False, loops=False)
            self.look_at_all(part.else_, own=True, jumps=False, loops=False)
        else:
            self.look(part, own=False, jumps=False, loops=False)

    def look_at_all(self, found: Iterable[Any], own: bool, jumps: bool, loops: bool) -> None:
        for node in found:
            self.look(node, own, jumps, loops)

    def look(self, node: nodes.Node, own: bool, jumps: bool, loops: bool) -> None:
        """Look at a node and at all inside.

        Args:
            node: what to look at.
            own: whether what is set here ends with something inside the part.
            jumps: whether a loop inside the part is around it, which can be left.
            loops: whether ``loop`` is that of a loop inside the part.
        """
        if not own and not sets_for_translation(node):
            self.look_for_assignment(node)
        if isinstance(node, (nodes.Assign, nodes.AssignBlock)):
            self.look_at_target(node.target)
        elif isinstance(node, (nodes.Break, nodes.Continue)) and not jumps:
            word = "break" if isinstance(node, nodes.Break) else "continue"
            self.refuse(node, f"{{% {word} %}}", "it leaves the row, and the others are under way")
        elif isinstance(node, nodes.Getattr) and not loops and is_changed(node):
            reason = "it compares with the part or row rendered before"
            self.refuse(node, "loop.changed", reason)
        elif isinstance(node, nodes.ExprStmt):
            self.look_at_statement(node)
        elif isinstance(node, nodes.Extends):
            self.refuse(node, "{% extends %}", "it is for the whole template")
        if isinstance(node, nodes.For):
            self.look(node.iter, own, jumps, loops)
            rows = [node.target, *([node.test] if node.test else []), *node.body]
            self.look_at_all(rows, own=True, jumps=True, loops=True)
            self.look_at_all(node.else_, own=True, jumps=jumps, loops=loops)
            return
        if isinstance(node, SCOPES):
            own = True
        if isinstance(node, JUMPS_END):
            jumps = False
        self.look_at_all(node.iter_child_nodes(), own, jumps, loops)

    def look_for_assignment(self, node: nodes.Node) -> None:
        """Refuse what would set something for what comes after the part."""
        if isinstance(node, (nodes.Assign, nodes.AssignBlock)):
            names = [each.name for each in node.target.find_all(nodes.Name)]
            if isinstance(node.target, nodes.Name):
                names.append(node.target.name)
            if names:
                self.refuse_names(node, "{% set %}", names)
        elif isinstance(node, nodes.Import):
            self.refuse_names(node, "{% import %}", [node.target])
        elif isinstance(node, nodes.FromImport):
            names = [each if isinstance(each, str) else each[1] for each in node.names]
            self.refuse_names(node, "{% from … import %}", names)
        elif isinstance(node, nodes.Macro):
            self.refuse_names(node, "{% macro %}", [node.name])
        elif type(node) is nodes.EvalContextModifier:
            self.refuse(node, "what it does to escaping", "it is for what comes after it")

    def look_at_target(self, target: nodes.Node) -> None:
        """Refuse to set an attribute of a namespace that was not made in the part."""
        targets = [target, *target.find_all(nodes.NSRef)]
        for each in targets:
            if isinstance(each, nodes.NSRef) and each.name not in self.set_inside:
                name = f"{each.name}.{each.attr}"
                self.refuse_names(each, "{% set %}", [name])

    def look_at_statement(self, node: nodes.ExprStmt) -> None:
        """Refuse a ``{% do %}`` that changes an object from outside the part."""
        call: Any = node.node
        if not isinstance(call, nodes.Call) or not isinstance(call.node, nodes.Getattr):
            return
        root = call.node.node
        while isinstance(root, (nodes.Getattr, nodes.Getitem)):
            root = root.node
        if isinstance(root, nodes.Name) and root.name not in self.set_inside:
            self.refuse(node, "{% do %}", f"it may change {root.name!r}, which others see as well")

    def refuse_names(self, node: nodes.Node, what: str, names: list[str]) -> NoReturn:
        found = ", ".join(map(repr, sorted(names)))
        self.refuse(node, what, f"it sets {found} for what comes after it")

    def refuse(self, node: nodes.Node, what: str, reason: str) -> NoReturn:
        self.parser.fail(
            f"{what} in line {node.lineno} cannot stand inside {{% parallel %}}: {reason}, and "
            f"parts are rendered at the same time. Move it out of {{% parallel %}}, or into a "
            f"template that is included.",
            node.lineno,
        )


def is_changed(node: nodes.Getattr) -> bool:
    """Whether an expression is ``loop.changed``."""
    return node.attr == "changed" and isinstance(node.node, nodes.Name) and node.node.name == "loop"


SCOPES = (
    nodes.With,
    nodes.Scope,
    nodes.Block,
    nodes.CallBlock,
    nodes.FilterBlock,
    nodes.AssignBlock,
    nodes.Macro,
    nodes.OverlayScope,
)
"""What is set inside of these is not seen after them."""
JUMPS_END = (nodes.Block, nodes.CallBlock, nodes.Macro)
"""What is written as a function of its own: no ``{% break %}`` gets out of it."""


READ_FROM_INDEX = frozenset({"index", "index0", "first", "previtem", "depth", "depth0", "cycle"})
"""What ``loop`` knows without a look at the rows that come."""


def asks_loop(body: list[nodes.Node]) -> tuple[bool, bool]:
    """Whether parts may ask the loop around them what comes next, and how many rows there are."""
    whole = nodes.Scope(body)
    names = [name for name in whole.find_all(nodes.Name) if name.name == "loop"]
    reads = [
        each.attr
        for each in whole.find_all(nodes.Getattr)
        if isinstance(each.node, nodes.Name) and each.node.name == "loop"
    ]
    # Other templates, and functions that are given the loop, may ask it anything.
    anything = len(names) > len(reads) or whole.find(PASSING_CONTEXT) is not None
    asked = set(reads) - READ_FROM_INDEX
    return anything or bool(asked), anything or not asked <= {"last", "nextitem"}


PASSING_CONTEXT: Any = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Block)
