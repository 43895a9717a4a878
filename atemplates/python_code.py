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
import os
import sys
import uuid
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from functools import cached_property, partial
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from types import BuiltinMethodType, CodeType, FunctionType, MappingProxyType, MethodType
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

LIBRARY = os.path.dirname(os.__file__) + os.sep
"""Where Python's own library lies: a site may have a package named like one of its modules."""
NOT_OF_PYTHON = tuple(LIBRARY + folder for folder in ("site-packages", "dist-packages"))
QUIET_PACKAGES = frozenset({"asgiref", "jinja2", "markupsafe", __name__.partition(".")[0]})
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


def is_quiet_place(module: str, filename: str) -> bool:
    """Whether a module belongs to such a library."""
    package = module.partition(".")[0]
    if package == "django":
        return module.startswith(QUIET_MODULES)
    return package in QUIET_PACKAGES or (
        package in sys.stdlib_module_names and is_pythons(filename)
    )


def is_pythons(filename: str) -> bool:
    """Whether a file belongs to Python's own library."""
    if filename.startswith("<frozen "):
        return True
    return filename.startswith(LIBRARY) and not filename.startswith(NOT_OF_PYTHON)


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


def forget() -> None:
    """Forget the types: each is looked at again when it is met again."""
    ATTRIBUTES.clear()
    SPECIAL.clear()
    REACHED.clear()
    HOLDS.clear()
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
    if attribute is None or type(attribute) in (FunctionType, property, *CACHED):
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
        owner = function.__self__
        return comparison_code(owner) if issubclass(type(owner), list) else None
    if kind in (staticmethod, classmethod):
        return call_code(function.__func__)
    if issubclass(kind, partial):
        code = call_code(function.func)
        return use_code(*function.args, *function.keywords.values()) if code is None else code
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
            elif issubclass(type(attribute), CACHED):
                attribute = attribute.func
            if type(attribute) is not FunctionType or attribute in seen:
                continue
            if not is_quiet(attribute):
                found = attribute
                break
            seen.add(attribute)
            left.append(attribute)
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
            code = reached_code(kind, function) if is_quiet(function) else function
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
        return items_code(value, repr_code)
    if issubclass(kind, LazyObject):
        inner = made(value)
        return SOMEBODYS if inner is empty else text_code(inner)
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
    if kind in SCALARS or kind in CONTAINERS or issubclass(kind, (LazyObject, Promise)):
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
    if issubclass(kind, tuple(CONTAINERS)):
        return special_code(kind, *ITERATION) or items_code(value, code_of)
    if issubclass(kind, QuerySet):
        return (
            None
            if value._result_cache is None
            else items_code(value._result_cache[:SEVERAL], code_of)
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
HOLDERS = frozenset({"collections", "weakref"})
"""Where classes lie whose values do something with those in them."""


def holder_code(value: Any) -> Code:
    """What a value of a class of Python's library runs of those that it holds (``UserList``)."""
    kind = type(value)
    holds = HOLDS.get(kind)
    if holds is None:
        holds = HOLDS[kind] = kind is MappingProxyType or (
            not issubclass(kind, tuple(CONTAINERS))
            and any(base.__module__.partition(".")[0] in HOLDERS for base in kind.__mro__)
        )
    if not holds:
        return None
    attributes = own_dict(value)
    return items_code(attributes.values(), use_code) if attributes else SOMEBODYS


HOLDS: dict[type, bool] = {}
"""Whether values of a type are such. Two threads that learn the same at once write the same."""


def _is_objects(function: Any) -> bool:
    return function is object.__dict__["__str__"]


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
    if kind in SCALARS or kind in CONTAINERS:
        return None
    if issubclass(kind, LazyObject):
        inner = made(value)
        return SOMEBODYS if inner is empty else truth_code(inner)
    name = "__len__" if static(kind, "__bool__") is None else "__bool__"
    code = special_code(kind, name)
    return holder_code(value) if code is None else code


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
    code = special_code(kind, *ITERATION)
    return holder_code(value) if code is None else code


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
            elif code is None:
                code = holder_code(value)
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
