"""Paths that cannot be followed: said where what they lead to may be rows of a model."""

from __future__ import annotations

from collections.abc import Iterable

from ..inference.types import ANYTHING
from ..relations.labels import model_named
from ..relations.paths import AccessPath
from .entries import RenderedTemplate, normal, prefix_of
from .findings import Lost, Report, TemplatePlace
from .following import may_hold_rows, value_at_end
from .matching import match_path

MADE_IN_TEMPLATE = ("set by ", "the result of ", "in the result of ")
"""How the reasons begin of names that a tag or filter has made, whatever the view gives."""
ENDS = frozenset({"output", "truth", "name"})
"""What becomes of a value through which nothing is reached: printed, tested, named."""


def note_lost(entry: RenderedTemplate, path: AccessPath, report: Report) -> None:
    """Note a path that cannot be followed, unless it surely leads to no row."""
    held = held_at_end(entry, path)
    if held is False or not path.lost:
        return
    place = TemplatePlace(path.template, path.line, path.expression)
    is_known = bool(held) or bool(entry.view)
    report.lose(Lost(entry.template, place, path.lost, is_known))


def held_at_end(entry: RenderedTemplate, path: AccessPath) -> bool | None:
    """Return whether there may be rows at the end of a path; None where that is not known."""
    if not path.root:
        return _any_in_context(entry)
    if not path.path and path.consumption in ENDS:
        return False
    if str(path.lost).startswith(MADE_IN_TEMPLATE):
        return None
    steps = normal(path.path)
    known = entry.known_on(path.root, steps)
    if known is not None:
        prefix, model = prefix_of(known, steps), model_named(known.model)
        if prefix is not None and model is not None:
            match = match_path(model, steps[len(prefix) :], known.lists)
            if match.column:
                return False
            if len(match.needs) and not match.hidden:
                return True
    value = entry.types.get(path.root)
    if value is None:
        # A view that gives no such name hands nothing on.
        return False if entry.is_complete and entry.is_rendered and known is None else None
    found = value_at_end(value, steps)
    if found is None:  # it fails: there is nothing
        return False
    held = may_hold_rows(found)
    return True if held is None and known is not None and found is ANYTHING else held


def _any_in_context(entry: RenderedTemplate) -> bool | None:
    """Whether a tag that takes the whole context may find rows in it."""
    if entry.variables or entry.inner:
        return True
    held = [may_hold_rows(each) for each in entry.types.values()]
    if True in held:
        return True
    return False if entry.is_complete and None not in held else None


def by_reason(lost: Iterable[Lost]) -> dict[str, list[TemplatePlace]]:
    """The places of what is lost, by the tag or filter that it is handed to; each place once."""
    found: dict[str, dict[TemplatePlace, None]] = {}
    for each in lost:
        found.setdefault(each.reason, {}).setdefault(each.place)
    return {reason: list(places) for reason, places in found.items()}
