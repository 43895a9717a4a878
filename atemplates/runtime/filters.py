"""Applying filters, which may be coroutine functions or meet the database."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from django.db.models import QuerySet
from django.template import defaultfilters
from django.utils.safestring import SafeData, SafeString, mark_safe

from ..errors import NotRepeatable
from ..placement.python_code import CODELESS_TYPES, SOMEBODYS, call_code
from ..placement.value_code import iteration_code, truth_code, use_code
from .calls import await_value, filled_then
from .containers import CONTAINER_TYPES, holds_awaitables
from .fast.fast_path import FastPath
from .iteration import ROW_CONTAINERS
from .placed_steps import LEAVE, note_sure, run_in_thread, run_placed, run_surely
from .relations import evaluate
from .running_steps import LocalValues, RunningStep, register_step
from .sites import Site
from .source_steps import CUTTING_FILTERS, filter_source
from .state import State
from .tracing import ran_traced
from .types import INERT, RELATED, is_awaitable, is_django, is_iterator, is_related, is_source
from .waits import Kind, Pending, Plan, Wait, pending_wait

WHOLE_VALUE_FILTERS = frozenset(
    {
        "default",
        "dictsort",
        "dictsortreversed",
        "escapeseq",
        "join",
        "length",
        "pluralize",
        "random",
        "safeseq",
        "unordered_list",
        "yesno",
    }
)
"""Django's filters that read all rows of a queryset."""

ITERATING = frozenset(
    {"dictsort", "dictsortreversed", "escapeseq", "join", "safeseq", "unordered_list"}
)
"""Those of them that take an iterator, which has neither a length nor items."""

INERT_ROWS = CODELESS_TYPES | ROW_CONTAINERS


PASSING_ON: frozenset[Any] = frozenset(
    {
        defaultfilters.default,
        defaultfilters.default_if_none,
        defaultfilters.first,
        defaultfilters.last,
        defaultfilters.length,
        defaultfilters.pluralize,
        defaultfilters.random,
        defaultfilters.slice_filter,
        defaultfilters.yesno,
    }
)
"""Django's filters that look at no item of a container; what they give may be awaited."""


def looks_into(function: Any) -> bool:
    """Whether a filter may look at the items of a container."""
    return type(function) is not FunctionType or function not in PASSING_ON


def is_bare(value: Any) -> bool:
    """Whether a value runs nobody's code, and its items if it is a list: nothing is prepared."""
    kind = type(value)
    return kind in CODELESS_TYPES or (
        kind in ROW_CONTAINERS and CODELESS_TYPES.issuperset(map(type, value))
    )


def apply_filter(
    state: State,
    function: Any,
    value: Any,
    site: Site | None,
    root: Any,
    *args: Any,
    **kwargs: Any,
) -> Any:
    """Apply a filter that may be a coroutine function or meet the database.

    Args:
        site: the expression that the filter belongs to, if that is known.
        root: the value of its first bit.
        args: the filter's arguments.
    """
    if type(value) not in INERT_ROWS and is_source(type(value)) and _reads_source(function, value):
        again = lambda rows: apply_filter(state, function, rows, site, root, *args, **kwargs)  # noqa: E731
        return filter_source(state, again, function, value, args, kwargs)
    kind, bare = type(value), is_bare(value)
    looked_into = not bare and kind in CONTAINER_TYPES and looks_into(function)
    if looked_into and holds_awaitables(value, INERT):
        return filled_then(
            state,
            value,
            lambda held: apply_filter(state, function, held, site, root, *args, **kwargs),
        )
    if not bare and (kind in ROW_CONTAINERS or is_related(kind)):
        if _takes_all(function, value):
            wait = state.relations.whole(value, site, root)
            if wait is not None:
                filtered = _filter_rows(state, value, wait, function, args, kwargs, site, root)
                return Pending(filtered)
        if not state.on_loop:
            state.relations.prepare_value(value, site, root)
    result: Any
    code = filter_code(function, value, args) if state.looks else None
    if state.told and call_code(function) is not None:
        result = _applied_told(state, code, function, value, args, kwargs, site, root)
    elif code is not None:
        result = _placed(state, code, function, value, args, kwargs, site, root)
    else:
        try:
            result = function(value, *args, **kwargs)
        except SynchronousOnlyOperation as error:
            result = filter_again(state, error, function, value, args, kwargs, site, root)
    if type(result) is Pending or (type(result) not in INERT and is_awaitable(result)):
        return Pending(_filtered(state, result, value, function, site, root))
    _note_origin(state, value, result, site, root)
    if getattr(function, "is_safe", False) and isinstance(value, SafeData):
        result = mark_safe(result)
    return result


