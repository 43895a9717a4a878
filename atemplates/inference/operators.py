"""Operators on values of which something is known: what they give, and what a condition decides."""

from __future__ import annotations

import ast
import inspect
import operator
import re
from collections.abc import Callable
from types import NoneType
from typing import Any

from .known import (
    NEVER,
    Instance,
    Known,
    LoadedTemplate,
    LocalFunction,
    TextLike,
    any_of,
    merged_dicts,
    published,
    structure,
)
from .types import (
    ANYTHING,
    NONE_TYPE,
    ClassType,
    DictType,
    ItemsType,
    ObjectType,
    OneOf,
    RowsType,
    TupleType,
    ValueType,
)

A_BOOL = ObjectType(bool)
A_TEXT = ObjectType(str)
A_NUMBER = ObjectType(int)
FORMAT_PLACE = re.compile(r"%(?:\(\w+\))?[-#0 +]*[\d.]*[diouxXeEfFgGcrsa]")
"""A place of ``"..." % ...``."""
CALCULATIONS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Mod: operator.mod,
    ast.FloorDiv: operator.floordiv,
    ast.Div: operator.truediv,
}
LONGEST_TEXT = 1000
"""In characters, for texts that are put together of known ones."""


def calculated(left: ValueType, how: ast.operator, right: ValueType) -> ValueType:
    """Return what ``left + right`` and its like give."""
    if isinstance(left, OneOf) and len(left.types) <= 4:
        return any_of(calculated(each, how, right) for each in left.types)
    if isinstance(right, OneOf) and len(right.types) <= 4:
        return any_of(calculated(left, how, each) for each in right.types)
    text = _text(left, how, right)
    if text is not None:
        return text
    one, other = structure(left) or left, structure(right) or right
    if isinstance(how, ast.BitOr) and isinstance(one, DictType) and isinstance(other, DictType):
        return united(one, other)
    if isinstance(how, ast.Add):
        if isinstance(one, TupleType) and isinstance(other, TupleType):
            return TupleType((*one.items, *other.items))
        if isinstance(one, ItemsType) and isinstance(other, ItemsType):
            return ItemsType(any_of([one.item, other.item]), one.cls)
    if isinstance(how, ast.Mult) and isinstance(one, ItemsType):
        return ItemsType(one.item, one.cls)
    kinds = {_number(left), _number(right)}
    if None in kinds or how.__class__ not in CALCULATIONS:
        return ANYTHING
    if float in kinds or isinstance(how, ast.Div):
        return ObjectType(float)
    return A_NUMBER


def _text(left: ValueType, how: ast.operator, right: ValueType) -> ValueType | None:
    if not is_text(left) or not isinstance(how, (ast.Add, ast.Mod)):
        return None
    if isinstance(how, ast.Add):
        return joined([left, right]) if is_text(right) else ANYTHING
    if not isinstance(left, Known):
        return A_TEXT
    parts = FORMAT_PLACE.split(left.value)
    given = list(right.items) if isinstance(right, TupleType) else [right]
    if len(parts) != len(given) + 1 or isinstance(structure(right), DictType):
        return TextLike(".*".join(map(re.escape, parts)))
    found: list[ValueType] = [Known(parts[0].replace("%%", "%"))]
    for value, part in zip(given, parts[1:], strict=True):
        found += [value, Known(part.replace("%%", "%"))]
    return joined(found)


def joined(parts: list[ValueType]) -> ValueType:
    """Return the text of several values, one after the other."""
    if all(isinstance(each, Known) and isinstance(each.value, (str, int)) for each in parts):
        text = "".join(str(each.value) for each in parts)  # type: ignore[attr-defined]
        return Known(text) if len(text) <= LONGEST_TEXT else A_TEXT
    pattern = ""
    for each in parts:
        if isinstance(each, Known) and isinstance(each.value, (str, int)):
            pattern += re.escape(str(each.value))
        elif isinstance(each, TextLike):
            pattern += each.pattern
        elif isinstance(each, OneOf) and all(isinstance(one, Known) for one in each.types):
            pattern += "(?:" + "|".join(re.escape(str(one)) for one in _values(each)) + ")"
        else:
            pattern += ".*"
    return TextLike(pattern)


def _values(value: OneOf) -> list[Any]:
    return [each.value for each in value.types if isinstance(each, Known)]


def is_text(value: ValueType) -> bool:
    """Whether a value is a text."""
    if isinstance(value, Known):
        return isinstance(value.value, str)
    return isinstance(value, TextLike) or (isinstance(value, ObjectType) and value.cls is str)


def _number(value: ValueType) -> type | None:
    cls = type(value.value) if isinstance(value, Known) else getattr(value, "cls", None)
    return cls if cls in (int, float, bool) and not isinstance(value, ClassType) else None


