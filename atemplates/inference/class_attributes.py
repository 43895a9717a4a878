"""Which attributes the instances of a class have, read from the class without running its code.

They are what the classes of its MRO hold and annotate, and what the code of their methods stores on
an object. A class whose instances may have others is *open*: nothing that is missing on it is
surely missing.
"""

from __future__ import annotations

import dis
import sys
from abc import ABCMeta
from collections.abc import Iterator
from dataclasses import dataclass
from enum import EnumType
from functools import partial, partialmethod
from types import (
    CodeType,
    FunctionType,
    GetSetDescriptorType,
    MethodDescriptorType,
    WrapperDescriptorType,
)
from typing import Any, Generic

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Model
from django.http import HttpRequest
from django.utils.functional import Promise

from .cached import found_once

mro_of = type.__dict__["__mro__"].__get__
dict_of = type.__dict__["__dict__"].__get__
defining_module = type.__dict__["__module__"].__get__

NOT_THERE = object()
"""What a class does not have."""

COMPILED_MODULES = frozenset(
    {"builtins", "datetime", "decimal", "uuid", "_thread", "functools", "collections"}
)
"""Modules whose classes are written in C, and hold all that their instances have."""
OPEN_CLASSES: frozenset[type] = frozenset({BaseException, FunctionType, type(sys), type})
"""Classes of those modules on whose instances anybody puts attributes."""
CLOSED_CLASSES: frozenset[Any] = frozenset(
    {object, Generic, Model, AbstractBaseUser, HttpRequest, Promise}
)
"""Classes of Python and Django whose code sets attributes by names that it is given, but only such
as are known otherwise: a model's fields."""
MOST_NESTED = 4
"""How many wrappers are looked into for the function that they wrap."""
ATTRIBUTE_HOOKS = ("__getattr__", "__getattribute__")


@dataclass(frozen=True, slots=True)
class Stored:
    """The names under which the code of a class stores attributes on objects."""

    names: frozenset[str]
    is_open: bool
    """Whether it may store others."""


def static_value(cls: type, name: str) -> tuple[Any, type | None]:
    """Return what a class, or a base of it, holds under a name, and that class.

    Returns:
        `NOT_THERE` and None when none does.
    """
    for base in mro_of(cls):
        known = dict_of(base)
        if name in known:
            return known[name], base
    return NOT_THERE, None


def annotation_of(cls: type, name: str) -> tuple[Any, type | None]:
    """Return the annotation of an attribute, and the class that has it; or `NOT_THERE` and None."""
    for base in mro_of(cls):
        known = own_annotations(base)
        if name in known:
            return known[name], base
    return NOT_THERE, None


@found_once
def own_annotations(target: Any) -> dict[str, Any]:
    """Return the annotations that a class or function has itself, unevaluated where they are texts.

    A class made by code, or one whose annotations cannot be evaluated, has none that are known.
    """
    if sys.version_info >= (3, 14):
        import annotationlib

        try:
            return annotationlib.get_annotations(target, format=annotationlib.Format.FORWARDREF)
        except Exception:
            # Annotations are expressions of the site, which need not hold without a type checker.
            return {}
    found = dict_of(target).get("__annotations__") if isinstance(target, type) else None
    if found is None and not isinstance(target, type):
        found = getattr(target, "__annotations__", None)
    return found if type(found) is dict else {}


@found_once
def names_of(cls: type) -> frozenset[str]:
    """Return the names of all attributes that instances of a class are known to have."""
    found: set[str] = set()
    for base in mro_of(cls):
        found.update(dict_of(base))
        found.update(own_annotations(base))
        found.update(stored_by(base).names)
    if isinstance(cls, EnumType):
        found.update(cls.__members__)
    return frozenset(each for each in found if isinstance(each, str))


@found_once
def is_open_class(cls: type) -> bool:
    """Whether instances of a class may have attributes that `names_of` does not tell."""
    if not issubclass(type(cls), type) or _has_own_call(type(cls)):
        return True
    return any(_is_open_base(base) for base in mro_of(cls) if base not in CLOSED_CLASSES)


def _is_open_base(base: type) -> bool:
    if _is_compiled(base):
        return base in OPEN_CLASSES or defining_module(base) not in COMPILED_MODULES
    if any(
        dict_of(base).get(hook) not in (None, object.__getattribute__) for hook in ATTRIBUTE_HOOKS
    ):
        return True
    return stored_by(base).is_open or _has_own_dict(base)


@found_once
def subclass_names(cls: type) -> frozenset[str] | None:
    """Return the names that subclasses add to those of a class; None when one of them is open.

    Subclasses of Python's own classes are too many to judge a text or a number by the open ones.
    """
    found: set[str] = set()
    for each in _subclasses(cls):
        if defining_module(cls) not in COMPILED_MODULES and is_open_class(each):
            return None
        found.update(names_of(each))
    return frozenset(found)


def _subclasses(cls: type) -> list[type]:
    found: list[type] = []
    waiting: list[type] = list(type.__subclasses__(cls)) if cls is not object else []
    seen: set[type] = set()
    while waiting:
        each = waiting.pop()
        if each not in seen:
            seen.add(each)
            found.append(each)
            waiting += type.__subclasses__(each)
    return found


def _has_own_call(metaclass: type) -> bool:
    """Whether a metaclass has a say in what a class makes when it is called."""
    for base in mro_of(metaclass):
        if base in (type, ABCMeta, EnumType):
            continue
        if "__call__" in dict_of(base):
            return True
    return False


