"""Recorded lazy access in a few lines, for a terminal: by template, with the call to add."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..problems import printable
from ..relations.paths import dotted
from .recordings import AccessRecord, RecordKey

WHAT = {
    "relation": "loads",
    "rows": "loads",
    "deferred": "loads the deferred",
    "count": "counts",
    "exists": "asks for",
    "call": "queries",
    "python": "loads in Python",
}


def summary_lines(
    records: Iterable[AccessRecord],
    files: Mapping[str, str] | None = None,
    suggestions: Mapping[RecordKey, str] | None = None,
) -> list[str]:
    """Return the lines; none when nothing was lazy. Each place of a template is one line.

    Args:
        files: the files of templates, by name, to be shown in its place.
        suggestions: what to do about a record, by its `place_key`: said in a line below.
    """
    lines: list[str] = []
    lazy: dict[RecordKey, AccessRecord] = {}
    for record in records:
        if record.is_lazy:
            known = lazy.get(record.place_key)
            if known is None:
                lazy[record.place_key] = replace(record)
            else:
                known.add(record)
    place: tuple[str, str] | None = None
    for record in sorted(lazy.values(), key=lambda r: (r.view, r.template, r.line or 0, r.path)):
        if place != (record.view, record.template):
            place = (record.view, record.template)
            view = f"  (view {record.view})" if record.view else ""
            name = (files or {}).get(record.template) or record.template or "<string>"
            lines.append(f"{name}{view}")
        lines.append(f"  {describe(record)}")
        advice = (suggestions or {}).get(record.place_key)
        if advice:
            lines.append(f"    {advice}")
    return list(map(printable, lines))


def describe(record: AccessRecord) -> str:
    """Say in one line what an access loaded."""
    line = f"line {record.line}: " if record.line is not None else ""
    what = dotted(record.root, record.path)
    where = f", at {record.source}" if record.source else ""
    times = f", {record.times}x" if record.times > 1 else ""
    return f"{line}{{{{ {record.expression} }}}} {WHAT[record.kind]} {what}{where}{times}"
