"""What reading Python source knows beyond the types of values, and the merging of what is known.

The classes here never leave the room: `published` makes of them what a template may meet.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import FunctionType, MethodType, ModuleType, NoneType
from typing import TYPE_CHECKING, Any

from django.db.models import Manager, QuerySet

from ..relations.querysets import gives_instances
from .data import Data
from .types import (
    ANYTHING,
    MOST_ALTERNATIVES,
    ClassType,
    DictType,
    ItemsType,
    ObjectType,
    OneOf,
    RowsType,
    TupleType,
    ValueType,
    type_of_data,
)

if TYPE_CHECKING:
    from .frames import FunctionFrame
    from .python_sources import FunctionNode

PLAIN_CLASSES = (str, bytes, int, float, bool, complex, NoneType)
"""Classes whose values are told apart by what they are, and not by which object they are."""
MOST_MEMBERS = 60
"""Of how many members a container of the site may be for each to be looked at."""


@dataclass(frozen=True, slots=True)
class NamedAt:
    """Where an object is named in the source, for edits."""

    node: ast.expr
    file: str
    form: str = "queryset"
    """As `Data.form`."""


@dataclass(frozen=True, slots=True, eq=False)
class Known(ValueType):
    """An object of Python itself: a constant, a class, a module, a function of the site."""

    value: Any
    origin: NamedAt | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Known) or type(other.value) is not type(self.value):
            return False
        if isinstance(self.value, PLAIN_CLASSES):
            return bool(self.value == other.value)
        return self.value is other.value

    def __hash__(self) -> int:
        return hash(self.value) if isinstance(self.value, PLAIN_CLASSES) else id(self.value)

    def __str__(self) -> str:
        return str(published(self))


@dataclass(frozen=True, slots=True)
class TextLike(ValueType):
    """A text of which parts are known, as a regular expression."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Nothing(ValueType):
    """The item of an empty list; what a function gives that never returns."""


NEVER = Nothing()


@dataclass(frozen=True, slots=True, eq=False)
class LocalFunction(ValueType):
    """A function or lambda that the source defines inside another."""

    node: FunctionNode
    frame: FunctionFrame


@dataclass(frozen=True, slots=True)
class Method(ValueType):
    """An attribute of something that is going to be called."""

    owner: ValueType
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Bound(ValueType):
    """A function with its first argument, that is a method."""

    function: Any
    """A function of Python; a type of its own would make it one for type checkers."""
    receiver: ValueType
    defined_in: type | None


@dataclass(frozen=True, slots=True, eq=False)
class SuperOf(ValueType):
    """``super()`` in a method of ``after``."""

    receiver: ValueType
    cls: type
    after: type


@dataclass(frozen=True, slots=True, eq=False)
class Partial(ValueType):
    """``functools.partial``: a call with some of its arguments."""

    function: ValueType
    positional: tuple[ValueType, ...]
    keywords: Mapping[str, ValueType]


@dataclass(frozen=True, slots=True, eq=False)
class LoadedTemplate(ValueType):
    """What ``get_template()`` gives: a template by its name."""

    names: ValueType
    using: ValueType
    line: int


@dataclass(slots=True, eq=False)
class Instance(ValueType):
    """An instance of a class of the site, while its methods are read: a view."""

    cls: type
    attributes: dict[str, ValueType] = field(default_factory=dict)
    reading: set[str] = field(default_factory=set)
    """The attributes that are being looked for in the class's methods."""

    def __str__(self) -> str:
        return self.cls.__qualname__


def known_value(value: ValueType) -> Any:
    """Return the object that a value is.

    Raises:
        LookupError: it is not known.
    """
    if isinstance(value, Known):
        return value.value
    if isinstance(value, RowsType) and value.data is not None and value.data.certain:
        return value.data.queryset
    if isinstance(value, TupleType):
        return tuple(map(known_value, value.items))
    raise LookupError(str(value))


