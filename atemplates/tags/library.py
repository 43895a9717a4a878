"""Tags made by ``@register.simple_tag``, ``simple_block_tag`` and ``inclusion_tag``."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from django.template.base import Template
from django.template.library import InclusionNode, SimpleBlockNode, SimpleNode, TagHelperNode
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

from ..compiler.cached_loader import cached_template
from ..compiler.expressions import write_expression
from ..compiler.foreign import (
    await_context,
    call_in_thread,
    foreign_tag_name,
    names_awaitables,
    node_step,
    off_loop,
)
from ..compiler.nodes import NodeWriting, TagFamily, effects_of, write_nodes
from ..compiler.scope import OPAQUE, READS_CONTEXT, Effects, assigns, foreign_effects
from ..compiler.templates import render_plan
from ..compiler.writer import Writer
from ..placement.value_code import text_code, use_code
from ..runtime.calls import await_value
from ..runtime.escaping import escape
from ..runtime.placed_steps import LEAVE, run_here, run_placed
from ..runtime.running_steps import register_step, value_step
from ..runtime.state import State
from ..runtime.types import INERT, is_django, is_iterator
from ..runtime.waits import Kind, Pending, Plan, Wait


def tag_module(function: Any) -> str:
    """The module in which a tag's function was written."""
    return getattr(inspect.unwrap(function), "__module__", None) or ""


def is_foreign(function: Any) -> bool:
    """Whether a tag's function is code of others, which may do anything at all."""
    try:
        return _is_foreign(function)
    except TypeError:  # a callable object without a hash
        return _is_foreign.__wrapped__(function)


@lru_cache(5_000)
def _is_foreign(function: Any) -> bool:
    return not inspect.iscoroutinefunction(function) and not is_django(tag_module(function))


def helper_effects(node: TagHelperNode) -> Effects:
    effects = assigns(getattr(node, "target_var", None))
    if is_foreign(node.func):
        effects |= foreign_effects(tag_module(node.func), reaches=node.takes_context)
    elif node.takes_context:
        effects |= READS_CONTEXT if is_django(tag_module(node.func)) else OPAQUE
    if isinstance(node, SimpleBlockNode):
        effects |= effects_of(node.nodelist)
    return effects


def inclusion_effects(node: InclusionNode) -> Effects:
    return helper_effects(node) | READS_CONTEXT


def write_call(w: Writer, node: TagHelperNode) -> str:
    """Write the call of a tag's function with its arguments resolved."""
    args = [write_expression(w, argument) for argument in node.args]
    kwargs = [
        f"{w.constant(name)}: {write_expression(w, argument)}"
        for name, argument in node.kwargs.items()
    ]
    if isinstance(node, SimpleBlockNode):
        with w.capture() as part:
            write_nodes(w, node.nodelist)
        args.insert(0, f"SafeString(''.join({part}))")
    result = w.temporary()
    w.line(
        f"{result} = call_tag(state, context, {w.constant(node, 'node_')}, "
        f"[{', '.join(args)}], {{{', '.join(kwargs)}}})"
    )
    w.wait(result)
    if node.takes_context:
        w.refresh()
    return result


def write_simple(w: Writer, node: SimpleNode) -> None:
    result = write_call(w, node)
    if node.target_var is not None:
        w.line(f"context[{w.constant(node.target_var)}] = {result}")
        return
    text = w.temporary("s")
    w.line(f"{text} = tag_text(state, context, {result})")
    w.wait(text)
    w.append(text, foreign=True)


def call_tag(
    state: State, context: Any, node: TagHelperNode, args: list[Any], kwargs: dict[str, Any]
) -> Any:
    """Call a tag's function where it belongs; await it if it is a coroutine function."""
    if not node.takes_context:
        return _call(state, context, node, args, kwargs)
    args.insert(0, context)
    state.reached_out = True
    if names_awaitables(state, context):
        return Pending(_call_with_values(state, context, node, args, kwargs))
    return _call(state, context, node, args, kwargs)


register_step(call_tag, node_step)


def _call_with_values(
    state: State, context: Any, node: TagHelperNode, args: list[Any], kwargs: dict[str, Any]
) -> Plan:
    """Call a tag's function that takes the context; it finds results there, no awaitables."""
    yield from await_context(state, context)
    result = _call(state, context, node, args, kwargs)
    if type(result) is Pending:
        result = yield from result.plan
    return result


