"""Rendering a whole template as part of a plan: what ``Template.render`` does, as a generator."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from inspect import iscoroutinefunction
from time import perf_counter
from types import FrameType
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from django.template import base
from django.template.base import NodeList, Template
from django.template.context import Context
from django.template.context import RequestContext as StockRequestContext

from ..runtime.calls import await_value
from ..runtime.placed_steps import LEAVE, run_in_thread, run_placed
from ..runtime.state import STATE_ATTRIBUTE, State, state_of
from ..runtime.tracing import tracing_of
from ..runtime.types import is_django
from ..runtime.waits import Pending, Plan
from .foreign import await_context, call_in_thread, names_awaitables
from .plan import PlannedNodeList, compiled, repeated_plan

PartialTemplate: Any = getattr(base, "PartialTemplate", Template)
"""Django 6.0's template partials."""

STOCK_TEMPLATES = frozenset({Template, PartialTemplate})
"""The classes of templates whose ``render`` and ``_render`` we do ourselves."""


OUR_REPLACEMENTS: set[Any] = set()
"""Replacements of ``Template.render`` that lead to a plan, and so do not stand in its way. Filled
before the first render, by a program that counts renders."""


def is_replaced(kind: Any, name: str) -> bool:
    """Whether somebody has put a function of his own in the place of a method of Django's.

    A proxy, as tracing products put around functions, passes for what it wraps.
    """
    function = vars(kind)[name]
    code = getattr(function, "__code__", None)
    return getattr(code, "co_filename", None) != DJANGOS_FILE and function not in OUR_REPLACEMENTS


DJANGOS_FILE = base.render_value_in_context.__code__.co_filename


SHIPPED, SHIPPED_PARTIAL = (
    tuple(None if is_replaced(kind, name) else vars(kind)[name] for name in ("render", "_render"))
    for kind in (Template, PartialTemplate)
)
"""Django's own methods of a template, and of a partial, unless they were replaced before this
module was imported."""


def is_as_shipped(template: Any) -> bool:
    """Whether a template is rendered by Django's own methods, as nearly all are."""
    kind: Any = Template
    return type(template) is kind and (kind.render, kind._render) == SHIPPED


def is_usual(template: Any) -> bool:
    """Whether a template or a partial is rendered by Django's own methods."""
    kind: Any = type(template)
    if kind is PartialTemplate is not Template:
        return (kind.render, kind._render) == SHIPPED_PARTIAL
    return is_as_shipped(template)


def is_instrumented(template: Any) -> bool:
    """Whether a template sends the signal that Django's tests listen to, and renders as ever."""
    code = getattr(template._render, "__code__", None)
    return getattr(code, "co_name", "") == "instrumented_test_render"


def shows_its_nodes(template: Any) -> bool:
    """Whether rendering a template or a partial means to render its nodes, and nothing else."""
    kind = type(template)
    return (
        kind in STOCK_TEMPLATES
        and not is_replaced(kind, "render")
        and (not is_replaced(kind, "_render") or is_instrumented(template))
    )


def find_calling_methods(template: Any, context: Any) -> frozenset[str]:
    """Find the replaced methods of a template that are under way for a context, and call us.

    Asking them again would never end: what they want is what Django's own method does.
    """
    replaced = {
        name
        for name in ("render", "_render")
        if type(template) in STOCK_TEMPLATES and is_replaced(type(template), name)
    }
    if not replaced:
        return NO_CALLERS
    outer = state_of(context) if isinstance(context, Context) else None
    if outer is not None:
        asked = {name for asked, name in outer.asked if asked is template}
        if asked:
            return frozenset(asked & replaced)
    codes = {getattr(vars(type(template))[name], "__code__", None): name for name in replaced}
    found = set()
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = codes.get(frame.f_code)
        if name is not None:
            values = list(frame.f_locals.values())
            if any(item is template for item in flat(values)):
                found.add(name)
        frame = frame.f_back
    return frozenset(found)


NO_CALLERS: frozenset[str] = frozenset()


def flat(values: list[Any]) -> Iterator[Any]:
    """The values, and those in a tuple of them, as ``*args`` is one."""
    for value in values:
        if type(value) is tuple:
            yield from value
        else:
            yield value


