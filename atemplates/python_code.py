"""Which Python code of others a step on a value runs: an attribute, a call, printing, comparing.

On the event loop such code is run only where it is known to be quick and to ask no database
(`atemplates.placement`); all other steps run nobody's code but Python's and Django's, and stay on
the loop. What only the type decides is found out once per type, and nothing here runs the code it
looks for: values are looked at by their types and dicts.

Each function returns None where a step runs no such code, or the function that it runs. Where that
function cannot be named (a list may hold anything), it is `SOMEBODYS`.
"""

from __future__ import annotations

import datetime
import decimal
import sys
import uuid
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from functools import cached_property, partial
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from types import FunctionType, MethodType
from typing import Any, NamedTuple

from django.db.models import Model, QuerySet
from django.db.models.manager import BaseManager
from django.utils.functional import LazyObject, Promise, empty
from django.utils.functional import cached_property as django_cached_property
from django.utils.safestring import SafeString
from markupsafe import Markup

SOMEBODYS = "code that cannot be named"
"""Stands for code of others that is not known before it runs."""

Code = Any
"""A function (or class) that a step runs, `SOMEBODYS`, or None."""

SCALARS: frozenset[type] = frozenset(
    {
        *(str, SafeString, Markup, int, float, complex, bool, type(None), bytes, range),
        *(uuid.UUID, decimal.Decimal),
        *(datetime.date, datetime.datetime, datetime.time, datetime.timedelta),
    }
)
"""Exact types whose values run nobody's code, whatever is done with them."""

CONTAINERS: frozenset[type] = frozenset(
    {list, tuple, dict, set, frozenset, deque, OrderedDict, defaultdict}
    | {type({}.keys()), type({}.values()), type({}.items())}
)
"""Exact types that run what their items run, when these are printed or compared."""

SEVERAL = 50
"""How many items of a container are looked at one by one; a larger one may hold anything."""

QUIET_PACKAGES = frozenset(sys.stdlib_module_names) - {"__main__"} | {
    *("asgiref", "jinja2", "markupsafe"),
    __name__.partition(".")[0],
}
QUIET_MODULES = (
    "django.conf",
    "django.contrib.contenttypes.fields",
    "django.core.files.utils",
    "django.db.models",
    "django.http",
    "django.template",
    "django.templatetags",
    "django.urls",
    "django.utils",
)
"""Where code lies that asks no database by itself. Django's ORM asks in ways that are known."""

COMPARISON = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__contains__")
ITERATION = ("__iter__", "__len__", "__getitem__", "__reversed__")
CACHED: tuple[type, ...] = (cached_property, django_cached_property)


def is_quiet(function: FunctionType) -> bool:
    """Whether a Python function is of a library whose code asks no database by itself.

    By where it was written: ``functools.wraps`` copies a module's name from one function to
    another.
    """
    quiet = QUIET.get(function.__code__)
    if quiet is None:
        module = function.__globals__.get("__name__") or ""
        package = module.partition(".")[0]
        quiet = package in QUIET_PACKAGES or (
            package == "django" and module.startswith(QUIET_MODULES)
        )
        if len(QUIET) > SEVERAL_FUNCTIONS:
            QUIET.clear()
        QUIET[function.__code__] = quiet
    if not quiet:
        return False
    inner = function.__dict__.get("__wrapped__")
    return inner is None or call_code(inner) is None


QUIET: dict[Any, bool] = {}
"""Code object -> whether it is of such a library. Two threads may write the same at once."""
SEVERAL_FUNCTIONS = 10_000
"""How many of them are remembered."""


def _code(function: Any) -> Code:
    """Return a function as the code that runs, if it is Python code of others."""
    return None if type(function) is FunctionType and is_quiet(function) else function


# -- attributes ------------------------------------------------------------------------------------


class AttributeCode(NamedTuple):
    """What reading one attribute of a type's values runs."""

    code: Code
    unless_set: bool
    """Whether it runs only where the value's own dict does not hold the attribute."""


