"""Which steps on a manager or queryset ask the database."""

from __future__ import annotations

from inspect import isasyncgenfunction, iscoroutinefunction, signature
from typing import Any

from django.db.models import QuerySet

from ..runtime.types import MARKS, is_django
from .models import is_a, is_loaded

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
