"""What the methods of managers and querysets give, for the rows that theirs are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from collections.abc import Iterator as Iterated
from dataclasses import replace

from django.db.models.manager import BaseManager

from ..runtime.types import is_django
from .attributes import METHOD_KINDS, instance_attribute, method_type
from .cached import found_once
from .callables import called_function
from .class_attributes import NOT_THERE, defining_module, static_value
from .field_values import value_of_field
from .known_results import BOOL, INT, STR
from .manager_rows import is_model, is_plain, queryset_class
from .types import (
    ANYTHING,
    NONE_TYPE,
    CallableType,
    ClassType,
    DictType,
    ItemsType,
    ObjectType,
    RowsType,
    ValueType,
    one_of,
)


def _rows(value: RowsType) -> ValueType:
    kind = queryset_class(value.cls) if issubclass(value.cls, BaseManager) else value.cls
    return RowsType(kind, value.row, value.data)


def _changed_rows(value: RowsType) -> ValueType:
    rows = _rows(value)
    row = value.row
    assert isinstance(rows, RowsType)
    return replace(
        rows, row=replace(row, is_open=True) if isinstance(row, ObjectType) else ANYTHING
    )


def _row(value: RowsType) -> ValueType:
    return value.row


def _row_or_none(value: RowsType) -> ValueType:
    return one_of([value.row, NONE_TYPE])


def _iterated(value: RowsType) -> ValueType:
    return ItemsType(value.row, Iterated, value.data)


def _iterated_async(value: RowsType) -> ValueType:
    return ItemsType(value.row, AsyncIterator, value.data)


def _by_key(value: RowsType) -> ValueType:
    return DictType(value=value.row)


def _values(value: RowsType) -> ValueType:
    """Rows as dicts: of all columns and annotations, as the methods of a template cannot choose."""
    rows = _rows(value)
    assert isinstance(rows, RowsType)
    row = value.row
    if not isinstance(row, ObjectType) or not is_model(row.cls):
        return replace(rows, row=DictType())
    members = {each.attname: value_of_field(each) for each in row.cls._meta.concrete_fields}
    is_complete = not (row.is_open or row.extra)
    return replace(rows, row=DictType({**members, **row.extra}, is_complete))


def _lists(value: RowsType) -> ValueType:
    rows = _rows(value)
    assert isinstance(rows, RowsType)
    return replace(rows, row=ItemsType(ANYTHING, tuple))


def _always(found: ValueType) -> Callable[[RowsType], ValueType]:
    return lambda value: found


RESULTS: dict[str, Callable[[RowsType], ValueType]] = {
    **dict.fromkeys(
        [
            "all",
            "filter",
            "exclude",
            "none",
            "order_by",
            "reverse",
            "distinct",
            "select_related",
            "prefetch_related",
            "only",
            "defer",
            "using",
            "select_for_update",
            "complex_filter",
            "union",
            "intersection",
            "difference",
            "get_queryset",
        ],
        _rows,
    ),
    **dict.fromkeys(("annotate", "extra", "alias"), _changed_rows),
    **dict.fromkeys(("first", "last"), _row_or_none),
    **dict.fromkeys(("get", "latest", "earliest"), _row),
    **dict.fromkeys(("iterator",), _iterated),
    **dict.fromkeys(("in_bulk",), _by_key),
    "values": _values,
    "values_list": _lists,
    "count": _always(INT),
    **dict.fromkeys(("exists", "contains"), _always(BOOL)),
    "explain": _always(STR),
    "aggregate": _always(DictType()),
}
"""Method of Django's querysets -> what it gives."""
RESULTS.update({f"a{name}": RESULTS[name] for name in list(RESULTS) if name not in ("alias",)})


RESULTS["aiterator"] = _iterated_async


class _Row:
    """A row of whatever queryset a method is called on."""


SELF_ROW = ObjectType(_Row)


@found_once
def _attribute(cls: type, name: str) -> tuple[ValueType | None, bool]:
    """What a manager or queryset class tells of an attribute, and whether Django defines it."""
    found, base = static_value(cls, name)
    if found is NOT_THERE or base is None:
        return instance_attribute(cls, name), False
    if isinstance(found, METHOD_KINDS):
        function = called_function(found)
        function = getattr(function, "__func__", function)
        module = getattr(function, "__module__", None) or ""
        return method_type(found, cls, base, name, SELF_ROW), is_django(module)
    return instance_attribute(cls, name), is_django(str(defining_module(base)))


def row_method(value: RowsType, name: str) -> ValueType | None:
    """Return what an attribute of a manager or queryset is, uncalled; None when there is none."""
    found, is_django = _attribute(value.cls, name)
    if name == "model" and isinstance(value.row, ObjectType):
        return ClassType(value.row.cls)
    if not isinstance(found, CallableType):
        return BOOL if is_django and name == "ordered" else found
    if is_django:
        result = RESULTS.get(name)
        return replace(found, result=result(value)) if result else found
    return _with_rows(found, value, name)


def _with_rows(found: CallableType, value: RowsType, name: str) -> CallableType:
    """A method of the site that gives rows of ``Self``: those of the queryset it is called on."""
    result = found.result
    if not isinstance(result, RowsType):
        return found
    own = queryset_class(value.cls) if issubclass(value.cls, BaseManager) else value.cls
    if result.row is not SELF_ROW and (result.row is not ANYTHING or result.cls is not own):
        return found
    row = value.row
    function = called_function(static_value(value.cls, name)[0])
    if isinstance(row, ObjectType) and not is_plain(function):
        row = replace(row, is_open=True)
    return replace(found, result=RowsType(own, row))
