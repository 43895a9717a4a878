"""One step of a path, told from types: what ``{{ value.bit }}`` finds, or why it surely fails.

Django looks for an item, then an attribute, then an index, and calls what can be called; Jinja2 for
an attribute, then an item, and calls where the template says so. Nothing here runs code of the
site: what is not sure is `ANYTHING`, and a `Fault` is only for what fails whatever the data are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from django.db.models import Model, QuerySet
from django.db.models.manager import BaseManager
from django.forms import BaseForm, BaseFormSet
from django.forms.boundfield import BoundField
from django.http import HttpRequest

from ..relations.paths import ITEM
from .attributes import instance_attribute
from .cached import found_once
from .callables import needed_by_class
from .class_attributes import (
    NOT_THERE,
    dict_of,
    is_open_class,
    mro_of,
    names_of,
    static_value,
    subclass_names,
)
from .class_lookups import class_attribute, missing_on_class
from .faults import Fault, did_you_mean
from .form_attributes import (
    fields_of,
    form_attribute,
    form_names,
    form_of,
    formset_attribute,
)
from .known_results import known_item
from .manager_rows import is_model
from .model_attributes import missing_on_model, model_attribute
from .pages import PAGES, page_attribute
from .row_methods import row_method
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
    name_of,
    one_of,
)

Found: TypeAlias = ValueType | Fault | None
"""What one way of looking finds; None for nothing, where another way may."""


def step(value: ValueType, bit: str, *, calls: bool = True) -> ValueType | Fault:
    """Return what one lookup of a template finds on a value.

    Args:
        value: what is known of the value.
        bit: a name, digits for an item by position, or ``"[]"`` for what a loop over it gives.
        calls: whether what is found is called, as in Django's templates. Without, the order is that
            of Jinja2, where `call` is a step of its own.

    Returns:
        What is known of the result, `ANYTHING` where that is nothing; a `Fault` only where the
        lookup fails whatever the data are.
    """
    if value is ANYTHING or value == NONE_TYPE:
        return ANYTHING
    if isinstance(value, OneOf):
        return _of_each(value, lambda each: step(each, bit, calls=calls))
    if bit == ITEM:
        return item_of(value)
    found = _LOOKUPS[type(value)](value, bit, calls)
    if isinstance(found, Fault) or found is ANYTHING:
        return found
    return called_by_django(found) if calls else found


def _of_each(value: OneOf, ask: Callable[[ValueType], ValueType | Fault]) -> ValueType | Fault:
    """What a value that may be of several types gives: it fails where each but None does."""
    found = [ask(each) for each in value.types if each != NONE_TYPE]
    right = [each for each in found if not isinstance(each, Fault)]
    if right or not found:
        return one_of(right)
    return found[0]


def called_by_django(value: ValueType) -> ValueType | Fault:
    """Return what Django's templates make of what they have looked up: they call what they can.

    A variable of the context is called as well, before anything is looked up on it.
    """
    if isinstance(value, CallableType):
        return _called_method(value)
    if isinstance(value, ClassType):
        return _called_class(value.cls)
    if isinstance(value, ObjectType):
        return _called_object(value)
    if isinstance(value, OneOf):
        found = _of_each(value, called_by_django)
        if isinstance(found, Fault) or NONE_TYPE not in value.types:
            return found
        return one_of([found, NONE_TYPE])
    return value


def call(value: ValueType, *, has_arguments: bool = False) -> ValueType | Fault:
    """Return what a call in a Jinja2 template gives: ``value()``.

    Args:
        has_arguments: whether the call gives arguments; which ones are needed is not asked then.
    """
    if isinstance(value, OneOf):
        return _of_each(value, lambda each: call(each, has_arguments=has_arguments))
    if isinstance(value, CallableType):
        if value.needs and not has_arguments:
            return _needs(value.name, value.needs)
        return value.result
    if isinstance(value, ClassType):
        needs = needed_by_class(value.cls)
        if needs and not has_arguments:
            return _needs(name_of(value.cls), needs)
        return _instance_of(value.cls)
    if isinstance(value, ObjectType):
        found = _call_method(value.cls)
        if found is None and not _is_open(value) and value != NONE_TYPE:
            return Fault("not-callable", f"{value} cannot be called", "leave out the brackets")
        return found.result if found is not None else ANYTHING
    if isinstance(value, (DictType, ItemsType, TupleType)):
        return Fault("not-callable", f"{value} cannot be called", "leave out the brackets")
    return ANYTHING


def _called_method(value: CallableType) -> ValueType | Fault:
    if not value.is_called:
        return value
    if value.alters_data:
        return Fault(
            "alters-data",
            f"{value.name}() alters data, so that a template does not call it",
            "call it in the view",
            value.name.rpartition(".")[2],
        )
    if value.needs:
        return _needs(value.name, value.needs)
    return value.result


def _needs(name: str, needs: tuple[str, ...]) -> Fault:
    arguments = ", ".join(repr(each) for each in needs)
    word = "argument" if len(needs) == 1 else "arguments"
    return Fault(
        "needs-arguments",
        f"{name}() cannot be called without its {word} {arguments}",
        "call it in the view, or write a filter or tag that gives them",
        name.rpartition(".")[2],
    )


def _called_class(cls: type) -> ValueType | Fault:
    for mark in ("do_not_call_in_templates", "alters_data"):
        found = static_value(cls, mark)[0]
        in_metaclass = static_value(type(cls), mark)[0]
        if found is not NOT_THERE or in_metaclass is not NOT_THERE:
            return ClassType(cls) if mark.startswith("do_not") else ANYTHING
    needs = needed_by_class(cls)
    return _needs(name_of(cls), needs) if needs else _instance_of(cls)


def _instance_of(cls: type) -> ValueType:
    """What a call of a class gives: an instance, unless it has a say in that."""
    if static_value(type(cls), "__call__")[1] is not type:
        return ANYTHING
    new = static_value(cls, "__new__")[1]
    if new is not object and new is not None:
        return ANYTHING
    if issubclass(cls, (QuerySet, BaseManager)):
        return RowsType(cls, ANYTHING)
    return ObjectType(cls)


@found_once
def _call_method(cls: type) -> CallableType | None:
    """The method that calling an instance runs."""
    found = instance_attribute(cls, "__call__") if static_value(cls, "__call__")[1] else None
    if found is None:
        return None
    return found if isinstance(found, CallableType) else CallableType(f"{cls.__name__}()")


def _called_object(value: ObjectType) -> ValueType | Fault:
    cls = value.cls
    method = _call_method(cls)
    if method is None:
        return value
    for mark in ("do_not_call_in_templates", "alters_data"):
        # Either may be set on the instance, too; then nothing is known.
        if mark in names_of(cls) or _is_open(value):
            found = static_value(cls, mark)[0]
            return value if found is True and mark.startswith("do_not") else ANYTHING
    return _called_method(method)


def item_of(value: ValueType) -> ValueType | Fault:
    """Return what a loop over a value gives, one by one."""
    if isinstance(value, OneOf):
        return _of_each(value, item_of)
    if isinstance(value, RowsType):
        if issubclass(value.cls, BaseManager) and not _iterates(value.cls):
            return Fault(
                "not-iterable",
                f"{value} is a manager, which cannot be looped over",
                "write .all after it",
            )
        return value.row
    if isinstance(value, ItemsType):
        return value.item
    if isinstance(value, TupleType):
        return one_of(value.items)
    if isinstance(value, DictType):
        return ANYTHING
    if isinstance(value, ClassType):
        members = getattr(value.cls, "__members__", None)
        return ObjectType(value.cls) if members else ANYTHING
    if isinstance(value, ObjectType) and value != NONE_TYPE:
        return _item_of_object(value)
    return ANYTHING


def _item_of_object(value: ObjectType) -> ValueType | Fault:
    cls = value.cls
    if value.item is not ANYTHING:
        return value.item
    if issubclass(cls, BaseFormSet):
        return form_of(cls)
    if not _iterates(cls):
        if _is_open(value) or _subclasses_have(value, ("__iter__", "__getitem__", "__aiter__")):
            return ANYTHING
        return Fault("not-iterable", f"{value} cannot be looped over")
    return known_item(cls)


@found_once
def _iterates(cls: type) -> bool:
    """Whether instances can be iterated over: by ``for``, by item, or by ``async for``."""
    if is_open_class(cls) and any("__getattribute__" in dict_of(base) for base in mro_of(cls)[:-1]):
        return True
    names = ("__iter__", "__getitem__", "__aiter__")
    return any(static_value(cls, name)[0] not in (NOT_THERE, None) for name in names)


def _subclasses_have(value: ObjectType, names: tuple[str, ...]) -> bool:
    if not value.may_be_subclass:
        return False
    found = subclass_names(value.cls)
    return found is None or not found.isdisjoint(names)


# What each kind of value has.


def _on_object(value: ObjectType, bit: str, calls: bool) -> ValueType | Fault:
    cls = value.cls
    if bit in value.extra:
        return value.extra[bit]
    found = _finder_of(cls)(value, bit)
    if found is not None:
        return found
    if _is_number(bit):
        return _by_position(value)
    return _missing(value, bit)


def _on_plain_object(value: ObjectType, bit: str) -> Found:
    return instance_attribute(value.cls, bit)


def _on_row(value: ObjectType, bit: str) -> Found:
    if not hasattr(value.cls, "_meta"):  # Model itself: an instance is of a class that is not known
        return ANYTHING
    found = model_attribute(value.cls, bit)
    if isinstance(found, Fault) and _may_have(value, bit):
        return ANYTHING
    return found


def _on_form(value: ObjectType, bit: str) -> Found:
    fields = fields_of(value.cls)
    if bit in fields.fields:
        return fields.fields[bit]
    if fields.is_open and bit not in names_of(value.cls):
        return ANYTHING
    return form_attribute(value.cls, bit) or instance_attribute(value.cls, bit)


def _on_formset(value: ObjectType, bit: str) -> Found:
    return formset_attribute(value.cls, bit) or instance_attribute(value.cls, bit)


def _on_page(value: ObjectType, bit: str) -> Found:
    return page_attribute(value, bit) or instance_attribute(value.cls, bit)


FINDERS: tuple[tuple[type | tuple[type, ...], Callable[[ObjectType, str], Found]], ...] = (
    (Model, _on_row),
    (BaseForm, _on_form),
    (BaseFormSet, _on_formset),
    (PAGES, _on_page),
)
"""Class -> how an attribute of its instances is found."""


@found_once
def _finder_of(cls: type) -> Callable[[ObjectType, str], Found]:
    return next((each for kind, each in FINDERS if issubclass(cls, kind)), _on_plain_object)


def _is_number(bit: str) -> bool:
    return bit.lstrip("-").isdecimal()


KNOWN_ITEMS = (str, bytes, list, tuple, range, QuerySet, BaseForm, BaseFormSet, BoundField, *PAGES)
"""Classes whose ``__getitem__`` takes positions, or the names that are looked up otherwise here."""


@found_once
def _has_own_items(cls: type) -> bool:
    """Whether an item of any name may be there: in a dict, a class with ``__getitem__``."""
    found, base = static_value(cls, "__getitem__")
    return base is not None and found is not None and base not in KNOWN_ITEMS


def _by_position(value: ObjectType) -> ValueType | Fault:
    if value.item is not ANYTHING:
        return value.item
    if static_value(value.cls, "__getitem__")[1] is None and not _may_have(value, "__getitem__"):
        return Fault("unknown-attribute", f"{value} has no items by position")
    if issubclass(value.cls, BaseFormSet):
        return form_of(value.cls)
    return known_item(value.cls)


def _is_open(value: ObjectType) -> bool:
    if issubclass(value.cls, HttpRequest) and not value.extra:
        return True  # what middleware puts on it, nobody has told
    return value.is_open or is_open_class(value.cls)


def _may_have(value: ObjectType, bit: str) -> bool:
    """Whether something may be found by a name that the class does not tell of."""
    if _is_open(value) or _has_own_items(value.cls):
        return True
    return value.may_be_subclass and _subclasses_have(value, (bit,))


def _missing(value: ObjectType, bit: str) -> ValueType | Fault:
    if _may_have(value, bit) or (issubclass(value.cls, Model) and not is_model(value.cls)):
        return ANYTHING
    return _missing_on(value.cls, bit, frozenset(value.extra))


@found_once
def _missing_on(cls: type, bit: str, extra: frozenset[str]) -> Fault:
    """The fault for an attribute that instances of a class, with some extra ones, do not have."""
    if is_model(cls):
        return missing_on_model(cls, bit, extra)
    if issubclass(cls, BaseForm):
        message = f"{name_of(cls)} has no field and no attribute {bit!r}"
        return Fault("unknown-attribute", message, did_you_mean(bit, form_names(cls)), bit)
    names = {each for each in names_of(cls) if not each.startswith("_")} | extra
    message = f"{name_of(cls)} has no attribute {bit!r}"
    return Fault("unknown-attribute", message, did_you_mean(bit, names), bit, cls)


def _on_rows(value: RowsType, bit: str, calls: bool) -> ValueType | Fault:
    found = row_method(value, bit)
    if found is not None:
        return found
    is_manager = issubclass(value.cls, BaseManager)
    if _is_number(bit) and not is_manager:
        return value.row
    if is_open_class(value.cls) or (is_manager and _has_own_items(value.cls)):
        return ANYTHING
    row = value.row.cls if isinstance(value.row, ObjectType) else None
    return _missing_on_rows(value.cls, bit, row)


@found_once
def _missing_on_rows(cls: type, bit: str, row: type | None) -> Fault:
    """The fault for an attribute that a manager or queryset does not have."""
    of_rows = f"[{name_of(row)}]" if row is not None else ""
    names = {each for each in names_of(cls) if not each.startswith("_")}
    hint = did_you_mean(bit, names)
    if row is not None and is_model(row) and model_attribute(row, bit) is not None:
        rows = "'.all'" if issubclass(cls, BaseManager) else "it"
        hint = f"each of its rows has it: loop over {rows}"
    message = f"{name_of(cls)}{of_rows} has no attribute {bit!r}"
    return Fault("unknown-attribute", message, hint, bit)


def _on_items(value: ItemsType, bit: str, calls: bool) -> ValueType | Fault:
    found = instance_attribute(value.cls, bit)
    if found is not None:
        return found
    if _is_number(bit):
        return value.item
    if value.cls not in (list, tuple, set, frozenset):
        return ANYTHING
    return _missing(ObjectType(value.cls, may_be_subclass=True), bit)


def _on_tuple(value: TupleType, bit: str, calls: bool) -> ValueType | Fault:
    if _is_number(bit):
        position = int(bit)
        if -len(value.items) <= position < len(value.items):
            return value.items[position]
        count = len(value.items)
        return Fault(
            "unknown-attribute", f"{value} has {count} items, so none at position {position}"
        )
    found = instance_attribute(tuple, bit)
    return found if found is not None else _missing(ObjectType(tuple, may_be_subclass=True), bit)


def _on_dict(value: DictType, bit: str, calls: bool) -> ValueType | Fault:
    method = instance_attribute(dict, bit)
    if isinstance(method, CallableType) and bit in ("keys", "values", "items", "copy"):
        method = replace(method, result=_of_dict(value, bit))
    if not calls and method is not None:
        return method
    if bit in value.members:
        return value.members[bit]
    if value.is_complete:
        if method is not None:
            return method
        code = "unknown-key" if value.name != "forloop" else "unknown-attribute"
        return Fault(
            code,
            f"{value.name} has no {'key ' if code == 'unknown-key' else ''}{bit!r}",
            did_you_mean(bit, value.members),
            bit,
        )
    return one_of([value.value, method]) if method is not None else value.value


def _of_dict(value: DictType, name: str) -> ValueType:
    each = value.value
    if value.is_complete:
        each = one_of(value.members.values())
    if name == "items":
        return ItemsType(TupleType((ANYTHING, each)), type({}.items()))
    if name == "values":
        return ItemsType(each, type({}.values()))
    return value if name == "copy" else ItemsType(ANYTHING, type({}.keys()))


def _on_class(value: ClassType, bit: str, calls: bool) -> ValueType | Fault:
    found = class_attribute(value.cls, bit)
    return found if found is not None else missing_on_class(value.cls, bit)


def _on_callable(value: CallableType, bit: str, calls: bool) -> ValueType | Fault:
    return ANYTHING


def _on_anything(value: Any, bit: str, calls: bool) -> ValueType | Fault:
    return ANYTHING


_LOOKUPS: dict[type, Callable[[Any, str, bool], ValueType | Fault]] = {
    ValueType: _on_anything,
    ObjectType: _on_object,
    RowsType: _on_rows,
    ItemsType: _on_items,
    TupleType: _on_tuple,
    DictType: _on_dict,
    ClassType: _on_class,
    CallableType: _on_callable,
}
