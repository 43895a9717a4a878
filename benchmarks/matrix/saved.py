"""Results as JSON, and two runs compared."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..results import OURS, OURS_ASYNC, STOCK
from .measuring import Measured
from .report import matrix_versions


def matrix_json(lines: Sequence[Measured], *, quick: bool) -> str:
    """Return everything as JSON."""
    result = {
        "versions": matrix_versions(),
        "quick": quick,
        "constructs": {
            line.construct.label: {
                "django": line.construct.django,
                "jinja2": line.construct.jinja2,
                "milliseconds": line.cells,
                "times_stock": line.ratios,
                "left_out": line.left_out,
            }
            for line in lines
        },
    }
    return json.dumps(result, indent=1, ensure_ascii=False) + "\n"


class NoResults(Exception):
    """A file holds no results of the matrix."""


def read_results(file: Path) -> dict[str, dict[str, float]]:
    """Return construct -> engine -> times stock, as an earlier run wrote them.

    Raises:
        NoResults: the file cannot be read, or is something else.
    """
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))["constructs"]
        return {label: each["times_stock"] for label, each in found.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise NoResults(
            f"{file} holds no results of the matrix, which --matrix --json {file} writes: {error!r}"
        ) from error


def changes(
    lines: Sequence[Measured], earlier: Mapping[str, Mapping[str, float]]
) -> list[tuple[float, str, float, float]]:
    """Return, per construct of both runs: change, label, times stock before, and now.

    The figures are those of "ours async"; the constructs that lost most come first. Ratios to
    stock are compared, since the times of two runs are those of two machines.
    """
    found = []
    for line in lines:
        label = line.construct.label
        now = line.ratios[OURS_ASYNC]
        if label in earlier:
            before = earlier[label][OURS_ASYNC]
            found.append((now / before, label, before, now))
    return sorted(found)


def comparison(lines: Sequence[Measured], earlier: Mapping[str, Mapping[str, float]]) -> str:
    """Return what changed against an earlier run, as text."""
    found = changes(lines, earlier)
    if not found:
        return "The two runs have no construct in common."
    labels = {line.construct.label for line in lines}
    width = max(len(label) for _, label, _, _ in found)
    text = [f"{'construct'.ljust(width)}  before     now  change  ({OURS_ASYNC}, times {STOCK})"]
    text += [
        f"{label.ljust(width)}  {before:6.2f}  {now:6.2f}  x{change:.2f}"
        for change, label, before, now in found
    ]
    sync = [
        line.ratios[OURS] / earlier[line.construct.label][OURS]
        for line in lines
        if line.construct.label in earlier
    ]
    text.append(
        f"{len(found)} constructs in both; median change: x{statistics.median(sync):.2f} {OURS}, "
        f"x{statistics.median(change for change, *_ in found):.2f} {OURS_ASYNC}"
    )
    for what, only in (("now", labels - set(earlier)), ("before", set(earlier) - labels)):
        if only:
            text.append(f"only {what}: {', '.join(sorted(only))}")
    return "\n".join(text)
