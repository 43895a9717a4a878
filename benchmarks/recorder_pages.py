"""The recorder: what it costs on the demo's list page, in its lazy state and with all loaded.

The demo has settings of its own, so it is measured by a process of its own (`recorder_run`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from .measure import Effort
from .registry import page
from .results import OURS, OURS_ASYNC, Row, judge

ROOT = Path(__file__).resolve().parent.parent
MOST = 1.1
"""What the page may cost with the recorder on, over what it costs with it off."""


def measured(lazy: bool, quick: bool) -> dict[str, float]:
    """Measure in a process of its own; milliseconds by ``off``, ``on``, and both async.

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
            "SHOP_LAZY": "1" if lazy else "0",
        }
        command = [sys.executable, "-m", "benchmarks.recorder_run", f"{folder}/shop.jsonl"]
        done = subprocess.run(
            [*command, *(["--quick"] if quick else [])],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    found: dict[str, float] = json.loads(done.stdout)
    return found


@page("recorder", "the demo's list page with the recorder off and on")
def recorder(effort: Effort) -> list[Row]:
    """Measure the page with nothing loaded by its view, and with everything."""
    rows = []
    for lazy in (True, False):
        found = measured(lazy, effort.quick)
        state = "lazy" if lazy else "loaded"
        for which in ("off", "on"):
            cells = {OURS: found[which], OURS_ASYNC: found[f"{which} async"]}
            rows.append(Row("recorder", f"{state}, recorder {which}", "ms", cells))
        for name in (OURS, OURS_ASYNC):
            ratio = rows[-1].cells[name] / rows[-2].cells[name]
            rows[-1].outcomes.append(judge(f"{state}, {name}, on / off", ratio, at_most=MOST))
    return rows
