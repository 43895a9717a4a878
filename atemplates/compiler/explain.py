"""What the compiler made of a template, for people: its code beside the template's lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.template.base import FilterExpression, Node, NodeList, Template, Variable
from django.template.library import TagHelperNode
from django.template.loader_tags import BlockNode, ExtendsNode

from ..runtime.sites import Site
from ..runtime.state import Policy
from .foreign import child_nodelists, foreign_tag_name
from .nodes import NODES, effects_of_node
from .plan import Module

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

    @property
    def waits(self) -> int:
        """In how many places the plan may wait."""
        return sum(line.waits for line in self.lines)


def explain_template(template: Template, policy: Policy) -> list[Section]:
    """Compile a parsed template anew and describe what came out.

    Args:
        template: the template; it is not rendered.
        policy: the backend's OPTIONS, which say together with what was learned where foreign
            nodes run.

    Returns:
        A section for each plan, in the order in which they begin in the template.
    """
    return [
        plan_section(template, nodelist, title, policy) for title, nodelist in node_lists(template)
    ]


def plan_section(template: Template, nodelist: Any, title: str, policy: Policy) -> Section:
    """Describe the plan of one node list."""
    module = Module(nodelist, template, title)
    module.source()
    described = Section(title)
    foreign: dict[int, ForeignNode] = {}
    for code, owner in zip(module.lines, module.owners, strict=True):
        if owner is not None and id(owner) not in foreign and own_modules(owner):
            foreign[id(owner)] = describe_foreign(owner, policy)
        described.lines.append(
            Line(
                code=code,
                line=line_of(owner),
                waits=any(word in code for word in WAITS),
                foreign=foreign.get(id(owner)),
            )
        )
    described.foreign = list(foreign.values())
    described.constants = {
        name: short_constant(value) for name, value in module.constants.values.items()
    }
    return described


def node_lists(template: Template) -> Iterator[tuple[str, NodeList]]:
    """Find every node list of a template that has a plan of its own.

    Yields:
        What it is - ``"template"``, ``"block name"``, ``"inside {% tag %}, line 3"`` - and the
        node list.
    """
    yield "template", template.nodelist
    seen: set[int] = {id(template.nodelist)}
    for node in nodes_below(template.nodelist):
        if type(node) is BlockNode:
            found: list[tuple[str, NodeList]] = [(f"block {node.name}", node.nodelist)]
        elif is_unknown(node):
            title = f"inside {tag_of(node)}, line {line_of(node)}"
            found = [(title, inner) for inner in child_nodelists(vars(node))]
        else:
            continue
        for title, nodelist in found:
            if id(nodelist) not in seen and len(nodelist):
                seen.add(id(nodelist))
                yield title, nodelist


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
    return type(node).__name__ if token is None else f"{{% {token.contents} %}}"


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
