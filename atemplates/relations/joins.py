"""Whether a relation can be joined without changing what a template shows."""

from __future__ import annotations

from typing import Any

from django.db import router
from django.db.models import Manager, Model


def why_not_join(model: type[Model], relation: Any) -> str | None:
    """Return why a relation must not be joined, or None if ``select_related`` is right.

    Lazy access asks the related model's base manager, in the database that the router names, and
    a row that is gone is simply not there; a join does none of this, and an inner join leaves out
    the row it starts from.

    Args:
        model: the model that the relation starts from.
        relation: the field of ``_meta``, or the relation from the other side.
    """
    related = relation.related_model
    if related is None:
        return "a generic key leads to rows of any model"
    if relation.one_to_many or relation.many_to_many:
        return "it leads to many rows"
    if relation.concrete and relation.remote_field.parent_link:
        return "a parent is made from its child's own columns, so a join adds nothing to it"
    if relation.concrete and getattr(relation, "db_constraint", True) is False:
        return "its key has no constraint (db_constraint=False), so its row may be gone"
    label = related._meta.label
    try:
        filtered = is_filtered(related._base_manager)
    except Exception as error:  # A manager is the site's code and may need a request, a tenant, ...
        return f"the base manager of {label} raised {type(error).__name__}: {error}"
    if filtered:
        return f"the base manager of {label} does not give every row as it is"
    here, there = router.db_for_read(model), router.db_for_read(related)
    if here != there:
        return f"{label} is in the database {there!r}, {model._meta.label} in {here!r}"
    return None


def is_filtered(manager: Manager[Any]) -> bool:
    """Whether a manager hides rows, or gives them otherwise than a join would."""
    query = manager.get_queryset().query
    return bool(
        query.where
        or query.annotations
        or query.extra
        or query.distinct
        or query.is_sliced
        or query.combinator
        or query.deferred_loading != (frozenset(), True)
    )
