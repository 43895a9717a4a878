"""``{% querystring %}`` without a copy of the request's parameters."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote_plus

from django.http import QueryDict
from django.utils.safestring import SafeString

SETTABLE = frozenset({str, SafeString, int})


def query_string(query: Any, changes: dict[str, Any]) -> str | None:
    """Return the query string of a request's parameters with some of them changed.

    Args:
        query: the request's ``GET``.
        changes: parameter -> its new value; None removes it.

    Returns:
        The text as ``{% querystring %}`` writes it before it is escaped; None when that is left to
        Django.
    """
    if type(query) is not QueryDict or query.encoding != "utf-8":
        return None
    changed = {}
    for name, value in changes.items():
        if value is not None:
            if type(value) not in SETTABLE:
                return None
            value = quote_plus(str(value))
        changed[name] = value
    pieces = []
    for name, values in query.lists():
        quoted = quote_plus(name)
        if name in changed:
            value = changed.pop(name)
            if value is not None:
                pieces.append(f"{quoted}={value}")
        else:
            if any(type(value) is not str for value in values):
                return None
            pieces += [f"{quoted}={quote_plus(value)}" for value in values]
    pieces += [
        f"{quote_plus(name)}={value}" for name, value in changed.items() if value is not None
    ]
    # Django's series differ in what they write for no parameters.
    return f"?{'&'.join(pieces)}" if pieces else None
