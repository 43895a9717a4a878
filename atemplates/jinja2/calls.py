"""Calls of what a template calls itself: macros, functions, methods of the ORM."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from django.db.models.manager import BaseManager

from ..placement.python_code import call_code
from ..runtime.async_twins import (
    Allowed,
    async_twin,
    call_twin,
    gives_rows,
    has_its_name,
    is_of_others,
    is_of_source,
    wait_for_twin,
)
from ..runtime.branches import here
from ..runtime.calls import READING, is_a_queryset
from ..runtime.drivers import on_event_loop
from ..runtime.loading import Beside
from ..runtime.types import RELATED
from ..runtime.waits import Kind, Plan, Wait
from .arguments import prepared, stuck, unready
from .callables import BlockReference, Macro, PlannedFunction
from .contexts import shown
from .function_marks import PASS_MARK, shows_context
from .loops import LoopContext
from .placed import Placed, called_code, stands_on_loop, taken
from .state import running_state
from .tracebacks import internal
from .values import ORM_TYPES, PLANNED, SETTLED_TYPES, AwaitablePlan, settled

ours = frozenset({Macro, BlockReference, LoopContext, PlannedFunction})
"""What a template can call as part of its own plan."""

plain_callables = frozenset({FunctionType, MethodType, BuiltinFunctionType})
"""What can be called without asking ``context.call`` whether it wants the context."""


def anything(function: Any) -> bool:
    """Allow every call, as an environment does that is no sandbox."""
    return True


@internal
def call_in_template(context: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
    """Call what a template calls: one of ours as part of the plan, anything else directly."""
    if type(function) in ours:
        if kwargs:
            kwargs.pop("_loop_vars", None)
            kwargs.pop("_block_vars", None)
        return function._pend(context.eval_ctx, *args, **kwargs)
    for argument in args:
        if type(argument) in unready:
            return foreign_call(context.call, function, args, kwargs, allowed_by(context))
    if (
        kwargs
        or type(function) not in plain_callables
        or not context.calls_directly
        or hasattr(function, PASS_MARK)
        or (type(function) is MethodType and type(function.__self__) in ORM_TYPES)
    ):
        if context.begun is not None and is_shown_context(context, function):
            return AwaitablePlan(shown_first(context, call_in_template, function, args, kwargs))
        return foreign_call(context.call, function, args, kwargs, allowed_by(context))
    if stands_on_loop():
        code = called_code(function, args, kwargs)
        if code is not None:
            return placed_call(code, context.call, function, args, kwargs)
    try:
        return function(*args)
    except StopIteration:
        return context.environment.undefined(
            "value was undefined because a callable raised a StopIteration exception"
        )
    except SynchronousOnlyOperation as error:
        return repeated(context.call, function, args, {}, anything, error)


def is_shown_context(context: Any, function: Any) -> bool:
    """Whether a call shows the context to code of others."""
    return not context.calls_directly or shows_context(function)


@internal
def shown_first(
    context: Any, call: Any, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Plan:
    """Call what looks at the context, once results stand there in the place of awaitables."""
    yield from shown(context)
    return (yield from settled(call(context, function, *args, **kwargs)))


def allowed_by(context: Any, allowed: Allowed = anything) -> Allowed | None:
    """What may be called in the place of a method: nothing where a site has its own way to call."""
    return allowed if context.calls_directly else None


@internal
def macro_plan(
    context: Any,
    function: Any,
    names: tuple[str, ...] = (),
    site: Any = None,
    root: Any = None,
    **extra: Any,
) -> Callable[..., Plan]:
    """The plan function for a call of what looks like a macro, but is none or needs more.

    Args:
        context: the template's context.
        function: what is called.
        names: the names of the last arguments.
        site: the place and path of the call.
        root: the value of the variable that the path begins with.
        extra: what only functions that ask for the context see.
    """
    return partial(called, context, function, names, extra, site, root)


@internal
def called(
    context: Any,
    function: Any,
    names: tuple[str, ...],
    extra: dict[str, Any],
    site: Any,
    root: Any,
    *values: Any,
) -> Plan:
    count = len(values) - len(names)
    named = dict(zip(names, values[count:], strict=True))
    value = call_in_template(context, function, *values[:count], **named, **extra)
    return value if type(value) in SETTLED_TYPES else (yield from settled(value, site, root))


@internal
def foreign_call(
    caller: Callable[..., Any],
    function: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    allowed: Allowed | None,
) -> Any:
    """Call a Python function, here or where what it runs belongs.

    Args:
        caller: what makes the call.
        function: what is called; the template may call it.
        args: its arguments.
        kwargs: its named arguments.
        allowed: says of another function whether the template may call that; None: nothing may be
            called in the place of this one.
    """
    if args or kwargs:
        for argument in (*args, *kwargs.values()):
            if type(argument) in unready:
                return AwaitablePlan(prepared(caller, function, (function, *args), kwargs))
    if (
        type(function) is MethodType
        and type(function.__self__) in ORM_TYPES
        and allowed is not None
    ):
        return MethodCall(caller, function, args, kwargs, allowed)
    if stands_on_loop():
        code = called_code(function, args, kwargs)
        if code is not None:
            return placed_call(code, caller, function, args, kwargs)
    try:
        return caller(function, *args, **kwargs)
    except SynchronousOnlyOperation as error:
        return repeated(caller, function, args, kwargs, allowed, error)


def placed_call(
    code: Any,
    caller: Callable[..., Any],
    function: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Call a function that runs code of others where that belongs."""
    if type(function) is MethodType and type(function.__self__) in RELATED:
        return MethodCall(caller, function, args, kwargs, None, code=code)
    owner = getattr(function, "__self__", None) if type(function) is MethodType else function
    given = (owner, *args, *kwargs.values())
    if hasattr(function, PASS_MARK):
        given = (*given, getattr(caller, "__self__", None))
    return Placed(code, caller, (function, *args), kwargs, given)


