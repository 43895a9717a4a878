"""Traces: what the demo's pages and a table cost with a trace that is active, and without one.

The demo has settings of its own, so its pages are measured by a process of their own (`trace_run`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from tempfile import TemporaryDirectory

from .measure import Effort
from .recorder_pages import ROOT
from .registry import page
from .results import OURS, OURS_ASYNC, Row, judge

MOST_TRACED = 1.1
"""What a page may cost with an active trace, over what it costs without."""


def measured_traces(quick: bool) -> dict[str, dict[str, float]]:
    """Measure in a process of its own; page -> milliseconds by ``off``, ``on``, and both async.

    Raises:
        subprocess.CalledProcessError: it failed; its errors are printed.
    """
    with TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "DEBUG": "0",
            "SECRET_KEY": "only for benchmarks",
            "DATABASE_URL": f"sqlite:///{folder}/shop.sqlite3",
            "DJANGO_SETTINGS_MODULE": "bookshop_site.settings",
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "example")]),
        }
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.trace_run", *(["--quick"] if quick else [])],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    found: dict[str, dict[str, float]] = json.loads(done.stdout)
    return found


@page("trace", "the demo's pages and a table with an active trace and without one")
def trace(effort: Effort) -> list[Row]:
    """Measure each page both ways; the two take turns in one process."""
    rows = []
    for name, found in measured_traces(effort.quick).items():
        for which in ("off", "on"):
            cells = {OURS: found[which], OURS_ASYNC: found[f"{which} async"]}
            rows.append(Row("trace", f"{name}, trace {which}", "ms", cells))
        for way in (OURS, OURS_ASYNC):
            ratio = rows[-1].cells[way] / rows[-2].cells[way]
            rows[-1].outcomes.append(judge(f"{name}, {way}, on / off", ratio, at_most=MOST_TRACED))
    return rows
