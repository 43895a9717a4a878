"""Text, variables, and the tags that only change how output looks."""

from __future__ import annotations

import re
from typing import Any

from django.template.base import TextNode, Variable, VariableNode
from django.template.defaulttags import (
    AutoEscapeControlNode,
    CommentNode,
    CycleNode,
    FilterNode,
    FirstOfNode,
    LoadNode,
    ResetCycleNode,
    SpacelessNode,
    TemplateTagNode,
    VerbatimNode,
)
from django.template.loader_tags import BlockNode
from django.utils.safestring import SafeString

from ..compiler.expressions import (
    is_constant_text,
    places,
    write_expression,
    write_output,
    write_shown,
    write_shown_filtered,
    write_shown_in_loop,
    write_shown_number,
)
from ..compiler.nodes import NodeWriting, TagFamily, effects_of, without_effects, write_nodes
from ..compiler.scope import Effects, Frame, Local, assigns
from ..compiler.variables import new_site, write_loop_value, write_root
from ..compiler.writer import Writer
from ..runtime.escaping import escape
from ..runtime.output import render_value, render_variable, rendered
from ..runtime.paths import lookup_failed
from ..runtime.sites import Site, SiteMode
from ..runtime.state import State
from ..runtime.waits import Pending, Plan
from .flow import real_frame

SUPER = ("block", "super")
"""The path of what a block shows of the one that it overrides."""


def super_text(state: State, context: Any, block: Any, site: Site) -> Any:
    """Return the text of ``{{ block.super }}``, or a `Pending` of it.

    Args:
        block: what the context has by that name.
    """
    if type(block) is BlockNode:
        return Pending(_super_text(state, context, block, site))
    return render_variable(state, context, block, site)


def _super_text(state: State, context: Any, block: BlockNode, site: Site) -> Plan:
    try:
        return (yield from state.block_super(state, block))
    except Exception as error:
        # To Django it is a lookup that failed: it is logged, and the error may be a silent one.
        value = lookup_failed(state, context, error, site, "super")
    return render_value(state, context, value, site)


def write_text(w: Writer, node: TextNode) -> None:
    w.text(node.s)


def write_variable_node(w: Writer, node: VariableNode) -> None:
    expression = node.filter_expression
    if is_constant_text(expression) and isinstance(expression.var, SafeString):
        w.text(str(expression.var))
        return
    if expression.filters and not w.in_loop and write_shown_filtered(w, expression):
        return
    if expression.filters:
        # Django writes nothing for a value whose resolving fails with a UnicodeDecodeError.
        text = w.temporary("s")
        with w.block("try:"):
            value = write_expression(w, expression)
        w.line("except UnicodeDecodeError:")
        w.line(f"    {text} = ''")
        with w.block("else:"):
            write_output(w, value, text)
        w.value(text)
        return
    variable: Any = expression.var
    if isinstance(variable, Variable) and tuple(variable.lookups or ()) == SUPER:
        site = new_site(w, SUPER, expression.token, SiteMode.TEXT, False)
        text = w.temporary("s")
        w.line(f"{text} = super_text(state, context, {write_root(w, 'block')}, {site})")
        w.wait(text)
        w.value(text)
        return
    is_lookup = isinstance(variable, Variable) and variable.lookups is not None
    number = getattr(variable, "literal", None)
    if w.loops and type(number) is int and not is_lookup and type(variable) is Variable:
        write_shown_number(w, number)
    elif is_lookup and not w.in_loop:
        write_shown(w, variable, expression.token)
    elif is_lookup and write_shown_loop_value(w, tuple(variable.lookups or ())):
        pass
    elif not (is_lookup and write_shown_in_loop(w, variable, expression.token)):
        write_output(w, write_expression(w, expression, SiteMode.TEXT))


