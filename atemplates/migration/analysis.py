"""Merging what templates read, what views give them, and what was recorded, into findings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ..relations.paths import ITEM, AccessPath
from .findings import CONFIRMED, HIDDEN, POSSIBLE, Finding, Lost, Place, Report
from .matching import Match, Need, covers, follow, model_named
from .recordings import Record
from .views import Rendering

Paths: TypeAlias = dict[str, list[AccessPath]]
"""Template -> what it reads, with the templates it includes and extends."""

PREFIXES = {"rows": ((ITEM,),), "row": ((),), "page": ((ITEM,), ("object_list", ITEM))}


@dataclass(slots=True)
class Known:
    """What a variable of a template is."""

    model: str
    prefixes: tuple[tuple[str, ...], ...]
    """The steps from the variable to an instance."""
    loads: frozenset[str] = frozenset()
    certain: bool = False
    """Whether all that it loads is known."""


@dataclass(slots=True)
class Entry:
    """A template as one view renders it."""

    view: str
    template: str
    variables: dict[str, Known] = field(default_factory=dict)
    seen: bool = False
    """Whether it was rendered while it was recorded."""


Step: TypeAlias = Callable[[str], None]


def analyse(
    paths: Paths,
    renderings: Iterable[Rendering] = (),
    records: Iterable[Record] = (),
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
        for name, data in rendering.variables.items():
            if data.expression is not None:
                place = f"{rendering.file}:{data.expression.lineno}"
                report.origins[rendering.view, rendering.template, name] = place
    report.records = len(records)
    entries = entries_of(paths, renderings, records, annotations or {})
    report.views = len({entry.view for entry in entries.values() if entry.view})
    found: dict[Any, Finding] = {}
    for entry in entries.values():
        for path in paths.get(entry.template, ()):
            _static(entry, path, found, report)
    _recorded(entries, paths, records, found)
    report.findings = [each for each in found.values() if _stands(each, entries)]
    return report


def entries_of(
    paths: Paths,
    renderings: Iterable[Rendering],
    records: Sequence[Record],
    annotations: dict[str, dict[str, str]],
) -> dict[tuple[str, str], Entry]:
    """Collect the templates that views render, and what is known of their variables."""
    entries: dict[tuple[str, str], Entry] = {}

    def entry_of(view: str, template: str) -> Entry:
        return entries.setdefault((view, template), Entry(view, template))

    for record in records:
        if record.kind == "render":
            entry_of(record.view, record.template).seen = True
    for rendering in renderings:
        if rendering.template in paths:
            entry = entry_of(rendering.view, rendering.template)
            for name, data in rendering.variables.items():
                entry.variables[name] = Known(
                    data.model._meta.label,
                    PREFIXES[data.shape],
                    frozenset(data.loads),
                    data.certain,
                )
    for template, variables in annotations.items():
        known = [entry for entry in entries.values() if entry.template == template]
        for entry in known or [entry_of("", template)]:
            for name, label in variables.items():
                entry.variables.setdefault(name, Known(label, ((ITEM,), ())))
    for record in records:
        for entry in entries_for(record, entries, paths):
            _learn(entry, record)
    return entries


def entries_for(record: Record, entries: dict[tuple[str, str], Entry], paths: Paths) -> list[Entry]:
    """The entries that a record can belong to: of its view, whose templates hold its place."""
    of_view = [entry for entry in entries.values() if entry.view == record.view]
    found = [
        entry
        for entry in of_view
        if entry.template == record.template
        or any(
            path.template == record.template and path.root == record.root
            for path in paths.get(entry.template, ())
        )
    ]
    return found or ([] if record.kind == "render" else of_view[:1])


def _learn(entry: Entry, record: Record) -> None:
    """Take the type of a variable from a record, and what its queryset loads."""
    if record.kind == "rows" and not record.related and not record.path and record.model:
        known = entry.variables.setdefault(record.root, Known(record.model, ((ITEM,),)))
        if record.loads is not None and not known.certain:
            known.loads, known.certain = frozenset(record.loads), True
    elif record.entry:
        prefix = normal(record.path[: record.entry_at])
        known = entry.variables.setdefault(record.root, Known(record.entry, (prefix,)))
        if prefix not in known.prefixes:
            known.prefixes = (*known.prefixes, prefix)


def normal(path: Iterable[str]) -> tuple[str, ...]:
    """A path in which every item of a list is the same step."""
    return tuple(ITEM if step.lstrip("-").isdecimal() else step for step in path)


# -- what the template says ------------------------------------------------------------------------


def _static(entry: Entry, path: AccessPath, found: dict[Any, Finding], report: Report) -> None:
    place = Place(path.template, path.line, path.expression)
    if path.lost:
        lost = Lost(entry.template, place, path.lost)
        if lost not in report.lost:
            report.lost.append(lost)
    known = entry.variables.get(path.root)
    if known is None:
        return
    needs = needs_of(known, path)
    for need, whole, unhelped in needs:
        if covers(known.loads, need.lookup) and not unhelped:
            continue
        last = need is needs[-1][0]
        finding = _finding(found, entry, known.model, path.root, whole, need, unhelped)
        if not finding.places or (last and place not in finding.places and _reaches(path, whole)):
            finding.places.append(place)
        if not path.conditional:
            finding.kind = finding.kind or "relation"


def _reaches(path: AccessPath, whole: tuple[str, ...]) -> bool:
    """Whether a path leads to a relation, and not from one of its rows to a column of the row."""
    rest = normal(path.path)[len(whole) :]
    return ITEM not in rest or rest[-1] == ITEM


def needs_of(known: Known, path: AccessPath) -> list[tuple[Need, tuple[str, ...], str]]:
    """Return the relations that a path crosses from a known variable.

    Returns:
        For each: what it needs, the path from the variable to it, and the manager's method that
        no prefetch helps, or an empty text.
    """
    steps = normal(path.path)
    prefix = _prefix(known, steps)
    model = model_named(known.model)
    if prefix is None or model is None:
        return []
    match = follow(model, steps[len(prefix) :])
    last = match.needs[-1] if match.needs else None
    return [
        (need, steps[: len(prefix) + need.at], match.unhelped if need is last else "")
        for need in match.needs
    ]


def _prefix(known: Known, steps: tuple[str, ...]) -> tuple[str, ...] | None:
    fitting = [each for each in known.prefixes if steps[: len(each)] == each]
    return max(fitting, key=len) if fitting else None


def _finding(
    found: dict[Any, Finding],
    entry: Entry,
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


# -- what was recorded -----------------------------------------------------------------------------


def _recorded(
    entries: dict[tuple[str, str], Entry],
    paths: Paths,
    records: Iterable[Record],
    found: dict[Any, Finding],
) -> None:
    for record in records:
        if not record.is_lazy:
            continue
        for entry in entries_for(record, entries, paths) or [Entry(record.view, record.template)]:
            _confirm(entry, record, found, paths.get(entry.template, ()))


def _confirm(
    entry: Entry,
    record: Record,
    found: dict[Any, Finding],
    entry_paths: Iterable[AccessPath] = (),
) -> None:
    model = model_named(record.entry)
    steps = normal(record.path)
    place = Place(record.template, record.line, record.expression)
    match = follow(model, steps[record.entry_at :]) if model is not None else Match()
    by_place = _at_the_place(entry, record, entry_paths)
    if by_place is not None:
        known, root, (need, whole, unhelped) = by_place
        finding = _finding(found, entry, known.model, root, whole, need, unhelped)
    elif match.needs and record.kind != "deferred":
        need, unhelped = match.needs[-1], match.unhelped
        whole = steps[: record.entry_at + need.at]
        finding = _finding(found, entry, record.entry, record.root, whole, need, unhelped)
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
    entry: Entry, record: Record, entry_paths: Iterable[AccessPath]
) -> tuple[Known, str, tuple[Need, tuple[str, ...], str]] | None:
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


def advice_for(record: Record) -> str:
    """Say what to do about a record that no call on the queryset answers."""
    name = record.path[-1] if record.path else record.root
    if record.kind == "deferred":
        return f'add "{name}" to only(), or take it out of defer()'
    if record.kind == "python":
        return "load what it reads in the view, or compute it there"
    if record.kind in ("rows", "call"):
        return "it is sent once a row: make one query of it in the view"
    return f"load {name!r} where the view gets {record.root!r}"


def _stands(finding: Finding, entries: dict[tuple[str, str], Entry]) -> bool:
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


def by_template(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """The findings by the template that the view renders."""
    found: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        found[finding.template].append(finding)
    return dict(found)
