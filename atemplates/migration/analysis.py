"""Merging what templates read, what views give them, and what was recorded, into findings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..inference.views import ViewRendering
from ..relations.labels import model_named
from ..relations.paths import ITEM, AccessPath, dotted
from .crediting import Credits
from .entries import (
    KnownVariable,
    Paths,
    RenderedTemplate,
    entries_of,
    loaded_owner,
    needs_of,
    normal,
)
from .findings import CONFIRMED, HIDDEN, POSSIBLE, Finding, Report, TemplatePlace
from .matching import Match, Need, match_path
from .reads import COUNTED, advice_for_call, deferred_advice, finding_for, note_reads, use_by_path
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
    report.records = len(records)
    entries = entries_of(paths, renderings, records, annotations or {})
    report.views = len({entry.view for entry in entries.values() if entry.view})
    found: dict[Any, Finding] = {}
    for entry in entries.values():
        _note_origins(entry, report)
        for path in paths.get(entry.template, ()):
            note_reads(entry, path, found, report)
    credits = Credits(entries, paths)
    for record in records:
        if record.is_lazy:
            rendered = record.rendered or record.template
            for entry in credits.entries_for(record) or [RenderedTemplate(record.view, rendered)]:
                _confirm(entry, record, found, credits.places.at(entry.template, record))
    report.findings = [each for each in found.values() if _stands(each, entries)]
    for each in report.findings:
        _advise(each)
    return report


def _note_origins(entry: RenderedTemplate, report: Report) -> None:
    inner = ((root, known) for (root, _), known in entry.inner.items())
    for root, known in (*entry.variables.items(), *inner):
        if known.origins:
            key = (entry.view, entry.template, dotted(root, known.owner))
            report.origins[key] = known.origins


def _confirm(
    entry: RenderedTemplate,
    record: AccessRecord,
    found: dict[Any, Finding],
    at_place: list[AccessPath],
) -> None:
    """Note what was loaded while it was recorded.

    Args:
        at_place: what the template reads where that was.
    """
    model = model_named(record.entry)
    steps = normal(record.path)
    place = TemplatePlace(record.template, record.line, record.expression)
    match = match_path(model, steps[record.entry_at :]) if model is not None else Match()
    by_place = _made_in_template(entry, record, at_place)
    if by_place is not None:
        known, root, (need, whole, unhelped) = by_place
        finding = finding_for(found, entry, known, root, whole, need, unhelped)
    elif match.needs and record.kind != "deferred":
        need, unhelped = match.needs[-1], match.unhelped
        whole = steps[: record.entry_at + need.at]
        prefix = steps[: record.entry_at]
        known_there = entry.known_on(record.root, steps)
        if known_there is None or known_there.model != record.entry:
            known_there = KnownVariable(record.entry, (prefix,), owner=loaded_owner(prefix))
        finding = finding_for(found, entry, known_there, record.root, whole, need, unhelped)
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
                owner=loaded_owner(steps[: record.entry_at]) if record.entry else (),
            ),
        )
    _count(finding, record, place)
    looped = any(path.in_rows for path in at_place if _is_at(path, record))
    finding.per_row = finding.per_row or looped or ITEM in steps[:-1]
    finding.per_row = finding.per_row or (record.batch and record.rows > 1)
    finding.uses.add(_use_of_record(record, finding.need, at_place))


def _count(finding: Finding, record: AccessRecord, place: TemplatePlace) -> None:
    """Count a record into the finding that it belongs to."""
    hidden = record.kind == "python"
    if finding.status != CONFIRMED:
        finding.status = HIDDEN if hidden else CONFIRMED
    if not hidden and record.kind != "call":
        finding.kind = record.kind
    elif hidden and not finding.kind:
        finding.kind = "python"
    if place not in finding.places:
        finding.places.append(place)
    if record.source and record.source not in finding.sources:
        finding.sources.append(record.source)
    finding.times += record.times
    finding.rows = max(finding.rows, record.rows)
    finding.milliseconds += record.milliseconds


def _is_at(path: AccessPath, record: AccessRecord) -> bool:
    """Whether a path is that of the expression of a record, whatever its filters are."""
    return path.expression.partition("|")[0] == record.expression.partition("|")[0]


def _use_of_record(record: AccessRecord, need: Need | None, at_place: list[AccessPath]) -> str:
    """What was done with a relation to many: its rows were read, or only counted."""
    if record.kind in COUNTED or record.path[-1:] in (("count",), ("exists",)):
        return "count"
    if need is not None and record.kind == "rows":
        uses = [
            use_by_path(need, ("all",), path)
            for path in at_place
            if _is_at(path, record) and path.consumption == "length"
        ]
        return uses[0] if uses else "rows"
    return "rows"


def _made_in_template(
    entry: RenderedTemplate, record: AccessRecord, at_place: list[AccessPath]
) -> tuple[KnownVariable, str, tuple[Need, tuple[str, ...], str]] | None:
    """Find the static path of a record that hangs on a name that the template made itself.

    A group of ``{% regroup %}`` is such a name: the template says which variable it is made of.
    """
    if record.root in entry.variables and any(path.root == record.root for path in at_place):
        return None
    for path in at_place:
        if not _is_at(path, record):
            continue
        known = entry.known_on(path.root, normal(path.path))
        for each in reversed(needs_of(known, path) if known is not None else []):
            name = each[0].lookup.rpartition("__")[2]
            if known is not None and name in record.path[-2:]:
                return known, path.root, each
    return None


def _advise(finding: Finding) -> None:
    """Say what to do about a finding that no call on the queryset answers, or not best."""
    if finding.unhelped:
        finding.advice = advice_for_call(finding.lookup, finding.unhelped, per_row=finding.per_row)
    elif finding.need is not None:
        if finding.uses == {"count"}:
            finding.kind = "count"
            finding.advice = (
                f'loads the rows; to count alone, .annotate(...=Count("{finding.need.lookup}"))'
            )
        elif finding.kind in ("count", "exists"):
            finding.kind = "rows"
    elif not finding.advice:
        finding.advice = advice_for(finding)


def advice_for(finding: Finding) -> str:
    """Say what to do about what was loaded and that no call on a queryset answers."""
    name = finding.path[-1] if finding.path else finding.root
    if finding.kind == "deferred":
        return deferred_advice(name)
    if finding.kind == "python":
        return "load what it reads in the view, or compute it there"
    if finding.kind in ("rows", "call", "count", "exists"):
        if finding.per_row:
            return "it is sent once a row: make one query of it in the view"
        return "send it in the view"
    return f"load {name!r} where the view gets {finding.variable!r}"


def _stands(finding: Finding, entries: dict[tuple[str, str], RenderedTemplate]) -> bool:
    """Whether a finding is worth telling.

    What a view certainly does not load stands; of the rest, what the template reads in any case
    and was not seen in a recording of it is loaded. A count of what hangs on one object is one
    query, wherever it is sent.
    """
    counted = finding.uses == {"count"} and not finding.per_row
    if finding.need is not None and finding.need.many and (counted or not finding.uses):
        return False
    if finding.status != POSSIBLE:
        return True
    entry = entries[finding.view, finding.template]
    known = entry.known_on(finding.root, finding.path)
    if known is not None and known.certain:
        return True
    return not (entry.seen and finding.kind == "relation")
