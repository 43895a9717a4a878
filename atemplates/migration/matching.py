"""Following an access path through models: which lookups it needs, and the call that loads them.

A relation is joined (``select_related``) where the join gives what the lazy access gives, and
prefetched otherwise: to-many and generic relations, a parent behind a filtered base manager, a key
without a constraint, a row in another database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import getattr_static
from typing import Any

from django.db.models import Manager, Model

from ..relations.advice import string_literal, without_prefixes
from ..relations.models import Relation, relations_of
from ..relations.path_steps import why_not_join
from ..relations.paths import ITEM

FREE_ON_PREFETCH = frozenset({"all", "count", "exists"})
"""What a prefetched manager answers without a query."""


@dataclass(frozen=True, slots=True)
class Need:
    """One relation that a path crosses."""

    lookup: str
    """From the entry model: ``author__publisher``."""
    join: bool
    """Whether ``select_related`` may load it; else it takes ``prefetch_related``."""
    why: str
    """Why it is not joined; empty when it is."""
    at: int
    """How many steps of the path lead there, this one included."""
    many: bool = False
    """Whether it leads to any number of rows."""


@dataclass(slots=True)
class Match:
    """What a path means for a model."""

    needs: list[Need] = field(default_factory=list)
    unhelped: str = ""
    """A manager's method at the path's end that no prefetch helps."""
    hidden: str = ""
    """A property or method of a model at which the path goes into Python: ``Book.label``."""
    stops: str = ""
    """Why the path cannot be followed to its end."""
    column: bool = False
    """Whether the path ends at a column, through which nothing can be reached."""


def match_path(
    model: type[Model],
    steps: Sequence[str],
    lists: Mapping[str, type[Model]] | None = None,
) -> Match:
    """Follow the steps of a path from an instance of a model.

    Args:
        lists: those that ``Prefetch(to_attr=...)`` makes, by their lookup, and the models in them.
    """
    match = Match()
    current: type[Model] | None = model
    parts: list[str] = []
    joined, many, rows = True, False, False
    why = ""
    back = ""
    for at, step in enumerate(steps, 1):
        if step == ITEM or step.lstrip("-").isdecimal():
            many, rows = False, False
            continue
        if many or rows:
            if step in FREE_ON_PREFETCH:
                rows = step == "all"
                continue
            if step in ("first", "last") and _answers_from_rows(current, step):
                many, rows = False, False
                continue
            match.unhelped = step
            return match
        if current is None:
            match.stops = "what a generic key leads to can be of any model"
            return match
        relation = relations_of(current).get(step)
        made = lists.get("__".join([*parts, step])) if lists else None
        if made is not None:
            parts.append(step)
            current, back = made, ""
            joined, why = False, "it is behind a relation that is prefetched"
            continue
        if relation is None or relation.kind == "deferred":
            match.column = relation is not None or step == "pk"
            if relation is None:
                _end_of_path(match, current, step)
            return match
        if step == back:
            # Django sets the way back when it goes there; what is beyond hangs on the row above.
            parts.append(step)
            back, current = "", relation.field.related_model
            continue
        parts.append(step)
        if joined and (reason := why_not_join(current, relation.field)):
            joined, why = False, reason
        if relation.parent_link:
            # Needs no load itself. What hangs on it can be prefetched only: a join passes it by.
            current = relation.field.related_model
            continue
        to_many = relation.kind == "many"
        match.needs.append(Need("__".join(parts), joined, why, at, to_many))
        why = why and "it is behind a relation that is prefetched"
        many = to_many
        back = _way_back(relation)
        current = None if relation.kind == "generic" else relation.field.related_model
    return match


def _way_back(relation: Relation) -> str:
    """The attribute of the related objects that Django sets to where they were reached from."""
    field = relation.field
    if field.one_to_many and field.auto_created:
        return str(field.field.name)
    if field.one_to_one:
        remote = field.field if field.auto_created else field.remote_field
        return str(remote.name if field.auto_created else remote.get_accessor_name() or "")
    return ""


def _end_of_path(match: Match, model: type[Model], step: str) -> None:
    found = getattr_static(model, step, None)
    label = f"{model._meta.label}.{step}"
    if found is None:
        names = {each.name for each in model._meta.get_fields()}
        if step not in names and not hasattr(model, step):
            match.stops = (
                f"{model._meta.object_name} has no {step!r}: an annotation, or a Prefetch(to_attr)"
            )
    elif isinstance(found, Manager) or step in {each.name for each in model._meta.fields}:
        return
    elif callable(found) or hasattr(found, "__get__"):
        module = str(getattr(_function_of(found), "__module__", "") or "")
        if not module.startswith("django."):
            match.hidden = label


def _function_of(found: Any) -> Any:
    for name in ("fget", "func", "__func__"):
        if hasattr(found, name):
            return getattr(found, name)
    return found


def _answers_from_rows(model: type[Model] | None, step: str) -> bool:
    """Whether ``.first`` on prefetched rows sends no query: it takes the first of ordered rows."""
    return model is not None and step == "first" and bool(model._meta.ordering)


# -- calls -----------------------------------------------------------------------------------------


def call_for(needs: Iterable[Need]) -> str:
    """The calls that load relations: ``.select_related(...).prefetch_related(...)``."""
    needs = list(needs)
    joins = sorted(without_prefixes({need.lookup for need in needs if need.join}))
    prefetches = sorted(without_prefixes({need.lookup for need in needs if not need.join}))
    # A prefetch through a key loads what the key leads to: it takes no join as well.
    calls = ""
    if joins:
        calls += f".select_related({', '.join(map(string_literal, joins))})"
    if prefetches:
        calls += f".prefetch_related({', '.join(map(string_literal, prefetches))})"
    return calls


def covers(loads: Iterable[str], lookup: str) -> bool:
    """Whether a queryset that loads these lookups loads another one as well."""
    return any(
        each == lookup or each.startswith(f"{lookup}__") or (each == "*" and "__" not in lookup)
        for each in loads
    )
