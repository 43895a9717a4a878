"""The types of what a template's language makes itself: literals, the state of a loop, groups."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.template.loader_tags import BlockNode

from ..analysis.django.walker import Block
from ..analysis.values import (
    UNKNOWN,
    MadeValue,
    PathValue,
    RecordValue,
    RowsValue,
    Several,
    Value,
)
from ..inference.types import ANYTHING, DictType, ItemsType, ObjectType, ValueType, one_of

NUMBER, FLAG = ObjectType(int), ObjectType(bool)
FORLOOP_NUMBERS = ("counter", "counter0", "revcounter", "revcounter0", "length")
JINJA2_LOOP = (
    *(
        "index",
        "index0",
        "revindex",
        "revindex0",
        "first",
        "last",
        "length",
        "previtem",
        "nextitem",
    ),
    *("depth", "depth0", "cycle", "changed"),
)
MOST_LOOPS = 6
"""How many loops inside each other ``forloop.parentloop`` is followed through."""


def _forloop(parent: ValueType) -> DictType:
    members: dict[str, ValueType] = dict.fromkeys(FORLOOP_NUMBERS, NUMBER)
    members |= {"first": FLAG, "last": FLAG, "parentloop": parent}
    return DictType(members, is_complete=True, name="forloop")


def _forloops() -> DictType:
    found = _forloop(ANYTHING)
    for _ in range(MOST_LOOPS):
        found = _forloop(found)
    return found


MADE: dict[str, ValueType] = {
    "forloop": _forloops(),
    "loop": DictType(dict.fromkeys(JINJA2_LOOP, ANYTHING), is_complete=True, name="loop"),
}
"""What stands under the names that a language sets."""
BLOCK = DictType(
    dict.fromkeys((*dir(BlockNode), "super", "name", "nodelist", "parent", "context"), ANYTHING),
    is_complete=True,
    name="block",
)


LANGUAGE_OBJECTS = frozenset({"forloop", "loop", "group", "block"})
"""The names of these types, of which people think as objects with attributes."""


def alternatives(
    value: Value, type_at: Callable[[PathValue], ValueType | None]
) -> Iterator[tuple[ValueType | None, bool]]:
    """Return the types that a value may have, each with whether it is only one of several.

    Args:
        type_at: says what stands at a path from a variable; None where no such variable is given.
    """
    if isinstance(value, Several):
        for each in value.values:
            for found, _ in alternatives(each, type_at):
                yield found, True
    elif isinstance(value, PathValue):
        yield (type_at(value) if value.lost is None else ANYTHING), value.maybe
    else:
        is_maybe = isinstance(value, MadeValue) and value.maybe
        yield type_made(value, type_at), is_maybe


def type_made(value: Value, type_at: Callable[[PathValue], ValueType | None]) -> ValueType | None:
    """Return the type of a value; None for a name that nothing gives."""
    if isinstance(value, PathValue):
        return type_at(value) if value.lost is None and not value.maybe else ANYTHING
    if isinstance(value, MadeValue):
        if value.kind == "absent":
            return None
        return ObjectType(value.kind) if isinstance(value.kind, type) else MADE[value.kind]
    if isinstance(value, Block):
        return BLOCK
    if isinstance(value, RowsValue):
        return ItemsType(type_made(value.row, type_at) or ANYTHING)
    if isinstance(value, RecordValue) and value.is_closed:
        members = {name: type_made(each, type_at) or ANYTHING for name, each in value.members}
        return DictType(members, is_complete=True, name="group")
    if isinstance(value, Several) and value is not UNKNOWN:
        return one_of([type_made(each, type_at) or ANYTHING for each in value.values])
    return ANYTHING
