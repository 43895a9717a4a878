"""Where a queryset comes from: the instance and relation behind a related manager."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db.models import Model, QuerySet
from django.db.models.manager import BaseManager

from .models import Relation, is_a, is_saved, relation_of
from .static import attributes

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


def note_origin(queryset: QuerySet[Any], origin: Origin) -> None:
    """Let a queryset remember where it comes from."""
    setattr(queryset, ORIGIN_ATTRIBUTE, origin)