def _applied_told(
    state: State,
    code: Any,
    function: Any,
    value: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    site: Site | None,
    root: Any,
) -> Any:
    """Apply a filter of others in a render of which somebody is told; arguments as of `_placed`."""

    def apply() -> Any:
        if code is not None:
            return _placed(state, code, function, value, args, kwargs, site, root)
        try:
            return function(value, *args, **kwargs)
        except SynchronousOnlyOperation as error:
            return filter_again(state, error, function, value, args, kwargs, site, root)

    return ran_traced(state, "filter", function, site, Pending, apply)


def _applying(values: LocalValues) -> RunningStep:
    return RunningStep(
        "filter",
        values["state"].relations,
        values["value"],
        values["site"],
        values["root"],
        function=values["function"],
    )


register_step(apply_filter, _applying)


def filter_code(function: Any, value: Any, args: tuple[Any, ...]) -> Any:
    """What applying a filter runs: a filter of others itself, or what Django's asks of a value."""
    code = call_code(function)
    if code is not None:
        return code
    if is_bare(value) and CODELESS_TYPES.issuperset(map(type, args)):
        return None
    if is_iterator(value) or any(map(is_iterator, args)):
        return SOMEBODYS
    asked = ASKED.get(getattr(function, "__name__", ""))
    if asked is not None and is_django(getattr(function, "__module__", None) or ""):
        code = next((found for ask in asked if (found := ask(value)) is not None), None)
        return use_code(*args) if code is None else code
    return use_code(value, *args)


ASKED: dict[str, tuple[Callable[[Any], Any], ...]] = {
    "default": (truth_code,),
    "default_if_none": (),
    "first": (iteration_code,),
    "last": (iteration_code,),
    "length": (iteration_code,),
    "random": (iteration_code,),
    "slice_filter": (iteration_code,),
    "yesno": (truth_code,),
}
"""All that some of Django's filters ask of a value, by the name of the function."""


def _placed(
    state: State,
    code: Any,
    function: Any,
    value: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    site: Site | None,
    root: Any,
) -> Any:
    """Apply a filter that runs code of others, here or in the request's thread."""
    given = (value, *args)
    if not state.on_loop or not any(map(is_iterator, given)):
        others = call_code(function) is not None
        trusted = state.policy.may_run_here(code, function) if others else state.policy.trusts(code)
        result = run_placed(state, code, trusted, function, given, kwargs, given)
        if result is not LEAVE:
            if others:
                note_sure(state, function)
            return result
    state.relations.prepare_value(value, site, root)
    notify = state.relations.filter_step(function, value, site, root)
    return pending_wait(run_in_thread(code, function, *given, notify=notify, **kwargs))


def apply_own(
    state: State,
    function: Any,
    value: Any,
    site: Site | None,
    root: Any,
    *args: Any,
    **kwargs: Any,
) -> Any:
    """Apply a filter of a site's; on the loop quickly where it has run there in this render."""
    if state.on_loop and state.sure and type(value) in CODELESS_TYPES:
        result = run_surely(state, function, (value, *args), kwargs)
        if result is not LEAVE and type(result) in INERT:
            if type(value) is SafeString and getattr(function, "is_safe", False):
                return mark_safe(result)
            return result
        if result is not LEAVE:
            return Pending(_filtered(state, result, value, function, site, root))
    return apply_filter(state, function, value, site, root, *args, **kwargs)