def write_shown_loop_value(w: Writer, bits: tuple[str, ...]) -> bool:
    """Write the output of ``forloop.counter`` and its like: an exact int or bool.

    Returns:
        False, with nothing written, if it is another variable.
    """
    value = write_loop_value(w, bits) if bits[0] == "forloop" else None
    if value is None:
        return False
    text = w.temporary("s")
    if bits[-1] in ("first", "last"):
        w.line(f"{text} = 'True' if {value} else 'False'")
    else:
        shown = f"f'{{{value}}}' if plain_integers else render_value(state, context, {value})"
        w.line(f"{text} = {shown}")
    w.value(text)
    return True


# -- autoescape ------------------------------------------------------------------------------------


def autoescape_effects(node: AutoEscapeControlNode) -> Effects:
    return effects_of(node.nodelist)


def write_autoescape(w: Writer, node: AutoEscapeControlNode) -> None:
    old = w.temporary("old")
    w.flush()
    w.line(f"{old} = context.autoescape")
    w.line(f"context.autoescape = {bool(node.setting)}")
    write_nodes(w, node.nodelist)
    w.flush()
    w.line(f"context.autoescape = {old}")


# -- filter, spaceless -----------------------------------------------------------------------------


def container_effects(node: FilterNode | SpacelessNode) -> Effects:
    return effects_of(node.nodelist)


def write_filter(w: Writer, node: FilterNode) -> None:
    with w.capture() as part:
        write_nodes(w, node.nodelist)
    text = w.temporary("s")
    w.line(f"{text} = SafeString(''.join({part}))")
    with real_frame(w, False, {"var": text}), w.frame(Frame({"var": Local(text)})):
        result = write_expression(w, node.filter_expr)
    w.append(result, foreign=True)


# What Django's function for these tags substitutes; it has to look for lazy text, too.
without_spaces = re.compile(r">\s+<").sub


def write_spaceless(w: Writer, node: SpacelessNode) -> None:
    with w.capture() as part:
        write_nodes(w, node.nodelist)
    text = w.temporary("s")
    w.line(f"{text} = without_spaces('><', ''.join({part}).strip())")
    w.value(text)


# -- cycle -----------------------------------------------------------------------------------------


def cycle_effects(node: CycleNode) -> Effects:
    if not node.variable_name:
        return assigns()
    names = frozenset({node.variable_name})
    return Effects(writes=names, upward=names)


def write_cycle(w: Writer, node: CycleNode) -> None:
    """The position is kept where Django keeps it, in the render context."""
    turn = _write_turn(w, node)
    if all(map(is_constant_text, node.cyclevars)) and not node.variable_name:
        if not node.silent:
            # Constants in a template are safe strings, with autoescaping or without.
            texts = {variable: str(variable.var) for variable in node.cyclevars}
            text = w.temporary("s")
            w.line(f"{text} = {w.constant(texts)}[{turn}]")
            w.value(text)
        return
    if all(
        type(variable.var) is SafeString and not variable.filters for variable in node.cyclevars
    ):
        # A SafeString is formatted by a call of its ``__str__``; what is written need be none.
        values = {
            variable: (variable.var, str.__str__(variable.var)) for variable in node.cyclevars
        }
        value, text = w.temporary(), w.temporary("s")
        w.line(f"{value}, {text} = {w.constant(values)}[{turn}]")
        _write_upward(w, node, value)
        if not node.silent:
            w.value(text)
        return
    value, place = w.temporary(), w.temporary()
    branch = "if"
    for variable in dict.fromkeys(node.cyclevars):
        with w.block(f"{branch} {turn} is {w.constant(variable)}:"):
            w.line(f"{value} = {write_expression(w, variable)}")
            w.line(f"{place} = {', '.join(w.access or ('None', 'None'))}")
        branch = "elif"
    if node.variable_name:
        _write_upward(w, node, value)
    w.access = f"{place}[0]", f"{place}[1]"
    if not node.silent:
        write_output(w, value)


def _write_turn(w: Writer, node: CycleNode) -> str:
    """Write the next step of a cycle; return the local for the expression whose turn it is."""
    name, turn = w.constant(node, "node_"), w.temporary("turn")
    made = f"cycle_of(context, {name})"
    if w.loops and not any(frame.opaque or frame.elsewhere for frame in w.frames):
        # Nothing inside can leave another dict on top of the render context.
        loop = w.loops[0]
        if not loop.cycles:
            loop.cycles = w.temporary("cycles")
            loop.preamble.append(f"{loop.cycles} = context.render_context.dicts[-1]")
        made = f"{loop.cycles}[{name}] if {name} in {loop.cycles} else {made}"
    w.line(f"{turn} = next({made})")
    return turn


