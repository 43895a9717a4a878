"""Fast paths for some of Django's filters, and which filters are Django's own."""

from __future__ import annotations

import sys
from types import FunctionType
from typing import Any

from django.template import defaultfilters

from ..runtime.fast import (
    dates,
    html_text,
    humanized,
    links,
    list_filters,
    localized,
    logic_filters,
    number_filters,
    paragraphs,
    quoting,
    representations,
    text_filters,
    time_spans,
    truncation,
)
from ..runtime.fast.fast_path import FastPath

FAST_PATHS: dict[Any, FastPath] = {
    **dates.DATE_PATHS,
    **html_text.HTML_PATHS,
    **links.LINK_PATHS,
    **list_filters.LIST_PATHS,
    **logic_filters.LOGIC_PATHS,
    **paragraphs.PARAGRAPH_PATHS,
    **quoting.QUOTING_PATHS,
    **representations.PPRINT_PATHS,
    **text_filters.TEXT_PATHS,
    **truncation.TRUNCATION_PATHS,
    **number_filters.NUMBER_PATHS,
    **time_spans.SPAN_PATHS,
}
"""Django's function -> our fast path."""

LIBRARY_PATHS: dict[str, dict[str, FastPath]] = {
    humanized.HUMANIZE_MODULE: humanized.HUMANIZE_PATHS,
    localized.I18N_MODULE: localized.LANGUAGE_PATHS,
    localized.L10N_MODULE: localized.L10N_PATHS,
    localized.TZ_MODULE: localized.TZ_PATHS,
}
"""Libraries of Django's that many sites do not load: module -> function's name -> our fast path."""

STOCK_FILTERS = frozenset(defaultfilters.register.filters.values())
"""Django's functions. A site's own filter of the same name is another function."""


def fast_path_of(function: Any) -> FastPath | None:
    """Return what compiled code asks first, or None."""
    if type(function) is not FunctionType:
        return None
    if is_library_filter(function):
        return LIBRARY_PATHS[function.__module__].get(function.__name__)
    return FAST_PATHS.get(function)


def is_stock(function: Any) -> bool:
    """Whether a filter is a function of Django's own."""
    if type(function) is not FunctionType:
        return False
    return function in STOCK_FILTERS or is_library_filter(function)


def is_library_filter(function: FunctionType) -> bool:
    """Whether a filter is of one of Django's libraries in `LIBRARY_PATHS`."""
    module = function.__module__
    if module not in LIBRARY_PATHS or module not in sys.modules:
        return False
    # What wraps a function of Django's may bear its name, but has other globals.
    return function.__globals__ is vars(sys.modules[module])
