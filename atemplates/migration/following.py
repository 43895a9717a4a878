"""Following a path through types: which objects it comes to first, and what is at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, get_origin

from django.core.paginator import Page
from django.db.models import Model
from django.db.models.fields.files import FieldFile
from django.forms import BaseForm, BaseFormSet
from django.forms.boundfield import BoundField

from ..inference.data import Data
from ..inference.faults import Fault
from ..inference.steps import called_by_django, step
from ..inference.types import (
    ANYTHING,
    CallableType,
    ClassType,
    DictType,
    ItemsType,
    ObjectType,
    OneOf,
    RowsType,
    TupleType,
    ValueType,
    data_of,
)

DEEPEST_VALUE = 4
"""How deep a value is looked into for rows: lists in dicts in lists."""
HOLD_NO_ROWS = (str, bytes, int, float, complex, bool, type(None), FieldFile, BoundField)
"""Classes of values through which a template reaches no row of a model."""
FORMS = (BaseForm, BaseFormSet)
"""What reads rows, if at all, by itself."""


@dataclass(frozen=True, slots=True)
class Reached:
    """Rows, a row, or a page of rows that a path comes to."""

    owner: tuple[str, ...]
    """The steps from the variable to it."""
    model: type[Model]
    shape: str
    """``"rows"``, ``"row"`` or ``"page"``, as in `Data`."""
    data: Data | None


def reached(value: ValueType, steps: Sequence[str]) -> Reached | None:
    """Return what a path comes to first that is made of rows of a model.

    Args:
        value: what is known of the variable.
        steps: the path, with ``"[]"`` for any item.
    """
    for end, each in enumerate(values_on(value, steps)):
        found = shape_of(each)
        if found is not None:
            model, shape = found
            return Reached(tuple(steps[:end]), model, shape, data_of(each))
    return None


def values_on(value: ValueType, steps: Sequence[str]) -> list[ValueType]:
    """Return what is at a variable and after each step, as far as something is known."""
    found: list[ValueType] = []
    current: ValueType | Fault = called_by_django(value)
    for bit in (*steps, None):
        if isinstance(current, Fault) or current is ANYTHING:
            break
        found.append(current)
        if bit is not None:
            current = step(current, bit)
    return found


def value_at_end(value: ValueType, steps: Sequence[str]) -> ValueType | None:
    """Return what is known of the value at a path's end; None where a step surely fails."""
    current: ValueType | Fault = called_by_django(value)
    for bit in steps:
        if isinstance(current, Fault):
            return None
        current = step(current, bit)
    return None if isinstance(current, Fault) else current


def shape_of(value: ValueType) -> tuple[type[Model], str] | None:
    """Return the model and the shape of what is a row, rows or a page, or may be None instead."""
    if isinstance(value, OneOf):
        found = {shape_of(each) for each in value.types if each != ObjectType(type(None))}
        return found.pop() if len(found) == 1 else None
    if isinstance(value, RowsType):
        model = model_of(value.row)
        return (model, "rows") if model is not None else None
    if isinstance(value, ItemsType):
        model = model_of(value.item)
        return (model, "rows") if model is not None else None
    if isinstance(value, ObjectType) and issubclass(value.cls, Page):
        model = model_of(value.item)
        return (model, "page") if model is not None else None
    model = model_of(value)
    return (model, "row") if model is not None else None


def model_of(value: ValueType) -> type[Model] | None:
    """Return the model of a row."""
    if not isinstance(value, ObjectType) or not issubclass(value.cls, Model):
        return None
    return value.cls if hasattr(value.cls._meta, "concrete_model") else None


def may_hold_rows(value: ValueType, depth: int = 0) -> bool | None:
    """Return whether a value is, or holds, rows of a model; None where that is not known."""
    if isinstance(value, RowsType):
        return True
    if isinstance(value, OneOf):
        return _any_of([may_hold_rows(each, depth) for each in value.types])
    if value is ANYTHING or depth > DEEPEST_VALUE:
        return None
    if isinstance(value, ItemsType):
        return may_hold_rows(value.item, depth + 1)
    if isinstance(value, TupleType):
        return _any_of([may_hold_rows(each, depth + 1) for each in value.items])
    if isinstance(value, DictType):
        held = [may_hold_rows(each, depth + 1) for each in value.members.values()]
        return _any_of(held if value.is_complete else [*held, may_hold_rows(value.value, depth)])
    if isinstance(value, ClassType):
        return False
    if isinstance(value, CallableType):
        return may_hold_rows(value.result, depth + 1)
    return _object_holds_rows(value, depth) if isinstance(value, ObjectType) else None


def _object_holds_rows(value: ObjectType, depth: int) -> bool | None:
    if issubclass(value.cls, Model):
        return True
    if value.item is not ANYTHING:
        return may_hold_rows(value.item, depth + 1)
    if issubclass(value.cls, (*HOLD_NO_ROWS, *FORMS)) or is_plain_class(value.cls):
        return False
    if is_dataclass(value.cls) and not value.is_open and not value.may_be_subclass:
        found = [step(value, each.name) for each in fields(value.cls)]
        return _any_of(
            [may_hold_rows(each, depth + 1) for each in found if not isinstance(each, Fault)]
        )
    return None


def is_plain_class(cls: type) -> bool:
    """Whether a class is one of Python's own values: a date, a number, an identifier."""
    if issubclass(cls, (list, tuple, dict, set, frozenset, Mapping)) or get_origin(cls):
        return False
    return cls.__module__ in PLAIN_MODULES


PLAIN_MODULES = frozenset(
    {"datetime", "decimal", "fractions", "uuid", "ipaddress", "zoneinfo", "pathlib"}
)
"""Modules whose classes hold no objects of others."""


def _any_of(held: list[bool | None]) -> bool | None:
    """True where one holds rows, False where none does, None where that is not known."""
    known: list[Any] = [each for each in held if each is not None]
    return True if any(known) else (None if len(known) < len(held) else False)
