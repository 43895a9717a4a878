"""What the compiler made of a template, for people: its code beside the template's lines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.template.base import FilterExpression, Node, NodeList, Template, TokenType, Variable
from django.template.library import TagHelperNode
from django.template.loader_tags import BlockNode, ExtendsNode

from ..runtime.policy import Policy
from ..runtime.sites import Site
from .foreign import child_nodelists, foreign_tag_name
from .module import Module
from .nodes import NODES, effects_of_node
from .writer import Writer

WAITS = ("yield from", "yield Wait")
CONSTANT_WIDTH = 60


@dataclass(frozen=True)
class Line:
    """One line of generated code."""

    code: str
    line: int | None
    """The template's line that it was written for."""
    waits: bool
    """Whether the plan may wait there."""
    held: str
    """What holds back the text that is written around it, where the page is sent piece by piece:
    ``"{% tag %}, line 3"``; empty where it is sent while the plan waits."""
    foreign: ForeignNode | None
    """The node that it was written for, if that runs code of others whole."""


@dataclass(frozen=True)
class ForeignNode:
    """A node that is not compiled: somebody else's code, which may do anything."""

    tag: str
    line: int | None
    module: str
    on_loop: bool
    """Whether it runs on the event loop, as OPTIONS say or as was learned of it."""
    where: str
    """Where it runs, in words."""


@dataclass
class Section:
    """One plan: the template's own, or that of a block or of what stands in a foreign tag."""

    title: str
    lines: list[Line] = field(default_factory=list)
    constants: dict[str, str] = field(default_factory=dict)
    """The names that the code refers to -> what they hold, shortened."""
    foreign: list[ForeignNode] = field(default_factory=list)
    holding: dict[str, int] = field(default_factory=dict)
    """What holds back text in it, as for `Line.held` -> the template's line."""

    @property
    def waits(self) -> int:
        """In how many places the plan may wait."""
        return sum(line.waits for line in self.lines)

    @property
    def sends(self) -> int:
        """In how many of them a page that is sent piece by piece is sent up to there."""
        return sum(line.waits and not line.held for line in self.lines)


class MarkingWriter(Writer):
    """Writes a streamed plan, and notes which nodes are held back, and by which."""

    module: HeldBack

    @contextmanager
    def capture(self) -> Iterator[str]:
        """Do what `Writer` does, and note who holds back what is written inside."""
        outer = self.module.holder
        if self.sends:
            self.module.holder = self.node
        with super().capture() as name:
            yield name
        self.module.holder = outer

    @contextmanager
    def writing_for(self, node: Node) -> Iterator[None]:
        """Do what `Writer` does, and note whether the node is held back."""
        holder = self.module.holder
        if holder is not None and holder is not node:
            self.module.held[id(node)] = holder
        with super().writing_for(node):
            yield


class HeldBack(Module):
    """Finds out what of a node list is held back, where its page is sent piece by piece."""

    writer = MarkingWriter

    def __init__(self, nodelist: Any, template: Template | None, name: str) -> None:
        super().__init__(nodelist, template, name, streamed=True)
        self.holder: Node | None = None
        self.held: dict[int, Node] = {}
        """The identity of a node that is held back -> the node that does."""
        self.source()


def explain_template(
    template: Template, policy: Policy, *, with_held: bool = True
) -> list[Section]:
    """Compile a parsed template anew and describe what came out.

    Args:
        template: the template; it is not rendered.
        policy: the backend's OPTIONS, which say together with what was learned where foreign
            nodes run.
        with_held: whether to find out what is held back, for which each plan is written twice.

    Returns:
        A section for each plan, in the order in which they begin in the template.
    """
    held: dict[int, str] = {}
    return [
        plan_section(template, nodelist, title, policy, held, owner, with_held=with_held)
        for title, nodelist, owner in node_lists_of_nodes(template)
    ]


def plan_section(
    template: Template,
    nodelist: Any,
    title: str,
    policy: Policy,
    held: dict[int, str],
    owner: Node | None,
    *,
    with_held: bool = True,
) -> Section:
    """Describe the plan of one node list.

    Args:
        held: the identity of a node that is held back -> what does. Gets those of the node list.
        owner: the node that it stands in.
        with_held: whether to find out what is held back.
    """
    holding = HeldBack(nodelist, template, title).held if with_held else {}
    around = (
        tag_and_line(owner) if owner is not None and is_unknown(owner) else held.get(id(owner), "")
    )
    held |= {each: around or tag_and_line(holder) for each, holder in holding.items()}
    module = Module(nodelist, template, title)
    module.source()
    described = Section(title)
    foreign: dict[int, ForeignNode] = {}
    looked_at: set[int] = set()
    for code, node in zip(module.lines, module.owners, strict=True):
        if node is not None and id(node) not in looked_at:
            looked_at.add(id(node))
            if own_modules(node):
                foreign[id(node)] = describe_foreign(node, policy)
        described.lines.append(
            Line(
                code=code,
                line=line_of(node),
                waits=any(word in code for word in WAITS),
                held=around or held.get(id(node), ""),
                foreign=foreign.get(id(node)),
            )
        )
    described.foreign = list(foreign.values())
    holders = [*holding.values(), *filter(holds_back, nodes_below(nodelist))]
    if around and owner is not None and is_unknown(owner):
        holders.append(owner)
    described.holding = {tag_and_line(each): line_of(each) or 0 for each in holders}
    described.constants = {
        name: short_constant(value) for name, value in module.constants.values.items()
    }
    return described