def of_object(value: Any, origin: NamedAt | None = None) -> ValueType:
    """Return what is known of an object of the site: a queryset is rows, the rest is itself."""
    if isinstance(value, QuerySet) and gives_instances(value):
        if origin is None:
            return type_of_data(Data(value))
        return type_of_data(Data(value, expression=origin.node, file=origin.file, form=origin.form))
    return Known(value, origin)


# -- one of several --------------------------------------------------------------------------------


def any_of(types: Iterable[ValueType]) -> ValueType:
    """Return what may be any of ``types``, as `one_of`, with dicts and lists made one.

    Nothing is known where nothing is known of one.
    """
    found: list[ValueType] = []
    # All of them first: what reads them may note what they render.
    for each in list(types):
        for one in each.types if isinstance(each, OneOf) else (each,):
            if one is NEVER:
                continue
            if one is ANYTHING:
                return ANYTHING
            for at, other in enumerate(found):
                both = _both(other, one)
                if both is not None:
                    found[at] = both
                    break
            else:
                found.append(one)
    if len(found) > MOST_ALTERNATIVES:
        found = list(dict.fromkeys(published(each) for each in found))
    if not found:
        return NEVER
    if len(found) > MOST_ALTERNATIVES or ANYTHING in found:
        return ANYTHING
    return found[0] if len(found) == 1 else OneOf(tuple(found))


def _both(one: ValueType, other: ValueType) -> ValueType | None:
    """What is one of two types, where that is a type itself; or None."""
    if one is other:
        return one
    if isinstance(one, DictType) and isinstance(other, DictType):
        return merged_dicts(one, other)
    if isinstance(one, ItemsType) and isinstance(other, ItemsType) and one.cls is other.cls:
        return ItemsType(any_of([one.item, other.item]), one.cls, merged_data(one.data, other.data))
    if isinstance(one, ObjectType) and isinstance(other, ObjectType) and one.cls is other.cls:
        return ObjectType(
            one.cls,
            _members(one.extra, other.extra),
            one.is_open or other.is_open,
            merged_data(one.data, other.data),
            any_of([one.item, other.item]),
        )
    if isinstance(one, RowsType) and isinstance(other, RowsType) and one.cls is other.cls:
        return RowsType(one.cls, any_of([one.row, other.row]), merged_data(one.data, other.data))
    if isinstance(one, TupleType) and isinstance(other, TupleType):
        if len(one.items) == len(other.items):
            return TupleType(
                tuple(any_of(pair) for pair in zip(one.items, other.items, strict=True))
            )
        return None
    return one if one == other else None


def merged_dicts(one: DictType, other: DictType) -> DictType:
    """What is one of two dicts: any of their keys may be there."""
    value = ANYTHING if ANYTHING in (one.value, other.value) else any_of([one.value, other.value])
    return DictType(
        _members(one.members, other.members),
        one.is_complete and other.is_complete,
        value,
        one.name if one.name == other.name else "dict",
    )


def _members(
    one: Mapping[str, ValueType], other: Mapping[str, ValueType]
) -> Mapping[str, ValueType]:
    if one is other or one == other == {}:
        return one
    found = dict(one)
    for name, value in other.items():
        found[name] = any_of([found[name], value]) if name in found else value
    return found


def merged_data(one: Data | None, other: Data | None) -> Data | None:
    """Return what both querysets load; it is not certain where that differs."""
    if one is None or other is None or one is other:
        return one if one is other else None
    if one.model is not other.model or one.shape != other.shape:
        return None
    same = one.loads == other.loads and one.mask == other.mask
    fewer = one if len(one.loads) <= len(other.loads) else other
    kept = one if one.expression is other.expression else replace(fewer, expression=None, file="")
    return replace(kept, certain=same and one.certain and other.certain, queryset=fewer.queryset)


# -- what a template may meet ----------------------------------------------------------------------