NO_CODE = AttributeCode(None, False)
ATTRIBUTES: dict[type, dict[str, AttributeCode]] = {}
"""What is known of attributes. Two threads that learn the same at once write the same."""
SPECIAL: dict[tuple[type, tuple[str, ...]], Code] = {}
"""What is known of special methods. Two threads that learn the same at once write the same."""


def forget() -> None:
    """Forget the types: each is looked at again when it is met again."""
    ATTRIBUTES.clear()
    SPECIAL.clear()
    HARMLESS.clear()


def attribute_code(value: Any, name: str) -> Code:
    """What resolving ``value.name`` runs: the subscript, then the attribute."""
    kind = type(value)
    if kind in SCALARS:
        return None
    known = ATTRIBUTES.get(kind)
    if known is None:
        if issubclass(kind, LazyObject):
            inner = made(value)
            return SOMEBODYS if inner is empty else attribute_code(inner, name)
        known = ATTRIBUTES[kind] = {}
    found = known.get(name)
    if found is None:
        found = _attribute_code(kind, name)
        if len(known) < 1000:  # a template's text decides the names
            known[name] = found
    if found.code is not None and found.unless_set and name in getattr(value, "__dict__", ()):
        return None
    if issubclass(kind, type):
        # A class: what the class itself defines, besides its metaclass.
        return found.code if found.code is not None else _class_code(value, name)
    return found.code


def made(lazy: Any) -> Any:
    """Return what a lazy object stands for; Django's ``empty`` when it was not made yet."""
    return object.__getattribute__(lazy, "__dict__").get("_wrapped", empty)


def _attribute_code(kind: type, name: str) -> AttributeCode:
    if "__class__" in _own(kind):
        return AttributeCode(SOMEBODYS, False)
    subscript = static(kind, "__getitem__")
    if subscript is not None:
        code = special_code(kind, "__getitem__")
        if code is None and kind is not dict and issubclass(kind, dict):
            missing = static(kind, "__missing__")
            if kind is not OrderedDict and missing is not None:
                code = (
                    SOMEBODYS
                    if issubclass(kind, defaultdict)
                    else special_code(kind, "__missing__")
                )
        if code is not None:
            return AttributeCode(code, False)
    for special in ("__getattribute__", "__dir__"):
        code = special_code(kind, special)
        if code is not None:
            return AttributeCode(code, False)
    attribute = static(kind, name)
    if attribute is None:
        code = special_code(kind, "__getattr__")
        return NO_CODE if code is None else AttributeCode(code, True)
    return descriptor_code(attribute)


def descriptor_code(attribute: Any) -> AttributeCode:
    """What reading an attribute runs that a class defines."""
    kind = type(attribute)
    if kind in (FunctionType, staticmethod, classmethod):
        return NO_CODE
    if issubclass(kind, CACHED):
        code = call_code(attribute.func)
        return NO_CODE if code is None else AttributeCode(code, True)
    getter = static(kind, "__get__")
    if getter is None:
        return NO_CODE
    sets = static(kind, "__set__") is not None
    if issubclass(kind, property):
        code = call_code(attribute.fget) if attribute.fget is not None else None
        return NO_CODE if code is None else AttributeCode(code, False)
    if type(getter) is not FunctionType:
        return NO_CODE
    code = None if is_quiet(getter) else getter
    inner = getattr(attribute, "fget", None)  # enum's and Django's own kinds of property
    if code is None and callable(inner):
        code = call_code(inner)
    return NO_CODE if code is None else AttributeCode(code, not sets)


def _class_code(kind: type, name: str) -> Code:
    attribute = static(kind, name)
    if attribute is None or type(attribute) in (FunctionType, property):
        return None
    getter = static(type(attribute), "__get__")
    return getter if type(getter) is FunctionType and not is_quiet(getter) else None


