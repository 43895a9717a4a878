"""Which Python code of others runs when something is done with a value as a whole.

It is printed, tested, looped over, compared, or given to code of Django's. What is returned is what
`atemplates.placement.python_code` returns.
"""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Callable, Iterable
from types import FunctionType, MappingProxyType
from typing import Any

from django.db.models import Model, QuerySet
from django.utils.functional import LazyObject, Promise, empty

from .python_code import (
    BUILTIN_CONTAINERS,
    CODELESS_TYPES,
    COMPARISON,
    ITERATION,
    MOST_ITEMS,
    SOMEBODYS,
    VALUES,
    Code,
    _own,
    call_code,
    is_data,
    is_quiet,
    made,
    own_dict,
    special_code,
    static,
)

CONTAINER_BASES = tuple(BUILTIN_CONTAINERS)


def forget_value_code() -> None:
    """Forget the types: each is looked at again when it is met again."""
    HOLDS.clear()
    HARMLESS.clear()


def text_code(value: Any) -> Code:
    """What printing a value runs, with escaping and localising."""
    kind = type(value)
    if kind in CODELESS_TYPES:
        return None
    if kind in BUILTIN_CONTAINERS:
        return items_code(value, repr_code)
    if issubclass(kind, LazyObject):
        return inner_code(value, text_code)
    if issubclass(kind, Promise):
        return lazy_text_code(value)
    if "__class__" in _own(kind):
        return SOMEBODYS
    code = special_code(kind, "__html__", "__str__", "__getattr__", "__getattribute__")
    if code is None and _is_objects(static(kind, "__str__")):
        code = special_code(kind, "__repr__", "__format__")
    return held_code(value, repr_code) if code is None else code


def repr_code(value: Any) -> Code:
    """What printing a container runs of an item, which shows by its ``__repr__``."""
    kind = type(value)
    if (
        kind in CODELESS_TYPES
        or kind in BUILTIN_CONTAINERS
        or issubclass(kind, (LazyObject, Promise))
    ):
        return text_code(value)
    code = special_code(kind, "__repr__")
    return text_code(value) if code is None else code


def held_code(value: Any, code_of: Callable[[Any], Code]) -> Code:
    """What a value of a library's type runs of those that it holds, when it is used as a whole."""
    kind = type(value)
    for base, methods in METHODS:
        if issubclass(kind, base):
            return special_code(kind, *methods)
    if issubclass(kind, BaseException):
        return items_code(value.args, code_of)
    if issubclass(kind, CONTAINER_BASES):
        return special_code(kind, *ITERATION) or items_code(value, code_of)
    if issubclass(kind, QuerySet):
        return (
            None
            if value._result_cache is None
            else items_code(value._result_cache[:MOST_ITEMS], code_of)
        )
    return holder_code(value)


METHODS: tuple[tuple[type, tuple[str, ...]], ...] = tuple(
    (base, tuple(sorted(_own(base) - {"__init__", "__new__", "__getattribute__", "__doc__"})))
    for base in (
        *(str, int, float, bytes, decimal.Decimal, uuid.UUID),
        *(datetime.datetime, datetime.date, datetime.time, datetime.timedelta),
    )
)
"""Types of scalars, whose methods are called to write a value of a derived type as text."""
HOLDING_MODULES = frozenset({"collections", "weakref"})
"""Where classes lie whose values do something with those in them."""


def holder_code(value: Any) -> Code:
    """What a value of a class of Python's library runs of those that it holds (``UserList``)."""
    kind = type(value)
    holds = HOLDS.get(kind)
    if holds is None:
        holds = HOLDS[kind] = kind is MappingProxyType or (
            not issubclass(kind, CONTAINER_BASES)
            and any(base.__module__.partition(".")[0] in HOLDING_MODULES for base in kind.__mro__)
        )
    if not holds:
        return None
    attributes = own_dict(value)
    return items_code(attributes.values(), use_code) if attributes else SOMEBODYS


HOLDS: dict[type, bool] = {}
"""Whether values of a type are such. Two threads that learn the same at once write the same."""


def _is_objects(function: Any) -> bool:
    return function is object.__dict__["__str__"]


def inner_code(lazy: Any, code_of: Callable[[Any], Code]) -> Code:
    """What is run of the object that a lazy one stands for; making it runs code of somebody's."""
    inner = made(lazy)
    return SOMEBODYS if inner is empty else code_of(inner)


def lazy_text_code(lazy: Any) -> Code:
    """What the text of one of Django's lazy values runs: the function that it was made of."""
    if special_code(type(lazy), "__reduce__") is not None:
        return SOMEBODYS
    try:
        function, *given = lazy.__reduce__()[1]
    except (AttributeError, TypeError, ValueError):
        return SOMEBODYS
    code = call_code(function)
    return (
        use_code(*[item for item in given if not issubclass(type(item), type)])
        if code is None
        else code
    )


