"""Querysets and managers: what they load, where they come from, and which steps on them query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from inspect import isasyncgenfunction, iscoroutinefunction, signature
from typing import Any, NamedTuple, TypeAlias

from django.db import connections, router
from django.db.models import Count, Manager, Model, QuerySet
from django.db.models.manager import BaseManager
from django.db.models.query import ModelIterable

from ..runtime.types import MARKS, is_django
from .batch_loading import in_one_database
from .loop_peers import StepPlace
from .models import (
    Relation,
    attributes,
    instance_of,
    is_a,
    is_loaded,
    is_saved,
    relation_of,
    relations_of,
)

Mask: TypeAlias = dict[Any, Any]
"""Field or relation -> the mask of the model it leads to. Empty: every column is selected."""


def loaded_by(queryset: QuerySet[Any]) -> tuple[str, ...]:
    """The lookups that a queryset loads with its rows; ``"*"`` for a bare ``select_related()``."""
    chosen = queryset.query.select_related
    found = {"*"} if chosen is True else set(_paths(chosen or {}))
    # Django has no public name for these; tests/test_upstream.py says when they change.
    for lookup in vars(queryset)["_prefetch_related_lookups"]:
        name = str(getattr(lookup, "prefetch_to", lookup))
        found.add(name)
        inner = getattr(lookup, "queryset", None)
        if inner is not None:
            found.update(f"{name}__{each}" for each in loaded_by(inner))
    return tuple(sorted(found))


def _paths(chosen: dict[str, Any]) -> Iterator[str]:
    for name, deeper in chosen.items():
        yield name
        for path in _paths(deeper):
            yield f"{name}__{path}"


def gives_instances(queryset: QuerySet[Any]) -> bool:
    """Whether the rows are instances of the model, and not what ``values()`` and its like give."""
    iterable: Any = vars(queryset)["_iterable_class"]
    return issubclass(iterable, ModelIterable)


def lists_of(queryset: QuerySet[Any]) -> dict[str, type[Model]]:
    """The lists that ``Prefetch(to_attr=...)`` makes, by their lookup, and the models in them."""
    found: dict[str, type[Model]] = {}
    for lookup in vars(queryset)["_prefetch_related_lookups"]:
        name = str(getattr(lookup, "prefetch_to", lookup))
        inner = getattr(lookup, "queryset", None)
        if getattr(lookup, "to_attr", None):
            model = inner.model if inner is not None else _end_of(queryset.model, lookup, found)
            if model is not None:
                found[name] = model
        if inner is not None:
            found.update({f"{name}__{key}": model for key, model in lists_of(inner).items()})
    return found


def _end_of(model: type[Model], lookup: Any, lists: dict[str, type[Model]]) -> type[Model] | None:
    """The model that a lookup leads to; its first steps may be lists themselves."""
    current: type[Model] | None = model
    done: list[str] = []
    for part in str(lookup.prefetch_through).split("__"):
        done.append(part)
        if current is None:
            return None
        if "__".join(done) in lists:
            current = lists["__".join(done)]
            continue
        relation = relations_of(current).get(part)
        if relation is None or relation.kind in ("deferred", "generic"):
            return None
        current = relation.field.related_model
    return current


def mask_of(queryset: QuerySet[Any]) -> Mask:
    """Which columns ``only()`` and ``defer()`` leave to be selected."""
    return queryset.query.get_select_mask()


def deferred_key(model: type[Model], mask: Mask, parts: Sequence[str], joined: bool) -> str:
    """The first key on a lookup's way that is deferred, as ``only()`` would name it; or nothing.

    Args:
        joined: by ``select_related()``, which Django refuses for one-to-one relations as well.
    """
    current: type[Model] = model
    for at, part in enumerate(parts):
        relation = relations_of(current).get(part)
        if not mask or relation is None or relation.kind not in ("forward", "reverse"):
            return ""
        if relation.kind == "reverse" and not joined:
            return ""
        field = relation.field
        if field not in mask and not relation.parent_link:
            return "__".join(parts[: at + 1])
        mask = mask.get(field, mask if relation.parent_link else {})
        current = field.related_model
    return ""


def is_deferred(model: type[Model], mask: Mask, parts: Sequence[str]) -> bool:
    """Whether a column is deferred that is joined with the rows: ``["author", "born"]``."""
    current: type[Model] = model
    for part in parts:
        relation = relations_of(current).get(part)
        if not mask or relation is None or relation.kind not in ("forward", "reverse", "deferred"):
            return False
        field = relation.field
        if relation.kind == "deferred":
            return field not in mask and not field.primary_key
        mask = mask.get(field, {})
        current = field.related_model
    return False


ORIGIN_ATTRIBUTE = "_atemplates_origin"
"""Where a queryset remembers its `Origin`."""


class Origin(NamedTuple):
    """The instance behind a queryset or manager that a template reached through it."""

    instance: Model
    relation: Relation | None
    """The relation whose rows these are; None when the model's own code made the queryset."""
    whole: bool
    """Whether these are all rows of the relation, which a prefetch would bring."""
    site: Any
    root: Any
    done: int
    """How many bits of the site lead to the instance."""

    @property
    def place(self) -> StepPlace:
        """The step from the instance to the relation."""
        bit = self.relation.name if self.relation is not None else ""
        return StepPlace(self.site, self.root, self.done, bit)