def published(value: ValueType, depth: int = 6) -> ValueType:
    """Return the type of a value as templates are told it, without what only this room knows."""
    if isinstance(value, Known):
        return _type_of_object(value.value, depth)
    if isinstance(value, TextLike):
        return ObjectType(str)
    if isinstance(value, Instance):
        return ObjectType(value.cls, _published_members(value.attributes, 0), is_open=True)
    if depth <= 0:
        return ANYTHING
    if isinstance(value, OneOf):
        return any_of(published(each, depth - 1) for each in value.types)
    if isinstance(value, DictType):
        members = _published_members(value.members, depth - 1)
        return replace(value, members=members, value=published(value.value, depth - 1))
    if isinstance(value, ItemsType):
        return replace(value, item=published(value.item, depth - 1))
    if isinstance(value, TupleType):
        return TupleType(tuple(published(each, depth - 1) for each in value.items))
    if isinstance(value, ObjectType):
        if not value.extra and value.item is ANYTHING:
            return value
        extra = _published_members(value.extra, depth - 1)
        return replace(value, extra=extra, item=published(value.item, depth - 1))
    if isinstance(value, RowsType):
        return replace(value, row=published(value.row, depth - 1))
    if type(value).__module__ == __name__:  # a function, a loaded template
        return ANYTHING
    return value


def _published_members(members: Mapping[str, ValueType], depth: int) -> dict[str, ValueType]:
    return {name: published(value, depth) for name, value in members.items()}


def _type_of_object(value: Any, depth: int) -> ValueType:
    if isinstance(value, (QuerySet, Manager)):
        rows: Any = manager_rows(value) if isinstance(value, Manager) else value
        if rows is None or not gives_instances(rows):
            return ANYTHING
        found = type_of_data(Data(rows))
        if isinstance(value, Manager) and isinstance(found, RowsType):
            return replace(found, cls=type(value))
        return found
    if inspect.isclass(value):
        return ClassType(value)
    if isinstance(value, (FunctionType, MethodType, ModuleType)) or inspect.isroutine(value):
        return ANYTHING
    inner = structure(Known(value))
    if depth > 0 and inner is not None:
        return published(inner, depth - 1)
    return ObjectType(type(value))


def manager_rows(manager: Manager[Any]) -> QuerySet[Any] | None:
    """Return the queryset of a manager; one read from its class where the manager refuses.

    A manager of the site may need what is not there now: a scope, a request.
    """
    from .queries import no_queries

    with no_queries():
        try:
            rows = manager.all()
        except Exception:
            # Whatever it raises, the model is known.
            return None
    return rows if isinstance(rows, QuerySet) else None


def structure(value: ValueType) -> ValueType | None:
    """Return a container of the site as its members; None for what is none, or is too large."""
    if not isinstance(value, Known):
        return value if isinstance(value, (DictType, ItemsType, TupleType)) else None
    plain = value.value
    if type(plain) is dict:
        if len(plain) > MOST_MEMBERS:
            return DictType()
        if not all(isinstance(key, str) for key in plain):
            return DictType({}, False, any_of(map(of_object, plain.values())))
        members = {key: of_object(each) for key, each in plain.items()}
        # A dict that is filled later is not known by what is in it now.
        return DictType(members, bool(members), any_of(members.values()) if members else ANYTHING)
    if type(plain) in (list, set, frozenset):
        if len(plain) > MOST_MEMBERS:
            return ItemsType(ANYTHING, type(plain))
        return ItemsType(any_of(map(of_object, plain)) if plain else ANYTHING, type(plain))
    if isinstance(plain, tuple) and type(plain) is tuple and len(plain) <= MOST_MEMBERS:
        return TupleType(tuple(map(of_object, plain)))
    return None


def each_of(value: ValueType, made: Callable[[ValueType], ValueType]) -> ValueType:
    """Return what ``made`` makes of a value, or of each of those that it may be."""
    if isinstance(value, OneOf):
        return any_of(made(each) for each in value.types)
    return made(value)
