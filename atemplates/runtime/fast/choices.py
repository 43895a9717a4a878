"""``get_FOO_display()`` of a field whose choices are a plain list, without flattening them anew."""

from __future__ import annotations

from functools import partial
from types import MethodType
from typing import Any

from django.db.models import Field, Model
from django.db.models.query_utils import DeferredAttribute as COLUMN
from django.utils.functional import Promise

KEYS = frozenset({str, int})
"""Exact types of what Django looks up as it is."""


def chosen_label(method: partial[Any]) -> Any:
    """Return what calling ``instance.get_FOO_display`` returns; None where that is Django's to say.

    Args:
        method: what reading that attribute gives, or any other partial.
    """
    given = method.keywords
    if method.args or len(given) != 1 or "field" not in given:
        return None
    function = method.func
    if type(function) is not MethodType or function.__func__ is not DISPLAY:
        return None
    instance, field = function.__self__, given["field"]
    name, choices = field.attname, field.choices
    if type(choices) is not list or type(getattr(type(instance), name, None)) is not COLUMN:
        return None
    value = instance.__dict__.get(name)
    if type(value) not in KEYS or type(field).flatchoices is not FLAT_CHOICES:
        return None
    try:
        labels = dict(choices)
    except (TypeError, ValueError):
        return None
    if not (KEYS.issuperset(map(type, labels)) and all(map(is_label, labels.values()))):
        return None  # a group of choices has a list in the place of a label
    label = labels.get(value)
    return label if label is None or issubclass(type(label), str) else str(label)


def is_label(label: Any) -> bool:
    """Whether a label is text, be it lazy."""
    return type(label) is str or issubclass(type(label), (str, Promise))


DISPLAY: Any = Model._get_FIELD_display
FLAT_CHOICES: Any = Field.flatchoices