def is_data(kind: type) -> bool:
    """Whether no attribute of a type's values runs code: each is data, or a method."""
    if any(special_code(kind, name) for name in ("__getattr__", "__getattribute__", "__dir__")):
        return False
    if static(kind, "__getitem__") is not None or "__class__" in _own(kind):
        return False
    return all(
        descriptor_code(attribute).code is None
        for base in kind.__mro__
        if base is not object
        for attribute in vars(base).values()
    )


def static(kind: type, name: str) -> Any:
    """Return what a type or one of its bases defines under a name, as it stands there."""
    for base in kind.__mro__:
        found = base.__dict__.get(name)
        if found is not None:
            return found
    return None


def _own(kind: type) -> set[str]:
    """The names that the bases of a type define, but for ``object``."""
    return {name for base in kind.__mro__ if base is not object for name in base.__dict__}


# -- calls -----------------------------------------------------------------------------------------


def call_code(function: Any) -> Code:
    """What calling something without further arguments runs.

    Calling a coroutine function or a generator function runs nothing of it.
    """
    kind = type(function)
    if kind is FunctionType:
        if function.__code__.co_flags & (CO_COROUTINE | CO_GENERATOR | CO_ASYNC_GENERATOR):
            return None
        return _code(function)
    if kind is MethodType:
        owner = function.__self__
        if isinstance(type(owner), type) and issubclass(type(owner), BaseManager):
            return manager_code(owner, getattr(function.__func__, "__name__", ""))
        return call_code(function.__func__)
    if kind in (staticmethod, classmethod):
        return call_code(function.__func__)
    if issubclass(kind, partial):
        return call_code(function.func)
    if issubclass(kind, type):
        return class_code(function)
    wrapped = (
        getattr(function, "__wrapped__", None) if static(kind, "__getattr__") is None else None
    )
    if wrapped is not None:  # functools.lru_cache and the like, which are no Python code
        return call_code(wrapped)
    return special_code(kind, "__call__")


def class_code(kind: type) -> Code:
    """What making an instance of a class runs."""
    for owner, name in ((type(kind), "__call__"), (kind, "__new__"), (kind, "__init__")):
        function = static(owner, name)
        if type(function) is staticmethod:
            function = function.__func__
        if type(function) is FunctionType and not is_quiet(function):
            return function
    return None


def manager_code(manager: Any, method: str) -> Code:
    """What a method of a manager runs: its own, or those of its querysets that it stands for."""
    kind = type(manager)
    queryset = static(kind, "_queryset_class") or QuerySet
    for owner, name in (
        *((kind, name) for name in ("get_queryset", method)),
        *((queryset, name) for name in ("__init__", "_clone", "_chain", method)),
    ):
        for base in owner.__mro__:
            function = base.__dict__.get(name)
            if type(function) is FunctionType and not is_quiet(function):
                return function
    return None


# -- what is done with a value as a whole ----------------------------------------------------------


def special_code(kind: type, *names: str) -> Code:
    """What special methods of a type run, the first of them that is code of others."""
    try:
        return SPECIAL[kind, names]
    except KeyError:
        pass
    code: Code = None
    for name in names:
        function = static(kind, name)
        if type(function) is FunctionType:
            if not is_quiet(function):
                code = function
        elif function is not None and type(static(type(function), "__call__")) is FunctionType:
            code = SOMEBODYS  # an object in the place of a method
        if code is not None:
            break
    SPECIAL[kind, names] = code
    return code