def truth_code(value: Any) -> Code:
    """What the truth of a value runs."""
    kind = type(value)
    if kind in CODELESS_TYPES or kind in BUILTIN_CONTAINERS:
        return None
    if issubclass(kind, LazyObject):
        return inner_code(value, truth_code)
    name = "__len__" if static(kind, "__bool__") is None else "__bool__"
    code = special_code(kind, name)
    return holder_code(value) if code is None else code


def iteration_code(value: Any) -> Code:
    """What going through a value runs, its length included."""
    kind = type(value)
    if kind in CODELESS_TYPES or kind in BUILTIN_CONTAINERS:
        return None
    if issubclass(kind, LazyObject):
        return inner_code(value, iteration_code)
    if issubclass(kind, (QuerySet, Model)) and kind.__module__.startswith("django."):
        return None
    if static(kind, "__next__") is not None:
        return SOMEBODYS
    code = special_code(kind, *ITERATION)
    return holder_code(value) if code is None else code


COMPARED = (*COMPARISON, *ITERATION, "__hash__")


def comparison_code(*values: Any) -> Code:
    """What comparing values, or searching one in the other, runs."""
    for value in values:
        kind = type(value)
        if kind in CODELESS_TYPES:
            continue
        if kind in BUILTIN_CONTAINERS:
            code = items_code(value, comparison_code)
        elif issubclass(kind, LazyObject):
            code = inner_code(value, comparison_code)
        elif issubclass(kind, Promise):
            code = lazy_text_code(value)
        elif static(kind, "__next__") is not None:
            code = SOMEBODYS
        else:
            code = special_code(kind, *COMPARED)
            if code is None and issubclass(kind, CONTAINER_BASES):
                code = items_code(value, comparison_code)
            elif code is None:
                code = holder_code(value)
        if code is not None:
            return code
    return None


def use_code(*values: Any) -> Code:
    """What Django's own code may run of the values that it is given, whatever it does with them."""
    for value in values:
        kind = type(value)
        if kind in CODELESS_TYPES:
            continue
        if kind in BUILTIN_CONTAINERS:
            if items_code(value, use_code) is not None:
                return SOMEBODYS
        elif issubclass(kind, Promise):
            if lazy_text_code(value) is not None:
                return SOMEBODYS
        elif issubclass(kind, LazyObject):
            if inner_code(value, use_code) is not None:
                return SOMEBODYS
        elif issubclass(kind, QuerySet):
            rows = value._result_cache
            if rows is None or not (_is_harmless(kind) and _is_harmless(value.model)):
                return SOMEBODYS
        elif (
            issubclass(kind, CONTAINER_BASES)
            or not _is_harmless(kind)
            or static(kind, "__next__") is not None
        ):
            return SOMEBODYS
    return None


VALUES["comparison"] = comparison_code
VALUES["use"] = use_code

HARMLESS: dict[type, bool] = {}
"""Whether values of a type hold no code of others. Two threads may write the same at once."""


def _is_harmless(kind: type) -> bool:
    known = HARMLESS.get(kind)
    if known is None:
        known = HARMLESS[kind] = not any(
            type(function) is FunctionType and not is_quiet(function)
            for base in kind.__mro__
            for function in vars(base).values()
        ) and is_data(kind)
    return known


ROWS_OF_ITEMS = frozenset({list, tuple})
"""Exact types of containers that give their items without running anybody's code."""


def items_code(items: Iterable[Any], code_of: Callable[[Any], Code]) -> Code:
    """What is run of the items of a container."""
    try:
        if type(items) in ROWS_OF_ITEMS and CODELESS_TYPES.issuperset(map(type, items)):
            return None
        if len(items) > MOST_ITEMS:  # type: ignore[arg-type]
            return None if _all_scalars(items) else SOMEBODYS
        found: Iterable[Any] = items
        if issubclass(type(items), dict):
            found = (*dict.keys(items), *dict.values(items))  # type: ignore[arg-type]
        codes = {code for item in found if (code := code_of(item)) is not None}
    except (TypeError, RecursionError):
        return SOMEBODYS
    if len(codes) > 1:
        return SOMEBODYS
    return codes.pop() if codes else None


def _all_scalars(items: Any) -> bool:
    if issubclass(type(items), dict):
        return CODELESS_TYPES.issuperset(map(type, dict.keys(items))) and CODELESS_TYPES.issuperset(
            map(type, dict.values(items))
        )
    return CODELESS_TYPES.issuperset(map(type, items))
