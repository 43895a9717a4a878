"""``{% parallel %}…{% endparallel %}``: what stands directly inside is rendered at the same time.

Each part has its own copy of the context, and is written in its place; a loop directly inside
renders its rows at the same time. In a sync render the parts are rendered one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.template.base import FilterExpression, Node, NodeList, Parser, TextNode, Token
from django.template.context import Context
from django.template.defaulttags import CycleNode, ForNode, IfChangedNode, ResetCycleNode
from django.template.exceptions import TemplateSyntaxError
from django.template.loader_tags import BLOCK_CONTEXT_KEY, BlockNode
from django.utils.safestring import SafeString

from ..compiler.expressions import write_expression
from ..compiler.foreign import child_nodelists
from ..compiler.nodes import NodeWriting, TagFamily, effects_of, effects_of_node, write_nodes
from ..compiler.scope import ELSEWHERE, Effects
from ..compiler.writer import Writer
from ..runtime.branches import limit_error
from ..runtime.sites import SiteMode
from .ifchanged import refusal
from .parallel_parts import parallel_plan, parallel_rows, parallel_sent
from .relations import library


class ParallelNode(Node):
    """``{% parallel %}…{% endparallel %}``."""

    def __init__(self, limit: FilterExpression | None, nodelist: NodeList) -> None:
        self.limit = limit
        self.nodelist = nodelist

    def render(self, context: Context) -> SafeString:
        """Render under Django's own renderer: one part after the other."""
        if self.limit is not None:
            checked_limit(self.limit.resolve(context))
        texts = []
        for node in self.nodelist:
            with context.push():
                texts.append(node.render_annotated(context))
        return SafeString("".join(map(str, texts)))


# -- parsing ---------------------------------------------------------------------------------------


@library.tag("parallel")
def parse_parallel(parser: Parser, token: Token) -> ParallelNode:
    """Parse ``{% parallel [LIMIT] %}``; ``limit=LIMIT`` is the same.

    Raises:
        TemplateSyntaxError: there are more arguments, the limit is no number above 0, or something
            inside sets what other parts would see.
    """
    bits = token.split_contents()[1:]
    if len(bits) > 1:
        raise TemplateSyntaxError(
            f"{{% parallel %}} takes one argument at most, how many parts run at a time; "
            f"got {len(bits)}."
        )
    limit = None
    if bits:
        limit = parser.compile_filter(bits[0].removeprefix("limit="))
        if not limit.filters and not hasattr(limit.var, "resolve"):
            checked_limit(limit.var)
        elif not limit.filters and getattr(limit.var, "literal", None) is not None:
            checked_limit(limit.var.literal)
    nodelist = parser.parse(("endparallel",))
    parser.delete_first_token()
    for node in nodelist:
        check_part(node)
    return ParallelNode(limit, nodelist)


def checked_limit(limit: Any) -> int:
    """Return how many parts may run at a time.

    Raises:
        TemplateSyntaxError: it is no whole number above 0.
    """
    error = limit_error(limit)
    if error:
        raise TemplateSyntaxError(error)
    return int(limit)


def check_part(node: Any) -> None:
    """Refuse a part whose output would depend on what the other parts do.

    Raises:
        TemplateSyntaxError: with the node's place.
    """
    if type(node) is TextNode:
        return
    is_loop = type(node) is ForNode  # the rows of others are not parts
    for inner, in_loop in _nodes_in(node, in_loop=False, is_row=is_loop):
        if isinstance(inner, (CycleNode, ResetCycleNode)):
            raise refusal(inner, "what it gives depends on the parts rendered before")
        if isinstance(inner, IfChangedNode) and not in_loop:
            raise refusal(inner, "it compares with the part or row rendered before")
    effects = effects_of_node(node)
    names = sorted(effects.upward | (effects.writes or frozenset()))
    if names:
        raise refusal(
            _setting(node, names), f"it sets {', '.join(map(repr, names))} for what comes after it"
        )


def _nodes_in(node: Any, in_loop: bool, is_row: bool) -> Iterator[tuple[Any, bool]]:
    """Give a node and all nodes inside, and whether each stands in a loop inside the part.

    Args:
        is_row: whether the node is a loop whose rows are parts themselves.
    """
    yield node, in_loop
    inside = in_loop or (isinstance(node, ForNode) and not is_row)
    for nodelist in child_nodelists(vars(node)):
        for child in nodelist:
            if type(child) is not TextNode:
                yield from _nodes_in(child, inside, is_row=False)


