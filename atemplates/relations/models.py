"""What a model's attributes are: which ones are relations, and whether one is loaded.

Everything comes from ``Model._meta``, except for a few private names that Django offers no public
way for (`is_loaded`, `fill`, `forget_prefetched`); tests/relations/test_upstream.py guards them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from inspect import getattr_static
from typing import Any

import django
from django.db.models import Model, QuerySet
from django.db.models.fields.related_descriptors import (
    ForwardManyToOneDescriptor,
    ForwardOneToOneDescriptor,
)
from django.utils.functional import LazyObject

from .static_values import attributes, is_a, static_rows

PREFETCHED = "_prefetched_objects_cache"
"""Where an instance keeps the rows of to-many relations that were prefetched."""


@dataclass(frozen=True, slots=True)
class Relation:
    """An attribute of a model that may need a query."""

    name: str
    kind: str
    """``"forward"``, ``"reverse"`` (one-to-one from the other side), ``"generic"`` (generic
    foreign key), ``"many"`` or ``"deferred"`` (a plain column)."""
    field: Any
    parent_link: bool = False
    """Whether it leads from a row of a child table to the row of its parent table."""
    singly: bool = False
    """Whether its rows can only be had for one instance: the other side of a generic relation,
    for which a prefetch and a grouped count give each row once for every note, say, about it."""


MOST_MODELS = 2_000
"""How many models are remembered at most, in programs that make models at run time. Threads share
what is remembered: at worst two of them find out the same."""


@lru_cache(MOST_MODELS)
def relations_of(model: type[Model]) -> dict[str, Relation]:
    """Return the attributes of a model that may need a query, by name.

    An attribute that the class itself replaced (by a property, say) is left out.
    """
    found: dict[str, Relation] = {}
    for field in [*model._meta.get_fields(), *_children(model)]:
        for entry in _relations(field):
            descriptor = getattr_static(model, entry.name, None)
            if type(descriptor).__module__.startswith("django."):
                found[entry.name] = entry
    return found


@lru_cache(MOST_MODELS)
def is_stock_relation(model: type[Model], name: str) -> bool:
    """Whether reading a relation to one object is Django's own code."""
    return type(getattr_static(model, name)) in (
        ForwardManyToOneDescriptor,
        ForwardOneToOneDescriptor,
    )


def _children(model: type[Model]) -> list[Any]:
    """The ways from the tables of a model's parents to their children: itself, and its siblings.

    A child inherits the attributes, but its ``_meta`` does not list them.
    """
    return [
        relation
        for parent in model._meta.get_parent_list()
        for relation in parent._meta.related_objects
        if relation.one_to_one and relation.parent_link
    ]


def _relations(field: Any) -> list[Relation]:
    if not field.is_relation:
        return [Relation(field.attname, "deferred", field)] if field.concrete else []
    if field.auto_created and not field.concrete:
        name = field.get_accessor_name()
        if name is None:  # a relation without a way back (related_name="+")
            return []
        if field.one_to_one:
            return [Relation(name, "reverse", field)]
        return [Relation(name, "many", field, singly=field.many_to_one)]
    if field.many_to_many or field.one_to_many:
        return [Relation(field.name, "many", field)]
    if field.related_model is None:
        return [Relation(field.name, "generic", field)]
    link = bool(getattr(field.remote_field, "parent_link", False))
    return [
        Relation(field.name, "forward", field, parent_link=link),
        Relation(field.attname, "deferred", field),
    ]


def relation_of(manager: Any) -> Relation | None:
    """Return the to-many relation that a related manager is for, whatever name it goes by."""
    model: Any = type(attributes(manager).get("instance"))
    if not issubclass(model, Model):
        return None
    return _managers_of(model).get(type(manager))


@lru_cache(MOST_MODELS)
def _managers_of(model: type[Model]) -> dict[type, Relation]:
    """The class that Django made for the manager of each to-many relation of a model."""
    return {
        getattr_static(model, name).related_manager_cls: relation
        for name, relation in relations_of(model).items()
        if relation.kind == "many"
    }


def is_missing(instance: Model, relation: Relation) -> bool:
    """Whether reading the attribute would send a query. ``"many"`` is never missing by itself.

    "Absent" (a null key, an unsaved object) is not missing.
    """
    return MISSING_TESTS[relation.kind](instance, relation)


def _deferred_is_missing(instance: Model, relation: Relation) -> bool:
    field = relation.field
    if field.attname in instance.__dict__:
        return False
    if not is_saved(instance):
        return False
    # A key of a parent table is the same as the link to it, which is a column of its own.
    link = type(instance)._meta.get_ancestor_link(field.model)
    if field.primary_key and link is not None and field != link:
        return link.attname not in instance.__dict__
    return True


def _forward_is_missing(instance: Model, relation: Relation) -> bool:
    field, values = relation.field, instance.__dict__
    if field.is_cached(instance):
        return False
    if any(column.attname not in values for column in field.local_related_fields):
        return is_saved(instance)
    if any(value is None for value in field.get_local_related_value(instance)):
        return False
    if _cached_on_ancestor(instance, field):
        return False
    if relation.parent_link:
        # Django makes the parent from the child's own columns, unless one of them is deferred.
        parent = field.remote_field.model
        return any(column.attname not in values for column in parent._meta.concrete_fields)
    return True


