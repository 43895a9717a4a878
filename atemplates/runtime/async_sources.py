"""Sources that ``async for`` goes through: querysets of other packages, async pages, generators.

Such a source is read asynchronously unless its rows are at hand, and once in a render.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation

from .waits import Kind, Wait

REFUSALS = (SynchronousOnlyOperation, TypeError)
"""What a source raises that does not let itself be used synchronously."""


def at_hand(source: Any) -> Any:
    """The rows that a source has loaded, as Django's querysets and their copies keep them."""
    values = getattr(source, "__dict__", None)
    if type(values) is not dict:
        return None
    rows = values.get("_result_cache")
    if type(rows) is not list:
        return None
    if values.get("_prefetch_related_lookups") and not values.get("_prefetch_done"):
        return None
    return rows


def is_async_iterator(kind: type) -> bool:
    """Whether a source can be gone through only once."""
    return hasattr(kind, "__anext__")


def has_truth(kind: type) -> bool:
    """Whether a source's truth is that of its rows: it has a length, or is asked as a queryset."""
    names = ("__len__", "__bool__", "acount", "aexists")
    return not is_async_iterator(kind) and any(hasattr(kind, name) for name in names)


def own_truth(source: Any, on_loop: bool) -> bool | None:
    """What a source says of its truth; None: it is that of its rows."""
    kind = type(source)
    if not has_truth(kind):
        return bool(source)
    if hasattr(kind, "__bool__") or (hasattr(kind, "__len__") and not on_loop):
        try:
            return bool(source)
        except REFUSALS:
            pass
    return None


REFUSED: Any = object()
"""In the place of what a source does not give synchronously."""


class ReadSources:
    """The sources of one render that were read, with their rows."""

    def __init__(self) -> None:
        self.rows: dict[int, tuple[Any, list[Any]]] = {}

    def known(self, source: Any) -> Any:
        """The rows of a source as far as nothing has to be waited for, or None."""
        rows = at_hand(source)
        if rows is None and id(source) in self.rows:
            rows = self.rows[id(source)][1]
        return rows

    def synchronously(self, source: Any, on_loop: bool, function: Callable[[Any], Any]) -> Any:
        """Off the loop: what ``function`` makes of a source that was not read, or `REFUSED`."""
        if on_loop or self.known(source) is not None:
            return REFUSED
        try:
            return function(source)
        except REFUSALS:  # it is read then; what is wrong beyond the refusal shows there again
            return REFUSED

    def steps(self, source: Any) -> Generator[Wait, Any, Any]:
        """The plan that gives the rows of a source."""
        rows = self.known(source)
        if rows is None:
            answer = yield Wait(Kind.ROWS, source)
            rows = answer if type(answer) is list else at_hand(answer)
            if not is_async_iterator(type(source)):
                self.rows[id(source)] = (source, rows)
        return rows
