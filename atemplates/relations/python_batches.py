"""Lazy access inside Python code, batched (Django 6.1): objects that are fetched for together.

An object gets a fetch mode of ours before code of its model runs. What the code then reaches for
is fetched for the objects beside it, and what was fetched is a group of its own: the code may
reach further from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from time import perf_counter
from typing import Any

from django.db.models import Model, QuerySet
from django.db.models.base import ModelState

from ..runtime.running_steps import RunningStep, register_step
from ..runtime.types import SCALARS
from . import batch_loading
from .batch_loading import (
    FETCH_ONE,
    LoopFetchMode,
    batching_render,
    fetch_one,
    usual_mode,
)
from .events import Event
from .loop_peers import CHUNK, StepPlace
from .models import PREFETCHED, Relation, is_a, is_missing, loaded_rows, relations_of
from .query_attribution import caller
from .reporting import Reporter


class Group:
    """Objects for which Python code is likely to reach for the same."""

    __slots__ = ("_positions", "path", "rows")

    def __init__(self, rows: list[Model], path: tuple[str, ...]) -> None:
        self.rows = rows
        self.path = path
        """The relations from an object of the template's to these."""
        self._positions: dict[int, int] | None = None

    def beside(self, instance: Model) -> list[Model]:
        """The instance, and those of its class that come after it."""
        if self._positions is None:
            self._positions = {id(row): position for position, row in enumerate(self.rows)}
        start = self._positions[id(instance)]
        later = self.rows[start + 1 : start + CHUNK]
        return [instance, *(row for row in later if type(row) is type(instance))]


class PythonBatches:
    """The objects of one render that have a fetch mode of ours."""

    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter
        self.mode = LoopFetchMode()
        self.place = StepPlace(None, None, 1)
        """The step whose Python code runs now."""
        self.members: dict[int, Group] = {}
        """An object's identity -> its group, which keeps it alive."""
        self._all: list[Group] = []
        self.absent: dict[tuple[int, str], tuple[Model, Any]] = {}
        self._outer: Any = None

    def add_group(self, instances: list[Model], path: tuple[str, ...] = ()) -> None:
        """Make a group of those instances that fetch one by one so far.

        What they lead to without a query is a group for each relation: code reaches further there.
        """
        waiting = [(path, instances)]
        while waiting:
            path, instances = waiting.pop()
            rows = [row for row in instances if row._state.fetch_mode is FETCH_ONE]
            if not rows:
                continue
            self.begin()
            install_fetch_mode(self.mode, rows)
            kinds: set[Any] = set(map(type, rows))
            if any(kind._meta.parents for kind in kinds):
                self.mode.is_inherited = True  # parents are made from their children
            self._add(rows, path)
            waiting += (((*path, name), kept) for name, kept in _kept_on(rows).items())

    def begin(self) -> None:
        """Be the render that the objects' fetch mode asks."""
        if self.mode.render is None:
            self.mode.render = self
            self._outer = batching_render.get()
            batching_render.set(self)

    def _add(self, rows: list[Model], path: tuple[str, ...]) -> Group:
        group = Group(rows, path)
        self.members.update(dict.fromkeys(map(id, rows), group))
        self._all.append(group)
        return group

    def finish(self) -> None:
        """Give all instances their usual fetch mode back."""
        if self.mode.render is not None:
            batching_render.set(self._outer)
            restore_fetch_modes(self.mode, chain.from_iterable(each.rows for each in self._all))
        self.members.clear()
        self._all.clear()
        self.absent.clear()

    def fetch_in_python(self, fetcher: Any, instance: Model) -> None:
        """Fetch a field for an instance and for those beside it.

        Raises:
            LazyAccessError: under ``"raise"``.
            ObjectDoesNotExist: there is no such row.
        """
        name = fetched_name(fetcher)
        relation = relations_of(type(instance)).get(name)
        if relation is not None and not is_missing(instance, relation):
            fetch_one(fetcher, instance)  # no query: a parent is made from the child
            self._group_parents(instance, relation)
            return
        source = caller()
        if source is None:  # the template's own access, about which the loader decides
            fetch_one(fetcher, instance)
            return
        known = self.absent.get((id(instance), name))
        if known is not None and known[1] is not None:
            raise known[1].with_traceback(None)
        path, missing = self._missing(instance, relation)
        event = self._tell(instance, relation, (*path, name), source)
        notify = self.reporter.completion(event, len(missing), len(missing) > 1)
        start = perf_counter()
        self._fetch(fetcher, missing, relation)
        if notify is not None:
            notify((perf_counter() - start) * 1000, None)
        if relation is not None:
            self._group_loaded(missing, relation, path)

    def add_loaded(self, instances: list[Model], relation: Relation) -> None:
        """Take in what the template's own access has loaded for instances of a group."""
        member = self.members.get(id(instances[0]))
        if member is not None:
            self._group_loaded(instances, relation, member.path)

    def _group_loaded(
        self, instances: list[Model], relation: Relation, path: tuple[str, ...]
    ) -> None:
        if relation.kind != "deferred":
            found = [relation.field.get_cached_value(row, None) for row in instances]
            unique = {id(row): row for row in found if is_a(row, Model)}
            self.add_group(list(unique.values()), (*path, relation.name))

    def _group_parents(self, instance: Model, relation: Relation) -> None:
        """Make a group of the parents of those beside a child: code may reach further from one."""
        member = self.members.get(id(instance))
        if member is None or not relation.parent_link:
            return
        rows = [row for row in member.beside(instance) if not is_missing(row, relation)]
        for row in rows:
            parent_instance(row, relation)
        self._group_loaded(rows, relation, member.path)

    def _missing(
        self, instance: Model, relation: Relation | None
    ) -> tuple[tuple[str, ...], list[Model]]:
        """Return the path to an instance's group, and who of it lacks what the instance lacks."""
        if relation is None:
            return (), [instance]
        member = self.members.get(id(instance))
        if member is not None:
            group = member
        else:  # read by Python code through an object of ours, with other rows
            rows = [row for row in (each() for each in instance._state.peers) if row is not None]
            known_beside = any(row is instance for row in rows)
            group = self._add(rows if known_beside else [instance], ("...",))
        missing = [
            row
            for row in group.beside(instance)
            if row is instance
            or (
                row._state.fetch_mode is self.mode
                and is_missing(row, relation)
                and (id(row), relation.name) not in self.absent
            )
        ]
        return group.path, missing

    def _fetch(self, fetcher: Any, missing: list[Model], relation: Relation | None) -> None:
        instance = missing[0]
        if len(missing) > 1 and relation is not None:
            for row, error in batch_loading.load(missing, relation):
                self.absent[id(row), relation.name] = (row, error)
                if row is instance and error is not None:
                    raise error
            if not is_missing(instance, relation):
                return
        # Alone, or spoiled by another one: as Django would, with what it raises.
        fetch_one(fetcher, instance)

    def _tell(
        self, instance: Model, relation: Relation | None, steps: tuple[str, ...], source: str
    ) -> Event | None:
        if not self.reporter.is_listening:
            return None
        place = self.place._replace(bit="")
        return self.reporter.announce(
            "python", place, type(instance), relation, further=steps, source=source
        )


