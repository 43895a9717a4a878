"""Looking at values of a site without running the site's code.

``getattr()``, ``isinstance()``, ``len()``, iterating and comparing all ask the value, which may
answer by whatever its class says: by querying, by raising, by waking what is lazy. Here only the
types that CPython itself knows are asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import (
    BuiltinMethodType,
    FunctionType,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
)
from typing import Any

_mro_of = type.__dict__["__mro__"].__get__

_dict_of = type.__dict__["__dict__"].__get__

NO_ATTRIBUTES: Mapping[str, Any] = MappingProxyType({})

FUNCTIONS = frozenset({FunctionType, MethodType, BuiltinMethodType})


def attributes(value: Any) -> Mapping[str, Any]:
    """Return the attributes that an object keeps in its own dict; empty when it has none."""
    for base in _mro_of(type(value)):
        descriptor = _dict_of(base).get("__dict__")
        if descriptor is not None:
            if type(descriptor) is not GetSetDescriptorType:
                return NO_ATTRIBUTES  # a property of the site
            found = descriptor.__get__(value)
            return found if type(found) is dict else NO_ATTRIBUTES
    return NO_ATTRIBUTES


def static_attribute(value: Any, name: str, default: Any = None) -> Any:
    """Return an attribute as the object, a slot or its class keeps it.

    Returns:
        ``default`` where only code would tell: for a property, say, or by ``__getattr__``.
    """
    own = attributes(value)
    if name in own:
        return own[name]
    for base in _mro_of(type(value)):
        known = _dict_of(base)
        if name not in known:
            continue
        found = known[name]
        if type(found) is MemberDescriptorType:
            try:
                return found.__get__(value)
            except AttributeError:  # an empty slot
                return default
        is_code = any("__get__" in _dict_of(each) for each in _mro_of(type(found)))
        return default if is_code else found
    return default


def owner_of(value: Any) -> Any:
    """Return the object that a bound method belongs to; None for everything else."""
    return value.__self__ if type(value) in (MethodType, BuiltinMethodType) else None


def static_module(function: Any) -> str:
    """Return the name of the module that a function, or what is called like one, is from."""
    found = (
        function.__module__
        if type(function) in FUNCTIONS
        else static_attribute(function, "__module__")
    )
    return found if type(found) is str else ""


def static_rows(values: Any) -> Sequence[Any]:
    """Return the items that a list or tuple holds, whatever its class says of them."""
    kind = type(values)
    if kind is list or kind is tuple:
        return values  # type: ignore[no-any-return]
    if issubclass(kind, list):
        return list.__getitem__(values, slice(None))
    if issubclass(kind, tuple):
        return tuple.__getitem__(values, slice(None))
    return ()


def static_text(value: Any) -> str:
    """Return the characters of a string; an empty text for what is none."""
    return "".join((str.__str__(value),)) if issubclass(type(value), str) else ""


def is_a(value: Any, kinds: type | tuple[type, ...]) -> bool:
    """Whether ``value`` is of one of some kinds, by its type alone.

    A lazy object (``request.user``) would answer ``isinstance`` by making what it stands for.
    """
    return issubclass(type(value), kinds)