def repeated(
    caller: Callable[..., Any],
    function: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    allowed: Allowed | None,
    error: SynchronousOnlyOperation,
) -> Any:
    """The wait for a call that met Django's guard: in the thread, or of another's async twin."""
    if type(function) is MethodType and type(function.__self__) in RELATED:
        return MethodCall(caller, function, args, kwargs, allowed, error)
    return stuck(caller, (function, *args), kwargs, error)


class MethodCall:
    """A call of a method of a model, manager or queryset, which may query."""

    __slots__ = ("allowed", "args", "caller", "code", "error", "function", "kwargs")

    def __init__(
        self,
        caller: Callable[..., Any],
        function: MethodType,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        allowed: Allowed | None,
        error: SynchronousOnlyOperation | None = None,
        code: Any = None,
    ) -> None:
        self.caller = caller
        self.code = code
        """What the call runs, if that is code of others."""
        self.allowed = allowed
        self.function = function
        self.args = args
        self.kwargs = {
            name: value
            for name, value in kwargs.items()
            if name not in ("_loop_vars", "_block_vars")
        }
        self.error = error
        """What the first attempt raised."""

    @internal
    def _finish(self, site: Any = None, root: Any = None) -> Plan:
        """The plan of the call.

        Raises:
            LazyAccessError: under ``relations="raise"``, for a call that queries.
        """
        function, owner = self.function, self.function.__self__
        relations = running_state().relations
        index = len(site.bits) - 1 if site is not None else 1
        if type(owner) not in ORM_TYPES or self.allowed is None:
            notify = relations.python_step(owner, function.__name__, site, root, index)
            if self.code is not None:
                return (yield from self.placed(self.code, notify))
            return (yield self.repeated(notify))
        bare = not self.args and not self.kwargs and has_its_name(function)
        if bare and site is not None:
            step: Any = None
            while type(step := relations.step(owner, function.__name__, site, root, index)) is Wait:
                yield step
            if step is not None:
                return step.value
        looks = stands_on_loop() and not is_of_source(function)
        code = call_code(function) if looks else None
        if code is not None:
            return (yield from self.placed(code, relations.call_step(function, site, root)))
        twin = async_twin(function, self.allowed)
        # A manager's method may answer from rows that were prefetched, and asks for nothing then.
        announced = twin is not None and site is not None and not isinstance(owner, BaseManager)
        notify = relations.call_step(function, site, root) if announced else None
        if twin is None or notify is None or gives_rows(twin):
            try:
                return self.caller(function, *self.args, **self.kwargs)
            except SynchronousOnlyOperation as error:
                self.error = error
        if twin is not None and on_event_loop() and is_of_others(twin, function):
            if notify is None and site is not None:
                notify = relations.call_step(function, site, root)
            made = call_twin(twin, *self.args, **self.kwargs)
            if made is not None:
                return (yield wait_for_twin(made, notify))
        if here.get() is not None and bare and code is None and loads_beside(self.function):
            # A part of the page, whose others are rendered at the same time.
            return (yield Wait(Kind.AWAIT, Beside.call(self.function), notify=notify))
        return (yield self.repeated(notify))

    def placed(self, code: Any, notify: Any) -> Plan:
        """The plan of the call, which runs code of others."""
        arguments = (self.function, *self.args)
        given = (self.function.__self__, *self.args, *self.kwargs.values())
        return (yield from taken(code, self.caller, arguments, self.kwargs, given, notify))

    def repeated(self, notify: Any) -> Wait:
        arguments = (self.function, *self.args)
        wait = stuck(self.caller, arguments, self.kwargs, self.error)
        wait.notify = notify
        return wait


def loads_beside(function: MethodType) -> bool:
    """Whether a method of a queryset sends a query of its own, and nothing of a site's runs."""
    return function.__name__ in READING and is_a_queryset(function.__self__)


PLANNED.add(MethodCall)
