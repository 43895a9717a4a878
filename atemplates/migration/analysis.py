"""Merging what templates read, what views give them, and what was recorded, into findings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..inference.views import ViewRendering
from ..relations.labels import model_named
from ..relations.paths import AccessPath
from .entries import (
    KnownVariable,
    Paths,
    RenderedTemplate,
    entries_for,
    entries_of,
    needs_of,
    normal,
)
from .findings import CONFIRMED, HIDDEN, POSSIBLE, Finding, Report, TemplatePlace
from .matching import Match, Need, match_path
from .reads import deferred_advice, finding_for, note_reads
from .recordings import AccessRecord


def analyse(
    paths: Paths,
    renderings: Iterable[ViewRendering] = (),
    records: Iterable[AccessRecord] = (),
    annotations: dict[str, dict[str, str]] | None = None,
) -> Report:
    """Find what templates read and views do not load.

    Args:
        paths: what each template reads.
        renderings: what the views give to which template.
        records: what was recorded.
        annotations: template -> variable -> the label of its model.
    """
    report = Report(templates=len(paths))
    records, renderings = list(records), list(renderings)
    for rendering in renderings:
        for name, data in rendering.loaded.items():
            if data.expression is not None:
                place = f"{rendering.file}:{data.expression.lineno}"
                report.origins[rendering.view, rendering.template, name] = place
    report.records = len(records)
    entries = entries_of(paths, renderings, records, annotations or {})
    report.views = len({entry.view for entry in entries.values() if entry.view})
    found: dict[Any, Finding] = {}
    for entry in entries.values():
        for path in paths.get(entry.template, ()):
            note_reads(entry, path, found, report)
    _recorded(entries, paths, records, found)
    report.findings = [each for each in found.values() if _stands(each, entries)]
    return report


def _recorded(
    entries: dict[tuple[str, str], RenderedTemplate],
    paths: Paths,
    records: Iterable[AccessRecord],
    found: dict[Any, Finding],
) -> None:
    for record in records:
        if not record.is_lazy:
            continue
        for entry in entries_for(record, entries, paths) or [
            RenderedTemplate(record.view, record.template)
        ]:
            _confirm(entry, record, found, paths.get(entry.template, ()))


def _confirm(
    entry: RenderedTemplate,
    record: AccessRecord,
    found: dict[Any, Finding],
    entry_paths: Iterable[AccessPath] = (),
) -> None:
    model = model_named(record.entry)
    steps = normal(record.path)
    place = TemplatePlace(record.template, record.line, record.expression)
    match = match_path(model, steps[record.entry_at :]) if model is not None else Match()
    by_place = _at_the_place(entry, record, entry_paths)
    if by_place is not None:
        known, root, (need, whole, unhelped) = by_place
        finding = finding_for(found, entry, known.model, root, whole, need, unhelped)
    elif match.needs and record.kind != "deferred":
        need, unhelped = match.needs[-1], match.unhelped
        whole = steps[: record.entry_at + need.at]
        finding = finding_for(found, entry, record.entry, record.root, whole, need, unhelped)
    else:
        key = (entry.view, entry.template, record.root, steps, record.kind)
        finding = found.setdefault(
            key,
            Finding(
                entry.view,
                entry.template,
                record.root,
                steps,
                record.entry or record.model,
                CONFIRMED,
                record.kind,
                advice=advice_for(record),
            ),
        )
    hidden = record.kind == "python"
    if finding.status != CONFIRMED:
        finding.status = HIDDEN if hidden else CONFIRMED
    if not hidden and record.kind not in ("call",):
        finding.kind = record.kind
    elif hidden and not finding.kind:
        finding.kind = "python"
    if record.kind in ("count", "exists") and finding.need is not None:
        finding.advice = (
            f'loads the rows; to count alone, .annotate(...=Count("{finding.need.lookup}"))'
        )
    if place not in finding.places:
        finding.places.append(place)
    if record.source and record.source not in finding.sources:
        finding.sources.append(record.source)
    finding.times += record.times
    finding.rows = max(finding.rows, record.rows)
    finding.milliseconds += record.milliseconds


def _at_the_place(
    entry: RenderedTemplate, record: AccessRecord, entry_paths: Iterable[AccessPath]
) -> tuple[KnownVariable, str, tuple[Need, tuple[str, ...], str]] | None:
    """Find the static path of a record that hangs on a name that the template made itself.

    A group of ``{% regroup %}`` is such a name: the template says which variable it is made of.
    """
    if record.root in entry.variables and any(path.root == record.root for path in entry_paths):
        return None
    place = (record.template, record.line, record.expression.partition("|")[0])
    for path in entry_paths:
        if (path.template, path.line, path.expression.partition("|")[0]) != place:
            continue
        known = entry.variables.get(path.root)
        for each in reversed(needs_of(known, path) if known is not None else []):
            name = each[0].lookup.rpartition("__")[2]
            if name in record.path[-2:]:
                return known, path.root, each  # type: ignore[return-value]
    return None


def advice_for(record: AccessRecord) -> str:
    """Say what to do about a record that no call on the queryset answers."""
    name = record.path[-1] if record.path else record.root
    if record.kind == "deferred":
        return deferred_advice(name)
    if record.kind == "python":
        return "load what it reads in the view, or compute it there"
    if record.kind in ("rows", "call"):
        return "it is sent once a row: make one query of it in the view"
    return f"load {name!r} where the view gets {record.root!r}"


def _stands(finding: Finding, entries: dict[tuple[str, str], RenderedTemplate]) -> bool:
    """Whether a finding is worth telling.

    What a view certainly does not load stands; of the rest, what the template reads in any case
    and was not seen in a recording of it is loaded.
    """
    if finding.status != POSSIBLE:
        return True
    entry = entries[finding.view, finding.template]
    known = entry.variables.get(finding.root)
    if known is not None and known.certain:
        return True
    return not (entry.seen and finding.kind == "relation")