def _has_own_dict(base: type) -> bool:
    """Whether a class gives something else than Python's own dict for ``__dict__``."""
    found = dict_of(base).get("__dict__")
    return found is not None and type(found) is not GetSetDescriptorType


def _is_compiled(base: type) -> bool:
    """Whether a class is written in C: what it holds need not be all that instances have."""
    for value in dict_of(base).values():
        is_method = isinstance(value, (MethodDescriptorType, WrapperDescriptorType))
        if is_method and value.__objclass__ is base:
            return True
    return False


@found_once
def stored_by(base: type) -> Stored:
    """Return the names that the methods of one class store on objects, whichever objects."""
    names: set[str] = set()
    is_open = False
    for value in dict_of(base).values():
        for code, own in _codes(value, 0):
            found = _stored_in(code, own)
            names |= found.names
            is_open = is_open or found.is_open
    return Stored(frozenset(names), is_open)


def _codes(value: Any, depth: int) -> Iterator[tuple[CodeType, str]]:
    """The code of a function, a property, a decorated function, and of those within; with the
    name by which it has the object that the method belongs to."""
    if depth > MOST_NESTED:
        return
    if isinstance(value, FunctionType):
        code = value.__code__
        yield from _with_inner(code, code.co_varnames[0] if code.co_argcount else "self")
        for cell in value.__closure__ or ():
            try:
                held = cell.cell_contents
            except ValueError:  # not set yet
                continue
            if isinstance(held, (FunctionType, classmethod, staticmethod, property)):
                yield from _codes(held, depth + 1)
    elif isinstance(value, (classmethod, staticmethod)):
        yield from _codes(value.__func__, depth + 1)
    elif isinstance(value, property):
        for each in (value.fget, value.fset, value.fdel):
            yield from _codes(each, depth + 1)
    elif isinstance(value, (partial, partialmethod)):
        yield from _codes(value.func, depth + 1)
    elif hasattr(type(value), "__get__") and not isinstance(value, type):
        held = getattr(value, "__dict__", None)
        if type(held) is dict:
            for each in held.values():
                if isinstance(each, FunctionType):
                    yield from _codes(each, depth + 1)


def _with_inner(code: CodeType, own: str) -> Iterator[tuple[CodeType, str]]:
    yield code, own
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _with_inner(each, own)


SETTERS = frozenset({"setattr", "__setattr__"})
RESTORING = frozenset({"__setstate__", "__copy__", "__deepcopy__", "__reduce__", "__getstate__"})
"""Methods that give a copy of an object the attributes that the object has."""


@found_once
def _stored_in(code: CodeType, own: str) -> Stored:
    names: set[str] = set()
    is_open = False
    if not code.co_names or code.co_name in RESTORING:
        return NOTHING_STORED
    instructions = [each for each in dis.get_instructions(code) if each.opname not in BETWEEN]
    for index, each in enumerate(instructions):
        if each.opname == "STORE_ATTR":
            names.add(str(each.argval))
        elif not each.opname.startswith("LOAD_"):
            continue
        elif each.argval in SETTERS:
            literal = _literal_after(instructions, index)
            names.add(literal)
            is_open = is_open or (not literal and _is_given(instructions, index, own))
        elif each.argval == "vars" or each.argval == "__dict__":
            is_open = is_open or _writes_dict(instructions, index, own)
    return Stored(frozenset(names - {""}), is_open)


NOTHING_STORED = Stored(frozenset(), False)
BETWEEN = frozenset({"PUSH_NULL", "CACHE", "PRECALL", "NOP", "RESUME"})
"""Instructions that come between those that matter, in one version of Python or another."""


def _literal_after(instructions: list[dis.Instruction], index: int) -> str:
    """The name that is given to ``setattr`` as a literal, or an empty text."""
    for each in instructions[index + 1 : index + 4]:
        if each.opname == "LOAD_CONST" and isinstance(each.argval, str):
            return each.argval
    return ""


def _loads(instruction: dis.Instruction) -> tuple[Any, ...]:
    """The variables that an instruction loads: one, or two in a row since Python 3.13."""
    if not instruction.opname.startswith(("LOAD_FAST", "LOAD_DEREF", "LOAD_CLOSURE")):
        return ()
    found = instruction.argval
    return found if isinstance(found, tuple) else (found,)


def _is_given(instructions: list[dis.Instruction], index: int, own: str) -> bool:
    """Whether a call gets the object itself for its first argument, as far as can be told."""
    following = instructions[index + 1 : index + 3]
    if len(following) < 2:
        return True
    loaded = _loads(following[0])
    if loaded[:1] != (own,):
        return not loaded  # something else than a variable: the object may be behind it
    return len(loaded) > 1 or following[1].opname != "LOAD_ATTR"


def _writes_dict(instructions: list[dis.Instruction], index: int, own: str) -> bool:
    """Whether the object's own dict is written to where it is read: by item, or by ``update``."""
    if instructions[index].argval == "vars":
        is_own = _is_given(instructions, index, own)
    else:
        is_own = index > 0 and _loads(instructions[index - 1])[-1:] == (own,)
    if not is_own:
        return False
    for each in instructions[index + 1 : index + 6]:
        if each.opname == "STORE_SUBSCR" or each.argval in ("update", "setdefault"):
            return True
        if each.opname in ("STORE_FAST", "STORE_DEREF"):  # it goes by another name from here on
            return any(later.opname == "STORE_SUBSCR" for later in instructions[index:])
    return False
