"""Models by their labels."""

from __future__ import annotations

from django.apps import apps
from django.db.models import Model


def model_named(label: str) -> type[Model] | None:
    """Return the model of a label (``shop.Book``), or None when there is none."""
    try:
        return apps.get_model(label)
    except (LookupError, ValueError):
        return None
