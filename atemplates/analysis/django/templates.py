"""Tags that lead to other templates, and tags that somebody else wrote."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.template.base import FilterExpression, Node, NodeList, Template, TextNode, Variable
from django.template.library import InclusionNode, SimpleBlockNode, SimpleNode, TagHelperNode
from django.template.loader_tags import BlockNode, ExtendsNode, IncludeNode
from django.template.smartif import TokenBase

from ...runtime.types import is_django
from ..functions import may_set_names, module_of
from ..values import MadeValue, PathValue, Unknown, Value
from .walker import Block, NodeHandler, NodeWalker

NAME = re.compile(r"[A-Za-z][\w]*(\.\w+)*\Z")


def literal_name(expression: Any) -> str | None:
    """Return a template's name if it stands in the template itself."""
    if isinstance(expression, FilterExpression) and not expression.filters:
        # A plain text: `Path` takes no SafeString on Python 3.11.
        return str.__str__(expression.var) if isinstance(expression.var, str) else None
    return None


def node_tag_name(node: Node) -> str:
    """The name of the tag that a node was made from."""
    token = getattr(node, "token", None)
    return token.contents.split(maxsplit=1)[0] if token else type(node).__name__


def absent(name: str) -> Value:
    """What a name stands for where nothing but the given names is known."""
    return MadeValue("absent")


@dataclass(frozen=True, slots=True)
class Returned:
    """What names stand for in the template of an inclusion tag."""

    reason: str

    def __call__(self, name: str) -> Value:
        return PathValue(name, lost=self.reason)


# -- include ---------------------------------------------------------------------------------------


def walk_include_node(w: NodeWalker, node: IncludeNode) -> None:
    name = literal_name(node.template)
    if name is None:
        _walk_dynamic_include(w, node)
        return
    values = w.read_names(node.extra_context)
    template = w.load(name)
    if template is None:
        return
    if node.isolated_context:
        with w.new_context(values, absent):
            w.walk_template(template)
    else:
        with w.frame(values):
            w.walk_template(template)


def _walk_dynamic_include(w: NodeWalker, node: IncludeNode) -> None:
    """All names in scope may be read in who knows which template."""
    text = node.template.token
    reason = f"{{% include {text} %}} includes a template that is known only when it renders"
    w.read(node.template, "argument")
    for value in node.extra_context.values():
        w.read(value, "argument", reason)
    w.lose(text, reason)
    if not node.isolated_context:
        for name in w.visible():
            if name not in node.extra_context:
                w.record(name, w.find(name), "argument", reason)


# -- extends and block -----------------------------------------------------------------------------


def walk_extends(w: NodeWalker, node: ExtendsNode) -> None:
    name = literal_name(node.parent_name)
    w.add_blocks(node.blocks.items())
    if name is None:
        reason = "the template that is extended is known only when it renders"
        w.read(node.parent_name, "argument", reason)
        w.lose(str(node.parent_name), reason)
        _walk_own_blocks(w, node)
        return
    if not w.history:
        w.history.append(node.origin)
    parent = w.load(name, w.history)
    if parent is None:
        _walk_own_blocks(w, node)
        return
    if any(parent.origin is origin for origin in w.history):
        w.lose(repr(name), "the template extends itself")
        return
    w.history.append(parent.origin)
    first = next((child for child in parent.nodelist if not isinstance(child, TextNode)), None)
    if first is not None and not isinstance(first, ExtendsNode):
        blocks = parent.nodelist.get_nodes_by_type(BlockNode)
        w.add_blocks({block.name: block for block in blocks}.items())
    w.walk(parent.nodelist)


def _walk_own_blocks(w: NodeWalker, node: ExtendsNode) -> None:
    """The parent is unknown: it may have these blocks or not."""
    with w.maybe():
        for child in node.nodelist:
            if isinstance(child, BlockNode):
                w.walk_one(child)


def walk_block_node(w: NodeWalker, node: BlockNode) -> None:
    """The innermost override is rendered; ``block.super`` renders the next one further out."""
    overrides = w.blocks.get(node.name, [])
    found = overrides.pop(0) if overrides else None
    source = found or node
    with w.frame({"block": Block(source)}):
        w.walk(source.nodelist)
    if found is not None:
        overrides.insert(0, found)


