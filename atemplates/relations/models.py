"""What a model's attributes are: which ones are relations, and whether one is loaded.

Everything comes from ``Model._meta``, except for a few private names that Django offers no public
way for (`is_loaded`, `fill`, `forget_prefetched`); tests/relations/test_upstream.py guards them.

Values of the site are looked at without running the site's code. ``getattr()``, ``isinstance()``,
``len()``, iterating and comparing all ask the value, which may answer by whatever its class says:
by querying, by raising, by waking what is lazy. Here only the types that CPython itself knows are
asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from inspect import getattr_static
from types import (
    BuiltinMethodType,
    FunctionType,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
)
from typing import Any

import django
from django.db.models import Model, QuerySet
from django.db.models.fields.related_descriptors import (
    ForwardManyToOneDescriptor,
    ForwardOneToOneDescriptor,
)
from django.utils.functional import LazyObject

_mro_of = type.__dict__["__mro__"].__get__

_dict_of = type.__dict__["__dict__"].__get__

NO_ATTRIBUTES: Mapping[str, Any] = MappingProxyType({})

FUNCTIONS = frozenset({FunctionType, MethodType, BuiltinMethodType})


def attributes(value: Any) -> Mapping[str, Any]:
    """Return the attributes that an object keeps in its own dict; empty when it has none."""
    for base in _mro_of(type(value)):
        descriptor = _dict_of(base).get("__dict__")
        if descriptor is not None:
            if type(descriptor) is not GetSetDescriptorType:
                return NO_ATTRIBUTES  # a property of the site
            found = descriptor.__get__(value)
            return found if type(found) is dict else NO_ATTRIBUTES
    return NO_ATTRIBUTES


def static_attribute(value: Any, name: str, default: Any = None) -> Any:
    """Return an attribute as the object, a slot or its class keeps it.

    Returns:
        ``default`` where only code would tell: for a property, say, or by ``__getattr__``.
    """
    own = attributes(value)
    if name in own:
        return own[name]
    for base in _mro_of(type(value)):
        known = _dict_of(base)
        if name not in known:
            continue
        found = known[name]
        if type(found) is MemberDescriptorType:
            try:
                return found.__get__(value)
            except AttributeError:  # an empty slot
                return default
        is_code = any("__get__" in _dict_of(each) for each in _mro_of(type(found)))
        return default if is_code else found
    return default


def owner_of(value: Any) -> Any:
    """Return the object that a bound method belongs to; None for everything else."""
    return value.__self__ if type(value) in (MethodType, BuiltinMethodType) else None


def static_module(function: Any) -> str:
    """Return the name of the module that a function, or what is called like one, is from."""
    found = (
        function.__module__
        if type(function) in FUNCTIONS
        else static_attribute(function, "__module__")
    )
    return found if type(found) is str else ""


def static_rows(values: Any) -> Sequence[Any]:
    """Return the items that a list or tuple holds, whatever its class says of them."""
    kind = type(values)
    if kind is list or kind is tuple:
        return values  # type: ignore[no-any-return]
    if issubclass(kind, list):
        return list.__getitem__(values, slice(None))
    if issubclass(kind, tuple):
        return tuple.__getitem__(values, slice(None))
    return ()


def static_text(value: Any) -> str:
    """Return the characters of a string; an empty text for what is none."""
    return "".join((str.__str__(value),)) if issubclass(type(value), str) else ""


def is_a(value: Any, kinds: type | tuple[type, ...]) -> bool:
    """Whether ``value`` is of one of some kinds, by its type alone.

    A lazy object (``request.user``) would answer ``isinstance`` by making what it stands for.
    """
    return issubclass(type(value), kinds)


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
