"""``extends``, ``block`` and partials."""

from __future__ import annotations

import threading
from typing import Any

from django.template import defaulttags
from django.template.base import Template, TextNode, Variable
from django.template.context import RenderContext
from django.template.exceptions import TemplateSyntaxError
from django.template.loader_tags import (
    BLOCK_CONTEXT_KEY,
    BlockContext,
    BlockNode,
    ExtendsNode,
)
from django.utils.safestring import SafeString, mark_safe

from ..compiler.cached_loader import NAME_TYPES, cached_template, template_at_hand
from ..compiler.expressions import write_expression
from ..compiler.foreign import off_loop
from ..compiler.mentions import PartialNode, note_mentioned
from ..compiler.nodes import NodeWriting, TagFamily, effects_of, write_nodes
from ..compiler.plan import REPEATED_ATTRIBUTE as REPEATED
from ..compiler.plan import compiled, repeated_plan
from ..compiler.scope import ELSEWHERE, READS_CONTEXT, Effects
from ..compiler.templates import body_plan, inner_plan
from ..compiler.writer import Writer
from ..runtime.iteration import truth_of_value
from ..runtime.state import State
from ..runtime.waits import Kind, Pending, Plan, Wait
from .inner_templates import NOT_AT_HAND, with_plan, write_finding, write_rendering

PartialDefNode: Any = getattr(defaulttags, "PartialDefNode", None)


# -- block -----------------------------------------------------------------------------------------


def block_effects(node: BlockNode) -> Effects:
    """A block is overridden by who knows what, and has a frame of its own."""
    return ELSEWHERE


def write_block(w: Writer, node: BlockNode) -> None:
    result, name = w.temporary("s"), w.constant(node, "node_")
    w.flush()
    if w.in_loop:
        known = w.temporary("plan")
        w.line(f"{known} = block_at_hand(state, context, {name})")
        w.lines_of(
            f"if {known} is None:",
            f"    {result} = yield from block_plan(state, context, {name}, True)",
            "else:",
            f"    context.dicts.append({{'block': {name}}})",
            "    try:",
            f"        {result} = yield from {known}(context, state)",
            "    finally:",
            "        context.dicts.pop()",
        )
    else:
        w.line(f"{result} = yield from block_plan(state, context, {name})")
    w.refresh()
    w.append(result)


def block_plan(state: State, context: Any, node: BlockNode, repeated: bool = False) -> Plan:
    """The plan of a block: the innermost override renders, and can reach the others by super.

    Args:
        repeated: whether it stands in a loop.
    """
    held: Any = context.render_context
    here: Any = held.dicts[-1] if type(held) is RenderContext else held
    block_context = here.get(BLOCK_CONTEXT_KEY)
    scope: dict[str, Any] = {}
    context.dicts.append(scope)
    try:
        if block_context is None:
            scope["block"] = node
            plan = vars(node.nodelist).get(state.wanted)
            if plan is None:
                plan = yield from compiled(state, node.nodelist, name=f"block {node.name}")
            return (yield from plan(context, state))
        found = block_context.pop(node.name)
        source = node if found is None else found
        # A new block holds the context, so that the parsed one is shared by all renders.
        block = type(source)(source.name, source.nodelist)
        block.context = context
        scope["block"] = block
        if repeated:
            plan = repeated_plan(state, block.nodelist, name=f"block {node.name}")
        else:
            plan = vars(block.nodelist).get(state.wanted)
        if plan is None:
            plan = yield from compiled(state, block.nodelist, name=f"block {node.name}")
        result = yield from plan(context, state)
        if found is not None:
            block_context.push(node.name, found)
        return result
    finally:
        context.dicts.pop()


def block_super(state: State, block: Any) -> Plan:
    """The plan of ``{{ block.super }}``.

    Raises:
        TemplateSyntaxError: the block stands in a base template (raised by Django's own method).
    """
    context = getattr(block, "context", None)
    if context is None:
        return block.super()
    blocks = context.render_context.get(BLOCK_CONTEXT_KEY)
    if blocks is None or blocks.get_block(block.name) is None:
        return ""
    # What it overrides is shown as often.
    repeated = REPEATED in block.nodelist.__dict__
    sink = state.hold_back()
    try:
        result = yield from block_plan(state, context, block, repeated)
    finally:
        state.write_to(sink)
    return result if type(result) is SafeString else mark_safe(result)


# -- extends ---------------------------------------------------------------------------------------


def write_extends(w: Writer, node: Any) -> None:
    parent = write_expression(w, node.parent_name)
    result = w.temporary("s")
    w.line(
        f"{result} = yield from extends_plan(state, context, {w.constant(node, 'node_')}, {parent})"
    )
    # A template whose render() is not Django's own may give anything.
    w.append(result, foreign=True)


def extends_plan(state: State, context: Any, node: Any, parent: Any) -> Plan:
    """The plan of a child template: add its blocks, then render the parent."""
    template = _loaded_parent(context, node, parent) or _given_template(parent)
    if template is None:
        template = yield from _find_parent(state, context, node, parent)
    render_context = context.render_context
    if BLOCK_CONTEXT_KEY not in render_context:
        render_context[BLOCK_CONTEXT_KEY] = BlockContext()
    block_context = render_context[BLOCK_CONTEXT_KEY]
    block_context.add_blocks(node.blocks)
    block_context.add_blocks(blocks_of_base(template))
    if state.unmentioned:
        yield from note_mentioned(state, template)
    initial = render_context.template
    render_context.template = template
    try:
        return (yield from body_plan(state, template, context))
    finally:
        render_context.template = initial


BLOCKS_ATTRIBUTE = "atemplates_blocks"
"""Where the node list of a template keeps its blocks, once it was extended. Threads may race for
it: they find the same."""