def text_code(value: Any) -> Code:
    """What printing a value runs, with escaping and localising."""
    kind = type(value)
    if kind in SCALARS:
        return None
    if kind in CONTAINERS:
        return items_code(value, text_code)
    if issubclass(kind, LazyObject):
        inner = made(value)
        return SOMEBODYS if inner is empty else text_code(inner)
    if issubclass(kind, Promise):
        return lazy_text_code(value)
    if "__class__" in _own(kind):
        return SOMEBODYS
    code = special_code(kind, "__html__", "__str__", "__getattr__", "__getattribute__")
    if code is not None:
        return code
    if _is_objects(static(kind, "__str__")):
        code = special_code(kind, "__repr__", "__format__")
    if code is None and issubclass(kind, BaseException):
        return items_code(value.args, text_code)
    if code is None and issubclass(kind, tuple(CONTAINERS)):
        return special_code(kind, *ITERATION) or items_code(value, text_code)
    return code


def _is_objects(function: Any) -> bool:
    return function is object.__dict__["__str__"]


def lazy_text_code(lazy: Any) -> Code:
    """What the text of one of Django's lazy values runs: the function that it was made of."""
    try:
        function = lazy.__reduce__()[1][0]
    except (AttributeError, IndexError, TypeError):
        return SOMEBODYS
    return call_code(function)


def truth_code(value: Any) -> Code:
    """What the truth of a value runs."""
    kind = type(value)
    if kind in SCALARS or kind in CONTAINERS:
        return None
    if issubclass(kind, LazyObject):
        inner = made(value)
        return SOMEBODYS if inner is empty else truth_code(inner)
    if static(kind, "__bool__") is not None:
        return special_code(kind, "__bool__")
    return special_code(kind, "__len__")


def iteration_code(value: Any) -> Code:
    """What going through a value runs, its length included."""
    kind = type(value)
    if kind in SCALARS or kind in CONTAINERS:
        return None
    if issubclass(kind, LazyObject):
        inner = made(value)
        return SOMEBODYS if inner is empty else iteration_code(inner)
    if issubclass(kind, (QuerySet, Model)) and kind.__module__.startswith("django."):
        return None
    if static(kind, "__next__") is not None:
        return SOMEBODYS
    return special_code(kind, *ITERATION)


def comparison_code(*values: Any) -> Code:
    """What comparing values, or searching one in the other, runs."""
    for value in values:
        kind = type(value)
        if kind in SCALARS:
            continue
        if kind in CONTAINERS:
            code = items_code(value, comparison_code)
        elif issubclass(kind, LazyObject):
            inner = made(value)
            code = SOMEBODYS if inner is empty else comparison_code(inner)
        elif issubclass(kind, Promise):
            code = lazy_text_code(value)
        elif static(kind, "__next__") is not None:
            code = SOMEBODYS
        else:
            code = special_code(kind, *COMPARISON, *ITERATION, "__hash__")
            if code is None and issubclass(kind, tuple(CONTAINERS)):
                code = items_code(value, comparison_code)
        if code is not None:
            return code
    return None


def use_code(*values: Any) -> Code:
    """What Django's own code may run of the values that it is given, whatever it does with them."""
    for value in values:
        kind = type(value)
        if kind in SCALARS:
            continue
        if kind in CONTAINERS:
            if items_code(value, use_code) is not None:
                return SOMEBODYS
        elif issubclass(kind, Promise):
            if lazy_text_code(value) is not None:
                return SOMEBODYS
        elif issubclass(kind, LazyObject):
            inner = made(value)
            if inner is empty or use_code(inner) is not None:
                return SOMEBODYS
        elif issubclass(kind, QuerySet):
            rows = value._result_cache
            if rows is None or not (_is_harmless(kind) and _is_harmless(value.model)):
                return SOMEBODYS
        elif issubclass(kind, tuple(CONTAINERS)) or not _is_harmless(kind):
            return SOMEBODYS
    return None


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


def items_code(items: Iterable[Any], code_of: Callable[[Any], Code]) -> Code:
    """What is run of the items of a container."""
    try:
        if len(items) > SEVERAL:  # type: ignore[arg-type]
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
        return SCALARS.issuperset(map(type, dict.keys(items))) and SCALARS.issuperset(
            map(type, dict.values(items))
        )
    return SCALARS.issuperset(map(type, items))
