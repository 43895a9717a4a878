"""Which Python code of others a step runs: reading an attribute, calling something.

On the event loop such code is run only where it is known to be quick and to ask no database
(`atemplates.placement.records`); all other steps run nobody's code but Python's and Django's, and
stay on the loop. What only the type decides is found out once per type, and nothing here runs the
code it looks for: values are looked at by their types and dicts.

Each function returns None where a step runs no such code, or the function that it runs. Where that
function cannot be named (a list may hold anything), it is `SOMEBODYS`.
"""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from functools import cached_property, partial
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from types import BuiltinMethodType, CodeType, FunctionType, MethodType
from typing import Any, NamedTuple

from django.db.models import Model, QuerySet
from django.db.models.manager import BaseManager
from django.utils.functional import LazyObject, empty
from django.utils.functional import cached_property as django_cached_property
from django.utils.safestring import SafeString
from markupsafe import Markup

from .quiet_modules import is_quiet_place

SOMEBODYS = "code that cannot be named"
"""Stands for code of others that is not known before it runs."""

Code = Any
"""A function (or class) that a step runs, `SOMEBODYS`, or None."""

CODELESS_TYPES: frozenset[type] = frozenset(
    {
        *(str, SafeString, Markup, int, float, complex, bool, type(None), bytes, range),
        *(uuid.UUID, decimal.Decimal),
        *(datetime.date, datetime.datetime, datetime.time, datetime.timedelta),
    }
)
"""Exact types whose values run nobody's code, whatever is done with them."""

BUILTIN_CONTAINERS: frozenset[type] = frozenset(
    {list, tuple, dict, set, frozenset, deque, OrderedDict, defaultdict}
    | {type({}.keys()), type({}.values()), type({}.items())}
)
"""Exact types that run what their items run, when these are printed or compared."""

MOST_ITEMS = 50
"""How many items of a container are looked at one by one; a larger one may hold anything."""

COMPARISON = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__contains__")
ITERATION = ("__iter__", "__len__", "__getitem__", "__reversed__")
CACHED_PROPERTY_TYPES: tuple[type, ...] = (cached_property, django_cached_property)


def is_quiet(function: FunctionType) -> bool:
    """Whether a Python function is of a library whose code asks no database by itself.

    By where it was written: ``functools.wraps`` copies a module's name from one function to
    another.
    """
    # Not by code object: two are equal that were written alike in different files.
    place = (function.__globals__.get("__name__") or "", function.__code__.co_filename)
    quiet = QUIET.get(place)
    if quiet is None:
        if len(QUIET) > SEVERAL_FILES:
            QUIET.clear()
        quiet = QUIET[place] = is_quiet_place(*place)
    if not quiet:
        return False
    inner = function.__dict__.get("__wrapped__")
    return inner is None or call_code(inner) is None


QUIET: dict[tuple[str, str], bool] = {}
"""Module and file -> whether it is of such a library. Two threads may write the same at once."""
SEVERAL_FILES = 10_000
"""How many of them are remembered."""


def _code_of(attribute: Any) -> Code:
    return _code(attribute) if type(attribute) is FunctionType else None


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
MOST_KNOWN = 20_000
"""How many entries these have, and `REACHED`: classes may be made at run time."""


def forget_python_code() -> None:
    """Forget the types: each is looked at again when it is met again."""
    ATTRIBUTES.clear()
    SPECIAL.clear()
    REACHED.clear()


def make_room(known: dict[Any, Any]) -> None:
    """Empty a dict of what was learned when it is full; a thread that reads it learns anew."""
    if len(known) >= MOST_KNOWN:
        known.clear()


def attribute_code(value: Any, name: str) -> Code:
    """What resolving ``value.name`` runs: the subscript, then the attribute."""
    kind = type(value)
    if kind in CODELESS_TYPES:
        return None
    known = ATTRIBUTES.get(kind)
    if known is None:
        if issubclass(kind, LazyObject):
            inner = made(value)
            return SOMEBODYS if inner is empty else attribute_code(inner, name)
        make_room(ATTRIBUTES)
        known = ATTRIBUTES[kind] = {}
    found = known.get(name)
    if found is None:
        found = _attribute_code(kind, name)
        if len(known) < 1000:  # a template's text decides the names
            known[name] = found
    if found.code is not None and found.unless_set and name in own_dict(value):
        return None
    if issubclass(kind, type):
        # A class: what the class itself defines, besides its metaclass.
        return found.code if found.code is not None else _class_code(value, name)
    return found.code


def own_dict(value: Any) -> Any:
    """Return the dict of a value's own attributes, an empty one if it has none."""
    try:
        return object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}


