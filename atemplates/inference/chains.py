"""Chains of calls on querysets and managers: ``Book.objects.for_cards().filter(...)[:10]``.

A call is made for real, with the site's own methods, where its arguments are known: it says exactly
what it loads. No query is sent: one that is tried ends the attempt. Where an argument is not known,
what the method is says what becomes of the rows.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from inspect import iscoroutinefunction
from typing import Any

from django.db.models import Count, Exists, Manager, Model, QuerySet
from django.db.models.manager import BaseManager

from ..relations.querysets import gives_instances
from .data import Data
from .frames import FunctionFrame, Given
from .known import Known, known_value, manager_rows
from .operators import A_BOOL, A_NUMBER
from .queries import no_queries
from .types import (
    ANYTHING,
    NONE_TYPE,
    DictType,
    ItemsType,
    ObjectType,
    RowsType,
    ValueType,
    one_of,
    type_of_data,
)

SINGLE_ROW_METHODS = frozenset({"get", "first", "last", "earliest", "latest", "create"})
MAYBE_NONE = frozenset({"first", "last"})
ROW_AND_FLAG = frozenset({"get_or_create", "update_or_create"})
ROW_KEEPING = frozenset(
    {
        *("filter", "exclude", "order_by", "distinct", "reverse", "using", "select_for_update"),
        *("all", "none", "complex_filter", "iterator", "aiterator", "only", "defer"),
    }
)
"""Django's methods that load no further relations, whatever they are given."""
NAMING = frozenset({"annotate", "alias", "extra"})
"""Django's methods that give rows further attributes, by keyword."""
COUNTING: dict[str, ValueType] = {
    "count": A_NUMBER,
    "exists": A_BOOL,
    "contains": A_BOOL,
    "update": A_NUMBER,
    "aggregate": DictType(),
    "in_bulk": DictType(),
    "explain": ObjectType(str),
}
LooksInto = Callable[[Any, ValueType, Given, FunctionFrame, ast.Call], ValueType]
"""Reads a method of the site: function, receiver, arguments, frame, call."""


def rows_of_manager(manager: Known) -> RowsType | None:
    """Return the rows of a manager that is named in the source."""
    if not isinstance(manager.value, BaseManager):
        return None
    model: type[Model] | None = manager.value.model
    if model is None:
        return None
    rows = manager_rows(manager.value) if isinstance(manager.value, Manager) else None
    certain = rows is not None
    if rows is None:
        rows = QuerySet(model)
    if not gives_instances(rows):
        return None
    origin = manager.origin
    data = Data(rows, certain=certain)
    if origin is not None:
        data = replace(data, expression=origin.node, file=origin.file, form=origin.form)
    found = type_of_data(data)
    return replace(found, cls=type(manager.value)) if isinstance(found, RowsType) else None


def chained(
    rows: RowsType,
    manager: Known | None,
    name: str,
    arguments: Given,
    frame: FunctionFrame,
    node: ast.Call,
    look_into: LooksInto,
) -> ValueType:
    """Return what a method of rows gives.

    Args:
        rows: what the method is called on.
        manager: the manager, where it is called on one.
        look_into: reads a method of the site whose arguments are not known.
    """
    plain = name[1:] if name[:1] == "a" and hasattr(QuerySet, name[1:]) else name
    if plain in SINGLE_ROW_METHODS:
        row = _row_of(rows, node, frame)
        return one_of([row, NONE_TYPE]) if plain in MAYBE_NONE else row
    if plain in ROW_AND_FLAG:
        from .types import TupleType

        return TupleType((_row_of(rows, node, frame), A_BOOL))
    if plain in COUNTING:
        return COUNTING[plain]
    base = rows.data
    if base is None:
        return rows if name in ROW_KEEPING else ANYTHING
    owner: Any = manager.value if manager is not None else base.queryset
    method = getattr(owner, name, None)
    if method is None or name.startswith("_") or iscoroutinefunction(method):
        method = getattr(base.queryset, name, None) if manager is not None else None
        if method is None or name.startswith("_"):
            return ANYTHING
    if getattr(method, "alters_data", False):
        return ANYTHING
    grown = base.expression is not None and (
        not isinstance(node.func, ast.Attribute) or base.expression is node.func.value
    )
    if grown and not frame.is_library:
        base = replace(base, expression=node, file=frame.file, form=_form(base, name))
    made = _made(method, arguments)
    if isinstance(made, QuerySet):
        return _rows(replace(base, queryset=made), rows, made)
    if made is not None:
        return ANYTHING
    return _unknown(base, rows, method, name, arguments, frame, node, look_into)


def _form(base: Data, name: str) -> str:
    return "queryset" if base.form == "model" else base.form


