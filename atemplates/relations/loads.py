"""What a queryset loads together with its rows, read from the queryset."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet


def loaded_by(queryset: QuerySet[Any]) -> tuple[str, ...]:
    """The lookups that a queryset loads with its rows; ``"*"`` for a bare ``select_related()``."""
    chosen = queryset.query.select_related
    found = {"*"} if chosen is True else set(_paths(chosen or {}))
    # Django has no public name for these; tests/migration/test_views.py says when they change.
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