register_step(PythonBatches.fetch_in_python, lambda values: RunningStep("reported"))


def _kept_on(rows: list[Model]) -> dict[str, list[Model]]:
    """The related objects that are loaded already, by the relation that leads to them."""
    found: dict[str, dict[int, Model]] = {}
    for row in rows:
        kept = row._state.__dict__.get("fields_cache")
        if not kept:
            continue
        for name, value in kept.items():
            if is_a(value, Model):
                found.setdefault(name, {})[id(value)] = value
    for kind in {type(row) for row in rows}:
        for link in [relations_of(kind).get(name) for name in found]:
            if link is not None and link.parent_link:
                parents = (parent_instance(row, link) for row in rows if type(row) is kind)
                found[link.name].update((id(each), each) for each in parents if each is not None)
    return {name: list(values.values()) for name, values in found.items()}


def parent_instance(child: Model, link: Relation) -> Any:
    """The parent that is made from a row's own columns; None where that takes a query."""
    if is_missing(child, link):
        return None
    with usual_mode(child):
        return getattr(child, link.name)


def fetched_name(fetcher: Any) -> str:
    """Return the name of the attribute that a fetcher stands behind.

    A foreign key has two: the related object's, and its column's.
    """
    field = fetcher.field
    if field.auto_created and not field.concrete:
        return str(field.get_accessor_name())
    is_column = field.concrete and isinstance(fetcher, field.descriptor_class)
    return str(field.attname if is_column else field.name)


def install_fetch_mode(mode: LoopFetchMode, instances: Iterable[Model]) -> None:
    """Give instances our fetch mode."""
    for instance in instances:
        instance._state.fetch_mode = mode


def restore_fetch_modes(mode: LoopFetchMode, instances: Iterable[Model]) -> None:
    """Give instances their usual fetch mode back, and those that inherited ours from them.

    Ours comes to an end: an instance that nobody can reach from there fetches one by one, too.
    """
    if not mode.is_inherited:
        for instance in instances:
            state = instance._state
            if state.fetch_mode is mode:
                state.fetch_mode = FETCH_ONE
        mode.render = None
        return
    waiting = list(instances)
    while waiting:
        instance = waiting.pop()
        state = instance._state
        if state.fetch_mode is not mode:  # the user's, or taken off already
            continue
        state.fetch_mode = FETCH_ONE
        kept = state.__dict__
        kept.pop("peers", None)
        related = kept.get("fields_cache")
        if related:
            waiting += [value for value in related.values() if issubclass(type(value), Model)]
        if not COLUMN_TYPES.issuperset(map(type, instance.__dict__.values())):
            waiting.extend(_instances_kept_by(instance))
    mode.render = None


COLUMN_TYPES = SCALARS | {ModelState}
"""Exact types of what an instance has that keeps no other instances: nearly all columns are."""


def _instances_kept_by(instance: Model) -> Iterator[Model]:
    """Give the instances that an instance keeps as attributes, and in its lists of rows."""
    values = list(instance.__dict__.values())
    values.extend(vars(instance).get(PREFETCHED, {}).values())
    for value in values:
        if is_a(value, Model):
            yield value
        elif is_a(value, (list, tuple, QuerySet)):
            yield from (row for row in loaded_rows(value) if is_a(row, Model))
