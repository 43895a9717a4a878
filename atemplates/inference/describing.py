"""Types in words, and what they have: for hovers and completions of an editor."""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType

from django.db.models.manager import BaseManager
from django.forms import BaseForm

from .class_attributes import defining_module, names_of
from .faults import Fault
from .form_attributes import form_names
from .manager_rows import is_model
from .model_attributes import readable_names
from .steps import step
from .types import (
    ANYTHING,
    NONE_TYPE,
    CallableType,
    ClassType,
    DictType,
    ItemsType,
    ObjectType,
    OneOf,
    RowsType,
    TupleType,
    ValueType,
)

KNOWN_TO_ALL = frozenset({"builtins", "datetime", "decimal", "uuid", "collections.abc"})
"""Modules whose classes need no more than their name."""


def describe_type(value: ValueType) -> str:
    """Return a type for people: ``Book (shop.models)``, ``QuerySet[Book]``, ``str | None``."""
    module = _module(value)
    return f"{value} ({module})" if module else str(value)


def _module(value: ValueType) -> str:
    if isinstance(value, OneOf):
        rest = [each for each in value.types if each != NONE_TYPE]
        return _module(rest[0]) if len(rest) == 1 else ""
    if isinstance(value, (ObjectType, ClassType)) and value.cls is not NoneType:
        module = str(defining_module(value.cls))
        return "" if module in KNOWN_TO_ALL else module
    return ""


def members(value: ValueType) -> Mapping[str, ValueType]:
    """Return what a template may read from a value, and what Django's templates find there.

    What alters data, needs arguments or has a private name is left out, and the plumbing of
    Django's own models.
    """
    if isinstance(value, OneOf):
        found: dict[str, ValueType] = {}
        for each in value.types:
            found.update(members(each))
        return found
    right: dict[str, ValueType] = {}
    for name in sorted(_names(value)):
        result = step(value, name)
        if not isinstance(result, Fault):
            right[name] = result
    return right


def _names(value: ValueType) -> set[str]:
    if value is ANYTHING or value == NONE_TYPE or isinstance(value, CallableType):
        return set()
    if isinstance(value, DictType):
        return {*value.members, "items", "keys", "values"}
    if isinstance(value, ObjectType):
        return {*_public(value.cls), *value.extra}
    if isinstance(value, ClassType):
        return set(getattr(value.cls, "__members__", ())) | _public(type(value.cls))
    if isinstance(value, (RowsType, ItemsType)):
        return _public(value.cls)
    if isinstance(value, TupleType):
        return {str(position) for position in range(len(value.items))}
    return set()


def _public(cls: type) -> set[str]:
    if is_model(cls):
        return set(readable_names(cls))
    if issubclass(cls, BaseForm):
        return form_names(cls)
    hidden = {"name", "creation_counter"} if issubclass(cls, BaseManager) else set()
    return {each for each in names_of(cls) if not each.startswith("_")} - hidden
