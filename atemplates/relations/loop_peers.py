"""Which objects stand beside an object in the loops around it.

A loop notes the list it goes through; `LoopStack.peers` finds the object's list, and follows the
same path from the other rows, through what is loaded already: it never sends a query and runs
nobody's code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.db.models import Model, QuerySet
from django.db.models.manager import BaseManager

from ..runtime.relations import TakenRows
from ..runtime.types import NAMED, PLAIN, VIEWS
from .models import (
    NO_ATTRIBUTES,
    Relation,
    attributes,
    instance_of,
    is_a,
    is_loaded,
    is_missing,
    is_saved,
    loaded_rows,
    missing_key,
    relations_of,
    shares,
    static_attribute,
    static_rows,
)

CHUNK = 500
"""How many rows a load is for, at most, counted from the current row."""

LONGEST_ROW = 10
"""A row that is a longer tuple is not looked into."""


class StepPlace(NamedTuple):
    """A step that a template takes, with what is known about it."""

    site: Any
    """The expression, as the resolver knows it; None if that is not known."""
    root: Any
    """The value of the expression's first bit."""
    done: int
    """How many bits of the expression are resolved."""
    bit: str = ""
    """What is resolved next."""


class Loop:
    """A list that a loop goes through, and where in the template's data it came from."""

    __slots__ = (
        *("_places", "backwards", "bits", "owner", "position", "root", "rows", "values"),
        "whole",
    )

    def __init__(
        self,
        values: Any,
        owner: Any,
        bits: tuple[str, ...],
        root: str,
        *,
        backwards: bool = False,
        whole: bool = True,
    ) -> None:
        self.values = values
        self.rows = loaded_rows(values)
        """What is in it: a class of the site may say anything of its length and items."""
        self.owner = owner
        """The object that the path to the list begins with."""
        self.bits = bits
        """The path from the owner to the list."""
        self.root = root
        """The name that the path begins with."""
        self.backwards = backwards
        """Whether the loop is ``reversed``."""
        self.whole = whole
        """Whether the list is all that the path leads to, and not what a filter left of it."""
        self.position = len(self.rows) - 1 if backwards else 0
        """Where an object was found last: the next one asked for is likely there or beside it."""
        self._places: dict[int, tuple[int, int | None]] | None = None

    def position_of(self, item: Any) -> tuple[int, int | None] | None:
        """Return the position of the row that is ``item`` or a tuple that holds it.

        Returns:
            The position, and the place in the tuple; None if it is in no row.
        """
        values, position = self.rows, self.position
        if position < len(values) and values[position] is item:
            return position, None
        step = -1 if self.backwards else 1
        if 0 <= position + step < len(values) and values[position + step] is item:
            self.position = position + step
            return self.position, None
        if self._places is None:
            self._places = _places(values)
        found = self._places.get(id(item))
        if found is not None:
            self.position = found[0]
        return found

    def rows_from(self, position: int, place: int | None, limit: int) -> list[Any]:
        """The rows from a position on, in the order of the loop, or what they hold at a place."""
        if self.backwards:
            rows = list(self.rows[max(0, position + 1 - limit) : position + 1])[::-1]
        else:
            rows = list(self.rows[position : position + limit])
        if place is None:
            return rows
        return [row[place] for row in rows if type(row) in (tuple, list) and len(row) > place]


def _places(values: Sequence[Any]) -> dict[int, tuple[int, int | None]]:
    places: dict[int, tuple[int, int | None]] = {}
    for position, row in enumerate(values):
        places.setdefault(id(row), (position, None))
        if type(row) in (tuple, list) and len(row) < LONGEST_ROW:
            for place, part in enumerate(row):
                places.setdefault(id(part), (position, place))
    return places


def _loop_noted(values: Any, owner: Any, site: Any, backwards: bool, whole: bool) -> Loop | None:
    """Make the loop over a list that was noted, or None if its rows cannot hold instances."""
    if type(values) in VIEWS:
        values = list(values)
    elif is_a(values, TakenRows):
        values, backwards = values.items, False
    elif is_a(values, set):
        values = list(set.__iter__(values))
    elif is_a(values, frozenset):
        values = list(frozenset.__iter__(values))
    if not is_a(values, (list, tuple, QuerySet)):
        return None
    bits = ("",) if site is None else site.bits
    return Loop(values, owner, bits[1:], bits[0], backwards=backwards, whole=whole)


