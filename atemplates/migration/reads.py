"""What a template says: the relations and columns that it reads and its view does not load."""

from __future__ import annotations

from typing import Any

from ..relations.labels import model_named
from ..relations.paths import ITEM, AccessPath
from ..relations.querysets import deferred_key, is_deferred
from .entries import KnownVariable, RenderedTemplate, needs_of, normal, prefix_of
from .findings import POSSIBLE, Finding, Report, TemplatePlace
from .lost import note_lost
from .matching import Need, covers

COUNTED = frozenset({"count", "exists"})
"""What a manager is asked where no row is read."""


def note_reads(
    entry: RenderedTemplate, path: AccessPath, found: dict[Any, Finding], report: Report
) -> None:
    """Note what one expression of a template needs, and whether it can be followed at all."""
    if path.lost:
        note_lost(entry, path, report)
    steps = normal(path.path)
    known = entry.known_on(path.root, steps)
    if known is None:
        return
    place = TemplatePlace(path.template, path.line, path.expression)
    needs = needs_of(known, path)
    for need, whole, unhelped in needs:
        if covers(known.loads, need.lookup) and not unhelped:
            continue
        finding = finding_for(found, entry, known, path.root, whole, need, unhelped)
        use = use_by_path(need, steps[len(whole) :], path) if not unhelped else "rows"
        if use:
            finding.uses.add(use)
        finding.per_row = finding.per_row or ITEM in whole or path.in_rows
        last = need is needs[-1][0]
        if not finding.places or (last and place not in finding.places and _reaches(path, whole)):
            finding.places.append(place)
        finding.also = finding.also or _also(known, need)
        if not path.conditional:
            finding.kind = finding.kind or "relation"
    _deferred(entry, known, path, place, found)


def use_by_path(need: Need, rest: tuple[str, ...], path: AccessPath) -> str:
    """Return what a path does with a relation that it crosses: ``"rows"``, ``"count"``, nothing.

    Args:
        rest: the steps behind the relation.
    """
    if not need.many or len(rest) > 1 or rest[:1] == (ITEM,):
        return "rows"
    if path.consumption == "name" and rest in ((), ("all",)):
        return ""
    if rest and rest[0] in COUNTED:
        return "count"
    return "count" if path.consumption == "length" else "rows"


def _also(known: KnownVariable, need: Need) -> str:
    """What has to be done beside a call, where a key on the way is deferred."""
    model = model_named(known.model)
    if model is None:
        return ""
    key = deferred_key(model, known.mask, need.lookup.split("__"), need.join)
    if not key:
        return ""
    why = "Django refuses to join" if need.join else "it takes a query for each row"
    return (
        f'name "{key}" in .only(), or take it out of .defer(): {why} what a deferred key leads to'
    )


def _deferred(
    entry: RenderedTemplate,
    known: KnownVariable,
    path: AccessPath,
    place: TemplatePlace,
    found: dict[Any, Finding],
) -> None:
    """Note a column that ``only()`` or ``defer()`` leaves out, and that the template reads."""
    if not known.mask:
        return
    steps = normal(path.path)
    prefix, model = prefix_of(known, steps), model_named(known.model)
    if prefix is None or model is None or not is_deferred(model, known.mask, steps[len(prefix) :]):
        return
    key = (entry.view, entry.template, path.root, steps, "deferred")
    advice = deferred_advice("__".join(steps[len(prefix) :]))
    finding = found.setdefault(
        key,
        Finding(
            entry.view,
            entry.template,
            path.root,
            steps,
            known.model,
            POSSIBLE,
            "deferred",
            advice=advice,
            owner=known.owner,
        ),
    )
    if place not in finding.places:
        finding.places.append(place)


def _reaches(path: AccessPath, whole: tuple[str, ...]) -> bool:
    """Whether a path leads to a relation, and not from one of its rows to a column of the row."""
    rest = normal(path.path)[len(whole) :]
    return ITEM not in rest or rest[-1] == ITEM


def finding_for(
    found: dict[Any, Finding],
    entry: RenderedTemplate,
    known: KnownVariable,
    root: str,
    path: tuple[str, ...],
    need: Need,
    unhelped: str = "",
) -> Finding:
    """Return the finding of a relation, made when there is none yet."""
    key = (entry.view, entry.template, root, known.owner, need.lookup, unhelped)
    if key not in found:
        finding = Finding(
            entry.view,
            entry.template,
            root,
            path,
            known.model,
            POSSIBLE,
            "",
            need,
            need.why,
            owner=known.owner,
        )
        if unhelped:
            finding.path = (*path, unhelped)
            finding.kind, finding.need, finding.unhelped = "call", None, unhelped
            finding.lookup = need.lookup
        found[key] = finding
    return found[key]


def advice_for_call(lookup: str, method: str, *, per_row: bool) -> str:
    """Say what helps where a prefetch does not.

    Args:
        per_row: whether the query is sent for each row of a loop.
    """
    name = lookup.rpartition("__")[2]
    if not per_row:
        return f"a prefetch does not help .{method}: send its query in the view"
    if method in ("first", "last"):
        return (
            f"a prefetch does not help .{method}: take it in the view, or add "
            f'.prefetch_related(Prefetch("{lookup}", queryset=..., to_attr="{method}_{name}"))'
        )
    return (
        f"a prefetch does not help .{method}: add "
        f'.prefetch_related(Prefetch("{lookup}", queryset=..., to_attr="{method}_{name}")) '
        "and loop over that"
    )


def deferred_advice(name: str) -> str:
    """Say what to do about a column that is deferred."""
    return f'add "{name}" to only(), or take it out of defer()'