def united(one: DictType, other: DictType) -> DictType:
    """Return ``one | other``: the values of the second win."""
    if not one.members and one.is_complete:
        return other
    either = merged_dicts(one, other)
    members = {**one.members, **other.members}
    if not other.is_complete:
        members |= {
            name: any_of([value, other.value])
            for name, value in one.members.items()
            if name not in other.members
        }
    return DictType(members, either.is_complete, either.value)


# -- conditions ------------------------------------------------------------------------------------


def truth_of(value: ValueType) -> bool | None:
    """Return whether a value is true, or None where it may be either."""
    if isinstance(value, OneOf):
        found = {truth_of(each) for each in value.types}
        return found.pop() if len(found) == 1 else None
    if isinstance(value, Known):
        plain = value.value
        if plain is None or isinstance(plain, (str, bytes, int, float, bool, tuple, list, dict)):
            return bool(plain)
        return True if inspect.isclass(plain) or inspect.isroutine(plain) else None
    if value == NONE_TYPE:
        return False
    if isinstance(value, TupleType):
        return bool(value.items)
    if isinstance(value, ItemsType) and value.item is NEVER:
        return False
    if isinstance(value, DictType) and value.is_complete and not value.members:
        return False
    if isinstance(value, (Instance, LocalFunction, LoadedTemplate)):
        return True
    return None


def compared(left: ValueType, how: ast.cmpop, right: ValueType) -> bool | None:
    """Return what a comparison gives, or None where it may be either."""
    if isinstance(how, (ast.Is, ast.IsNot)):
        same = _is_none(left) if is_none(right) else None
        if same is None and isinstance(left, Known) and isinstance(right, Known):
            same = left == right
        return same if same is None or isinstance(how, ast.Is) else not same
    if isinstance(how, (ast.In, ast.NotIn)):
        found = _contains(structure(right) or right, left)
        return found if found is None or isinstance(how, ast.In) else not found
    if isinstance(left, Known) and isinstance(right, Known):
        one, other = left.value, right.value
        if isinstance(one, (str, int, NoneType)) and isinstance(other, (str, int, NoneType)):
            if isinstance(how, ast.Eq):
                return bool(one == other)
            if isinstance(how, ast.NotEq):
                return bool(one != other)
    return None


def is_none(value: ValueType) -> bool:
    """Whether a value is surely ``None``."""
    return _is_none(value) is True


def _is_none(value: ValueType) -> bool | None:
    if isinstance(value, OneOf):
        found = {_is_none(each) for each in value.types}
        return found.pop() if len(found) == 1 else None
    if value is ANYTHING or value is NEVER:
        return None
    if isinstance(value, Known):
        return value.value is None
    return value == NONE_TYPE


def _contains(container: ValueType, value: ValueType) -> bool | None:
    if isinstance(container, DictType) and container.is_complete and isinstance(value, Known):
        # A key may have been put there on one way only.
        return None if value.value in container.members else False
    return None


def is_instance(value: ValueType, classes: ValueType) -> bool | None:
    """Return what ``isinstance(value, classes)`` gives, or None where it may be either."""
    given = classes.items if isinstance(classes, TupleType) else (classes,)
    plain: list[Any] = []
    for each in given:
        if not isinstance(each, Known):
            return None
        plain += each.value if isinstance(each.value, tuple) else [each.value]
    if not all(inspect.isclass(each) for each in plain):
        return None
    if isinstance(value, OneOf):
        found = {is_instance(each, classes) for each in value.types}
        return found.pop() if len(found) == 1 else None
    if isinstance(value, Known):
        return isinstance(value.value, tuple(plain))
    cls = class_of(value)
    if cls is None:
        return None
    return True if issubclass(cls, tuple(plain)) else (None if _may_be_more(cls) else False)


def _may_be_more(cls: type) -> bool:
    """Whether what is known to be of a class may be of a class that derives from it."""
    return cls is object


def class_of(value: ValueType) -> type | None:
    """Return the class of a value; None where it is not known."""
    if isinstance(value, Known):
        return type(value.value)
    if isinstance(value, TextLike):
        return str
    if isinstance(value, TupleType):
        return tuple
    if isinstance(value, DictType):
        return dict
    if isinstance(value, (Instance, ObjectType, ItemsType, RowsType)):
        return value.cls
    return None


def without_none(value: ValueType) -> ValueType:
    """Return a value without the ``None`` that it may be: ``x or other``."""
    if isinstance(value, OneOf):
        kept = [each for each in value.types if not is_none(each)]
        return any_of(kept)
    return NEVER if is_none(value) else value


def narrow(value: ValueType) -> ValueType:
    """Return a value whose known constants are given up: what a loop changes."""
    return published(value) if isinstance(value, (Known, TextLike)) else value