class LoopStack:
    """The loops around the node that renders now, and where single objects came from."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        """What the plan has noted of each loop (`State.loops`), or what was made of it: a `Loop`,
        or None if its rows cannot hold instances."""
        self.origins: dict[int, tuple[Any, Any, tuple[str, ...], str]] = {}

    def follow(self, stack: list[Any]) -> None:
        """Learn of the loops from the list in which the plan notes them."""
        self.stack = stack

    def open_loops(self) -> Iterator[Loop]:
        """Give the loops around the node that renders now, the innermost first."""
        stack = self.stack
        for number in range(len(stack) - 1, -1, -1):
            loop = stack[number]
            if type(loop) is tuple:
                loop = stack[number] = _loop_noted(*loop)
            if loop is not None:
                yield loop

    def note_origin(self, value: Any, owner: Any, bits: tuple[str, ...], root: str) -> None:
        """Note under a new name (``{% with %}``) where an object came from."""
        if value is not owner and is_a(value, (Model, QuerySet, BaseManager, list, tuple)):
            self.origins[id(value)] = (value, owner, bits, root)

    def origin(self, value: Any) -> tuple[Any, tuple[str, ...], str] | None:
        """Return what `note_origin` noted: the owner, the path from it, and its name."""
        found = self.origins.get(id(value))
        return found[1:] if found is not None and found[0] is value else None

    def loop_of(self, item: Any) -> tuple[Loop, int, int | None] | None:
        """Find the loop in which ``item`` is a row, its position, and its place in a tuple row."""
        if item is None:
            return None
        for loop in self.open_loops():
            found = loop.position_of(item)
            if found is not None:
                return loop, *found
        return None

    def peers(self, item: Any, limit: int = CHUNK) -> list[Any]:
        """Return the objects that stand where ``item`` stands, it first, then later rows'."""
        found = self.loop_of(item)
        if found is None:
            origin = self.origin(item)
            if origin is None:
                return [item]
            owner, bits, _ = origin
            others = self.peers(owner, limit)[1:]
            return [item, *(value for peer in others for value in resolve_loaded_path(peer, bits))][
                :limit
            ]
        loop, position, place = found
        rows = loop.rows_from(position, place, limit)
        if len(rows) < limit and loop.owner is not None and loop.whole:
            for owner in self.peers(loop.owner, limit)[1:]:
                for values in resolve_loaded_path(owner, loop.bits):
                    if is_a(values, (list, tuple, QuerySet)):
                        rows += Loop(values, None, (), "").rows_from(0, place, limit)
                if len(rows) >= limit:
                    break
        return rows[:limit]

    def path_to(self, item: Any, name: str) -> tuple[str, tuple[str, ...]]:
        """Return the context variable that ``item`` hangs on, and the steps from there."""
        found = self.loop_of(item)
        if found is not None:
            loop, _, place = found
            steps = ("[]",) if place is None else ("[]", str(place))
            origin = self.origin(loop.values)
            if origin is not None:  # a list of {% regroup %}, with rows of another
                owner, bits, root_name = origin
                root, before = self.path_to(owner, root_name)
                return root, (*before, *bits, *steps)
            if loop.owner is None:
                return loop.root or name, (*loop.bits, *steps)
            root, before = self.path_to(loop.owner, loop.root)
            return root, (*before, *loop.bits, *steps)
        origin = self.origin(item) if item is not None else None
        if origin is not None:
            owner, bits, root_name = origin
            root, before = self.path_to(owner, root_name)
            return root, (*before, *bits)
        return name, ()

    def outermost_instance(self, item: Any) -> Any:
        """Return the outermost instance that the path to ``item`` goes through, or None."""
        outermost = item if instance_of(item) is not None else None
        found = self.loop_of(item)
        origin = self.origin(item) if item is not None else None
        owner = found[0].owner if found is not None else origin[0] if origin is not None else None
        if owner is None or owner is item:
            return outermost
        further = self.outermost_instance(owner)
        return outermost if further is None else further


def resolve_loaded_path(item: Any, bits: tuple[str, ...]) -> list[Any]:
    """Follow a path through what is loaded; a list of one value, or of none."""
    for bit in bits:
        item = _loaded_value(item, bit)
        if item is None:
            return []
    return [item]


def _loaded_value(item: Any, bit: str) -> Any:
    kind = type(item)
    if kind in PLAIN and kind in NAMED:  # what is asked below is answered for the type
        held: Any = getattr(item, "__dict__", NO_ATTRIBUTES)
        return held.get(bit)
    instance = instance_of(item)
    if instance is not None:
        return _loaded_value_of_instance(instance, bit)
    if is_a(item, BaseManager):
        if bit != "all" or missing_key(item) is not None:
            return None
        rows = item.all()
        return rows if is_loaded(rows) else None
    if is_a(item, dict):
        return dict.get(item, bit)
    if is_a(item, tuple):
        fields = static_attribute(item, "_fields", ())
        if type(fields) is tuple and bit in fields:
            return static_rows(item)[fields.index(bit)]
    if is_a(item, (list, tuple)):
        rows = static_rows(item)
        return rows[int(bit)] if bit.isdecimal() and int(bit) < len(rows) else None
    if is_a(item, QuerySet):
        return None
    # What a plain object keeps in its dict is read without running its code.
    return attributes(item).get(bit)


def _loaded_value_of_instance(instance: Model, bit: str) -> Any:
    relation = relations_of(type(instance)).get(bit)
    if relation is None:
        return instance.__dict__.get(bit)
    if relation.kind == "many":
        return getattr(instance, bit) if is_saved(instance) else None
    if relation.kind == "deferred" or is_missing(instance, relation):
        return None
    if relation.parent_link:
        return getattr(instance, bit)  # made from the child's own columns where it is not yet
    return relation.field.get_cached_value(instance, None)


def instances_beside(
    loops: LoopStack, instance: Model, place: StepPlace, relation: Relation | None = None
) -> list[Model]:
    """Return the loaded instances that stand where one stands, it first, all of its class.

    Args:
        place: the step that the instance was reached by.
        relation: one that objects of another class may share, inherited from a parent's table.
    """
    site, root, index = place.site, place.root, place.done
    if root is None or root is instance or site is None:
        rows = loops.peers(instance)
    else:
        bits = site.bits[1:index]
        rows = [instance]
        for row in loops.peers(root)[1:]:
            for bit in bits:
                row = _loaded_value(row, bit)
                if row is None:
                    break
            else:
                rows.append(row)
    kind, database = type(instance), instance._state.db
    unique: dict[int, Model] = {}
    for row in rows:
        if type(row) is not kind:
            row = instance_of(row)
            if row is None:
                continue
            if type(row) is not kind and (relation is None or not shares(row, relation)):
                continue
        if row._state.db == database:
            unique[id(row)] = row
    return list(unique.values())
