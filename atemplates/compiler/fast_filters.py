"""Fast paths for some of Django's filters, and which filters are Django's own."""

from __future__ import annotations

import sys
from types import FunctionType
from typing import Any

from django.template import defaultfilters

from ..runtime.fast import dates, numbers
from ..runtime.fast.fast_path import FastPath

HUMANIZE_FILTERS = "django.contrib.humanize.templatetags.humanize"
"""A library that many sites do not load: its filters are known when it is loaded."""

FAST_PATHS: dict[Any, FastPath] = {**dates.DATE_PATHS, **numbers.NUMBER_PATHS}
"""Django's function -> our fast path."""

STOCK_FILTERS = frozenset(defaultfilters.register.filters.values())
"""Django's functions. A site's own filter of the same name is another function."""


def fast_path_of(function: Any) -> FastPath | None:
    """Return what compiled code asks first, or None."""
    if type(function) is not FunctionType:
        return None
    humanize = sys.modules.get(HUMANIZE_FILTERS)
    if humanize is not None and function is humanize.intcomma:
        return numbers.INTCOMMA
    return FAST_PATHS.get(function)


def is_stock(function: Any) -> bool:
    """Whether a filter is a function of Django's own."""
    if type(function) is not FunctionType:
        return False
    humanize = sys.modules.get(HUMANIZE_FILTERS)
    return function in STOCK_FILTERS or (
        humanize is not None and function in humanize.register.filters.values()
    )
