"""Tags made by ``@register.simple_tag``, ``simple_block_tag`` and ``inclusion_tag``."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from django.template import defaulttags
from django.template.base import Template
from django.template.context import RenderContext
from django.template.library import InclusionNode, SimpleBlockNode, SimpleNode, TagHelperNode
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

from ..compiler.cached_loader import cached_template
from ..compiler.expressions import write_expression, write_text_of
from ..compiler.filter_calls import called_directly
from ..compiler.foreign import (
    await_context,
    call_in_thread,
    foreign_tag_name,
    names_awaitables,
    node_step,
    off_loop,
    write_results_seen,
)
from ..compiler.nodes import NodeWriting, TagFamily, effects_of, write_nodes
from ..compiler.scope import OPAQUE, READS_CONTEXT, Effects, assigns, foreign_effects
from ..compiler.templates import inner_plan
from ..compiler.writer import Writer, is_attribute_name
from ..placement.value_code import text_code, use_code
from ..runtime.calls import await_value
from ..runtime.contexts import new_context
from ..runtime.escaping import escape
from ..runtime.fast.querystrings import query_string
from ..runtime.paths import dicts_of, lookup_name
from ..runtime.placed_steps import LEAVE, note_sure, run_here, run_placed, run_surely
from ..runtime.running_steps import register_step, value_step
from ..runtime.sites import MISSING
from ..runtime.state import State
from ..runtime.tracing import ran_traced
from ..runtime.types import INERT, is_django, is_iterator
from ..runtime.waits import Kind, Pending, Plan, Wait
from .computed import is_nonce_attr, write_nonce_attr
from .inner_templates import NOT_AT_HAND, with_plan, write_finding, write_rendering

QUERYSTRING: Any = defaulttags.querystring
"""The function of ``{% querystring %}``, which needs neither the context nor the arguments' code in
its usual case."""


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
        module = tag_module(node.func)
        if node.takes_context or gets_block(node):
            effects |= foreign_effects(module, reaches=node.takes_context)
        else:
            effects |= Effects(foreign=frozenset({module}))
    elif node.takes_context:
        effects |= READS_CONTEXT if is_django(tag_module(node.func)) else OPAQUE
    if isinstance(node, SimpleBlockNode):
        effects |= effects_of(node.nodelist)
    return effects


def gets_block(node: TagHelperNode) -> bool:
    """Whether an argument may be a block, which holds the context."""
    return any(
        getattr(argument.var, "lookups", None) and argument.var.lookups[0] == "block"
        for argument in (*node.args, *node.kwargs.values())
    )


def inclusion_effects(node: InclusionNode) -> Effects:
    return helper_effects(node) | READS_CONTEXT


def write_arguments(w: Writer, node: TagHelperNode) -> tuple[list[str], dict[str, str]]:
    """Write the arguments of a tag's function; return what holds them."""
    args = [write_expression(w, argument) for argument in node.args]
    kwargs = {name: write_expression(w, argument) for name, argument in node.kwargs.items()}
    if isinstance(node, SimpleBlockNode):
        with w.capture() as part:
            write_nodes(w, node.nodelist)
        content = w.temporary("s")
        w.line(f"{content} = SafeString(''.join({part}))")
        args.insert(0, content)
    return args, kwargs


def arguments_of_call(
    w: Writer, node: TagHelperNode, args: list[str], kwargs: dict[str, str]
) -> str:
    """Return what stands behind the name of a function that calls a tag's function."""
    given = ", ".join(f"{w.constant(name)}: {value}" for name, value in kwargs.items())
    return f"(state, context, {w.constant(node, 'node_')}, [{', '.join(args)}], {{{given}}})"


def write_call(w: Writer, node: TagHelperNode) -> str:
    """Write the call of a tag's function with its arguments resolved."""
    args, kwargs = write_arguments(w, node)
    result = w.temporary()
    call = f"call_tag{arguments_of_call(w, node, args, kwargs)}"
    if w.in_loop and all(map(is_attribute_name, kwargs)) and node.func is not QUERYSTRING:
        # Where nothing is in the way, the function is called right here.
        if node.takes_context:
            w.line("state.reached_out = True")
            may = f"state.direct and {write_results_seen(w)}"
        else:
            may = called_directly(w, node.func, [*args, *kwargs.values()])
        context = ["context"] if node.takes_context else []
        given = ", ".join([*context, *args, *(f"{name}={at}" for name, at in kwargs.items())])
        w.line(f"{result} = {w.constant(node.func, 'tag_')}({given}) if {may} else {call}")
        w.wait_for_result(result)
    else:
        w.wait_for(result, call)
    if node.takes_context:
        w.refresh()
    return result


def write_simple(w: Writer, node: SimpleNode) -> None:
    """Write a simple tag: what its function returns is written, or becomes a variable."""
    if node.target_var is not None:
        result = write_call(w, node)
        w.line(f"context[{w.constant(node.target_var)}] = {result}")
        return
    if is_nonce_attr(node):
        write_nonce_attr(w, node)
        return
    text = w.temporary("s")
    if w.in_loop and w.odd is not None:
        result = write_call(w, node)
        write_text_of(w, result, text)
        w.line(f"elif type({result}) is SafeString:")
        w.line(f"    {text} = {result}")
        with w.branch("else:"):
            w.wait_for(text, f"tag_text(state, context, {result})")
            w.odd_result(text)
        w.value(text)
        return
    args, kwargs = write_arguments(w, node)
    w.line(f"{text} = simple_text{arguments_of_call(w, node, args, kwargs)}")
    w.wait(text)
    if node.takes_context:
        w.refresh()
    w.foreign_value(text)


