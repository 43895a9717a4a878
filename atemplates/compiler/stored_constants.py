"""Constants of compiled code, described so that another process makes or finds the same ones.

A description is what ``marshal`` can write: a pair of a letter and what it is about.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Sequence
from importlib import import_module
from types import BuiltinFunctionType, FunctionType
from typing import Any, TypeAlias

from django.utils.safestring import SafeString

from .plan_keys import PLAIN_TYPES, NodeWalk
from .runtime_names import RUNTIME

Description: TypeAlias = tuple[str, Any]

NAMED_PACKAGES = frozenset({"atemplates", "django", "markupsafe", *sys.stdlib_module_names})
"""Whose functions and classes are found by their names: their code is part of each key."""
_our_package = __name__.partition(".")[0]


class Undescribable(Exception):
    """There is no telling another process which object this is."""


class Describer:
    """Describes the constants of one module.

    Args:
        walk: the walk over its nodes.
        made: what was made when its code was written; see `Constants.make`.
    """

    def __init__(self, walk: NodeWalk, made: dict[int, tuple[Callable[[Any], Any], Any]]) -> None:
        self.numbers = walk.numbers
        self.made = made
        self.kinds = {type(each): number for number, each in enumerate(walk.objects)}

    def describe(self, value: Any) -> Description:
        """Describe a constant.

        Raises:
            Undescribable: nobody knows how.
        """
        kind = type(value)
        if kind in PLAIN_TYPES:
            return "=", value
        if kind is SafeString:
            return "safe", "".join((value,))
        number = self.numbers.get(id(value))
        if number is not None:
            return "node", number
        if id(value) in self.made:
            function, given = self.made[id(value)]
            return "made", (self.describe(function), self.describe(given))
        if kind is tuple or kind is frozenset or kind is list:
            return kind.__name__, tuple(map(self.describe, value))
        if kind is dict:
            pairs = [(self.describe(key), self.describe(held)) for key, held in value.items()]
            return "dict", tuple(pairs)
        if isinstance(value, type) and value in self.kinds:
            return "made", (self.describe(type), ("node", self.kinds[value]))
        if isinstance(value, type) or kind is FunctionType or kind is BuiltinFunctionType:
            return "name", self._name_of(value, value.__module__, value.__qualname__)
        return self._describe_object(value, kind)

    def _name_of(self, value: Any, module: str, name: str) -> tuple[str, str]:
        if module == "builtins" and getattr(types, name, None) is value:
            module = "types"  # where NoneType and others are that no name leads to
        if str(module).partition(".")[0] not in NAMED_PACKAGES:
            raise Undescribable(f"{module}.{name}")
        try:
            found = named(module, name)
        except (AttributeError, ImportError) as error:
            raise Undescribable(f"{module}.{name}") from error
        if found is not value:
            raise Undescribable(f"{module}.{name}")
        return module, name

    def _describe_object(self, value: Any, kind: type) -> Description:
        for name, shared in RUNTIME.items():
            if shared is value:
                return "runtime", name
        if kind.__module__.partition(".")[0] != _our_package:
            raise Undescribable(kind)
        place = self._name_of(kind, kind.__module__, kind.__qualname__)
        members = getattr(kind, "__members__", None)
        if members is not None:
            return "name", (place[0], f"{place[1]}.{value.name}")
        if issubclass(kind, tuple):
            return "fields", (place, tuple(map(self.describe, value)))
        slots = kind.__dict__.get("__slots__")
        if slots is None or hasattr(value, "__dict__") or kind.__bases__ != (object,):
            raise Undescribable(kind)
        fields = [(name, self.describe(getattr(value, name))) for name in slots]
        return "slots", (place, tuple(fields))


def named(module: str, name: str) -> Any:
    """Return what stands under a qualified name in a module."""
    found: Any = sys.modules.get(module) or import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


def restore(description: Description, objects: Sequence[Any]) -> Any:
    """Make or find a constant again.

    Args:
        objects: what a walk over the nodes met.
    """
    how, what = description
    if how == "=":
        return what
    if how == "node":
        return objects[what]
    if how == "slots":
        kind = named(*what[0])
        made = object.__new__(kind)
        for name, held in what[1]:
            setattr(made, name, held[1] if held[0] == "=" else restore(held, objects))
        return made
    if how == "safe":
        return SafeString(what)
    if how == "name":
        return named(*what)
    if how == "runtime":
        return RUNTIME[what]
    if how == "fields":
        kind = named(*what[0])
        return tuple.__new__(kind, [restore(held, objects) for held in what[1]])
    if how == "made":
        return restore(what[0], objects)(restore(what[1], objects))
    if how == "dict":
        return {restore(key, objects): restore(held, objects) for key, held in what}
    return CONTAINERS[how](restore(held, objects) for held in what)


CONTAINERS: dict[str, Any] = {"tuple": tuple, "frozenset": frozenset, "list": list}