def apply_stock(
    state: State,
    function: Any,
    value: Any,
    site: Site | None,
    root: Any,
    *args: Any,
    **kwargs: Any,
) -> Any:
    """Apply a filter of Django's own with constant arguments: a plain value needs nothing."""
    if type(value) in CODELESS_TYPES and type(value) is not SafeString:
        return function(value, *args, **kwargs)
    return apply_filter(state, function, value, site, root, *args, **kwargs)


def apply_fast_path(
    state: State,
    context: Any,
    path: FastPath,
    function: Any,
    value: Any,
    site: Site | None,
    root: Any,
    *args: Any,
) -> Any:
    """Apply the fast path of a filter of Django's, or the filter where that gives None."""
    if type(value) in path.types:
        given = (value, context.autoescape, *args) if path.autoescape else (value, *args)
        if path.ambient:
            result = path.function(state.ambient.now(), *given)
        else:
            result = path.function(*given)
        if result is not None:
            return result
    if getattr(function, "needs_autoescape", False):
        autoescape = context.autoescape
        return apply_filter(state, function, value, site, root, *args, autoescape=autoescape)
    return apply_filter(state, function, value, site, root, *args)


def _filter_rows(
    state: State,
    queryset: Any,
    wait: Wait,
    function: Any,
    args: Any,
    kwargs: Any,
    site: Site | None,
    root: Any,
) -> Plan:
    """Evaluate a whole queryset, then apply a filter, which may ask for more."""
    queryset = yield from evaluate(state.relations, queryset, wait)
    result = apply_filter(state, function, queryset, site, root, *args, **kwargs)
    if type(result) is Pending:
        result = yield from result.plan
    return result


def _takes_all(function: Any, value: Any) -> bool:
    return (
        issubclass(type(value), QuerySet)
        and function.__module__ == "django.template.defaultfilters"
        and function.__name__ in WHOLE_VALUE_FILTERS
    )


def _reads_source(function: Any, value: Any) -> bool:
    """Whether a filter is Django's own and reads rows, or some of them."""
    if function.__module__ != "django.template.defaultfilters":
        return False
    if is_iterator(value) or hasattr(type(value), "__anext__"):
        return function.__name__ in ITERATING
    return function.__name__ in WHOLE_VALUE_FILTERS or function.__name__ in CUTTING_FILTERS


def _note_origin(state: State, value: Any, result: Any, site: Site | None, root: Any) -> None:
    """Note which relation a queryset comes from that a filter made of another."""
    if type(value) in RELATED and issubclass(type(result), QuerySet):
        index = len(site.bits) if site is not None else 1
        state.relations.derive(value, result, site, root, index)


def _filtered(
    state: State, result: Any, value: Any, function: Any, site: Site | None, root: Any
) -> Plan:
    if type(result) is Pending:
        result = yield from result.plan
    result = await_value(state, result)
    if type(result) is Pending:
        result = yield from result.plan
    _note_origin(state, value, result, site, root)
    if getattr(function, "is_safe", False) and isinstance(value, SafeData):
        result = mark_safe(result)
    return result


def filter_again(
    state: State,
    error: Exception,
    function: Any,
    value: Any,
    args: Any,
    kwargs: Any,
    site: Site | None = None,
    root: Any = None,
) -> Pending:
    """Apply a filter of Django's own in the thread, after it met its guard on the loop.

    The guard raises before a query is sent, and such a filter changes nothing.

    Raises:
        NotRepeatable: it was given an iterator, which it may have used up in part.
    """
    if not state.on_loop:
        raise error
    if any(is_iterator(item) for item in (value, *args)):
        raise NotRepeatable(
            f"The filter {getattr(function, '__name__', function)!r} went through an iterator "
            "that needs the database, on the event loop, and an iterator cannot be gone through "
            "again. Put a list or a queryset into the context instead."
        ) from error
    state.relations.prepare_value(value, site, root)
    notify = state.relations.filter_step(function, value, site, root)
    return pending_wait(Wait(Kind.CALL, function, (value, *args), kwargs, notify=notify))