# -- tags made of functions ------------------------------------------------------------------------


def _read_arguments(w: NodeWalker, node: TagHelperNode) -> str:
    """Note what a tag's function is given; return why its result is not known."""
    name = node_tag_name(node)
    foreign = not is_django(module_of(node.func))
    reason = f"passed to {{% {name} %}}" if foreign else None
    for argument in (*node.args, *node.kwargs.values()):
        w.read(argument, "argument", reason)
    if foreign and node.takes_context:
        w.lose(name, f"{{% {name} %}} takes the whole context")
        if may_set_names(node.func):
            w.is_open = True
    return f"set by {{% {name} %}}"


def walk_simple(w: NodeWalker, node: SimpleNode) -> None:
    reason = _read_arguments(w, node)
    if isinstance(node, SimpleBlockNode):
        w.walk(node.nodelist)
    w.bind(node.target_var, Unknown(reason))


def walk_inclusion(w: NodeWalker, node: InclusionNode) -> None:
    """The template is walked, but the names in it are what the function returned."""
    _read_arguments(w, node)
    template = _inclusion_template(w, node.filename)
    if template is not None:
        with w.new_context({}, Returned(f"in the result of {{% {node_tag_name(node)} %}}")):
            w.walk_template(template)


def _inclusion_template(w: NodeWalker, source: Any) -> Any:
    if isinstance(source, Template):
        return source
    if isinstance(getattr(source, "template", None), Template):
        return source.template
    names = [source] if isinstance(source, str) else list(source or ())
    return w.load_first(names)


# -- foreign tags ----------------------------------------------------------------------------------


def walk_foreign(w: NodeWalker, node: Node) -> None:
    """A tag of unknown type: what it is given is known, what it does with it is not.

    Its expressions are found among its attributes. What stands inside it may be rendered or not,
    with names of its own: ``as NAME`` is taken for one.
    """
    name = node_tag_name(node)
    reason = f"passed to {{% {name} %}} ({type(node).__module__})"
    token = getattr(node, "token", None)
    bits = token.split_contents()[1:] if token else []
    found = False
    attributes = getattr(node, "__dict__", {}).values()
    with w.tolerant("foreign"):
        for expression in _expressions(attributes):
            found = True
            w.read(expression, "argument", reason)
    if not found:
        _read_bits(w, bits, reason)
    target = bits[-1] if len(bits) > 1 and bits[-2] == "as" and NAME.match(bits[-1]) else None
    w.bind(target, Unknown(f"set by {{% {name} %}}"))
    children = (getattr(node, attribute, None) for attribute in type(node).child_nodelists)
    nodelists = {
        id(nodes): nodes for nodes in (*attributes, *children) if isinstance(nodes, NodeList)
    }

    def inside() -> None:
        with w.frame(), w.maybe(), w.opened():
            for nodes in nodelists.values():
                w.walk(nodes)

    if nodelists:
        w.branches(inside, lambda: None)
    w.is_open = True


def _expressions(values: Iterable[Any]) -> Iterator[Any]:
    """The expressions among a node's attributes, and in lists and dicts there."""
    for value in values:
        if isinstance(value, (FilterExpression, Variable)):
            yield value
        elif isinstance(value, NodeList):
            continue
        elif isinstance(value, TokenBase):
            yield from _expressions(vars(value).values())
        elif isinstance(value, dict):
            yield from _expressions(value.values())
        elif isinstance(value, (list, tuple)):
            yield from _expressions(value)


def _read_bits(w: NodeWalker, bits: list[str], reason: str) -> None:
    """Read what looks like a path among the words of a tag that keeps them as plain texts."""
    for bit in bits:
        root, dot, _ = bit.partition(".")
        if NAME.match(bit) and (dot or any(root in frame for frame in w.frames)):
            with w.tolerant("silent"):
                w.read(Variable(bit), "argument", reason)


TEMPLATE_HANDLERS: dict[type[Node], NodeHandler] = {
    IncludeNode: walk_include_node,
    ExtendsNode: walk_extends,
    BlockNode: walk_block_node,
    SimpleNode: walk_simple,
    SimpleBlockNode: walk_simple,
    InclusionNode: walk_inclusion,
}
