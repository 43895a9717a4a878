"""Filters of Django whose ways are known, so that they take less time in compiled code."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from django.contrib.humanize.templatetags import humanize
from django.template import defaultfilters

from ..runtime.fast import dates, numbers

TWINS: dict[Any, Any] = {
    defaultfilters.date: dates.date,
    defaultfilters.floatformat: numbers.floatformat,
    humanize.intcomma: numbers.intcomma,
}
"""Django's function -> ours, which gives None for what it leaves to Django's."""

STOCK = frozenset((*defaultfilters.register.filters.values(), *humanize.register.filters.values()))
"""Django's functions. A site's own filter of the same name is another function."""


def twin_of(function: Any) -> Any:
    """Return the function that compiled code asks first, or None."""
    return TWINS.get(function) if type(function) is FunctionType else None


def is_stock(function: Any) -> bool:
    """Whether a filter is a function of Django's own."""
    return type(function) is FunctionType and function in STOCK
