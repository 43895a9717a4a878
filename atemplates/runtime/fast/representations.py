"""What ``pprint`` writes of plain values that fit on a line."""

from __future__ import annotations

from typing import Any

from django.template import defaultfilters

from .fast_path import FastPath

LINE = 80
"""The width up to which Python's pretty printer does not look for places to break a line."""

_scalars: frozenset[type] = frozenset({str, int, float, bool, type(None)})


def pprint(value: Any) -> str | None:
    """The filter ``pprint``; None when that is left to Django."""
    kind = type(value)
    if kind not in _scalars:
        if kind is dict:
            if not _scalars.issuperset(map(type, value.values())):
                return None
            if not all(type(key) is str for key in value):
                return None
            value = dict(sorted(value.items()))
        elif not _scalars.issuperset(map(type, value)):
            return None
    try:
        text = repr(value)
    except ValueError:  # a number too large, of which Django's filter tells
        return None
    return text if len(text) <= LINE else None


PPRINT_PATHS = {
    defaultfilters.pprint: FastPath(pprint, _scalars | {list, tuple, dict}),
}
