"""The rows that managers and related managers give, as far as their classes tell."""

from __future__ import annotations

from types import CodeType, FunctionType
from typing import Any, TypeGuard

from django.db.models import F, Model, Q, QuerySet
from django.db.models.manager import BaseManager

from ..runtime.types import is_django
from .cached import found_once
from .class_attributes import defining_module, dict_of, mro_of
from .types import ANYTHING, ObjectType, RowsType, ValueType

PLAIN_CALLS = frozenset(
    {
        *("super", "get_queryset", "all", "filter", "exclude", "order_by", "reverse", "distinct"),
        *("select_related", "prefetch_related", "only", "defer", "using", "_db", "model"),
        *("__class__", "_queryset_class", "_hints", "now", "today", "timezone"),
    }
)
"""What a manager may do to its rows without giving them attributes."""
PLAIN_HELPERS = (Q, F)
OWN_ROWS = frozenset({"_fetch_all", "_iterable_class", "__iter__", "__getitem__", "iterator"})
"""With these a queryset has a say in what its rows are."""


def rows_of(manager: type, model: type[Model]) -> RowsType:
    """Return the type of a manager of a model's rows."""
    return RowsType(manager, ObjectType(model, is_open=not gives_plain_rows(manager)))


def is_model(value: Any) -> TypeGuard[type[Model]]:
    """Whether something is a model that has rows: not what models derive from.

    What a relation leads to may be a name that is none.
    """
    is_class = isinstance(value, type) and issubclass(value, Model)
    return is_class and hasattr(value, "_meta") and not value._meta.abstract


def row_of(model: Any) -> ValueType:
    """Return the type of a related row, as the model's base manager gives it."""
    if not is_model(model):  # one that is swapped out, or not there
        return ANYTHING
    return ObjectType(model, is_open=not gives_plain_rows(type(model._base_manager)))


def queryset_class(manager: Any) -> type[QuerySet[Any]]:
    """Return the class of the querysets that a manager makes."""
    found = getattr(manager, "_queryset_class", QuerySet)
    return found if isinstance(found, type) and issubclass(found, QuerySet) else QuerySet


@found_once
def gives_plain_rows(manager: type) -> bool:
    """Whether the rows of a manager or queryset are just rows of its model, of that very class.

    A manager that annotates them gives them more attributes; one of another package may give rows
    of subclasses.
    """
    for base in mro_of(manager):
        if is_django(str(defining_module(base))):
            continue
        if not OWN_ROWS.isdisjoint(dict_of(base)):
            return False
        function = dict_of(base).get("get_queryset")
        if function is not None and not is_plain(function):
            return False
    if issubclass(manager, BaseManager):
        return gives_plain_rows(queryset_class(manager))
    return True


def is_plain(function: Any) -> bool:
    """Whether all that a method of a manager or queryset does leaves the rows as they are."""
    return isinstance(function, FunctionType) and all(
        name in PLAIN_CALLS or _is_plain_global(function.__globals__.get(name))
        for code in _with_inner_code(function.__code__)
        for name in code.co_names
    )


def _is_plain_global(value: Any) -> bool:
    if isinstance(value, type):
        return issubclass(value, PLAIN_HELPERS) or (
            issubclass(value, QuerySet) and gives_plain_rows(value)
        )
    return False


def _with_inner_code(code: CodeType) -> list[CodeType]:
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    return [code, *(deeper for each in inner for deeper in _with_inner_code(each))]
