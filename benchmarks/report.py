"""The results as a table for people and as JSON for programs."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from .results import ENGINES, OURS_ASYNC, Row


def versions() -> dict[str, str]:
    """Return what was measured, and on what."""
    found = {"Python": platform.python_version(), "machine": platform.machine()}
    for name in ("Django", "Jinja2", "markupsafe", "minijinja"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def columns_of(rows: Sequence[Row]) -> list[str]:
    """Return the columns that any of the rows has, in order."""
    present = {name for row in rows for name in row.cells}
    return [name for name in ENGINES if name in present] + sorted(present - set(ENGINES))


def number(value: float) -> str:
    """Write a value with three significant digits."""
    digits = 1 if value >= 100 else 2 if value >= 10 else 3 if value >= 0.1 else 4
    return f"{value:.{digits}f}"


def cell(row: Row, column: str) -> str:
    """Write a value, and how it compares with ours."""
    value = row.cells.get(column)
    if value is None:
        return "-"
    base = row.cells.get(OURS_ASYNC)
    if base is None or column == OURS_ASYNC:
        return number(value)
    return f"{number(value)} ({value / base:.2f}x)"


def table(rows: Sequence[Row]) -> str:
    """Return the table as text; a ratio in brackets is over "ours async" in the same row."""
    columns = columns_of(rows)
    lines = [["page", "", *columns]]
    lines += [
        [row.page, f"{row.what}, {row.unit}", *(cell(row, name) for name in columns)]
        for row in rows
    ]
    widths = [max(len(line[index]) for line in lines) for index in range(len(lines[0]))]
    text = []
    for line in lines:
        left = [line[index].ljust(widths[index]) for index in (0, 1)]
        right = [line[index].rjust(widths[index]) for index in range(2, len(line))]
        text.append("  ".join(left + right).rstrip())
    text.insert(1, "-" * max(map(len, text)))
    return "\n".join(text)


def verdicts(rows: Sequence[Row]) -> str:
    """Return a line for each target, and the notes."""
    lines = [f"{row.page}: {outcome}" for row in rows for outcome in row.outcomes]
    lines += [f"{row.page}: {note}" for row in rows for note in row.notes]
    return "\n".join(lines)


def as_json(rows: Sequence[Row], *, quick: bool) -> str:
    """Return everything as JSON."""
    result = {"versions": versions(), "quick": quick, "rows": [row.as_json() for row in rows]}
    return json.dumps(result, indent=2, ensure_ascii=False) + "\n"