def holds_back(node: Node) -> bool:
    """Whether a node is ``{{ block.super }}``, whose text is a value: it is whole."""
    variable = getattr(getattr(node, "filter_expression", None), "var", None)
    return getattr(variable, "lookups", None) == ("block", "super")


def tag_and_line(node: Node) -> str:
    """Return how people find a node: its tag and its line."""
    return f"{tag_of(node)}, line {line_of(node)}"


def node_lists(template: Template) -> Iterator[tuple[str, NodeList]]:
    """Find every node list of a template that has a plan of its own.

    Yields:
        What it is - ``"template"``, ``"block name"``, ``"inside {% tag %}, line 3"`` - and the
        node list.
    """
    for title, nodelist, _ in node_lists_of_nodes(template):
        yield title, nodelist


def node_lists_of_nodes(template: Template) -> Iterator[tuple[str, NodeList, Node | None]]:
    """Do what `node_lists` does, and name the node that holds each; None: the template does."""
    yield "template", template.nodelist, None
    seen: set[int] = {id(template.nodelist)}
    for node in nodes_below(template.nodelist):
        if type(node) is BlockNode:
            found: list[tuple[str, NodeList]] = [(f"block {node.name}", node.nodelist)]
        elif is_unknown(node):
            title = f"inside {tag_and_line(node)}"
            found = [(title, inner) for inner in child_nodelists(vars(node))]
        else:
            continue
        for title, nodelist in found:
            if id(nodelist) not in seen and len(nodelist):
                seen.add(id(nodelist))
                yield title, nodelist, node


def nodes_below(nodelist: Any) -> Iterator[Node]:
    """Go through all nodes of a node list, also those inside other nodes, in order."""
    for node in nodelist:
        yield node
        for inner in child_nodelists(list(vars(node).values())):
            yield from nodes_below(inner)


def is_unknown(node: Node) -> bool:
    """Whether the compiler has no writer for this type of node."""
    return type(node) not in NODES


def own_modules(node: Node) -> frozenset[str]:
    """The modules of the third-party code that a node itself runs, apart from what is in it."""
    inside: frozenset[str] = frozenset()
    if not is_unknown(node):
        for nodelist in child_nodelists(list(vars(node).values())):
            for inner in nodelist:
                inside |= effects_of_node(inner).foreign
    return effects_of_node(node).foreign - inside


def describe_foreign(node: Node, policy: Policy) -> ForeignNode:
    """Describe a node that runs third-party code."""
    modules = sorted(own_modules(node))
    module = ", ".join(modules)
    code: Any = type(node).render
    if isinstance(node, TagHelperNode) and not is_unknown(node):
        code = node.func
    elif next(child_nodelists(vars(node)), None) is not None:
        where = "in the request's thread, with all that stands inside"
        return ForeignNode(tag_of(node), line_of(node), module, False, where)
    on_loop, where = policy.place_of(code, foreign_tag_name(node), modules[0])
    return ForeignNode(tag_of(node), line_of(node), module, on_loop, where)


def tag_of(node: Node) -> str:
    """Return a node's tag as it stands in the template."""
    token = getattr(node, "token", None)
    if token is None:
        return type(node).__name__
    if token.token_type is TokenType.VAR:
        return f"{{{{ {token.contents} }}}}"
    return f"{{% {token.contents} %}}"


def line_of(node: Node | None) -> int | None:
    """Return the template's line of a node."""
    token = getattr(node, "token", None)
    return getattr(token, "lineno", None)


def short_constant(value: Any) -> str:
    """Return what a constant is, on one short line."""
    if isinstance(value, Variable):
        text = f"Variable({value.var!r})"
    elif isinstance(value, FilterExpression):
        text = f"FilterExpression({value.token!r})"
    elif isinstance(value, Node):
        text = f"{type(value).__name__}, line {line_of(value)}"
    elif isinstance(value, Site):
        text = f"lookup of {'.'.join(value.bits)}"
    elif callable(value) and hasattr(value, "__qualname__"):
        text = f"{value.__module__}.{value.__qualname__}"
    else:
        text = repr(value)
    text = " ".join(text.split())
    return text if len(text) <= CONSTANT_WIDTH else text[: CONSTANT_WIDTH - 1] + "…"


def extends_name(template: Template) -> FilterExpression | None:
    """Return what a template's ``{% extends %}`` names, or None when it has none."""
    for node in template.nodelist:
        if isinstance(node, ExtendsNode):
            parent: Any = node.parent_name
            return parent  # type: ignore[no-any-return]
    return None