def simple_text(
    state: State, context: Any, node: SimpleNode, args: list[Any], kwargs: dict[str, Any]
) -> Any:
    """Return what a simple tag writes."""
    result = call_tag(state, context, node, args, kwargs)
    if type(result) is Pending:
        return Pending(_text_of_result(state, context, result))
    return tag_text(state, context, result)


def _text_of_result(state: State, context: Any, pending: Pending) -> Plan:
    text = tag_text(state, context, (yield from pending.plan))
    return (yield from text.plan) if type(text) is Pending else text


def call_tag(
    state: State, context: Any, node: TagHelperNode, args: list[Any], kwargs: dict[str, Any]
) -> Any:
    """Call a tag's function where it belongs; await it if it is a coroutine function."""
    if not node.takes_context:
        if state.direct:
            result = node.func(*args, **kwargs)
            return result if type(result) in INERT else await_value(state, result)
        call = _call_told if state.told else _call
        return call(state, context, node, args, kwargs)
    if node.func is QUERYSTRING and not args:
        text = changed_query(context, kwargs)
        if text is not None:
            return text
    args.insert(0, context)
    state.reached_out = True
    if names_awaitables(state, context):
        return Pending(_call_with_values(state, context, node, args, kwargs))
    call = _call_told if state.told else _call
    return call(state, context, node, args, kwargs)


register_step(call_tag, node_step)


def changed_query(context: Any, changes: dict[str, Any]) -> str | None:
    """Return what ``{% querystring %}`` gives for the request; None when that is left to Django."""
    request = getattr(context, "request", None)
    return None if request is None else query_string(request.GET, changes)


def _call_with_values(
    state: State, context: Any, node: TagHelperNode, args: list[Any], kwargs: dict[str, Any]
) -> Plan:
    """Call a tag's function that takes the context; it finds results there, no awaitables."""
    yield from await_context(state, context)
    result = (_call_told if state.told else _call)(state, context, node, args, kwargs)
    if type(result) is Pending:
        result = yield from result.plan
    return result


def _call_told(
    state: State, context: Any, node: TagHelperNode, args: list[Any], kwargs: dict[str, Any]
) -> Any:
    """Do what `_call` does, in a render of which somebody is told."""
    if not is_foreign(node.func):
        return _call(state, context, node, args, kwargs)
    call = partial(_call, state, context, node, args, kwargs)
    return ran_traced(state, "tag", node.func, node, Pending, call)


def _call(
    state: State, context: Any, node: TagHelperNode, args: list[Any], kwargs: dict[str, Any]
) -> Any:
    function = node.func
    if state.on_loop and state.sure:
        result = run_surely(state, function, args, kwargs)
        if result is not LEAVE:
            return result if type(result) in INERT else await_value(state, result)
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
        note_sure(state, function)
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


WRITTEN_PLAINLY = frozenset({int, float, bool, type(None), Decimal})
"""Exact types of values whose text has nothing to escape."""


def tag_text(state: State, context: Any, value: Any) -> Any:
    """Return what a simple tag writes: its result, escaped where the context says so."""
    kind = type(value)
    if kind is SafeString or not context.autoescape:
        return value
    if kind is str:
        return escape(value)
    if kind in WRITTEN_PLAINLY:
        return str(value)
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
    result, name = w.temporary("s"), w.constant(node, "node_")
    plan = f"{result} = yield from inclusion_plan(state, context, {name}, {values})"
    w.flush()
    if not w.in_loop:
        w.line(plan)
        w.append(result)
        return
    template, known = write_finding(w, f"inclusion_at_hand(state, context, {name})")
    with w.block(f"if {known} is None:"):
        w.line(plan)
    with w.block("else:"):
        inner = w.temporary("inner")
        w.line(f"{inner} = inclusion_context(context, {values})")
        write_rendering(w, result, template, known, inner)
    w.append(result)


def inclusion_at_hand(state: State, context: Any, node: InclusionNode) -> tuple[Any, Any]:
    """Return the template of an inclusion tag that rendered before in this template, and its plan.

    Returns:
        `NOT_AT_HAND` where `inclusion_plan` is to look for it.
    """
    held: Any = context.render_context
    if context.template is None or type(held) is not RenderContext:
        return NOT_AT_HAND
    here: Any = held.dicts[-1]
    return with_plan(state, here.get(node))


def inclusion_plan(state: State, context: Any, node: InclusionNode, values: Any) -> Plan:
    """The plan of an inclusion tag: its template, with what its function returned."""
    held: Any = context.render_context
    here: Any = held.dicts[-1] if type(held) is RenderContext else held
    template = here.get(node)
    if template is None:
        template = yield from _inclusion_template(state, context.template.engine, node.filename)
        held[node] = template
    return (yield from inner_plan(state, template, inclusion_context(context, values)))


def inclusion_context(context: Any, values: Any) -> Any:
    """Return the context of an inclusion tag's template."""
    inner = new_context(context, values)
    token = lookup_name(dicts_of(context), "csrf_token")
    if token is not MISSING and token is not None:
        inner["csrf_token"] = token
    return inner


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
        "simple_text": simple_text,
        "inclusion_at_hand": inclusion_at_hand,
        "inclusion_context": inclusion_context,
        "inclusion_plan": inclusion_plan,
        "tag_text": tag_text,
    },
)