CHECKED_ATTRIBUTE = "atemplates_checked_part"
"""Where the node list of a block notes that it may stand in a part. Any thread may note it."""


def check_blocks(context: Any, names: tuple[str, ...]) -> None:
    """Refuse what other templates have put into blocks that stand in parts, as `check_part` does.

    Raises:
        TemplateSyntaxError: with the node's place.
    """
    blocks = context.render_context.get(BLOCK_CONTEXT_KEY)
    if blocks is None:
        return
    for name in names:
        for block in blocks.blocks.get(name, ()):
            if not vars(block.nodelist).get(CHECKED_ATTRIBUTE):
                check_part(block)
                setattr(block.nodelist, CHECKED_ATTRIBUTE, True)


def _setting(node: Any, names: Iterable[str]) -> Any:
    """Return the innermost node that sets some names."""
    for nodelist in child_nodelists(vars(node)):
        for child in nodelist:
            effects = effects_of_node(child)
            if (effects.writes or frozenset()) | effects.upward >= set(names):
                return _setting(child, names)
    return node


# -- code ------------------------------------------------------------------------------------------


def parallel_effects(node: ParallelNode) -> Effects:
    return effects_of(node.nodelist).contained() | ELSEWHERE


def write_parallel(w: Writer, node: ParallelNode) -> None:
    """Write each part as a function of its own, and what runs them."""
    w.flush()
    limit = _write_limit(w, node)
    parts = [
        w.module.new_part(_part_writer(child, node))
        for child in node.nodelist
        if type(child) is not TextNode
    ]
    if not parts:
        write_nodes(w, node.nodelist)
        return
    blocks = node.nodelist.get_nodes_by_type(BlockNode)
    if blocks:
        names = ", ".join(w.constant(vars(block)["name"]) for block in blocks)
        w.line(f"check_blocks(context, ({names},))")
    texts = w.temporary("texts")
    if w.sends:
        between = [
            w.constant(child.s) if type(child) is TextNode else "None" for child in node.nodelist
        ]
        given = f"({', '.join(parts)},), ({', '.join(between)},), {limit}"
        w.line(f"yield from parallel_sent(state, context, {given})")
        w.refresh()
        return
    w.line(f"{texts} = yield from parallel_plan(state, context, ({', '.join(parts)},), {limit})")
    w.refresh()
    number = 0
    for child in node.nodelist:
        if type(child) is TextNode:
            w.text(child.s)
        else:
            w.append(f"{texts}[{number}]")
            number += 1


def _write_limit(w: Writer, node: ParallelNode) -> str:
    if node.limit is None:
        return "None"
    return f"checked_limit({write_expression(w, node.limit, SiteMode.NONE)})"


def _part_writer(child: Any, node: ParallelNode) -> Callable[[Writer], None]:
    def write(w: Writer) -> None:
        with w.writing_for(child):
            if type(child) is ForNode:
                _write_loop(w, child, node)
            else:
                write_nodes(w, [child])

    return write


def _write_loop(w: Writer, loop: Any, node: ParallelNode) -> None:
    """Write a loop whose rows are parts: its source, a function for a row, what stands for none."""
    limit = _write_limit(w, node)
    source = write_expression(w, loop.sequence, SiteMode.NONE)
    root, site = w.access or ("None", "None")
    backwards = bool(loop.is_reversed)
    values, texts = w.temporary("values"), w.temporary("texts")
    reverse = ", backwards=True" if backwards else ""
    w.wait_for(values, f"loop_rows(state, {source}, {site}, {root}{reverse})")
    with w.block(f"if len({values}) < 1:"):
        write_nodes(w, loop.nodelist_empty)
        w.flush()
    with w.block("else:"):
        row = w.module.new_part(lambda inner: write_nodes(inner, loop.nodelist_loop))
        names = ", ".join(w.constant(name) for name in loop.loopvars)
        noted = f"({values}, {root}, {site}, {backwards}, {not loop.sequence.filters})"
        w.line(
            f"{texts} = yield from parallel_rows("
            f"state, context, {row}, ({names},), {noted}, {limit})"
        )
        w.append(f"''.join({texts})")


PARALLEL_TAGS = TagFamily(
    nodes={ParallelNode: NodeWriting(write_parallel, parallel_effects)},
    names={
        "checked_limit": checked_limit,
        "check_blocks": check_blocks,
        "parallel_plan": parallel_plan,
        "parallel_sent": parallel_sent,
        "parallel_rows": parallel_rows,
    },
)
