"""What the methods of dicts, lists and tuples give in Python source, and what they change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from .expressions import ExpressionReader, items_of, opened_dict, with_key
from .frames import Given
from .known import NEVER, Known, any_of, structure
from .operators import A_TEXT, united
from .types import ANYTHING, NONE_TYPE, DictType, ItemsType, OneOf, TupleType, ValueType, one_of

Outcome: TypeAlias = tuple[ValueType, ValueType]
"""What a method gives, and the container after it."""


def _plain_key(value: ValueType | None) -> str | None:
    return value.value if isinstance(value, Known) and isinstance(value.value, str) else None


def _get(reader: ExpressionReader, found: DictType, given: Given) -> Outcome:
    key = _plain_key(given.get(0, "key"))
    default = given.get(1, "default") or Known(None)
    if key is not None and key in found.members:
        return any_of([found.members[key], default]), found
    if key is not None and found.is_complete:
        return default, found
    return any_of([found.value, default]), found


def _items(reader: ExpressionReader, found: DictType, given: Given) -> Outcome:
    if found.is_complete and found.members:
        pairs = [TupleType((Known(name), value)) for name, value in found.members.items()]
        return TupleType(tuple(pairs)), found
    return ItemsType(TupleType((ANYTHING, found.value))), found


def _values(reader: ExpressionReader, found: DictType, given: Given) -> Outcome:
    if found.is_complete and found.members:
        return TupleType(tuple(found.members.values())), found
    return ItemsType(found.value), found


def _keys(reader: ExpressionReader, found: DictType, given: Given) -> Outcome:
    if found.is_complete and found.members:
        return TupleType(tuple(map(Known, found.members))), found
    return ItemsType(ANYTHING), found


def _update(reader: ExpressionReader, found: DictType, given: Given) -> Outcome:
    changed = found
    for each in given.positional:
        inner = structure(each) or each
        changed = united(changed, inner) if isinstance(inner, DictType) else opened_dict(changed)
    for name, value in given.keywords.items():
        changed = with_key(changed, Known(name), value)
    return Known(None), opened_dict(changed) if given.is_open else changed


def _setdefault(reader: ExpressionReader, found: DictType, given: Given) -> Outcome:
    key, value = given.get(0, "key"), given.get(1, "default") or Known(None)
    plain = _plain_key(key)
    if plain is not None and plain in found.members:
        value = any_of([found.members[plain], value])
    return value, with_key(found, key if key is not None else ANYTHING, value)


def _pop(reader: ExpressionReader, found: DictType, given: Given) -> Outcome:
    # The key stays: a template that reads it is not wrong on every way.
    return _get(reader, found, given)[0], found


def _copied(reader: ExpressionReader, found: DictType, given: Given) -> Outcome:
    return replace(found), found


def _emptied(reader: ExpressionReader, found: DictType, given: Given) -> Outcome:
    return Known(None), found


OF_DICTS: dict[str, Callable[[ExpressionReader, DictType, Given], Outcome]] = {
    "get": _get,
    "items": _items,
    "values": _values,
    "keys": _keys,
    "update": _update,
    "setdefault": _setdefault,
    "pop": _pop,
    "copy": _copied,
    "clear": _emptied,
    # Context, which is read as the dict that it is made of
    "flatten": _copied,
    "push": _update,
}


def changed_dict(reader: ExpressionReader, found: DictType, name: str, given: Given) -> Outcome:
    """Return what a method of a dict gives, and the dict after it."""
    method = OF_DICTS.get(name)
    return method(reader, found, given) if method is not None else (ANYTHING, opened_dict(found))


ADDING_ONE = frozenset({"append", "add", "insert", "appendleft"})
ADDING_MANY = frozenset({"extend", "update", "union"})
LIST_KEEPING = frozenset({"sort", "reverse", "remove", "discard", "clear"})


def changed_list(
    reader: ExpressionReader, found: ItemsType | TupleType, name: str, given: Given
) -> Outcome:
    """Return what a method of a list, a set or a tuple gives, and the container after it."""
    if isinstance(found, TupleType):
        return ANYTHING, found
    value = given.positional[-1] if given.positional else ANYTHING
    if name in ADDING_ONE:
        return Known(None), items_of(any_of([found.item, opened_rows(value)]), found.cls)
    if name in ADDING_MANY:
        added = [opened_rows(reader.item_of(each)) for each in given.positional]
        changed = items_of(any_of([found.item, *added]), found.cls)
        return (changed, found) if name == "union" else (Known(None), changed)
    if name in LIST_KEEPING:
        return Known(None), found
    if name in ("pop", "popleft"):
        return (ANYTHING if found.item is NEVER else found.item), found
    if name == "copy":
        return replace(found), found
    if name in ("index", "count"):
        from .operators import A_NUMBER

        return A_NUMBER, found
    if name == "join":
        return A_TEXT, found
    return ANYTHING, found


def opened_rows(value: ValueType) -> ValueType:
    """Return a dict that is put into a list with others, whose keys the others need not have.

    Which of the ways to fill the list are taken, and by whom else, is not told of its items.
    """
    if isinstance(value, OneOf):
        return any_of(map(opened_rows, value.types))
    inner = structure(value) or value
    if isinstance(inner, DictType) and inner.name == "dict":
        return opened_dict(inner)
    return value


def or_none(value: ValueType) -> ValueType:
    """Return a value that may be ``None``."""
    return one_of([value, NONE_TYPE])
