"""What an attribute of a model's row is: a column, a related row, the manager of related rows, a
method of the class; told from ``Model._meta`` and the class alone."""

from __future__ import annotations

from functools import partialmethod
from typing import Any

from django.db.models import Model
from django.db.models.fields.files import FileDescriptor
from django.db.models.fields.related_descriptors import (
    ForwardManyToOneDescriptor,
    ManyToManyDescriptor,
    ReverseManyToOneDescriptor,
    ReverseOneToOneDescriptor,
)
from django.db.models.manager import ManagerDescriptor
from django.db.models.query_utils import DeferredAttribute

from ..relations.models import KEY_PROPERTY
from ..runtime.types import is_django
from .attributes import instance_attribute
from .cached import found_once
from .callables import needed_arguments
from .class_attributes import (
    NOT_THERE,
    defining_module,
    dict_of,
    mro_of,
    names_of,
    own_annotations,
    static_value,
    stored_by,
)
from .faults import Fault, did_you_mean
from .field_values import value_of_field
from .known_results import STR
from .manager_rows import is_model, row_of, rows_of
from .types import (
    ANYTHING,
    NONE_TYPE,
    CallableType,
    ObjectType,
    TupleType,
    ValueType,
    name_of,
    one_of,
)


@found_once
def model_attribute(model: type[Model], name: str) -> ValueType | Fault | None:
    """Return what an attribute of a row is, uncalled; None when rows have no such attribute."""
    found, base = static_value(model, name)
    if found is NOT_THERE or base is None:
        return instance_attribute(model, name)
    if found is KEY_PROPERTY:
        return key_type(model)
    kind = type(found)
    if not is_django(str(defining_module(kind))):
        return _method_of_field(model, name) or _of_class(model, name)
    if isinstance(found, DeferredAttribute):
        return _column(found)
    if isinstance(found, ForwardManyToOneDescriptor):
        row = row_of(found.field.related_model)
        return one_of([row, NONE_TYPE]) if found.field.null else row
    if isinstance(found, ReverseOneToOneDescriptor):
        return row_of(found.related.related_model)
    if isinstance(found, ReverseManyToOneDescriptor):  # many-to-many and generic ones, too
        return _related_rows(found)
    if isinstance(found, ManagerDescriptor):
        return Fault(
            "unknown-attribute",
            f"{name_of(model)}.{name} is a manager of the class, which a row does not have",
            f"the view can give the rows: {name_of(model)}.{name}.all()",
            name,
        )
    return _of_class(model, name)


def _of_class(model: type[Model], name: str) -> ValueType | None:
    """What the class has, unless a column goes by the same name, which then hides it in a row."""
    if any(name == field.attname for field in model._meta.concrete_fields):
        return ANYTHING
    return instance_attribute(model, name)


def _column(found: Any) -> ValueType:
    field = found.field
    if isinstance(found, FileDescriptor):
        return ObjectType(field.attr_class)
    return value_of_field(field)


def key_type(model: type[Model]) -> ValueType:
    """Return what the primary key of a row is."""
    key = model._meta.pk
    if key is None:
        return ANYTHING
    parts = getattr(model._meta, "pk_fields", [key])
    if len(parts) > 1:
        return TupleType(tuple(value_of_field(each) for each in parts))
    return value_of_field(key)


def _related_rows(found: Any) -> ValueType:
    field = found.field
    if isinstance(found, ManyToManyDescriptor):
        model = found.rel.related_model if found.reverse else found.rel.model
    else:
        model = getattr(found.rel, "related_model", None) or field.model
        if field.one_to_many:  # a generic relation is a field of the side that has the rows
            model = field.related_model
    if not is_model(model):  # one that is swapped out
        return ANYTHING
    return rows_of(found.related_manager_cls, model)


def _method_of_field(model: type[Model], name: str) -> ValueType | None:
    """What Django makes for a field: ``get_status_display()``, ``get_next_by_created()``."""
    found, _ = static_value(model, name)
    if not isinstance(found, partialmethod) or not is_django(found.func.__module__):
        return None
    if name.endswith("_display"):
        return CallableType(f"{name_of(model)}.{name}", STR, needed_arguments(found))
    if name.startswith(("get_next_", "get_previous_")):
        return CallableType(f"{name_of(model)}.{name}", row_of(model), needed_arguments(found))
    return None


def missing_on_model(model: type[Model], name: str, extra: frozenset[str]) -> Fault:
    """Return the fault for an attribute that rows of a model do not have."""
    message = f"{name_of(model)} has no attribute {name!r}"
    return Fault("unknown-attribute", message, _hint(model, name, extra), name)


def _hint(model: type[Model], name: str, extra: frozenset[str]) -> str:
    if name.startswith("get_") and name.endswith("_display"):
        field = name[len("get_") : -len("_display")]
        if field in {each.name for each in model._meta.fields}:
            return f"the field {field!r} has no choices"
    for relation in model._meta.related_objects:
        default = f"{relation.related_model._meta.model_name}_set"
        accessor = relation.get_accessor_name()
        if name == default and accessor and accessor != default:
            return f"did you mean {accessor!r}?"
    for each in model._meta.get_fields():
        related = getattr(each, "related_model", None)
        rest = name.removeprefix(f"{each.name}_")
        is_single = rest != name and (each.many_to_one or each.one_to_one)
        if is_single and is_model(related) and model_attribute(related, rest) is not None:
            return f"did you mean '{each.name}.{rest}'?"
    return did_you_mean(name, {*readable_names(model), *extra})


@found_once
def readable_names(model: type[Model]) -> frozenset[str]:
    """Return the names that a template may read from a row: no private ones, none of Django's own
    that alter it, no managers."""
    found: set[str] = set()
    for name in names_of(model):
        if name.startswith("_") or name.isupper():
            continue
        value = model_attribute(model, name)
        if isinstance(value, Fault):
            continue
        if isinstance(value, CallableType) and (value.alters_data or value.needs):
            continue
        found.add(name)
    own = {
        name
        for base in mro_of(model)
        if base not in mro_of(Model)
        for name in (*dict_of(base), *own_annotations(base), *stored_by(base).names)
    }
    raised = {"DoesNotExist", "MultipleObjectsReturned", "NotUpdated"}
    return frozenset((found & own - raised) | {"pk"})
