"""Filters as source."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time
from types import FunctionType
from typing import Any

from django.utils.safestring import SafeString, mark_safe

from ..placement.visible_code import STRINGFILTER, is_visible
from ..runtime.fast.fast_path import FastPath
from ..runtime.sites import SiteMode
from .fast_filters import fast_path_of, is_stock
from .variables import scalar_tests, write_variable
from .writer import Writer

STRINGS = frozenset({str})
"""The types of the values that most fast paths are for."""


UNZONED = frozenset({str, SafeString, int, float, type(None), date, time})
"""Exact types of values that no time zone changes."""


def write_filters(
    w: Writer, filters: list[Any], value: str, access: tuple[str, str] | None = None
) -> str:
    """Write the calls of a chain of filters on the local variable ``value``.

    Args:
        access: the root and the site of what is filtered.

    Returns:
        The local variable that holds the result.
    """
    for filter_and_args in filters:
        value = write_filter_call(w, filter_and_args, value, access)
    return value


def write_filter_call(
    w: Writer,
    filter_and_args: Any,
    value: str,
    access: tuple[str, str] | None,
    *,
    unless_invalid: bool = False,
) -> str:
    """Write the call of one filter.

    Args:
        access: the root and the site of what is filtered.
        unless_invalid: whether the value may stand for a variable that does not exist, which is
            not filtered.

    Returns:
        The local variable that holds the result.
    """
    root, site = access or ("None", "None")
    function, args = filter_and_args
    arguments = tuple(write_filter_argument(w, is_variable, arg) for is_variable, arg in args)
    given = value
    if getattr(function, "expects_localtime", False):
        value = w.temporary()
        converted = f"local_time(state, {given}, context.use_tz)"
        if w.in_loop:
            unzoned = w.constant(UNZONED, "types_")
            converted = f"{given} if type({given}) in {unzoned} else {converted}"
        w.line(f"{value} = {converted}")
    result = w.temporary()
    name = w.constant(function, "filter_")
    path = w.constants.make(fast_path_of, function)
    called = ", ".join([name, value, site, root, *arguments])
    if path is not None and not w.in_loop:
        # All in one call, since compiling longer code is what costs here.
        call = f"apply_fast_path(state, context, {w.constant(path, 'filter_')}, {called})"
    else:
        plain = is_stock(function) and not any(is_variable for is_variable, _ in args)
        if getattr(function, "needs_autoescape", False):
            called = f"{called}, autoescape=context.autoescape"
        own = w.in_loop and not is_stock(function)
        apply = "apply_stock" if plain else "apply_own" if own else "apply_filter"
        call = f"{apply}(state, {called})"
    if unless_invalid:
        call = f"{given}.text if type({given}) is Invalid else {call}"
    if path is None and w.in_loop and not is_stock(function):
        write_own_filter(w, function, value, arguments, result, call)
        return result
    if path is None or not w.in_loop:
        w.wait_for(result, call)
        return result
    w.line(f"{result} = {inlined_call(w, path, value, args, arguments)}")
    with w.branch(f"if {result} is None:"):
        w.wait_for(result, call)
    return result


def write_own_filter(
    w: Writer, function: Any, value: str, arguments: tuple[str, ...], result: str, call: str
) -> None:
    """Write the call of a site's filter: right here for a plain value, where nobody looks at it.

    Args:
        result: the local for what it gives.
        call: the call for all else.
    """
    inner = plain_filter(function)
    plain = f"type({value}) in scalars" if inner is function else f"type({value}) is str"
    named = (
        ["autoescape=context.autoescape"] if getattr(function, "needs_autoescape", False) else []
    )
    given = ", ".join([value, *arguments, *named])
    may = called_directly(w, function, arguments)
    with w.branch(f"if {plain} and {may}:"):
        w.line(f"{result} = {w.constant(inner, 'filter_')}({given})")
        w.wait_for_result(result)
        if inner is function and getattr(function, "is_safe", False):
            w.line(f"if type({value}) is SafeString:")
            w.line(f"    {result} = mark_safe({result})")
    with w.branch("else:"):
        w.wait_for(result, call)


def called_directly(w: Writer, function: Any, arguments: Iterable[str]) -> str:
    """Return the condition that a site's function is called right here: where nobody looks at it,
    or where it visibly only works on its arguments and has earned to run on the loop.

    Args:
        function: what a library registered.
        arguments: the locals and constants that have to be scalars for that.
    """
    if not is_visible(function):
        return "state.direct"
    name = w.constant(function, "function_")
    tests = " and ".join([f"id({name}) in state.visible", *scalar_tests(w, *arguments)])
    return f"(state.direct or {tests})"


def plain_filter(function: Any) -> Any:
    """Return what Django's ``stringfilter`` decorates, to be called with exact strings that are
    not safe; or the function itself."""
    if type(function) is not FunctionType or function.__code__ is not STRINGFILTER:
        return function
    inner = getattr(function, "__wrapped__", None)
    known: Any = function.__closure__
    return inner if type(inner) is FunctionType and known[0].cell_contents is inner else function


def inlined_call(
    w: Writer, path: FastPath, value: str, args: Any, arguments: tuple[str, ...]
) -> str:
    """Return the expression that gives what a fast path makes of a value, or None: without a call
    where it has that for the usual types and a constant argument."""
    inlined = argument = None
    if path.inlined is not None and len(args) < 2:
        constant, argument = constant_argument(w, args)
        inlined = path.inlined(value, argument) if constant else None
    if inlined is None:
        return fast_call(w, path, value, arguments)
    source = inlined.source
    if inlined.constant is not None:
        made = w.constants.make(inlined.constant, argument)
        source = source.replace("{constant}", w.constant(made, "fast_"))
    types = "is str" if inlined.types == STRINGS else f"in {w.constant(inlined.types, 'types_')}"
    others = "None" if path.types <= inlined.types else fast_call(w, path, value, arguments)
    return f"({source}) if type({value}) {types} else {others}"


def constant_argument(w: Writer, args: Any) -> tuple[bool, Any]:
    """Return whether what a filter is given is known now, and what that is; None for nothing."""
    for is_variable, argument in args:
        if not is_variable:
            return True, w.constants.make(mark_safe, argument)
        return argument.lookups is None and not argument.translate, argument.literal
    return True, None


def fast_call(w: Writer, path: FastPath, value: str, arguments: tuple[str, ...]) -> str:
    """Return the expression that gives what a fast path makes of a value, or None."""
    if path.source and not arguments:
        found = path.source.format(value=value)
    else:
        given = path.arguments("state.ambient.now()", value, "context.autoescape", arguments)
        found = f"{w.constant(path.function, 'fast_')}({', '.join(given)})"
    if path.types == STRINGS:
        return f"{found} if type({value}) is str else None"
    return f"{found} if type({value}) in {w.constant(path.types, 'types_')} else None"


def write_filter_argument(w: Writer, is_variable: bool, argument: Any) -> str:
    """Write a filter's argument: a constant, or a variable that has to exist."""
    if not is_variable:
        return w.constant(w.constants.make(mark_safe, argument))
    return write_variable(w, argument, SiteMode.RAISE, str(argument.var), False)
