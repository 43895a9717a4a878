"""``get_FOO_display()`` of a field whose choices are a plain list, without flattening them anew."""

from __future__ import annotations

from functools import partialmethod
from typing import Any

from django.db.models import Field, Model
from django.db.models.query_utils import DeferredAttribute as COLUMN
from django.utils.functional import Promise

from ...placement.python_code import static

KEYS = frozenset({str, int})
"""Exact types of what Django looks up as it is."""

MOST_LABELLED = 1000
"""Of how many lists the labels are remembered."""

# Any thread may add, or empty it: all read the same from a list, and what is gone is read again.
known_labels: dict[int, tuple[list[Any], list[Any], dict[Any, Any] | None]] = {}
"""The identity of a list of choices -> the list, what it held, and the labels by their keys."""


def chosen_label(instance: Any, name: str) -> Any:
    """Return what calling a method of a model instance gives; None where that is Django's to say.

    Args:
        instance: an instance whose attributes are read in the usual way.
        name: the method's.
    """
    method = static(type(instance), name)
    if type(method) is not partialmethod or method.func is not DISPLAY or method.args:
        return None
    if name in instance.__dict__:
        return None
    field: Any = method.keywords.get("field")
    column = getattr(field, "attname", None)
    if column is None or type(static(type(instance), column)) is not COLUMN:
        return None
    value = instance.__dict__.get(column)
    if type(value) not in KEYS or type(field).flatchoices is not FLAT_CHOICES:
        return None
    labels = labels_of(field.choices)
    label = None if labels is None else labels.get(value)
    return label if label is None or issubclass(type(label), str) else str(label)


def labels_of(choices: Any) -> dict[Any, Any] | None:
    """Return the labels of a list of choices; None for other choices, and for groups."""
    if type(choices) is not list:
        return None
    known = known_labels.get(id(choices))
    if known is not None and known[0] is choices and known[1] == choices:
        return known[2]
    held = choices.copy()
    try:
        labels: dict[Any, Any] | None = dict(held)
    except (TypeError, ValueError):
        labels = None
    if labels is not None and not (
        KEYS.issuperset(map(type, labels)) and all(map(is_label, labels.values()))
    ):
        labels = None  # a group of choices has a list in the place of a label
    if len(known_labels) >= MOST_LABELLED:
        known_labels.clear()
    known_labels[id(choices)] = (choices, held, labels)
    return labels


def is_label(label: Any) -> bool:
    """Whether a label is text, be it lazy."""
    return type(label) is str or issubclass(type(label), (str, Promise))


DISPLAY: Any = vars(Model)["_get_FIELD_display"]
FLAT_CHOICES: Any = Field.flatchoices
