"""Templates that a loop renders again and again: found once for each run of the loop's plan.

What renders them then stands in the loop's own code, so that a row costs no plan but theirs.
"""

from __future__ import annotations

from typing import Any

from django.template.context import RenderContext
from django.template.loader_tags import BLOCK_CONTEXT_KEY

from ..compiler.cached_loader import NAME_TYPES, cached_template
from ..compiler.mentions import note_words
from ..compiler.nodes import TagFamily
from ..compiler.plan import repeated_plan
from ..compiler.templates import is_usual
from ..compiler.writer import Writer
from ..runtime.state import State

NOT_AT_HAND = None, None
"""Stands for a template and its plan where these have to be waited for, or are no usual ones."""


def write_finding(w: Writer, call: str, name: str = "") -> tuple[str, str]:
    """Write that an inner template is looked for, unless this run of the plan has found it.

    Args:
        call: what gives the template and its plan.
        name: the local for the template's name, if that may be another one each time.

    Returns:
        The locals for the template and its plan, or for `NOT_AT_HAND`.
    """
    template, plan = w.temporary("template"), w.temporary("plan")
    w.prologue.append(f"{template} = {plan} = None")
    w.flush()
    if not name:
        w.line(f"if {plan} is None:")
    else:
        found = w.temporary("name")
        w.prologue.append(f"{found} = None")
        w.line(f"if {plan} is None or {name} is not {found}:")
        w.line(f"    {found} = {name}")
    w.line(f"    {template}, {plan} = {call}")
    return template, plan


def write_rendering(
    w: Writer, result: str, template: str, plan: str, context: str, on_error: tuple[str, ...] = ()
) -> None:
    """Write what `inner_plan` does for a template that is at hand.

    Args:
        result: the local for the text.
        context: the local for the context, which is the template's own or holds its names.
        on_error: lines of an ``except`` clause.
    """
    rendering, before = w.temporary("rendering"), w.temporary("before")
    w.lines_of(
        f"{rendering} = {context}.render_context",
        f"{before} = {rendering}.template",
        f"{rendering}.template = {template}",
        f"{rendering}.dicts.append({{}})",
        "try:",
        f"    {result} = yield from {plan}({context}, state)",
        *on_error,
        "finally:",
        f"    {rendering}.template = {before}",
        f"    {rendering}.dicts.pop()",
    )


def template_named(state: State, context: Any, name: Any, sees: bool = False) -> tuple[Any, Any]:
    """Return the loaded template of a name that is not relative, and its plan.

    Args:
        sees: whether the template sees the names around it.
    """
    outer = context.template
    if outer is None or type(name) not in NAME_TYPES or not is_whole_name(name):
        return NOT_AT_HAND
    template = cached_template(outer.engine, name)
    if state.unmentioned and sees and template is not None:
        note_words(state, template)
    return with_plan(state, template)


def is_whole_name(name: str) -> bool:
    """Whether a template's name means the same wherever it stands."""
    return bool(name) and name[0] not in RELATIVE


RELATIVE = frozenset(".'\"")
"""How a name begins that may be relative to the template's own."""


def with_plan(state: State, template: Any) -> tuple[Any, Any]:
    """Return a template that Django's own methods would render, and its plan."""
    if template is None or not is_usual(template):
        return NOT_AT_HAND
    plan = repeated_plan(state, template.nodelist, template)
    return NOT_AT_HAND if plan is None else (template, plan)


def block_at_hand(state: State, context: Any, node: Any) -> Any:
    """Return the plan of a block that no template overrides; None for another."""
    held: Any = context.render_context
    if type(held) is not RenderContext or BLOCK_CONTEXT_KEY in held.dicts[-1]:
        return None
    return repeated_plan(state, node.nodelist, name=f"block {node.name}")


INNER_TEMPLATES = TagFamily(
    nodes={},
    names={"block_at_hand": block_at_hand, "template_named": template_named},
)
"""What the code of a loop refers to."""