def made(lazy: Any) -> Any:
    """Return what a lazy object stands for; Django's ``empty`` when that is not known."""
    for base in type(lazy).__mro__:
        if base is LazyObject:
            break
        for name, attribute in base.__dict__.items():
            if name != "_setup" and (
                descriptor_code(attribute).code is not None or _code_of(attribute) is not None
            ):
                return empty  # a kind of its own, which may do anything
    return own_dict(lazy).get("_wrapped", empty)


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
    if kind in (FunctionType, staticmethod):
        return NO_CODE
    if kind is classmethod:  # up to Python 3.12 it may hold a property
        inner = attribute.__func__
        return NO_CODE if type(inner) is FunctionType else descriptor_code(inner)
    if issubclass(kind, CACHED_PROPERTY_TYPES):
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
    if attribute is None or type(attribute) in (FunctionType, property, *CACHED_PROPERTY_TYPES):
        return None  # a class gives these themselves
    return descriptor_code(attribute).code


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
        if issubclass(type(owner), BaseManager):
            return manager_code(owner, getattr(function.__func__, "__name__", ""))
        code = call_code(function.__func__)
        if code is None and type(function.__func__) is FunctionType:
            code = reached_code(
                owner if issubclass(type(owner), type) else type(owner), function.__func__
            )
        return code
    if kind is BuiltinMethodType:
        return sorting_code(function.__self__)
    if kind in (staticmethod, classmethod):
        return call_code(function.__func__)
    if issubclass(kind, partial):
        code = call_code(function.func)
        return partial_code(function) if code is None else code
    if issubclass(kind, type):
        return class_code(function)
    wrapped = (
        getattr(function, "__wrapped__", None) if static(kind, "__getattr__") is None else None
    )
    if wrapped is not None:  # functools.lru_cache and the like, which are no Python code
        return call_code(wrapped)
    return special_code(kind, "__call__")


def sorting_code(owner: Any) -> Code:
    """What a method of a list may run: it may be ``sort``."""
    return VALUES["comparison"](owner) if issubclass(type(owner), list) else None


def partial_code(function: partial[Any]) -> Code:
    """What is run of the arguments that a ``partial`` holds."""
    return VALUES["use"](*function.args, *function.keywords.values())


VALUES: dict[str, Callable[..., Code]] = {}
"""What is run when values are compared or used: `atemplates.placement.value_code`, which
is made of what stands here, puts its functions in when it is imported, and nothing changes them
later."""


def class_code(kind: type) -> Code:
    """What making an instance of a class runs."""
    if issubclass(kind, Model):
        return SOMEBODYS  # the defaults of its fields, who listens to its signals
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
    code = methods_code(kind, "get_queryset", method)
    if code is None:
        code = methods_code(queryset, "__init__", "_clone", "_chain", method)
    return code


def methods_code(kind: type, *names: str) -> Code:
    """What methods of a type run, those that they override and may call included."""
    for name in names:
        for base in kind.__mro__:
            function = base.__dict__.get(name)
            if type(function) is FunctionType:
                code = reached_code(kind, function) if is_quiet(function) else function
                if code is not None:
                    return code
    return None


def reached_code(kind: type, function: FunctionType) -> Code:
    """What a method of a library runs of the class it is called for: the methods that it mentions.

    Django's ``QuerySet.all`` makes a copy by ``_clone``, which a queryset may have of its own.
    """
    try:
        return REACHED[kind, function]
    except KeyError:
        pass
    found: Code = None
    left, seen = [function], {function}
    while left and found is None:
        names = mentioned(left.pop().__code__)
        for attribute in [
            base.__dict__[name] for base in kind.__mro__ for name in names & base.__dict__.keys()
        ]:
            if type(attribute) is property:
                attribute = attribute.fget
            elif type(attribute) in (staticmethod, classmethod):
                attribute = attribute.__func__
            elif issubclass(type(attribute), CACHED_PROPERTY_TYPES):
                attribute = attribute.func
            if type(attribute) is not FunctionType or attribute in seen:
                continue
            if not is_quiet(attribute):
                found = attribute
                break
            seen.add(attribute)
            left.append(attribute)
    make_room(REACHED)
    REACHED[kind, function] = found
    return found


def mentioned(code: CodeType) -> set[str]:
    """The names of attributes in a code object, and in what is written inside of it."""
    names = set(code.co_names)
    for inner in code.co_consts:
        if type(inner) is CodeType:
            names |= mentioned(inner)
    return names


REACHED: dict[tuple[type, FunctionType], Code] = {}
"""What is known of methods of libraries. Two threads that learn the same at once write the same."""


# -- special methods -------------------------------------------------------------------------------


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
            code = reached_code(kind, function) if is_quiet(function) else function
        elif function is not None and type(static(type(function), "__call__")) is FunctionType:
            code = SOMEBODYS  # an object in the place of a method
        if code is not None:
            break
    make_room(SPECIAL)
    SPECIAL[kind, names] = code
    return code
