"""What each step of a path is on a model (a relation and of which kind, a column, or code), and
whether a relation can be joined.

Everything comes from ``Model._meta``; no query is sent, and no instance is needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache, partialmethod
from inspect import getattr_static
from types import FunctionType
from typing import Any, Literal, TypeAlias

from django.db import router
from django.db.models import Manager, Model, QuerySet
from django.utils.functional import cached_property as django_cached_property

from .models import MOST_MODELS
from .paths import ITEM

StepKind: TypeAlias = Literal[
    "item",  # a row of a list or queryset
    "foreign key",
    "one-to-one",
    "reverse one-to-one",
    "parent link",  # from a multi-table child to its parent
    "child",  # from a multi-table parent to one of its children
    "reverse foreign key",
    "many-to-many",
    "reverse many-to-many",
    "generic relation",
    "generic foreign key",
    "key column",  # author_id: needs no load
    "field",
    "property",
    "method",
    "attribute",  # of the class, not a field
    "all",  # the rows of a manager
    "query",  # another method of a manager or queryset
    "container",  # on the way from the root to its rows: the items of a dict, a page's list
    "unknown",
]

TO_ONE = frozenset({"foreign key", "one-to-one", "reverse one-to-one", "parent link", "child"})
TO_MANY = frozenset(
    {"reverse foreign key", "many-to-many", "reverse many-to-many", "generic relation"}
)
ROW_ATTRIBUTES = frozenset({"items", "values", "object_list", "instance", "queryset"})
"""Attributes that lead from a context variable to its rows: of a dict, a page, a form, a view."""

ONE_ROW = frozenset({"first", "last", "get", "earliest", "latest"})
NO_ROWS = frozenset(
    {"aggregate", "count", "exists", "explain", "in_bulk"}
    | {"dates", "datetimes", "values", "values_list"}
)
"""Methods of querysets that give no instances of the model."""


@dataclass(frozen=True, slots=True)
class PathStep:
    """One step of a path, on the model it starts from."""

    name: str
    kind: StepKind
    model: type[Model] | None = None
    """The model that the step starts from, if it starts from an instance or its manager."""
    target: type[Model] | None = None
    """The model that the step leads to."""
    field: Any = None
    """The field or relation of ``_meta`` behind it."""

    def __str__(self) -> str:
        owner = f"{self.model_label}." if self.model is not None else ""
        return f"{owner}{self.name} ({self.kind})"

    @property
    def model_label(self) -> str:
        """The label of the model that the step starts from: ``shop.Book``."""
        return str(self.model._meta.label) if self.model is not None else "?"


@lru_cache(MOST_MODELS)
def attributes_of(model: type[Model]) -> dict[str, PathStep]:
    """Return what ``_meta`` knows of a model's attributes, by name.

    One that the class has replaced (by a property, say) is left out, and so is a relation whose
    accessor the model does not have (a proxy's, on the model it stands for).
    """
    found: dict[str, PathStep] = {}
    for field in model._meta.get_fields():
        for step in _steps_of(model, field):
            descriptor = getattr_static(model, step.name, None)
            if type(descriptor).__module__.partition(".")[0] == "django" or descriptor is field:
                found[step.name] = step
    if model._meta.pk is not None:
        found["pk"] = PathStep("pk", "field", model, field=model._meta.pk)
    return found


def _steps_of(model: type[Model], field: Any) -> Iterable[PathStep]:
    if not field.is_relation:
        if field.concrete:
            yield PathStep(field.name, "field", model, field=field)
        return
    related = field.related_model
    if field.auto_created and not field.concrete:
        name = field.get_accessor_name()
        if name:
            yield PathStep(name, _reverse_kind(field), model, related, field)
        return
    if field.many_to_many:
        yield PathStep(field.name, "many-to-many", model, related, field)
    elif field.one_to_many:
        yield PathStep(field.name, "generic relation", model, related, field)
    elif related is None:
        yield PathStep(field.name, "generic foreign key", model, field=field)
    else:
        if field.remote_field.parent_link:
            yield PathStep(field.name, "parent link", model, related, field)
        else:
            kind: StepKind = "one-to-one" if field.one_to_one else "foreign key"
            yield PathStep(field.name, kind, model, related, field)
        yield PathStep(field.attname, "key column", model, field=field)


def _reverse_kind(relation: Any) -> StepKind:
    if relation.one_to_one:
        return "child" if relation.parent_link else "reverse one-to-one"
    return "reverse many-to-many" if relation.many_to_many else "reverse foreign key"


def step_on(model: type[Model], name: str) -> PathStep:
    """Return what an attribute of an instance is."""
    known = attributes_of(model).get(name)
    if known is not None:
        return known
    value = getattr_static(model, name, None)
    if isinstance(value, (property, cached_property, django_cached_property)):
        return PathStep(name, "property", model)
    if isinstance(value, (FunctionType, partialmethod, classmethod, staticmethod)):
        return PathStep(name, "method", model)
    return PathStep(name, "unknown" if value is None else "attribute", model)


def steps_of(model: type[Model], path: Iterable[str]) -> list[PathStep]:
    """Resolve a path step by step.

    Args:
        model: what the root of the path is: an instance of it, or a list, queryset, page or dict
            of its instances.
        path: the steps of an `AccessPath`.

    Returns:
        A step for each one of the path; those behind one whose result is not known (a property, a
        method, a generic key, a column) are ``"unknown"`` and have no model.
    """
    walk = _Walk(model)
    return [walk.step(name) for name in path]


class _Walk:
    """Where a walk along a path stands: at the root, an instance, a manager, rows, or nowhere."""

    def __init__(self, model: type[Model]) -> None:
        self.model: type[Model] | None = model
        self.at = "root"

    def step(self, name: str) -> PathStep:
        if self.model is None:
            return PathStep(name, "unknown")
        return getattr(self, f"_from_{self.at}")(self.model, name)  # type: ignore[no-any-return]

    def _from_root(self, model: type[Model], name: str) -> PathStep:
        if is_item(name):
            return PathStep(name, "item", target=model)
        found = step_on(model, name)
        if found.kind != "unknown":
            return self._from_instance(model, name)
        if name in ROW_ATTRIBUTES:
            return PathStep(name, "container", target=model)
        if hasattr(QuerySet, name):
            return self._from_rows(model, name)
        return self._from_instance(model, name)

    def _from_instance(self, model: type[Model], name: str) -> PathStep:
        found = step_on(model, name)
        if found.kind in TO_ONE or found.kind in TO_MANY:
            self.model = found.target
            self.at = "instance" if found.kind in TO_ONE else "manager"
        else:
            self.model = None
        return found

    def _from_manager(self, model: type[Model], name: str) -> PathStep:
        if name == "all":
            self.at = "rows"
            return PathStep(name, "all", model, model)
        if is_item(name):  # a manager cannot be looped over, nor has it positions
            self.model = None
            return PathStep(name, "unknown")
        return self._query(model, name)

    def _from_rows(self, model: type[Model], name: str) -> PathStep:
        if is_item(name):
            self.at = "instance"
            return PathStep(name, "item", target=model)
        if name == "all":
            self.at = "rows"
            return PathStep(name, "all", model, model)
        return self._query(model, name)

    def _query(self, model: type[Model], name: str) -> PathStep:
        known = hasattr(QuerySet, name)
        if not known and not hasattr(type(model._default_manager), name):
            self.model = None
            return PathStep(name, "unknown")
        if name in ONE_ROW:
            self.at = "instance"
        elif known and name not in NO_ROWS:
            self.at = "rows"
        else:
            # What a method of a manager or queryset of the site's own returns, only it knows.
            self.model = None
        return PathStep(name, "query", model, self.model)


def is_item(step: str) -> bool:
    """Whether a step leads to an item of a list, any or by position."""
    return step == ITEM or step.lstrip("-").isdecimal()


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