def _reverse_is_missing(instance: Model, relation: Relation) -> bool:
    return not relation.field.is_cached(instance) and is_saved(instance)


def _generic_is_missing(instance: Model, relation: Relation) -> bool:
    field, values = relation.field, instance.__dict__
    if field.is_cached(instance):
        return False
    column = column_of(instance, field.ct_field).attname
    if column not in values or field.fk_field not in values:
        return is_saved(instance)
    return values[column] is not None and values[field.fk_field] is not None


def _never_missing(instance: Model, relation: Relation) -> bool:
    return False


MISSING_TESTS = {
    "deferred": _deferred_is_missing,
    "forward": _forward_is_missing,
    "reverse": _reverse_is_missing,
    "generic": _generic_is_missing,
    "many": _never_missing,
}


def column_of(instance: Model, name: str) -> Any:
    """Return a field of an instance's model that is a column."""
    return type(instance)._meta.get_field(name)


def key_columns(instance: Model, relation: Relation) -> list[Any]:
    """Return the columns of an instance that say which objects a relation leads to.

    The primary key, which is never left out, is not among them.
    """
    field = relation.field
    if relation.kind == "forward":
        columns = list(field.local_related_fields)
    elif relation.kind == "generic":
        columns = [column_of(instance, name) for name in (field.ct_field, field.fk_field)]
    elif relation.kind == "many" and field.one_to_many and field.auto_created:
        columns = list(field.field.foreign_related_fields)
    else:
        columns = []
    return [column for column in columns if not column.primary_key]


def lacks(instance: Model, columns: list[Any]) -> bool:
    """Whether one of some columns was left out when the instance was loaded."""
    return any(column.attname not in instance.__dict__ for column in columns)


def shares(instance: Model, relation: Relation) -> bool:
    """Whether an instance of another class has the very same foreign key, and its columns.

    It is so for the children of one parent in multi-table inheritance, and for proxies.
    """
    if relation.kind != "forward" or relation.parent_link:
        return False
    own = relations_of(type(instance)).get(relation.name)
    if own is None or own.field is not relation.field:
        return False
    return not lacks(instance, key_columns(instance, own))


def missing_key(manager: Any) -> Any:
    """Return a column that a related manager would have to fetch to find its rows, or None."""
    # A manager of the site may have a __getattr__ of its own.
    instance = attributes(manager).get("instance")
    relation = relation_of(manager)
    if instance is None or relation is None:
        return None
    if relation.name in vars(instance).get(PREFETCHED, ()):
        return None
    columns = key_columns(instance, relation)
    return next((column for column in columns if lacks(instance, [column])), None)


def is_saved(instance: Model) -> bool:
    """Whether the instance has a primary key, which each related query starts from."""
    key = instance.pk
    # By identity: a key may be of a type of the site, which says what equals it.
    return all(each is not None for each in key) if is_a(key, tuple) else key is not None


WALKS_ALL_ANCESTORS = django.VERSION >= (6, 1)
"""Whether Django looks at the parent's parent too (6.1) for what is cached there."""


def _cached_on_ancestor(instance: Model, field: Any) -> bool:
    """Whether a multi-table parent, reached on the way down, has the related object already."""
    current: Any = instance
    while current is not None and type(current)._meta.parents:
        link = type(current)._meta.get_ancestor_link(field.model)
        current = link.get_cached_value(current, None) if link else None
        if current is None:
            return False
        if field.get_cached_value(current, None) is not None:
            return True
        if not WALKS_ALL_ANCESTORS:
            return False
    return False


def instance_of(value: Any) -> Model | None:
    """Return the model instance that ``value`` is, or that a lazy object holds by now.

    A lazy object (``request.user``) that has not been looked at stays so.
    """
    kind = type(value)
    if issubclass(kind, Model):
        return value  # type: ignore[no-any-return]
    if issubclass(kind, LazyObject):
        value = attributes(value).get("_wrapped")
        if issubclass(type(value), Model):
            return value  # type: ignore[no-any-return]
    return None


KEY_PROPERTY: Any = Model.__dict__["pk"]


def is_plain_key(instance: Model, name: str) -> bool:
    """Whether a name is that of Django's own property for the primary key, which is at hand."""
    if name != "pk" or getattr(type(instance), name, None) is not KEY_PROPERTY:
        return False
    return type(instance)._meta.pk.attname in instance.__dict__


def is_loaded(queryset: QuerySet[Any]) -> bool:
    """Whether the queryset has its rows already."""
    return queryset._result_cache is not None


def loaded_rows(value: Any) -> Any:
    """Return the rows that a list, a tuple or a loaded queryset holds, as a list or tuple."""
    if is_a(value, QuerySet):
        value = attributes(value).get("_result_cache")
    return static_rows(value)


def fill(queryset: QuerySet[Any], loaded: QuerySet[Any]) -> None:
    """Give a queryset the rows of a loaded one, as evaluating it would."""
    queryset._result_cache = list(loaded)
    vars(queryset)["_prefetch_done"] = True


def forget_prefetched(instance: Model, name: str) -> None:
    """Take a to-many relation's rows off an instance, where a prefetch has put them.

    A later ``instance.relation.all()`` then asks the database, as after a lazy access.
    """
    cache = vars(instance).get(PREFETCHED)
    if cache is not None:
        cache.pop(name, None)
        if not cache:
            del vars(instance)[PREFETCHED]
