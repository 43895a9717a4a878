"""What the attributes of pages and paginators are, for the rows that they are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import django.core.paginator
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

from .attributes import instance_attribute
from .known_results import BOOL, INT
from .types import ANYTHING, CallableType, ObjectType, RowsType, ValueType


def _named(name: str) -> tuple[type, ...]:
    found = vars(django.core.paginator).get(name)
    return (found,) if isinstance(found, type) else ()


ASYNC_PAGE = _named("AsyncPage")
ASYNC_PAGINATOR = _named("AsyncPaginator")
PAGES: tuple[type, ...] = (Page, Paginator, *ASYNC_PAGE, *ASYNC_PAGINATOR)
"""Pages and paginators; the async ones are there from Django 6 on."""


def _list_of(value: ObjectType) -> ValueType:
    """The rows of a page: a queryset where it is known to be one, otherwise any list."""
    data = value.data
    if data is not None:
        return RowsType(type(data.queryset), value.item, replace(data, shape="rows"))
    if isinstance(value.item, ObjectType):
        return RowsType(QuerySet, value.item) if value.item.data else ANYTHING
    return ANYTHING


def _paginator_of(value: ObjectType) -> ValueType:
    kind = ASYNC_PAGINATOR[0] if ASYNC_PAGE and issubclass(value.cls, ASYNC_PAGE) else Paginator
    return ObjectType(kind, item=ANYTHING, may_be_subclass=True)


def _method(name: str, result: ValueType) -> Callable[[ObjectType], ValueType]:
    return lambda value: CallableType(f"{value.cls.__name__}.{name}", result)


OF_PAGES: dict[str, Callable[[ObjectType], ValueType]] = {
    "object_list": _list_of,
    "paginator": _paginator_of,
    "number": lambda value: INT,
    **{
        name: _method(name, BOOL)
        for name in (
            *("has_next", "has_previous", "has_other_pages"),
            *("ahas_next", "ahas_previous", "ahas_other_pages"),
        )
    },
    **{
        name: _method(name, INT)
        for name in ("next_page_number", "previous_page_number", "start_index", "end_index")
    },
}


def page_attribute(value: ObjectType, name: str) -> ValueType | None:
    """Return what an attribute of a page is; None where its class tells."""
    if (
        issubclass(value.cls, (Page, *ASYNC_PAGE))
        and instance_attribute(value.cls, name) is not None
    ):
        found = OF_PAGES.get(name)
        return found(value) if found is not None else None
    return None
