"""Calls in a sandbox: it is asked before anything runs, and a refusal is Jinja2's own."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from jinja2.exceptions import SecurityError
from jinja2.sandbox import SandboxedEnvironment

from ..runtime.waits import Kind, Plan, Wait
from .calls import (
    allowed_by,
    call_in_template,
    foreign_call,
    is_shown_context,
    ours,
    shown_first,
)
from .state import running_state
from .tracebacks import internal
from .values import AwaitablePlan, settled


@internal
def secured_call(
    environment: Any, context: Any, function: Any, /, *args: Any, **kwargs: Any
) -> Any:
    """Call in a sandbox, after it has said that this is allowed: nothing runs before that."""
    if context.begun is not None and is_shown_context(context, function):
        call = partial(secured_call, environment)
        return AwaitablePlan(shown_first(context, call, function, args, kwargs))
    if has_own_call(environment):
        # Only that call knows what it refuses, so nothing is called in any other way.
        return foreign_call(partial(own_call, environment, context), function, args, kwargs, None)
    try:
        allowed = environment.is_safe_callable(function)
    except SynchronousOnlyOperation:
        return AwaitablePlan(allowed_later(environment, context, function, args, kwargs))
    return allowed_call(allowed, environment, context, function, args, kwargs)


def has_own_call(environment: Any) -> bool:
    """Whether a sandbox calls in a way of its own."""
    own: Any = type(environment).call
    return own is not SandboxedEnvironment.call or "call" in vars(environment)


@internal
def own_call(environment: Any, context: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
    return environment.call(context, function, *args, **kwargs)


@internal
def allowed_later(
    environment: Any, context: Any, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Plan:
    """Ask a sandbox that needs the database for its answer, then call."""
    allowed = yield Wait(Kind.CALL, environment.is_safe_callable, (function,))
    made = allowed_call(allowed, environment, context, function, args, kwargs)
    return (yield from settled(made))


@internal
def allowed_call(
    allowed: bool,
    environment: Any,
    context: Any,
    function: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    if not allowed:
        try:
            return refuse(function)
        except SynchronousOnlyOperation:  # the text of a queryset is that of its rows
            return Wait(Kind.CALL, refuse, (function,))
    if type(function) in ours:
        return call_in_template(context, function, *args, **kwargs)
    may_be_called = allowed_by(context, environment.is_safe_callable)
    return foreign_call(context.call, function, args, kwargs, may_be_called)


@internal
def refuse(function: Any) -> None:
    """Refuse a call as Jinja2's sandbox does.

    Raises:
        SecurityError: always.
    """
    relations = running_state().known
    policy, relations.policy = relations.policy, "fetch"
    try:
        text = repr(function)  # may load what it shows; nothing that the template has asked for
    finally:
        relations.policy = policy
    raise SecurityError(f"{text} is not safely callable")