def _call(
    state: State, context: Any, node: TagHelperNode, args: list[Any], kwargs: dict[str, Any]
) -> Any:
    function = node.func
    if state.looks and is_foreign(function):
        given = (*args, *kwargs.values())
        result = LEAVE
        if not state.on_loop or not any(map(is_iterator, given)):
            if state.policy.is_learned:
                trusted = state.policy.trusts(function)
            else:
                module = tag_module(function)
                trusted = state.policy.may_run_here(function, foreign_tag_name(node), module)
            result = run_placed(state, function, trusted, function, tuple(args), kwargs, given)
        if result is LEAVE:
            return Pending(_call_in_thread(state, function, args, kwargs))
    elif state.on_loop and tag_runs_code(context, function, args, kwargs):
        return Pending(_call_in_thread(state, function, args, kwargs))
    else:
        try:
            result = function(*args, **kwargs)
        except SynchronousOnlyOperation:
            if not state.on_loop:
                raise
            return Pending(_call_in_thread(state, function, args, kwargs))
    if type(result) not in INERT:
        return await_value(state, result)
    return result


def tag_runs_code(context: Any, function: Any, args: list[Any], kwargs: dict[str, Any]) -> bool:
    """Whether a function of Django's own may run code of others for what it is given."""
    given = [arg for arg in args if arg is not context]
    if use_code(*given, *kwargs.values()) is None:
        return False
    return not inspect.iscoroutinefunction(function)


def _call_in_thread(state: State, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Plan:
    code = function if is_foreign(function) else None
    result = yield from call_in_thread(state, lambda: function(*args, **kwargs), code=code)
    if type(result) not in INERT:
        result = await_value(state, result)
        if type(result) is Pending:
            result = yield from result.plan
    return result


def tag_text(state: State, context: Any, value: Any) -> Any:
    """Return what a simple tag writes: its result, escaped where the context says so."""
    kind = type(value)
    if kind is SafeString or not context.autoescape:
        return value
    if kind is str:
        return escape(value)
    code = text_code(value) if state.looks else None
    if code is not None:
        text = run_here(state, code, conditional_escape, (value,), (value,))
        if text is not LEAVE:
            return text
        return Pending(call_in_thread(state, conditional_escape, value, code=code))
    try:
        return conditional_escape(value)
    except SynchronousOnlyOperation:
        if not state.on_loop:
            raise
        return Pending(call_in_thread(state, conditional_escape, value))


register_step(tag_text, value_step)


def write_inclusion(w: Writer, node: InclusionNode) -> None:
    values = write_call(w, node)
    result = w.temporary("s")
    w.flush()
    w.line(
        f"{result} = yield from inclusion_plan("
        f"state, context, {w.constant(node, 'node_')}, {values})"
    )
    w.append(result)


def inclusion_plan(state: State, context: Any, node: InclusionNode, values: Any) -> Plan:
    """The plan of an inclusion tag: its template, with what its function returned."""
    template = context.render_context.get(node)
    if template is None:
        template = yield from _inclusion_template(state, context.template.engine, node.filename)
        context.render_context[node] = template
    inner = context.new(values)
    token = context.get("csrf_token")
    if token is not None:
        inner["csrf_token"] = token
    return (yield from render_plan(state, template, inner))


def _inclusion_template(state: State, engine: Any, source: Any) -> Plan:
    if isinstance(source, Template):
        return source
    if isinstance(getattr(source, "template", None), Template):
        return source.template
    several = isinstance(source, Iterable) and not isinstance(source, str)
    load = engine.select_template if several else engine.get_template
    if not state.on_loop:
        return load(source)
    loaded = cached_template(engine, source)
    if loaded is not None:
        return loaded
    return (yield Wait(Kind.CALL, off_loop, (state, load, source)))


LIBRARY_TAGS = TagFamily(
    nodes={
        SimpleNode: NodeWriting(write_simple, helper_effects),
        SimpleBlockNode: NodeWriting(write_simple, helper_effects),
        InclusionNode: NodeWriting(write_inclusion, inclusion_effects),
    },
    names={
        "call_tag": call_tag,
        "inclusion_plan": inclusion_plan,
        "tag_text": tag_text,
    },
)