def blocks_of_base(template: Any) -> dict[str, BlockNode]:
    """Return the blocks of a template that extends no other; none for one that does."""
    nodelist = template.nodelist
    known: dict[str, BlockNode] | None = nodelist.__dict__.get(BLOCKS_ATTRIBUTE)
    if known is None:
        known = {}
        first = next((child for child in nodelist if not isinstance(child, TextNode)), None)
        if first is not None and not isinstance(first, ExtendsNode):
            known = {block.name: block for block in nodelist.get_nodes_by_type(BlockNode)}
        setattr(nodelist, BLOCKS_ATTRIBUTE, known)
    return known


def _loaded_parent(context: Any, node: Any, parent: Any) -> Template | None:
    """Return what ``node.find_template()`` finds for a name that was not passed on the way here.

    Returns:
        None where that is to be asked.
    """
    held: Any = context.render_context
    if type(parent) not in NAME_TYPES or not parent or type(held) is not RenderContext:
        return None
    template: Template | None = template_at_hand(context.template.engine, parent)
    if template is None:
        return None
    here: Any = held.dicts[-1]
    history = here.setdefault(node.context_key, [node.origin])
    if parent in [origin.template_name for origin in history]:
        return None
    history.append(template.origin)
    return template


def _given_template(value: Any) -> Template | None:
    """Return the parsed template if ``value`` is one, or a backend's."""
    if isinstance(value, Template):
        return value
    inner = getattr(value, "template", None)
    return inner if isinstance(inner, Template) else None


def _find_parent(state: State, context: Any, node: Any, parent: Any) -> Plan:
    given = truth_of_value(state, parent)
    if type(given) is Pending:
        given = yield from given.plan
    if not given:
        # With % as in Django, where an empty tuple is a TypeError.
        message = "Invalid template name in 'extends' tag: %r." % parent  # noqa: UP031
        expression = node.parent_name
        if expression.filters or isinstance(expression.var, Variable):
            message += f" Got this from the '{expression.token}' variable."
        raise TemplateSyntaxError(message)
    if state.on_loop:
        history = context.render_context.setdefault(node.context_key, [node.origin])
        loaded = cached_template(context.template.engine, parent, history)
        if loaded is None:
            return (yield Wait(Kind.CALL, off_loop, (state, node.find_template, parent, context)))
    return node.find_template(parent, context)


# -- partials --------------------------------------------------------------------------------------


def partialdef_effects(node: Any) -> Effects:
    return effects_of(node.nodelist) if node.inline else Effects()


def write_partialdef(w: Writer, node: Any) -> None:
    if node.inline:
        write_nodes(w, node.nodelist)


def partial_effects(node: Any) -> Effects:
    """A partial has no frame of its own: what it sets, it sets where it is used."""
    try:
        partial = node.partial_mapping[node.partial_name]
    except KeyError:
        return ELSEWHERE
    if node in looked_into.nodes:
        return ELSEWHERE
    looked_into.nodes.add(node)
    try:
        return effects_of(partial.nodelist) | ELSEWHERE
    finally:
        looked_into.nodes.remove(node)


class LookedInto(threading.local):
    """The partials that `partial_effects` is busy with: one may use itself."""

    def __init__(self) -> None:
        self.nodes: set[Any] = set()


# Of each thread its own: what another one is busy with says nothing.
looked_into = LookedInto()


def write_partial(w: Writer, node: Any) -> None:
    result, name = w.temporary("s"), w.constant(node, "node_")
    plan = f"{result} = yield from partial_plan(state, context, {name})"
    w.flush()
    if w.in_loop:
        partial, known = write_finding(w, f"partial_at_hand(state, context, {name})")
        w.lines_of(f"if {known} is None:", f"    {plan}")
        with w.block("else:"):
            undefined = "except KeyError:", f"    raise undefined_partial({name}) from None"
            write_rendering(w, result, partial, known, "context", undefined)
    else:
        w.line(plan)
    w.refresh()
    w.append(result)


def partial_at_hand(state: State, context: Any, node: Any) -> tuple[Any, Any]:
    """Return a partial and its plan; `NOT_AT_HAND` where it is left to `partial_plan`."""
    if context.template is None:
        return NOT_AT_HAND
    try:
        partial = node.partial_mapping[node.partial_name]
    except KeyError:
        return NOT_AT_HAND
    return with_plan(state, partial)


def partial_plan(state: State, context: Any, node: Any) -> Plan:
    """The plan of a partial, which is looked up by its name at run time."""
    try:
        return (yield from inner_plan(state, node.partial_mapping[node.partial_name], context))
    except KeyError:
        # As in Django, also when the KeyError comes from inside the partial.
        raise undefined_partial(node) from None


def undefined_partial(node: Any) -> TemplateSyntaxError:
    """Return the error for a partial that there is not."""
    name = node.partial_name
    return TemplateSyntaxError(f"Partial '{name}' is not defined in the current template.")


# Django 6.0 and later have partials.
PARTIALS: dict[Any, NodeWriting] = {
    PartialDefNode: NodeWriting(write_partialdef, partialdef_effects),
    PartialNode: NodeWriting(write_partial, partial_effects),
}

INHERITANCE_TAGS = TagFamily(
    nodes={
        **(PARTIALS if PartialNode is not None else {}),
        BlockNode: NodeWriting(write_block, block_effects),
        ExtendsNode: NodeWriting(write_extends, lambda node: READS_CONTEXT),
    },
    names={
        "block_plan": block_plan,
        "extends_plan": extends_plan,
        "partial_at_hand": partial_at_hand,
        "undefined_partial": undefined_partial,
        "partial_plan": partial_plan,
    },
)
