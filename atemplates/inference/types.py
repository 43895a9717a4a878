"""What is known of the type of a value that a template gets, without the value.

Nothing here runs code of the site. What is not known is `ANYTHING`: whatever a template does with
it may be right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import NoneType
from typing import Any

from django.core.paginator import Page

from .data import Data


def name_of(cls: type) -> str:
    """Return the name of a class for people, without the function that it is defined in."""
    return cls.__qualname__.rpartition("<locals>.")[2]


class ValueType:
    """What is known of a value. This class itself: nothing is (`ANYTHING`)."""

    __slots__ = ()

    def __str__(self) -> str:
        return "unknown"


ANYTHING = ValueType()


@dataclass(frozen=True, slots=True)
class ObjectType(ValueType):
    """An instance of a class: a row of a model, a form, a text, a number, ``None``."""

    cls: type
    extra: Mapping[str, ValueType] = field(default_factory=dict, hash=False)
    """Attributes of this object that its class does not have: annotations of a queryset, lists of
    ``Prefetch(to_attr=...)``."""
    is_open: bool = False
    """Whether it may have further attributes that nobody can tell."""
    data: Data | None = field(default=None, compare=False)
    """For a row, or a page of rows: the queryset that it comes from."""
    item: ValueType = ANYTHING
    """What an item of it is, where it has items: a row of a page."""
    may_be_subclass: bool = False
    """Whether it may be of a subclass, with more attributes: what a type hint promises."""

    def __str__(self) -> str:
        return "None" if self.cls is NoneType else name_of(self.cls)


@dataclass(frozen=True, slots=True)
class RowsType(ValueType):
    """A queryset, or a manager, and what its rows are."""

    cls: type
    """The class of the queryset or manager itself."""
    row: ValueType
    data: Data | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{name_of(self.cls)}[{self.row}]"


@dataclass(frozen=True, slots=True)
class ItemsType(ValueType):
    """A list, a tuple of any length, a set, an iterator: something with items of one type."""

    item: ValueType
    cls: type = list
    data: Data | None = field(default=None, compare=False)
    """The queryset that the items were read from, where they were."""

    def __str__(self) -> str:
        return f"{name_of(self.cls)}[{self.item}]"


@dataclass(frozen=True, slots=True)
class TupleType(ValueType):
    """A tuple whose items are known one by one."""

    items: tuple[ValueType, ...]

    def __str__(self) -> str:
        return f"tuple[{', '.join(map(str, self.items))}]"


@dataclass(frozen=True, slots=True)
class DictType(ValueType):
    """A dict, with the keys that are known."""

    members: Mapping[str, ValueType] = field(default_factory=dict, hash=False)
    is_complete: bool = False
    """Whether it has no other keys."""
    value: ValueType = ANYTHING
    """What any value is, where the keys are not known."""
    name: str = "dict"
    """The name of a ``TypedDict``, for people."""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ClassType(ValueType):
    """A class itself, or an enumeration."""

    cls: type

    def __str__(self) -> str:
        return f"type[{name_of(self.cls)}]"


@dataclass(frozen=True, slots=True)
class CallableType(ValueType):
    """A method of a value, a function: something that is not called yet."""

    name: str
    """Its name, for people: ``"Book.save"``."""
    result: ValueType = ANYTHING
    """What a call gives; of a coroutine function what awaiting it gives."""
    needs: tuple[str, ...] = ()
    """The names of the arguments that it cannot be called without."""
    alters_data: bool = False
    """Whether Django's templates refuse to call it."""
    is_called: bool = True
    """Whether Django's templates call it: not with ``do_not_call_in_templates``."""

    def __str__(self) -> str:
        return f"{self.name}({', '.join(self.needs)})"


@dataclass(frozen=True, slots=True)
class OneOf(ValueType):
    """One of several types; `one_of` makes it."""

    types: tuple[ValueType, ...]

    def __str__(self) -> str:
        return " | ".join(map(str, self.types))


NONE_TYPE = ObjectType(NoneType)
"""The type of ``None``."""
MOST_ALTERNATIVES = 8
"""Of how many types a value may be before nothing is known of it."""


def one_of(types: Iterable[ValueType]) -> ValueType:
    """Return what may be any of ``types``; nothing is known where nothing is known of one."""
    flat: dict[ValueType, None] = {}
    for each in types:
        flat.update(dict.fromkeys(each.types if isinstance(each, OneOf) else (each,)))
    if not flat or ANYTHING in flat or len(flat) > MOST_ALTERNATIVES:
        return ANYTHING
    return next(iter(flat)) if len(flat) == 1 else OneOf(tuple(flat))


def type_of_data(data: Data) -> ValueType:
    """Return the type of what a queryset gives: its rows, one row, or a page of rows."""
    extra: dict[str, ValueType] = dict.fromkeys(data.queryset.query.annotations, ANYTHING)
    for name, model in data.lists.items():
        if "__" not in name:
            extra[name] = ItemsType(ObjectType(model))
    row = ObjectType(data.model, extra, data=replace(data, shape="row"))
    if data.shape == "row":
        return row
    rows = RowsType(type(data.queryset), row, replace(data, shape="rows"))
    return ObjectType(Page, data=data, item=row) if data.shape == "page" else rows


def data_of(value: ValueType) -> Data | None:
    """Return the queryset that a value is, or comes from, where it is known.

    What may also be ``None`` has the queryset of the rest.
    """
    if isinstance(value, OneOf):
        found: list[Any] = [data_of(each) for each in value.types if each != NONE_TYPE]
        return found[0] if len(found) == 1 else None
    return getattr(value, "data", None)


def rows_behind(value: ValueType) -> RowsType | None:
    """Return the rows that a value is, or is taken for once a queryset's method is called on it.

    What a method of the site gives that cannot be read may be rows, or anything else.
    """
    if isinstance(value, RowsType):
        return value
    if isinstance(value, ObjectType) and value.cls is object and value.data is not None:
        return RowsType(type(value.data.queryset), value.item, value.data)
    return None


def of_class_attribute(found: type) -> ValueType:
    """Return what a class is that stands in another one: its metaclass may make it a value."""
    return ANYTHING if hasattr(type(found), "__get__") else ClassType(found)
