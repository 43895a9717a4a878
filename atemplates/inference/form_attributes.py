"""What a lookup on a form finds: the bound field of one of its fields, or an attribute."""

from __future__ import annotations

import ast
import inspect
import textwrap
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from django.forms import BaseForm, BaseFormSet, BaseModelForm
from django.forms.boundfield import BoundField

from ..runtime.types import is_django
from .cached import found_once
from .class_attributes import defining_module, dict_of, mro_of, names_of, static_value
from .field_values import gives_bound_field
from .types import ANYTHING, ItemsType, ObjectType, ValueType

READ_ONLY = frozenset({"pop", "get", "keys", "values", "items", "copy"})
"""Methods of the dict of fields that give a form no further ones."""
OF_FORMSETS = ("ORDER", "DELETE")


@dataclass(frozen=True, slots=True)
class FormFields:
    """The fields of a form."""

    fields: dict[str, ValueType]
    """Name -> its bound field."""
    is_open: bool
    """Whether the form's own code may add others."""


@found_once
def fields_of(form: type[BaseForm]) -> FormFields:
    """Return the fields of a form class, and those that its code adds by literal names."""
    base_fields = getattr(form, "base_fields", None)
    if not isinstance(base_fields, dict):
        return FormFields({}, True)
    found: dict[str, ValueType] = {
        str(name): _bound(form, field) for name, field in base_fields.items()
    }
    is_open = False
    for base in mro_of(form):
        if base is object or is_django(str(defining_module(base))):
            continue
        if "fields" in dict_of(base):
            is_open = True
        for value in dict_of(base).values():
            added = _added_by(value)
            is_open = is_open or added is None
            found.update(dict.fromkeys((added or frozenset()) - found.keys(), ANYTHING))
    return FormFields(found, is_open)


def _bound(form: type[BaseForm], field: Any) -> ValueType:
    if not gives_bound_field(type(field)):
        return ANYTHING
    kind = getattr(field, "bound_field_class", None) or getattr(form, "bound_field_class", None)
    if kind is None:
        # The renderer may name another class.
        return ObjectType(BoundField, extra={"field": ObjectType(type(field))})
    return ObjectType(kind) if isinstance(kind, type) else ANYTHING


@found_once
def _added_by_code(function: FunctionType) -> frozenset[str] | None:
    """The names of the fields that a method adds; None when it may add any."""
    if not _mentions_fields(function.__code__):
        return frozenset()
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return None
    parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "fields":
            name = _added_at(node, parents)
            if name is None:
                return None
            found.add(name)
    return frozenset(found - {""})


def _added_by(value: Any) -> frozenset[str] | None:
    if isinstance(value, (classmethod, staticmethod)):
        value = value.__func__
    if isinstance(value, property):
        value = value.fget
    if not isinstance(value, FunctionType):
        return frozenset()
    inner = vars(value).get("__wrapped__")
    return _added_by_code(inner if isinstance(inner, FunctionType) else value)


def _mentions_fields(code: Any) -> bool:
    if not {"fields", "__dict__"}.isdisjoint(code.co_names):
        return True
    return any(_mentions_fields(each) for each in code.co_consts if inspect.iscode(each))


def _added_at(node: ast.Attribute, parents: dict[ast.AST, ast.AST]) -> str | None:
    """The field that one mention of ``self.fields`` adds; an empty text where it adds none."""
    parent = parents[node]
    if isinstance(parent, ast.Subscript) and parent.value is node:
        if not isinstance(parent.ctx, ast.Store):
            return ""
        key = parent.slice
        return str(key.value) if isinstance(key, ast.Constant) else None
    if isinstance(parent, ast.Attribute):
        return "" if parent.attr in READ_ONLY else None
    if isinstance(parent, ast.Compare):
        return ""
    if isinstance(parent, (ast.For, ast.comprehension)) and parent.iter is node:
        return ""
    if isinstance(parent, ast.Call) and getattr(parent.func, "id", "") in ("list", "len", "sorted"):
        return ""
    return None


def form_attribute(form: type[BaseForm], name: str) -> ValueType | None:
    """Return what a form class tells of an attribute beyond its class: the row of a model form."""
    if name == "instance" and issubclass(form, BaseModelForm):
        model = getattr(getattr(form, "_meta", None), "model", None)
        return ObjectType(model) if isinstance(model, type) else ANYTHING
    return None


@found_once
def form_of(formset: type[BaseFormSet[Any]]) -> ValueType:
    """Return the type of the forms of a formset, which have fields of the formset's own."""
    form = static_value(formset, "form")[0]
    if not (isinstance(form, type) and issubclass(form, BaseForm)):
        return ANYTHING
    for name in ("add_fields", "_construct_form", "forms", "empty_form"):
        _, base = static_value(formset, name)
        if base is not None and not is_django(str(defining_module(base))):
            return ObjectType(form, is_open=True)
    extra: dict[str, ValueType] = dict.fromkeys(OF_FORMSETS, ObjectType(BoundField))
    for owner in (static_value(formset, "model")[0], static_value(formset, "fk")[0]):
        key = getattr(getattr(owner, "_meta", None), "pk", owner)
        if isinstance(key_name := getattr(key, "name", None), str):
            extra[key_name] = ObjectType(BoundField)
    return ObjectType(form, extra=extra)


def formset_attribute(formset: type[BaseFormSet[Any]], name: str) -> ValueType | None:
    """Return what an attribute of a formset is where its form decides."""
    if name in ("forms", "initial_forms", "extra_forms", "deleted_forms", "ordered_forms"):
        return ItemsType(form_of(formset))
    if name == "empty_form":
        return form_of(formset)
    return None


def form_names(form: type[BaseForm]) -> set[str]:
    """Return the names that a template may read from a form."""
    public = {name for name in names_of(form) if not name.startswith("_")}
    return public | fields_of(form).fields.keys()