def outermost_plan(state: State, template: Any, context: Any) -> Plan:
    """The plan of a template that nothing else is being rendered around.

    It is `render_plan`, with less around it where the template and the context are usual ones.
    """
    if (
        not is_as_shipped(template)
        or type(context) is not Context
        or context.template is not None
        or STATE_ATTRIBUTE in context.__dict__
    ):
        return render_plan(state, template, context, find_calling_methods(template, context))
    return _usual_plan(state, template, context)


def _usual_plan(state: State, template: Any, context: Any) -> Plan:
    render_context = context.render_context
    initial = render_context.template
    render_context.template = template
    render_context.dicts.append({})
    attributes = context.__dict__
    attributes[STATE_ATTRIBUTE] = state
    context.template = template
    try:
        context.template_name = template.name
        if state.ahead is not None:
            state.ahead(state, template, context)
        plan = template.nodelist.__dict__.get(state.wanted)
        if plan is None:
            plan = yield from compiled(state, template.nodelist, template)
        return (yield from plan(context, state))
    finally:
        context.template = None
        attributes.pop(STATE_ATTRIBUTE, None)
        render_context.template = initial
        render_context.dicts.pop()


def repeated_template_plan(state: State, template: Any, context: Any) -> Plan:
    """The plan of a template that many pages show many times each, as those of forms.

    It is `outermost_plan`; off the loop the template is compiled as the contents of a loop are.
    """
    if is_as_shipped(template):
        repeated_plan(state, template.nodelist, template)
    return outermost_plan(state, template, context)


def inner_plan(state: State, template: Any, context: Any) -> Plan:
    """The plan of a template that another one renders, with its context or one made from that.

    It is `render_plan`, with less around it where the template is a usual one.
    """
    if not is_usual(template) or context.template is None:
        return render_plan(state, template, context)
    return _usual_inner_plan(state, template, context)


def _usual_inner_plan(state: State, template: Any, context: Any) -> Plan:
    plan = template.nodelist.__dict__.get(state.wanted)
    if plan is None:
        plan = yield from compiled(state, template.nodelist, template)
    render_context = context.render_context
    initial = render_context.template
    render_context.template = template
    render_context.dicts.append({})
    try:
        return (yield from plan(context, state))
    finally:
        render_context.template = initial
        render_context.dicts.pop()


def render_plan(
    state: State, template: Any, context: Any, calling: frozenset[str] = NO_CALLERS
) -> Plan:
    """The plan of ``template.render(context)``.

    Args:
        template: a parsed template or partial, or anything with a ``render(context)`` method.
        calling: what `find_calling_methods` found: replaced methods that are not to be asked.
    """
    if type(template) not in STOCK_TEMPLATES or (
        "render" not in calling and is_replaced(type(template), "render")
    ):
        return (yield from foreign_plan(state, template, "render", context))
    render_context = context.render_context
    initial = render_context.template
    render_context.template = template
    render_context.dicts.append({})
    try:
        if context.template is not None:
            return (yield from body_plan(state, template, context, calling))
        return (yield from _bound(state, template, context, calling))
    finally:
        render_context.template = initial
        render_context.dicts.pop()


def body_plan(
    state: State, template: Any, context: Any, calling: frozenset[str] = NO_CALLERS
) -> Plan:
    """The plan of ``template._render(context)``, with the signal that Django's tests listen to.

    Arguments as for `render_plan`.
    """
    if (
        not is_as_shipped(template)
        and "_render" not in calling
        and is_replaced(type(template), "_render")
    ):
        if not is_instrumented(template):
            return (yield from foreign_plan(state, template, "_render", context))
        # Not at the top: django.test is not for production, and is loaded already when this runs.
        from django.test.signals import template_rendered

        template_rendered.send(sender=template, template=template, context=context)
    if state.ahead is not None:
        state.ahead(state, template, context)
    plan = vars(template.nodelist).get(state.wanted)
    if plan is None:
        plan = yield from compiled(state, template.nodelist, template)
    return (yield from plan(context, state))


def foreign_plan(state: State, template: Any, name: str, context: Any) -> Plan:
    """Render a template by a method that is not Django's own, whole, in the request's thread.

    What stands in the template still runs through our plan.

    Args:
        name: the method, which takes the context.
    """
    render = getattr(template, name)
    nodelist = getattr(template, "nodelist", None)
    if type(nodelist) is NodeList:
        nodelist.__class__ = PlannedNodeList
    outermost = isinstance(context, Context) and state_of(context) is None
    if outermost:
        setattr(context, STATE_ATTRIBUTE, state)
    state.asked.append((template, name))
    try:
        if isinstance(context, Context) and names_awaitables(state, context):
            yield from await_context(state, context)
        if state.on_loop:
            return (yield from call_in_thread(state, render, context))
        return render(context)
    finally:
        state.asked.pop()
        if outermost:
            delattr(context, STATE_ATTRIBUTE)


