"""What a template says: the relations and columns that it reads and its view does not load."""

from __future__ import annotations

from typing import Any

from ..relations.labels import model_named
from ..relations.paths import ITEM, AccessPath
from ..relations.querysets import deferred_key, is_deferred
from .entries import KnownVariable, RenderedTemplate, needs_of, normal, prefix_of
from .findings import POSSIBLE, Finding, Lost, Report, TemplatePlace
from .matching import Need, covers, match_path


def note_reads(
    entry: RenderedTemplate, path: AccessPath, found: dict[Any, Finding], report: Report
) -> None:
    place = TemplatePlace(path.template, path.line, path.expression)
    known = entry.variables.get(path.root)
    if path.lost and not _ends(known, path):
        lost = Lost(entry.template, place, path.lost)
        if lost not in report.lost:
            report.lost.append(lost)
    if known is None:
        return
    needs = needs_of(known, path)
    for need, whole, unhelped in needs:
        if covers(known.loads, need.lookup) and not unhelped:
            continue
        last = need is needs[-1][0]
        finding = finding_for(found, entry, known.model, path.root, whole, need, unhelped)
        if not finding.places or (last and place not in finding.places and _reaches(path, whole)):
            finding.places.append(place)
        finding.also = finding.also or _also(known, need)
        if not path.conditional:
            finding.kind = finding.kind or "relation"
    _deferred(entry, known, path, place, found)


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
        ),
    )
    if place not in finding.places:
        finding.places.append(place)


def _ends(known: KnownVariable | None, path: AccessPath) -> bool:
    """Whether nothing is reached through the end of a path, whatever is done with it.

    It is printed, tested or named; or it is a column, as is most of what functions are given.
    """
    if path.root and not path.path and path.consumption in ("output", "truth", "name"):
        return True
    steps = normal(path.path)
    prefix = prefix_of(known, steps) if known is not None else None
    model = model_named(known.model) if known is not None else None
    if known is None or prefix is None or model is None:
        return False
    return match_path(model, steps[len(prefix) :], known.lists).column


def _reaches(path: AccessPath, whole: tuple[str, ...]) -> bool:
    """Whether a path leads to a relation, and not from one of its rows to a column of the row."""
    rest = normal(path.path)[len(whole) :]
    return ITEM not in rest or rest[-1] == ITEM


def finding_for(
    found: dict[Any, Finding],
    entry: RenderedTemplate,
    model: str,
    root: str,
    path: tuple[str, ...],
    need: Need,
    unhelped: str = "",
) -> Finding:
    key = (entry.view, entry.template, root, need.lookup, unhelped)
    if key not in found:
        finding = Finding(
            entry.view, entry.template, root, path, model, POSSIBLE, "", need, need.why
        )
        if unhelped:
            finding.path = (*path, unhelped)
            finding.kind, finding.need = "call", None
            finding.advice = advice_for_call(need.lookup, unhelped)
        found[key] = finding
    return found[key]


def advice_for_call(lookup: str, method: str) -> str:
    """Say what helps where a prefetch does not."""
    name = lookup.rpartition("__")[2]
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
