"""Calling what a lookup gave, and awaiting what a call gave."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from types import FunctionType, MethodType
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from django.db.models.query import QuerySet
from django.template.loader_tags import BlockNode

from ..placement.python_code import call_code
from .async_twins import (
    async_twin,
    call_twin,
    is_of_others,
    is_of_source,
    may_be_called,
    wait_for_twin,
)
from .branches import here
from .containers import filled
from .forms import FORM_METHODS, form_call
from .loading import Beside, is_loading
from .placed_steps import LEAVE, run_here, run_in_thread
from .shared_awaitables import SharedAwaitables
from .sites import Site
from .state import State
from .types import INERT, is_awaitable, learn_type
from .waits import Kind, Pending, Plan, Wait, pending_wait

CALLED_OTHERWISE: set[Any] = {BlockNode.super, *FORM_METHODS}
"""Functions whose methods `call_value` does not simply call. Filled by imports alone."""


def call_value(state: State, value: Any) -> Any:
    """Call a callable found in a template, under Django's rules for it."""
    if getattr(value, "do_not_call_in_templates", False):
        return value
    if getattr(value, "alters_data", False):
        return state.engine.string_if_invalid
    if type(value) is MethodType:
        if value.__func__ is BlockNode.super:
            return Pending(state.block_super(state, value.__self__))
        if not state.looks and value.__func__ in FORM_METHODS:
            shown = form_call(state, value)
            if shown is not None:
                return shown
    try:
        return value()
    except TypeError:
        if refuses_arguments(value):
            return state.engine.string_if_invalid
        raise


def refuses_arguments(function: Any) -> bool:
    """Whether something that raised ``TypeError`` cannot be called without arguments."""
    try:
        parameters = signature(function)
    except ValueError:
        return True
    try:
        parameters.bind()
    except TypeError:  # it needs arguments
        return True
    return False


def call_or_await(state: State, value: Any, site: Site | None = None, root: Any = None) -> Any:
    """Await an awaitable and call a callable, as a lookup's result demands."""
    kind = type(value)
    if kind not in INERT:
        learn_type(kind)
        if kind in INERT:
            return value
    if is_awaitable(value):
        return await_awaitable(state, value, then_call=True)
    if callable(value):
        code = None
        if state.looks:
            if state.on_loop and kind is MethodType:
                twin = async_twin(value)
                if twin is not None and is_of_others(twin, value):
                    return repeat_call(state, value, site, root, twin=twin)
            code = None if is_of_source(value) or is_left_alone(value) else call_code(value)
        if code is not None:
            owner = getattr(value, "__self__", None) if kind is MethodType else value
            result = run_here(state, code, call_value, (state, value), (owner,))
            if result is LEAVE:
                return repeat_call(state, value, site, root, code)
            value = result
        else:
            try:
                value = call_value(state, value)
            except SynchronousOnlyOperation:
                if not state.on_loop:
                    raise
                return repeat_call(state, value, site, root)
        if type(value) not in INERT:
            learn_type(type(value))
            if is_awaitable(value):
                return await_awaitable(state, value)
    return value


def is_left_alone(function: Any) -> bool:
    """Whether a function, a method or a class says that templates are not to call it."""
    if type(function) not in CALLABLES and not issubclass(type(function), type):
        return False
    return not may_be_called(function)


CALLABLES = frozenset({FunctionType, MethodType})


def repeat_call(
    state: State,
    function: Any,
    site: Site | None = None,
    root: Any = None,
    code: Any = None,
    twin: Any = None,
) -> Pending:
    """Make a call that cannot be made right here: in the thread, or of another's async twin.

    Args:
        code: what the call runs, if that is code of others.
        twin: the async method to await in its place, if there is one.
    """
    made = call_twin(twin) if twin is not None else None
    if made is not None:
        notify = state.relations.call_step(function, site, root)
        return pending_wait(wait_for_twin(made, notify))
    owner, index = getattr(function, "__self__", None), len(site.bits) if site is not None else 1
    name = getattr(function, "__name__", "")
    notify = state.relations.python_step(owner, name, site, root, index - 1)
    if here.get() is not None and code is None and name in READING and is_a_queryset(owner):
        # A part of the page, whose others are rendered at the same time.
        return pending_wait(Wait(Kind.AWAIT, Beside.call(function), notify=notify))
    return pending_wait(run_in_thread(code, call_value, state, function, notify=notify))


READING = frozenset({"count", "exists", "first", "last"})
"""Methods of Django's querysets that send a query of their own, and take no arguments."""


def is_a_queryset(value: Any) -> bool:
    """Whether a value is a queryset of Django's, by its type alone."""
    return issubclass(type(value), QuerySet)


def await_awaitable(state: State, awaitable: Any, *, then_call: bool = False) -> Any:
    """Return the result of an awaitable that was awaited before, or a `Pending` of it."""
    known = state.awaited.get(id(awaitable))
    if known is None:
        return Pending(await_once(state, awaitable, then_call))
    value = known[1]
    if then_call and type(value) not in INERT and callable(value):
        return call_or_await(state, value)
    return value


def await_once(state: State, awaitable: Any, then_call: bool) -> Plan:
    if id(awaitable) in state.upcoming and state.sending is not None and state.concurrent:
        # The page goes on as soon as this one is there.
        upcoming, state.upcoming = state.upcoming, {}
        if state.shared is None:
            state.shared = SharedAwaitables(users=1)
        value = yield Wait(Kind.AWAIT, state.shared.begun_together(upcoming.values(), awaitable))
        state.awaited[id(awaitable)] = (awaitable, value)
    elif id(awaitable) in state.upcoming:
        upcoming, state.upcoming = state.upcoming, {}
        results = yield Wait(Kind.GATHER, upcoming)
        for identity, result in results.items():
            state.awaited[identity] = (upcoming[identity], result)
        value = results[id(awaitable)]
    else:
        shared = state.shared
        # Another part that runs at the same time may have met it.
        once = awaitable if shared is None or is_loading(awaitable) else shared.result(awaitable)
        value = yield Wait(Kind.AWAIT, once)
        state.awaited[id(awaitable)] = (awaitable, value)
    if then_call and type(value) not in INERT and callable(value):
        value = call_or_await(state, value)
        if type(value) is Pending:
            value = yield from value.plan
    return value


def await_value(state: State, value: Any) -> Any:
    """Await a value if it is awaitable, and do nothing else with it."""
    if type(value) not in INERT and is_awaitable(value):
        return await_awaitable(state, value)
    return value


def filled_then(state: State, value: Any, function: Callable[[Any], Any]) -> Pending:
    """Give what ``function`` makes of a container, once its awaitables are awaited."""
    return Pending(_filled_then(state, value, function))


def _filled_then(state: State, value: Any, function: Callable[[Any], Any]) -> Plan:
    value = yield from filled(value, lambda item: _awaited(state, item))
    result = function(value)
    return (yield from result.plan) if type(result) is Pending else result


def _awaited(state: State, awaitable: Any) -> Plan:
    result = await_awaitable(state, awaitable)
    return (yield from result.plan) if type(result) is Pending else result


def again_in_thread(
    state: State,
    value: Any,
    bit: str,
    site: Site | None,
    root: Any,
    function: Any,
    *args: Any,
    code: Any = None,
) -> Pending:
    """Take a step in the request's thread: it belongs there, or met Django's guard here.

    Args:
        bit: what is done with the value.
        code: what the step runs, if that is code of others.
    """
    index = len(site.bits) if site is not None else 1
    notify = state.relations.python_step(value, bit, site, root, index)
    return pending_wait(run_in_thread(code, function, *args, notify=notify))
