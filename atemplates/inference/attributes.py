"""What an attribute of an instance is, told from its class: for classes of every kind."""

from __future__ import annotations

import enum
import functools
from functools import partialmethod
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    DynamicClassAttribute,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    WrapperDescriptorType,
)
from typing import Any

from django.utils.functional import cached_property

from .cached import found_once
from .callables import called_function, has_mark, needed_arguments
from .class_attributes import (
    NOT_THERE,
    annotation_of,
    mro_of,
    names_of,
    static_value,
    stored_by,
)
from .hints import type_of_annotation, type_of_return
from .known_results import known_result
from .types import ANYTHING, CallableType, ObjectType, ValueType, of_class_attribute

METHOD_KINDS = (
    FunctionType,
    classmethod,
    staticmethod,
    partialmethod,
    MethodDescriptorType,
    WrapperDescriptorType,
    ClassMethodDescriptorType,
    BuiltinFunctionType,
)
"""What a class holds for something that is called."""
COMPUTED = (property, functools.cached_property, cached_property)
SLOTS = (GetSetDescriptorType, MemberDescriptorType)


@found_once
def instance_attribute(cls: type, name: str) -> ValueType | None:
    """Return what an attribute of an instance is, uncalled; None when its class tells of none."""
    found, base = static_value(cls, name)
    if found is NOT_THERE:
        _, base = annotation_of(cls, name)
        if base is not None:
            return type_of_annotation(cls, name, base)
        return ANYTHING if name in names_of(cls) else None
    assert base is not None
    return value_of_class_attribute(found, cls, base, name)


def value_of_class_attribute(found: Any, cls: type, base: type, name: str) -> ValueType:
    """Return what an instance of ``cls`` has for what ``base`` holds under a name."""
    if isinstance(found, COMPUTED):
        return _computed(found, cls, base, name)
    if isinstance(found, SLOTS):
        known = known_result(base, name)
        return known if known is not ANYTHING else _annotated(cls, name)
    if any(name in stored_by(each).names for each in mro_of(cls)):
        return _annotated(cls, name)
    if isinstance(found, METHOD_KINDS):
        return method_type(found, cls, base, name)
    if isinstance(found, type):
        return of_class_attribute(found)
    if isinstance(found, enum.Enum) and type(found) is cls:
        return ObjectType(cls)
    if isinstance(found, DynamicClassAttribute):  # enum.property
        return known_result(base, name)
    return _annotated(cls, name)


def _annotated(cls: type, name: str) -> ValueType:
    _, base = annotation_of(cls, name)
    return ANYTHING if base is None else type_of_annotation(cls, name, base)


def _computed(found: Any, cls: type, base: type, name: str) -> ValueType:
    known = known_result(base, name)
    if known is not ANYTHING:
        return known
    function = found.fget if isinstance(found, property) else found.func
    return type_of_return(function, cls)


def method_type(
    found: Any, cls: type, base: type, name: str, row: ValueType = ANYTHING
) -> CallableType:
    """Return the type of a method that ``base`` holds, read from an instance of ``cls``."""
    result = known_result(base, name)
    if result is ANYTHING:
        function = called_function(found)
        if isinstance(function, (classmethod, staticmethod)):
            function = function.__func__
        result = type_of_return(function, cls, row)
    return CallableType(
        f"{cls.__name__}.{name}",
        result,
        needed_arguments(found),
        has_mark(found, "alters_data"),
        not has_mark(found, "do_not_call_in_templates"),
    )
