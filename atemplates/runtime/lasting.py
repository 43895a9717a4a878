"""What stays the same as long as a value does: compiled loops ask for it once, before their rows.

Only values that nobody can change have it, and only where it takes no code of others.
"""

from __future__ import annotations

from typing import Any

from django.utils.safestring import SafeString

from .escaping import scan
from .output import SHOWN_PLAINLY
from .paths import missing_value
from .sites import MISSING, Site
from .state import State

SETTLED: frozenset[type] = frozenset({str, SafeString, int, float, bool, bytes, type(None)})
"""Exact types of values whose truth never changes, nor runs anybody's code."""


def lasting_text(state: State, value: Any, site: Site | None = None) -> str | None:
    """Return the text of a value, if no setting of the context has a say in it; None otherwise.

    Args:
        value: what the context has, or `MISSING`.
        site: where it is printed.
    """
    if value is MISSING and site is not None:
        value = missing_value(state, site)
    kind = type(value)
    if kind is str:
        return value if scan(value) is value else None
    if kind is SafeString:
        return str.__str__(value)
    if value is None or kind in SHOWN_PLAINLY or (kind is int and state.plain_integers):
        return str(value)
    return None


def lasting_truth(state: State, value: Any, site: Site) -> bool | None:
    """Return whether a value is true, None where that may change; arguments as `lasting_text`."""
    if value is MISSING:
        value = missing_value(state, site)
    return bool(value) if type(value) in SETTLED else None
