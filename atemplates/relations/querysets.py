"""What a queryset loads together with its rows, read from the queryset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from django.db.models import Model, QuerySet
from django.db.models.query import ModelIterable

from .models import relations_of

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
