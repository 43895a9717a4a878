"""Loading relations and deferred fields of many instances: what runs in the request's thread.

Each function is called for one instance, the first of its list; the others are its peers, which
are loaded with it where that takes no further query. What goes wrong for a peer alone is left for
the peer's own turn.

Since Django 6.1 an instance has a fetch mode, which says how what it lacks is fetched. One that the
user chose is respected; one of ours is taken off while something is loaded from the instance.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import Any, TypeAlias

import django
from django.core.exceptions import ObjectDoesNotExist, SynchronousOnlyOperation
from django.db import DatabaseError, InterfaceError, router
from django.db.models import Model, prefetch_related_objects

from .models import (
    PREFETCHED,
    Relation,
    column_of,
    forget_prefetched,
    is_missing,
    is_saved,
    key_columns,
    lacks,
)

HAS_FETCH_MODES = django.VERSION >= (6, 1)

FetchMode: Any = object
FETCH_ONE: Any = None
if HAS_FETCH_MODES:
    fetch_modes: Any = import_module("django.db.models.fetch_modes")
    FetchMode, FETCH_ONE = fetch_modes.FetchMode, fetch_modes.FETCH_ONE

batching_render: ContextVar[Any] = ContextVar("atemplates_fetching", default=None)
"""The render that runs: instances may be shared with another one, whose policy is not ours."""


class LoopFetchMode(FetchMode):  # type: ignore[misc]
    """Asks a render what to fetch, while the render goes on; else fetches one, as usual.

    Django hands the mode of an instance on to what a property reads through it, and notes which
    rows came with the same query.
    """

    __slots__ = ("is_inherited", "render")

    def __init__(self) -> None:
        self.render: Any = None
        """Whose ``fetch_in_python(fetcher, instance)`` decides; None when the render is over."""
        self.is_inherited = False
        """Whether instances may have it that it was not given to."""

    @property
    def track_peers(self) -> bool:
        """Whether rows are to know each other: asked for each row that a query gives the mode."""
        self.is_inherited = True
        return True

    def fetch(self, fetcher: Any, instance: Model) -> None:
        """Fetch a field for an instance, and perhaps for those beside it.

        Raises:
            LazyAccessError: under ``"raise"``.
            ObjectDoesNotExist: there is no such row.
        """
        self.is_inherited = True
        if self.render is None or batching_render.get() is not self.render:
            fetcher.fetch_one(instance)
        else:
            self.render.fetch_in_python(fetcher, instance)

    def __reduce__(self) -> Any:
        # An instance that is pickled (into a cache, say) leaves the render.
        return usual, ()


def usual() -> Any:
    """Return the mode that instances have when nobody chose one."""
    return FETCH_ONE


def fetch_one(fetcher: Any, instance: Model) -> None:
    """Fetch a field for one instance as Django does."""
    with usual_mode(instance):
        fetcher.fetch_one(instance)


@contextmanager
def usual_mode(instance: Model) -> Iterator[None]:
    """Take our mode off an instance for a while: what is loaded from it inherits its mode."""
    mode = instance._state.fetch_mode if HAS_FETCH_MODES else None
    if not isinstance(mode, LoopFetchMode):
        yield
        return
    instance._state.fetch_mode = FETCH_ONE
    try:
        yield
    finally:
        instance._state.fetch_mode = mode


def has_own_mode(instance: Model) -> bool:
    """Whether the user chose a fetch mode for this instance, which is then respected."""
    return HAS_FETCH_MODES and is_own_mode(instance._state.fetch_mode)


def is_own_mode(mode: Any) -> bool:
    """Whether this is a fetch mode that the user chose: neither the usual one nor ours."""
    return (
        HAS_FETCH_MODES
        and isinstance(mode, FetchMode)
        and mode is not FETCH_ONE
        and not isinstance(mode, LoopFetchMode)
    )


Absent: TypeAlias = list[tuple[Model, "ObjectDoesNotExist | None"]]
"""Instances for which a load brought nothing, and what reading the attribute raises; None when
that is not known, and is for the attribute to say."""

DATABASE_ERRORS = (DatabaseError, InterfaceError, SynchronousOnlyOperation)
"""What no other way of loading would help against."""


def load(peers: list[Model], relation: Relation) -> Absent:
    """Load a relation to one object, or a deferred field, of an instance and its peers.

    Returns:
        The instances that have none.

    Raises:
        DatabaseError: the database refused; nothing has been changed.
        Exception: for a single instance, whatever reading the attribute raised.
    """
    if len(peers) == 1:
        return _load_one(peers[0], relation)
    if relation.kind == "deferred":
        return load_deferred(peers, relation.field)
    keyed, gone = load_keys(peers, relation)
    missing = [peer for peer in keyed if is_missing(peer, relation)]
    if not missing or missing[0] is not peers[0]:
        return gone  # the key is null, or there is no row that it could be read from
    try:
        group = together(missing, relation)
        with _without_traces(group), usual_mode(group[0]):
            prefetch_related_objects(group, _lookup(group, relation))
    except DATABASE_ERRORS:
        raise
    except Exception:
        # A peer (a key of the wrong type, a content type whose model is gone) spoils the batch.
        # Read alone, this instance is right, or raises what it should.
        return gone + _load_one(peers[0], relation)
    return gone + _absent_of(group, relation)


def _load_one(instance: Model, relation: Relation) -> Absent:
    """Load one just as stock Django does."""
    try:
        with usual_mode(instance):
            getattr(instance, relation.name)
    except ObjectDoesNotExist as error:
        return [(instance, error)]
    return []


def load_keys(peers: list[Model], relation: Relation) -> tuple[list[Model], Absent]:
    """Load the columns that a relation starts from; a prefetch would read them one by one.

    Returns:
        The peers that have all of the key, and those whose own row is gone.
    """
    columns = key_columns(peers[0], relation)
    gone: Absent = []
    for column in columns:
        without = [peer for peer in peers if lacks(peer, [column])]
        if refreshes_itself(type(peers[0])):
            without = [peer for peer in without if peer is peers[0]]
        if without:
            gone += load_deferred(without, column)
    return [peer for peer in peers if not lacks(peer, columns)], gone


def together(peers: list[Model], relation: Relation) -> list[Model]:
    """Return the peers whose related objects the first one's query can bring too.

    Those of another content type, and those whose related objects the router looks for in another
    database, need a query of their own, which is theirs to send.
    """
    instance, field = peers[0], relation.field
    if relation.kind == "generic":
        column = column_of(instance, field.ct_field).attname
        kind = getattr(instance, column)
        return [peer for peer in peers if getattr(peer, column) == kind]
    return in_one_database(peers, field.related_model)


def in_one_database(peers: list[Model], model: type[Model]) -> list[Model]:
    """Return the peers for whom the router looks for a model where it does for the first one."""
    if not router.routers:
        return peers
    database = router.db_for_read(model, instance=peers[0])
    return [peers[0], *(peer for peer in peers[1:] if _database(model, peer) == database)]


def _database(model: type[Model], instance: Model) -> str | None:
    try:
        return router.db_for_read(model, instance=instance)
    except Exception:
        # A router that denies this instance is heard when it is this one's turn.
        return None


def _lookup(group: list[Model], relation: Relation) -> Any:
    """Return what ``prefetch_related_objects`` is to load.

    A generic key is followed in the database of its instance, as when it is followed singly; a
    plain prefetch would ask the router.
    """
    if relation.kind != "generic":
        return relation.name
    field, database = relation.field, group[0]._state.db
    column = column_of(group[0], field.ct_field).attname
    kind = field.get_content_type(id=getattr(group[0], column), using=database)
    target = kind.model_class()
    # Not at the top: it can be imported only where the app is installed.
    from django.contrib.contenttypes.prefetch import GenericPrefetch

    return GenericPrefetch(relation.name, [target._base_manager.using(database).all()])


def _absent_of(group: list[Model], relation: Relation) -> Absent:
    """Find who has none; undo what a prefetch notes for a key without a row.

    A prefetch notes None for it; reading the attribute has to raise ``DoesNotExist`` instead,
    as it does without the prefetch (a dangling key, a parent that its manager hides). For the
    other side of a one-to-one, and for a generic key, None is what is noted without it as well.
    """
    if relation.kind != "forward":
        return []
    absent: Absent = []
    field = relation.field
    for peer in group:
        if field.get_cached_value(peer, peer) is None:
            field.delete_cached_value(peer)
            absent.append((peer, does_not_exist(field.remote_field.model)))
    return absent


def does_not_exist(model: type[Model]) -> ObjectDoesNotExist:
    """Return what Django raises when the row of a key is not there."""
    return model.DoesNotExist(f"{model._meta.object_name} matching query does not exist.")


@contextmanager
def _without_traces(group: list[Model]) -> Iterator[None]:
    """Take the empty dict away again that a prefetch puts on each instance."""
    fresh = [peer for peer in group if PREFETCHED not in vars(peer)]
    try:
        yield
    finally:
        for peer in fresh:
            if not vars(peer).get(PREFETCHED, True):
                del vars(peer)[PREFETCHED]


def load_many(peers: list[Model], relation: Relation) -> list[tuple[Model, str]] | None:
    """Load a to-many relation of some saved instances.

    Returns:
        What `forget_rows` needs to take the rows off the instances again; None when the rows cannot
        be had for several instances at once.

    Raises:
        DatabaseError: the database refused; nothing has been changed.
    """
    saved, _ = load_keys([peer for peer in peers if is_saved(peer)], relation)
    if not saved or saved[0] is not peers[0]:
        return None
    group = together(saved, relation)
    before = {id(peer): set(_prefetched(peer)) for peer in group}
    try:
        with usual_mode(group[0]):
            prefetch_related_objects(group, relation.name)
    except DATABASE_ERRORS:
        raise
    except Exception:
        # A manager that cannot be prefetched through. Each instance is asked by itself then, and
        # raises what it should.
        forget_rows(_new(group, before))
        return None
    return _new(group, before)


def _prefetched(instance: Model) -> dict[str, Any]:
    found: dict[str, Any] = vars(instance).get(PREFETCHED, {})
    return found


def _new(group: list[Model], before: dict[int, set[str]]) -> list[tuple[Model, str]]:
    return [(peer, name) for peer in group for name in set(_prefetched(peer)) - before[id(peer)]]


def forget_rows(noted: list[tuple[Model, str]]) -> None:
    """Take the rows of to-many relations off instances, as if they had been read lazily."""
    for instance, name in noted:
        forget_prefetched(instance, name)


def refreshes_itself(model: type[Model]) -> bool:
    """Whether a model loads deferred columns by code of its own, an instance at a time."""
    return model.refresh_from_db is not Model.refresh_from_db


def load_deferred(peers: list[Model], field: Any) -> Absent:
    """Load a deferred column of some instances of one model with one query.

    A model with a ``refresh_from_db`` of its own is asked one by one, as Django does.
    """
    model = type(peers[0])
    if refreshes_itself(model):
        with usual_mode(peers[0]):
            getattr(peers[0], field.attname)
        return []
    database = peers[0]._state.db
    rows = model._base_manager.db_manager(database, hints={"instance": peers[0]}).filter(
        pk__in=[peer.pk for peer in peers]
    )
    values = dict(rows.values_list("pk", field.attname))
    for peer in peers:
        if peer.pk in values:
            setattr(peer, field.attname, values[peer.pk])
    return [(peer, does_not_exist(model)) for peer in peers if peer.pk not in values]
