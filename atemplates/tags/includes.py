"""The tag ``{% include %}``: the template is found once, and renders with its own names on top."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from django.template.loader_tags import IncludeNode, construct_relative_path

from ..compiler.cached_loader import NAME_TYPES, can_select, template_at_hand
from ..compiler.expressions import is_constant_text, write_expression
from ..compiler.foreign import call_in_thread, off_loop
from ..compiler.mentions import note_mentioned
from ..compiler.nodes import NodeWriting, TagFamily
from ..compiler.scope import ELSEWHERE
from ..compiler.templates import inner_plan
from ..compiler.writer import Writer
from ..runtime.contexts import new_context
from ..runtime.state import State
from ..runtime.waits import Kind, Pending, Plan, Wait
from .flow import write_origin
from .inner_templates import is_whole_name, write_finding, write_rendering


def write_include(w: Writer, node: IncludeNode) -> None:
    name, result = w.constant(node, "node_"), w.temporary("s")
    w.flush()
    if w.in_loop:
        _write_repeated_include(w, node, name, result)
        return
    found = f"find_included(state, context, {name}, {write_expression(w, node.template)})"
    if node.extra_context:
        # The template is there before the values are resolved, as in Django.
        w.line(f"found = {found}")
        found = "found"
        w.wait(found)
    values = _write_values(w, node)
    w.flush()
    w.line(f"{result} = yield from include_plan(state, context, {name}, {found}, {values})")
    w.refresh()
    w.append(result, foreign=True)


def _write_repeated_include(w: Writer, node: IncludeNode, name: str, result: str) -> None:
    """Write an include that looks a name up once while it stays the same.

    Django looks each name up once in a render.
    """
    given = write_expression(w, node.template)
    seeing = "" if node.isolated_context else ", True"
    call = f"template_named(state, context, {given}{seeing})"
    if is_constant_text(node.template):
        template, plan = write_finding(w, call)
    else:
        template, plan = write_finding(w, call, given)
    values = "{}"
    if node.extra_context:
        with w.block(f"if {plan} is None:"):
            w.line(f"found = find_included(state, context, {name}, {given})")
            w.wait("found")
        written = _write_values(w, node)
        values = w.temporary("values")
        w.line(f"{values} = {written}")
    with w.block(f"if {plan} is None:"):
        found = "found" if node.extra_context else f"find_included(state, context, {name}, {given})"
        w.line(f"{result} = yield from include_plan(state, context, {name}, {found}, {values})")
        if w.odd is not None:
            w.odd_result(result)
    with w.block("else:"):
        if node.isolated_context:
            inner = w.temporary("inner")
            w.line(f"{inner} = new_context(context, {values})")
            write_rendering(w, result, template, plan, inner)
        else:
            w.line(f"context.dicts.append({values})")
            write_rendering(w, result, template, plan, "context")
            w.line("    context.dicts.pop()")
    w.refresh()
    w.append(result)


def _write_values(w: Writer, node: IncludeNode) -> str:
    """Write what an include adds to the context; return the expression of a dict."""
    values = []
    for variable, expression in node.extra_context.items():
        value = write_expression(w, expression)
        write_origin(w, value, expression)
        values.append(f"{w.constant(variable)}: {value}")
    return f"{{{', '.join(values)}}}"


def find_included(state: State, context: Any, node: Any, template: Any) -> Any:
    """Return the template to include, or a `Pending` of it.

    It is looked up once per render of the outermost template.

    Args:
        template: what the tag's argument gave: a template, a name, or a list of names.
    """
    if type(template) in NAME_TYPES and is_whole_name(template):
        found = template_at_hand(context.template.engine, template)
        if found is not None:
            return found
    try:
        return _find_included(state, context, node, template)
    except SynchronousOnlyOperation:
        if not state.on_loop:
            raise
        return Pending(call_in_thread(state, _find_included, state, context, node, template))


def _find_included(state: State, context: Any, node: Any, template: Any) -> Any:
    if callable(getattr(template, "render", None)):
        return template.template if hasattr(template, "template") else template
    name = template or ()
    if isinstance(name, str):
        names: tuple[Any, ...] = (construct_relative_path(node.origin.template_name, name),)
    else:
        names = tuple(name)
    cache = context.render_context.dicts[0].setdefault(node, {})
    found = cache.get(names)
    if found is None:
        engine = context.template.engine
        if state.on_loop and not can_select(engine, names):
            return Pending(_select_later(state, engine, names, cache))
        found = cache[names] = engine.select_template(names)
    return found


def _select_later(state: State, engine: Any, names: tuple[Any, ...], cache: Any) -> Plan:
    found = yield Wait(Kind.CALL, off_loop, (state, engine.select_template, names))
    cache[names] = found
    return found


def include_plan(
    state: State, context: Any, node: IncludeNode, template: Any, values: dict[str, Any]
) -> Plan:
    """The plan of an included template.

    Args:
        template: the template, or a `Pending` of it.
    """
    if type(template) is Pending:
        template = yield from template.plan
    if node.isolated_context:
        return (yield from inner_plan(state, template, new_context(context, values)))
    if state.unmentioned:
        yield from note_mentioned(state, template)
    context.dicts.append(values)
    try:
        return (yield from inner_plan(state, template, context))
    finally:
        context.dicts.pop()


INCLUDE_TAGS = TagFamily(
    nodes={IncludeNode: NodeWriting(write_include, lambda node: ELSEWHERE)},
    names={
        "find_included": find_included,
        "include_plan": include_plan,
        "new_context": new_context,
    },
)