def _write_upward(w: Writer, node: CycleNode, value: str) -> None:
    """Set the variable of a cycle where it stands: most often on top."""
    name, top = w.constant(node.variable_name), w.temporary("top")
    w.line("state.reached_out = True")
    w.line(f"{top} = context.dicts[-1]")
    with w.block(f"if {name} in {top} and type(context) in usual_contexts:"):
        w.line(f"{top}[{name}] = {value}")
    with w.block("else:"):
        w.line(f"context.set_upward({name}, {value})")


def cycle_of(context, node):  # type: ignore[no-untyped-def]
    """Return the iterator of a ``{% cycle %}``, making it the first time."""
    places = context.render_context.dicts[-1]
    if node not in places:
        node.reset(context)
    return places[node]


def write_resetcycle(w: Writer, node: ResetCycleNode) -> None:
    w.line(f"{w.constant(node.node, 'node_')}.reset(context)")


# -- firstof ---------------------------------------------------------------------------------------


def write_firstof(w: Writer, node: FirstOfNode) -> None:
    text = w.temporary("first")
    w.flush()
    w.line(f"{text} = ''")
    # A loop that runs once: the first value that is true leaves it.
    with w.block("while True:"):
        for variable in node.vars:
            value = write_expression(w, variable, SiteMode.NONE)
            where = places(w)
            found = w.temporary("b")
            tested = f"truth_of_value(state, {value}{where})"
            w.wait_for(found, f"{value} if type({value}) in simple else {tested}")
            with w.block(f"if {found}:"):
                if node.asvar:
                    # A variable is to hold the very type of string that Django's function gives.
                    w.wait_for(text, f"kept_text(state, context, {value}{where})")
                else:
                    write_output(w, value, text)
                w.line("break")
        w.line("break")
    if node.asvar:
        w.line(f"context[{w.constant(node.asvar)}] = {text}")
    else:
        w.value(text)


def kept_text(
    state: State, context: Any, value: Any, site: Site | None = None, root: Any = None
) -> Any:
    """Return what `rendered` does; for text without asking Django."""
    if type(value) is str:
        return SafeString(escape(value)) if context.autoescape else value
    if type(value) is SafeString:
        return value
    return rendered(state, context, value, site, root)


def write_nothing(w: Writer, node: object) -> None:
    """A tag that has done its work when the template was parsed."""


def write_verbatim(w: Writer, node: VerbatimNode) -> None:
    w.text(node.content)


def write_templatetag(w: Writer, node: TemplateTagNode) -> None:
    w.text(node.mapping.get(node.tagtype, ""))


OUTPUT_TAGS = TagFamily(
    nodes={
        TextNode: NodeWriting(write_text, without_effects),
        VariableNode: NodeWriting(write_variable_node, without_effects),
        AutoEscapeControlNode: NodeWriting(write_autoescape, autoescape_effects),
        FilterNode: NodeWriting(write_filter, container_effects),
        SpacelessNode: NodeWriting(write_spaceless, container_effects),
        CycleNode: NodeWriting(write_cycle, cycle_effects),
        ResetCycleNode: NodeWriting(write_resetcycle, without_effects),
        FirstOfNode: NodeWriting(write_firstof, lambda node: assigns(node.asvar)),
        CommentNode: NodeWriting(write_nothing, without_effects),
        LoadNode: NodeWriting(write_nothing, without_effects),
        VerbatimNode: NodeWriting(write_verbatim, without_effects),
        TemplateTagNode: NodeWriting(write_templatetag, without_effects),
    },
    names={
        "without_spaces": without_spaces,
        "cycle_of": cycle_of,
        "kept_text": kept_text,
        "rendered": rendered,
        "super_text": super_text,
    },
)