def _bound(state: State, template: Any, context: Any, calling: frozenset[str]) -> Plan:
    """Render the outermost template: bind the context to it, run the context processors."""
    outer = state_of(context)
    setattr(context, STATE_ATTRIBUTE, state)
    try:
        if type(context) is Context:
            # As `Context.bind_template` does it, which costs a good part of rendering a tiny page.
            context.template = template
            try:
                context.template_name = template.name
                return (yield from body_plan(state, template, context, calling))
            finally:
                context.template = None
        if not _has_processors(context):
            with context.bind_template(template):
                context.template_name = template.name
                return (yield from body_plan(state, template, context, calling))
        context.template = template
        try:
            updates, results = yield from _run_processors(state, template, context)
            if StockRequestContext.bind_template.__module__ != StockRequestContext.__module__:
                # django-debug-toolbar replaces the method in order to keep what each returned.
                context.context_processors = results
            context.dicts[context._processors_index] = updates
            context.template_name = template.name
            return (yield from body_plan(state, template, context, calling))
        finally:
            context.template = None
            context.dicts[context._processors_index] = {}
    finally:
        if outer is None:
            delattr(context, STATE_ATTRIBUTE)
        else:
            setattr(context, STATE_ATTRIBUTE, outer)


def _has_processors(context: Any) -> bool:
    """Whether binding the context means to run context processors, and nothing else."""
    if not isinstance(context, StockRequestContext):
        return False
    kind: Any = type(context)
    usual = kind.bind_template is StockRequestContext.bind_template
    bound = getattr(context, "_processors_index", None) is not None
    return bound and (usual or kind.bind_template in OUR_BINDINGS)


OUR_BINDINGS: set[Any] = set()
"""The ``bind_template`` methods of context classes of ours; `engines.context` adds its own
when it is imported."""


def processor_code(processor: Any) -> Any:
    """What is remembered of a context processor: the function."""
    return getattr(processor, "__func__", processor)


def _run_processors(state: State, template: Any, context: Any) -> Plan:
    """Run the context processors in order.

    Django's own run right here, as do coroutine functions; another may do any I/O and runs in
    the request's thread until it has shown that it is quick and asks for nothing.

    Returns:
        All their values together, and by processor.
    """
    updates: dict[str, Any] = {}
    results: dict[str, Any] = {}
    tracing = tracing_of(state.told) if state.told else None
    for processor in template.engine.template_context_processors + context._processors:
        module = getattr(processor, "__module__", "")
        start = 0.0 if tracing is None else perf_counter()
        result: Any = LEAVE
        code = None
        if not state.looks or is_django(module) or iscoroutinefunction(processor):
            try:
                result = processor(context.request)
            except SynchronousOnlyOperation:
                if not state.on_loop:
                    raise
            except StopIteration as stop:
                # Django calls processors in a generator of its own, which covers it for good.
                covered = stop.with_traceback(stop.__traceback__ and stop.__traceback__.tb_next)
                raise RuntimeError("generator raised StopIteration") from covered
        else:
            code = processor_code(processor)
            trusted = state.policy.may_run_here(code, None, module)
            given = (context.request,)
            try:
                result = run_placed(state, code, trusted, processor, given, None, given)
            except StopIteration as stop:
                covered = stop.with_traceback(stop.__traceback__ and stop.__traceback__.tb_next)
                raise RuntimeError("generator raised StopIteration") from covered
        if tracing is not None and result is not LEAVE and not is_django(module):
            taken = perf_counter() - start
            tracing.ran(processor_code(processor), "processor", taken, state.on_loop)
        if result is LEAVE:
            result = yield run_in_thread(code, processor, context.request)
        result = await_value(state, result)
        if type(result) is Pending:
            result = yield from result.plan
        try:
            updates.update(result)
        except TypeError as error:
            name = getattr(processor, "__qualname__", repr(processor))
            raise TypeError(f"Context processor {name} didn't return a dictionary.") from error
        results[f"{module}.{getattr(processor, '__name__', processor)}"] = result
    return updates, results