def origin_of(value: Any, site: Any = None, root: Any = None, index: int = 1) -> Origin | None:
    """Return where a manager or queryset comes from, or None if it hangs on no instance.

    Args:
        index: how many bits of the site lead to ``value``.
    """
    if not is_a(value, (QuerySet, BaseManager)):
        return None
    origin: Origin | None = attributes(value).get(ORIGIN_ATTRIBUTE)
    if origin is not None or not is_a(value, BaseManager):
        return origin
    instance: Any = attributes(value).get("instance")
    if not is_a(instance, Model):
        return None
    relation = relation_of(value)
    if relation is None:
        return None
    whole = is_saved(instance)
    if not whole and relation.field.auto_created:
        return None  # the manager refuses, unless it is that of a generic relation
    whole = whole and not relation.singly
    if index < 2:  # it has a name of its own
        return Origin(instance, relation, whole, site, instance, 1)
    return Origin(instance, relation, whole, site, root, index - 1)


def note_derived(source: Any, queryset: QuerySet[Any], site: Any, root: Any, index: int) -> None:
    """Let a queryset remember where it comes from that was made from something else.

    Args:
        index: how many bits of the site lead to ``source``.
    """
    if origin_of(queryset) is not None:
        return
    instance = instance_of(source)
    if instance is not None:
        note_origin(queryset, Origin(instance, None, False, site, root, index))
        return
    origin = origin_of(source, site, root, index)
    if origin is not None:
        note_origin(queryset, origin._replace(whole=False))


def note_origin(queryset: QuerySet[Any], origin: Origin) -> None:
    """Let a queryset remember where it comes from."""
    setattr(queryset, ORIGIN_ATTRIBUTE, origin)


FREE = frozenset({"all", "count", "exists"})
"""What a queryset that has its rows answers from them; so is an item."""


def sends_query(value: Any, rows: QuerySet[Any], bit: str) -> bool:
    """Whether a step on a manager or queryset asks the database by itself.

    Args:
        rows: the queryset, or that of the manager.
    """
    loaded = is_loaded(rows)
    if bit.isdecimal():
        return is_a(value, QuerySet) and not loaded
    if loaded and (bit in FREE or (bit == "first" and rows.ordered)):
        return False
    if rows.query.is_empty() or not _has_twin(bit):
        return False
    method = getattr(value, bit, None)
    if not callable(method) or getattr(method, "alters_data", False):
        return False
    try:
        signature(method).bind()
    except TypeError:  # it needs arguments, and is not called without
        return False
    return True


def is_djangos_method(value: Any, name: str) -> bool:
    """Whether a method of a manager or queryset is Django's own, and one that templates may call.

    Only then may something else that knows the answer stand in its place.
    """
    method = getattr(type(value), name, None)
    return is_django(getattr(method, "__module__", None) or "") and not any(
        getattr(method, mark, False) for mark in MARKS
    )


