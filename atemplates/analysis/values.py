"""What a name or an expression of a template may stand for, as far as the template alone says.

Values are compared and hashed, so that walking the same nodes with the same names twice can be
noticed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..relations.paths import ITEM

LONGEST_PATH = 24
"""Steps after which a path is given up: only a template that includes itself gets there."""

MOST_VALUES = 16
"""Values that one name may have before it is given up: names that are set anew in each row."""


class Value:
    """What a name or expression stands for. This class itself: a literal or a text, with nothing
    that could be followed."""

    __slots__ = ()

    def step(self, bit: str) -> Value:
        """The value of ``{{ value.bit }}``."""
        return UNKNOWN

    def item(self) -> Value:
        """Any item of the value, as in a loop over it."""
        return UNKNOWN

    def position(self, index: int) -> Value:
        """The item at a position of a row, as a loop with several targets unpacks it."""
        return self.step(str(index))

    def places(self) -> tuple[PathValue, ...]:
        """Every place where the value may come from."""
        return ()

    def named(self, name: str) -> Value:
        """The value as what the context's variable ``name`` holds."""
        return self

    def with_member(self, name: str, value: Value) -> Value:
        """The value after ``{% set it.name = value %}``; the member may still be what it was."""
        return self

    def only_maybe(self) -> Value:
        """The value as one of several possible ones."""
        return self


UNKNOWN = Value()


@dataclass(frozen=True, slots=True)
class MadeValue(Value):
    """What the template's language makes itself: a literal, the state of a loop."""

    kind: type | str
    """The type of a literal; of the rest a word: ``"forloop"``, Jinja2's ``"loop"``, and
    ``"absent"`` for a name that nothing can give."""
    maybe: bool = False
    """Whether the value is only one of several that the name or expression may have."""

    def only_maybe(self) -> MadeValue:
        return replace(self, maybe=True)


@dataclass(frozen=True, slots=True)
class PathValue(Value):
    """What is found by following a path from a context variable."""

    root: str
    path: tuple[str, ...] = ()
    maybe: bool = False
    """Whether the value is only one of several that the name or expression may have."""
    lost: str | None = None
    """Why the path is not all that there is to know."""

    def step(self, bit: str) -> PathValue:
        if len(self.path) >= LONGEST_PATH:
            return self if self.lost else replace(self, lost="the path is too long to follow")
        return replace(self, path=(*self.path, bit))

    def item(self) -> PathValue:
        return self.step(ITEM)

    def places(self) -> tuple[PathValue, ...]:
        return (self,)

    def only_maybe(self) -> PathValue:
        return replace(self, maybe=True)


@dataclass(frozen=True, slots=True)
class Unknown(Value):
    """What somebody else's code returned; paths begin anew at the name that it is given."""

    reason: str

    def step(self, bit: str) -> Value:
        return self

    def item(self) -> Value:
        return self

    def named(self, name: str) -> Value:
        return PathValue(name, lost=self.reason)


@dataclass(frozen=True, slots=True)
class RowsValue(Value):
    """A list that was made in the template from what is at other places."""

    row: Value
    source: Value
    """The value whose items are in the list."""

    def step(self, bit: str) -> Value:
        return self.row if bit.lstrip("-").isdecimal() else UNKNOWN

    def item(self) -> Value:
        return self.row

    def places(self) -> tuple[PathValue, ...]:
        return self.source.places()

    def only_maybe(self) -> Value:
        return RowsValue(self.row.only_maybe(), self.source.only_maybe())


@dataclass(frozen=True, slots=True)
class RecordValue(Value):
    """An object whose members are known, such as a group of ``{% regroup %}``."""

    members: tuple[tuple[str, Value], ...]
    """Name and value, in the order in which the object can be unpacked."""
    is_closed: bool = False
    """Whether it has no others: a group has none, a namespace of Jinja2 may get some."""

    def step(self, bit: str) -> Value:
        for name, value in self.members:
            if name == bit:
                return value
        index = int(bit) if bit.isdecimal() else len(self.members)
        return self.members[index][1] if index < len(self.members) else UNKNOWN

    def item(self) -> Value:
        return several(value for _, value in self.members)

    def with_member(self, name: str, value: Value) -> Value:
        members = dict(self.members)
        members[name] = several([members.get(name, UNKNOWN), value])
        return RecordValue(tuple(members.items()))

    def only_maybe(self) -> Value:
        members = tuple((name, value.only_maybe()) for name, value in self.members)
        return replace(self, members=members)


@dataclass(frozen=True, slots=True)
class Several(Value):
    """One of several values; use `several` to make one."""

    values: tuple[Value, ...]

    def step(self, bit: str) -> Value:
        return several(value.step(bit) for value in self.values)

    def item(self) -> Value:
        return several(value.item() for value in self.values)

    def position(self, index: int) -> Value:
        return several(value.position(index) for value in self.values)

    def places(self) -> tuple[PathValue, ...]:
        found = [place for value in self.values for place in value.places()]
        return tuple(dict.fromkeys(found))

    def named(self, name: str) -> Value:
        return several(value.named(name) for value in self.values)

    def with_member(self, name: str, value: Value) -> Value:
        return several(each.with_member(name, value) for each in self.values)


def groups_of(source: Value, key: Value) -> Value:
    """Return the groups of a list's items: each has a ``grouper``, the key, and a ``list``."""
    item = source.item()
    group = RecordValue((("grouper", key), ("list", RowsValue(item, source))), is_closed=True)
    return RowsValue(group, source)


def several(values: Iterable[Value]) -> Value:
    """Return what may be any of ``values``."""
    flat: dict[Value, None] = {}
    for value in values:
        flat.update(dict.fromkeys(value.values if isinstance(value, Several) else (value,)))
    if len(flat) == 1:
        return next(iter(flat))
    records = [value for value in flat if isinstance(value, RecordValue)]
    if len(records) == len(flat) > 0:
        return _any_of_records(records)
    known = [value for value in flat if value is not UNKNOWN]
    uncertain = tuple(dict.fromkeys(value.only_maybe() for value in known))
    if not uncertain:
        return UNKNOWN
    if len(uncertain) > MOST_VALUES:
        return Unknown("it may have any of too many values to follow")
    return uncertain[0] if len(uncertain) == 1 else Several(uncertain)


def _any_of_records(records: list[RecordValue]) -> Value:
    """A record whose members may be those of any of ``records``; what all have alike is certain."""
    all_members = [dict(record.members) for record in records]
    names = dict.fromkeys(name for members in all_members for name in members)
    return RecordValue(
        tuple(
            (name, several(members.get(name, UNKNOWN) for members in all_members)) for name in names
        ),
        is_closed=all(record.is_closed for record in records),
    )
