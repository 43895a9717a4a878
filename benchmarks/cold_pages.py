"""A cold page: the first render of a process, with and without kept code."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from .measure import Effort
from .outputs import OutputsDiffer
from .registry import page
from .results import OURS, STOCK, Row, Target

ROOT = Path(__file__).resolve().parent.parent
KEPT = "ours, plan_cache"
TARGETS = (Target(OURS, STOCK, at_most=1.5), Target(KEPT, STOCK, at_most=1.1))


def cold(engine: str, folder: str, rows: int) -> dict[str, Any]:
    """Render the page in a process of its own.

    Raises:
        subprocess.CalledProcessError: it failed; its errors are printed.
    """
    command = [sys.executable, "-m", "benchmarks.cold_run", engine, folder, "--rows", str(rows)]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "benchmarks.settings"}
    # Python's own modules are compiled already, as they are where a site runs.
    environment["PYTHONPYCACHEPREFIX"] = f"{folder}/python"
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@page("cold", "the first page of a process: three levels of inheritance, includes, a form")
def cold_pages(effort: Effort) -> list[Row]:
    """Measure the first render in fresh processes, which take turns."""
    times: dict[str, list[float]] = {STOCK: [], OURS: [], KEPT: []}
    rows = effort.size(10, 2)
    with TemporaryDirectory() as folder:
        for engine in times:
            cold(engine, folder, rows)  # fills the folder
        for _ in range(effort.size(9, 1)):
            outputs = set()
            for engine, found in times.items():
                one = cold(engine, folder, rows)
                found.append(one["milliseconds"])
                outputs.add(one["digest"])
            if len(outputs) != 1:
                raise OutputsDiffer("cold: the outputs differ")
    cells = {engine: statistics.median(found) for engine, found in times.items()}
    row = Row("cold", f"{rows} articles, CPU time", "ms", cells)
    return [row.hold_against(TARGETS)]