def _has_twin(name: str) -> bool:
    """Whether Django has an async method for this one, which is so if it asks the database."""
    twin = getattr(QuerySet, f"a{name}", None)
    return iscoroutinefunction(twin) or isasyncgenfunction(twin)


Grouped: TypeAlias = "tuple[QuerySet[Any], str, str] | None"
"""The rows of all instances, the column that says whose a row is, and the instance's attribute
that the column holds; None when the rows cannot be told apart like this."""


def grouped_counts(peers: list[Model], relation: Relation) -> dict[Any, int] | None:
    """Count the related rows of each instance, as ``manager.count()`` would.

    Args:
        peers: saved instances of one class, from one database.

    Returns:
        ``id(instance)`` -> number of rows, for those whose rows are in the first one's database;
        None when the relation's rows cannot be grouped by the instance (its manager gives a
        queryset that is sliced, combined or distinct, say).
    """
    manager = getattr(peers[0], relation.name)
    # What the related manager itself starts from, before it picks the rows of its instance.
    base: Any = super(type(manager), manager)
    rows = base.get_queryset()
    query = rows.query
    if query.is_sliced or query.combinator or query.distinct or query.group_by is not None:
        return None
    through = getattr(manager, "through", None)
    peers = in_one_database(peers, through or manager.model)
    grouped = _rows_of(manager, rows, peers, relation.field)
    if grouped is None:
        return None
    queryset, column, attribute = grouped
    counted = queryset.order_by().values_list(column).annotate(atemplates_count=Count("*"))
    numbers: dict[Any, int] = dict(counted)
    return {id(peer): numbers.get(_key(peer, attribute, queryset, column), 0) for peer in peers}


def _in_its_database(rows: QuerySet[Any], model: type[Model], instance: Model) -> QuerySet[Any]:
    """Read where a related manager reads, unless the model's manager names a database."""
    if rows.db != router.db_for_read(model):
        return rows
    return rows.using(router.db_for_read(model, instance=instance))


def _rows_of(manager: Any, rows: QuerySet[Any], peers: list[Model], field: Any) -> Grouped:
    if field.many_to_many:
        return _links_of(manager, rows, peers)
    rows = _in_its_database(rows, manager.model, peers[0])
    if hasattr(manager, "content_type_field_name"):  # of a GenericRelation
        name = manager.object_id_field_name
        mine = {
            f"{manager.content_type_field_name}_id": manager.content_type.pk,
            f"{name}__in": [peer.pk for peer in peers],
        }
        return rows.filter(**mine), name, "pk"
    link = field.field
    columns = link.foreign_related_fields
    if len(columns) != 1:
        return None
    return rows.filter(**{f"{link.name}__in": peers}), link.attname, columns[0].attname


def _links_of(manager: Any, rows: QuerySet[Any], peers: list[Model]) -> Grouped:
    """Count in the table between: each of its rows is one related row, if that is to be seen."""
    through = manager.through
    source, target = manager.source_field, manager.target_field
    columns = source.foreign_related_fields
    database = router.db_for_read(through, instance=peers[0])
    if len(columns) != 1:
        return None
    links = through._base_manager.using(database).filter(**{f"{source.name}__in": peers})
    is_plain = type(manager).__mro__[1] is Manager and target.db_constraint
    if not is_plain or not connections[database].features.supports_foreign_keys:
        rows = _in_its_database(rows, manager.model, peers[0])
        # Joins may repeat a row, which a subquery would not.
        if database != rows.db or len(rows.query.alias_map) > 1:
            return None
        links = links.filter(**{f"{target.name}__in": rows})
    elif target.null:
        links = links.filter(**{f"{target.name}__isnull": False})
    return links, source.attname, columns[0].attname


def _key(peer: Model, attribute: str, queryset: QuerySet[Any], column: str) -> Any:
    """What stands in the column for an instance: a generic relation may keep a key as text."""
    value = getattr(peer, attribute)
    if attribute != "pk":
        return value
    return queryset.model._meta.get_field(column).to_python(value)
