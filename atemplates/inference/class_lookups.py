"""What an attribute of a class itself is: a template may be given a model, or an enumeration."""

from __future__ import annotations

import enum

from django.db.models.manager import ManagerDescriptor

from .attributes import METHOD_KINDS
from .cached import found_once
from .callables import has_mark, needed_arguments
from .class_attributes import (
    NOT_THERE,
    annotation_of,
    dict_of,
    mro_of,
    names_of,
    static_value,
)
from .faults import Fault, did_you_mean
from .hints import type_of_annotation, type_of_return
from .manager_rows import is_model, rows_of
from .types import ANYTHING, CallableType, ObjectType, ValueType, of_class_attribute


@found_once
def class_attribute(cls: type, name: str) -> ValueType | None:
    """Return what an attribute of a class is, uncalled; None when it has none of that name."""
    if isinstance(cls, enum.EnumType) and name in cls.__members__:
        return ObjectType(cls)
    in_metaclass, meta = static_value(type(cls), name)
    if meta is not None and meta is not type and meta is not object:
        return ANYTHING
    found, base = static_value(cls, name)
    if found is NOT_THERE or base is None:
        if in_metaclass is not NOT_THERE:
            return ANYTHING
        return _annotated(cls, name)
    if isinstance(found, ManagerDescriptor) and is_model(cls):
        return rows_of(type(vars(found)["manager"]), cls)
    if isinstance(found, METHOD_KINDS):
        bound = isinstance(found, classmethod)
        function = found.__func__ if isinstance(found, (classmethod, staticmethod)) else found
        return CallableType(
            f"{cls.__name__}.{name}",
            type_of_return(function, cls),
            needed_arguments(function, bound=bound),
            has_mark(found, "alters_data"),
            not has_mark(found, "do_not_call_in_templates"),
        )
    return of_class_attribute(found) if isinstance(found, type) else ANYTHING


def _annotated(cls: type, name: str) -> ValueType | None:
    _, base = annotation_of(cls, name)
    return None if base is None else type_of_annotation(cls, name, base)


def missing_on_class(cls: type, name: str) -> ValueType | Fault:
    """Return the fault for an attribute that a class does not have, as far as that is sure."""
    meta = type(cls)
    for base in mro_of(meta):
        if base not in (type, object, enum.EnumType) and (
            "__getattr__" in dict_of(base) or "__getattribute__" in dict_of(base)
        ):
            return ANYTHING
    if isinstance(cls, enum.EnumType):
        names = {*cls.__members__, *names_of(meta)}
        names = {each for each in names if not each.startswith("_")}
        hint = did_you_mean(name, names)
        return Fault("unknown-attribute", f"{cls.__name__} has no member {name!r}", hint, name)
    return ANYTHING
