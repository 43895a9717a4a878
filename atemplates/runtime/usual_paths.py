"""The usual steps of a path: attributes, keys, rows of lists, and plain methods without arguments.

What is unusual goes on in `atemplates.runtime.paths`, which knows all of it.
"""

from __future__ import annotations

from inspect import CO_ITERABLE_COROUTINE
from types import FunctionType, GeneratorType, MethodType
from typing import Any

from django.db.models import QuerySet

from ..placement.python_code import attribute_code
from .calls import CALLED_OTHERWISE, await_awaitable, refuses_arguments
from .fast.choices import chosen_label
from .held_attributes import held_key, is_held
from .paths import (
    attribute_failed,
    go_on,
    lookup_failed,
    missing_value,
    resolve_path,
    resolving,
)
from .relations import NOT_QUICK
from .running_steps import register_step
from .sites import MISSING, Site
from .state import State
from .types import INERT, MODELS, PLAIN, is_awaitable, learn_type
from .waits import Pending, Plan

ROWS: frozenset[type] = frozenset({list, tuple})
INDEXED: frozenset[type] = frozenset({list, tuple, str})
"""Exact types whose values have a position for a bit, and no attribute that begins with a digit."""
VIEW_METHODS = {"items": dict.items, "keys": dict.keys, "values": dict.values}
"""The methods of dicts that templates loop over."""
DICT_NAMES = frozenset(dir(dict))
MARKED = frozenset({"alters_data", "do_not_call_in_templates"})
"""What a function says that templates are not to call as others."""


def resolve_further(
    state: State, context: Any, value: Any, site: Site, index: int, root: Any
) -> Any:
    """Resolve the rest of a path; arguments and result as for `resolve_path`.

    The value is neither missing nor one that was called already.
    """
    bits = site.bits
    count = len(bits)
    source = None
    while True:
        kind = type(value)
        if kind not in INERT:
            if state.looks or not is_plain_method(value):
                break
            try:
                value = value()
            except Exception as error:
                return call_failed(state, context, error, value, site, index, root)
            if type(value) not in INERT:
                return resolve_result(state, context, value, site, index, root, source)
            kind = type(value)
        if source is not None:
            if issubclass(kind, QuerySet):
                state.relations.derive(source, value, site, root, index - 1)
            source = None
        if index == count:
            return value
        bit = bits[index]
        if kind is dict:
            if bit in value:
                value = value[bit]
            elif bit in VIEW_METHODS and index + 1 == count:
                return VIEW_METHODS[bit](value)
            elif bit not in DICT_NAMES and bit.isidentifier():
                found = missing_value(state, site)
                if found is MISSING:
                    break
                return found
            else:
                break
        elif bit == "pk" and kind in MODELS and (name := held_key(value)):
            value = value.__dict__[name]
        elif (
            kind in state.plain
            or ((kind not in MODELS or bit in value.__dict__) and is_held(value, bit))
            or (state.looks and kind in PLAIN and attribute_code(value, bit) is None)
        ):
            try:
                value = getattr(value, bit)
            except Exception as error:
                return attribute_failed(state, context, error, value, site, index, root)
        elif kind in INDEXED and len(bit) < 10 and bit.isdecimal() and int(bit) < len(value):
            value = value[int(bit)]
        elif kind in MODELS and (not state.looks or attribute_code(value, bit) is None):
            if bit.endswith("_display") and index + 1 == count:
                label = chosen_label(value, bit)
                if label is not None:
                    return label
            try:
                found = state.relations.quick_step(value, bit, site, root, index)
            except Exception as error:
                return attribute_failed(state, context, error, value, site, index, root)
            if found is NOT_QUICK:
                break
            source, value = value, found
        else:
            break
        index += 1
    return resolve_path(state, context, value, site, index, root, False, source)


register_step(resolve_further, resolving)


def resolve_long_path(state: State, context: Any, value: Any, site: Site) -> Any:
    """Resolve a path of two bits or more, as `resolve_path` does from its beginning.

    The usual first step is an attribute of a plain object, which takes no more than that here.
    """
    if value is MISSING or type(value) not in state.plain:
        if value is MISSING:
            return resolve_path(state, context, value, site)
        return resolve_further(state, context, value, site, 1, value)
    try:
        found = getattr(value, site.bits[1])
    except Exception as error:
        return attribute_failed(state, context, error, value, site, 1, value)
    if len(site.bits) == 2 and type(found) in INERT:
        return found
    return resolve_further(state, context, found, site, 2, value)


def access_failed(
    state: State, context: Any, error: Exception, value: Any, site: Site, index: int, root: Any
) -> Any:
    """Do what `attribute_failed` does; whatever of the result is not inert is a `Pending`.

    So compiled code sees by the type alone that the rest of the path is done.
    """
    found = attribute_failed(state, context, error, value, site, index, root)
    return found if type(found) in INERT or type(found) is Pending else Pending(_given(found))


def _given(value: Any) -> Plan:
    """Give a value without waiting."""
    yield from ()
    return value


def is_plain_method(value: Any) -> bool:
    """Whether a value is a bound Python function that bears no mark: calling it is all there is."""
    if type(value) is not MethodType:
        return False
    function = value.__func__
    return (
        type(function) is FunctionType
        and function not in CALLED_OTHERWISE
        and (not function.__dict__ or MARKED.isdisjoint(function.__dict__))
    )


def call_failed(
    state: State, context: Any, error: Exception, method: Any, site: Site, index: int, root: Any
) -> Any:
    """Go on after a method raised ``error``; called in the ``except`` clause."""
    try:
        if not isinstance(error, TypeError) or not refuses_arguments(method):
            raise error
    except Exception as raised:
        return lookup_failed(state, context, raised, site, site.bits[index - 1])
    return resolve_path(state, context, state.engine.string_if_invalid, site, index, root)


def resolve_result(
    state: State, context: Any, value: Any, site: Site, index: int, root: Any, source: Any
) -> Any:
    """Resolve the rest of a path from what a call gave, which may have to be awaited."""
    if (
        type(value) is GeneratorType
        and index == len(site.bits)
        and not value.gi_code.co_flags & CO_ITERABLE_COROUTINE
    ):
        return value
    learn_type(type(value))
    if is_awaitable(value):
        value = await_awaitable(state, value)
        if type(value) is Pending:
            return Pending(go_on(state, context, value, site, index, root, True))
    return resolve_path(state, context, value, site, index, root, True, source)
