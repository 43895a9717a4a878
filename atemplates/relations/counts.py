"""Counting a to-many relation for many instances in one grouped query."""

from __future__ import annotations

from typing import Any, TypeAlias

from django.db import connections, router
from django.db.models import Count, Manager, Model, QuerySet

from .batch_loading import in_one_database
from .models import Relation

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
    rows = super(type(manager), manager).get_queryset()
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