def _row_of(rows: RowsType, node: ast.Call, frame: FunctionFrame) -> ValueType:
    row = rows.row
    data = rows.data
    if isinstance(row, ObjectType) and data is not None:
        call = None if frame.is_library else node
        return replace(row, data=replace(data, shape="row", call=call))
    return row


def _made(method: Any, arguments: Given) -> Any:
    """What a method really gives, or None where it cannot be called here."""
    if arguments.is_open:
        return None
    try:
        positional = [known_value(each) for each in arguments.positional]
        keywords = {name: known_value(each) for name, each in arguments.keywords.items()}
    except LookupError:
        return None
    with no_queries():
        try:
            return method(*positional, **keywords)
        except Exception:
            # Whatever the method needs is not there now: what it is says the rest.
            return None


def _rows(data: Data, before: RowsType, made: QuerySet[Any]) -> ValueType:
    if not gives_instances(made):
        return _values(made)
    found = type_of_data(data)
    if isinstance(found, RowsType) and isinstance(before.row, ObjectType):
        return _kept(found, before.row)
    return found


def _kept(rows: RowsType, before: ObjectType) -> RowsType:
    """Rows that have what rows before them had beside their columns."""
    row = rows.row
    if not isinstance(row, ObjectType):
        return rows
    extra = {**before.extra, **row.extra}
    for name, annotation in rows.data.queryset.query.annotations.items() if rows.data else ():
        extra[name] = _annotated(annotation)
    return replace(rows, row=replace(row, extra=extra, is_open=row.is_open or before.is_open))


def _annotated(annotation: Any) -> ValueType:
    if isinstance(annotation, Count):
        return A_NUMBER
    return A_BOOL if isinstance(annotation, Exists) else ANYTHING


def _values(made: QuerySet[Any]) -> ValueType:
    """The rows of ``values()``: dicts; those of ``values_list()`` and its like are not told."""
    iterable = str(vars(made)["_iterable_class"].__name__)
    if iterable == "ValuesIterable":
        query = made.query
        names = [*query.values_select, *query.annotation_select, *query.extra_select]
        row = DictType(dict.fromkeys(names, ANYTHING), bool(names))
        return RowsType(type(made), row)
    return RowsType(type(made), ANYTHING)


def _unknown(
    base: Data,
    rows: RowsType,
    method: Any,
    name: str,
    arguments: Given,
    frame: FunctionFrame,
    node: ast.Call,
    look_into: LooksInto,
) -> ValueType:
    """What a method gives whose arguments are not known, or that could not be called."""
    own = not str(getattr(method, "__module__", "") or "django.").startswith("django.")
    if own:
        found = look_into(method, rows, arguments, frame, node)
        if found is not ANYTHING and not (isinstance(found, RowsType) and found.data is None):
            return found
        data = replace(base, certain=False)
        row = rows.row
        if isinstance(row, ObjectType):
            row = replace(row, is_open=True, data=replace(data, shape="row"))
        return ObjectType(object, is_open=True, data=data, item=row)
    if name in ("values", "values_list", "dates", "datetimes", "raw"):
        return RowsType(QuerySet, _dicts(name, arguments))
    row = rows.row
    certain = base.certain
    if name in NAMING and isinstance(row, ObjectType):
        added = dict(_named(name, arguments))
        is_open = row.is_open or arguments.is_open or bool(arguments.positional)
        row = replace(row, extra={**row.extra, **added}, is_open=is_open or name == "extra")
    elif name in ("only", "defer"):
        certain = False
    elif name not in ROW_KEEPING:
        # select_related() or prefetch_related() of what is not known, union(), a later method
        certain = False
        if name == "prefetch_related" and isinstance(row, ObjectType):
            row = replace(row, is_open=True)
    data = replace(base, certain=certain)
    if isinstance(row, ObjectType):
        row = replace(row, data=replace(data, shape="row"))
    return RowsType(type(base.queryset), row, data)


def _named(name: str, arguments: Given) -> list[tuple[str, ValueType]]:
    if name == "alias":
        return []
    if name == "extra":
        chosen = arguments.keywords.get("select")
        return list(chosen.members.items()) if isinstance(chosen, DictType) else []
    return [
        (key, A_NUMBER if isinstance(value, ObjectType) and value.cls is Count else ANYTHING)
        for key, value in arguments.keywords.items()
    ]


def _dicts(name: str, arguments: Given) -> ValueType:
    """A row of ``values()`` with names that are known."""
    if name != "values":
        return ANYTHING
    names = [each.value for each in arguments.positional if isinstance(each, Known)]
    members = dict.fromkeys([*map(str, names), *arguments.keywords], ANYTHING)
    whole = bool(members) and len(names) == len(arguments.positional) and not arguments.is_open
    return DictType(members, whole)


def list_of_rows(rows: RowsType, cls: type) -> ItemsType:
    """Return ``list(rows)``."""
    return ItemsType(rows.row, cls, rows.data)
