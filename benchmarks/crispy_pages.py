"""Forms shown by django-crispy-forms, where it is installed: templates and tags of others."""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
from functools import partial
from typing import Any

from .cold_pages import ROOT
from .measure import Effort, Variant
from .outputs import check_outputs
from .registry import page
from .results import OURS, OURS_ASYNC, STOCK, STOCK_IN_THREAD, Row, Target

FASTER = (Target(STOCK, OURS, at_least=1), Target(STOCK_IN_THREAD, OURS_ASYNC, at_least=1))
NEEDED = ("crispy_forms", "crispy_bootstrap5")


def forms_of(engine: str, renders: int) -> dict[str, dict[str, Any]]:
    """Render the forms in a process of its own.

    Returns:
        Form -> column -> its ``output`` and its ``milliseconds``.

    Raises:
        subprocess.CalledProcessError: it failed; its errors are printed.
    """
    command = [sys.executable, "-m", "benchmarks.crispy_run", engine, "--renders", str(renders)]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "benchmarks.crispy_settings"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


@page("crispy", "{{ form|crispy }}: a form of four fields, and one with errors")
def crispy_forms(effort: Effort) -> list[Row]:
    """Measure the forms in processes that take turns; nothing where the library is missing."""
    if not all(map(importlib.util.find_spec, NEEDED)):
        line = "crispy is left out: pip install django-crispy-forms crispy-bootstrap5"
        print(line, file=sys.stderr)
        return []
    times: dict[str, dict[str, list[float]]] = {}
    outputs: dict[str, dict[str, Variant]] = {}
    for _ in range(effort.size(7, 1)):
        for engine in (STOCK, OURS):
            for title, columns in forms_of(engine, effort.size(100, 1)).items():
                for name, found in columns.items():
                    times.setdefault(title, {}).setdefault(name, []).append(found["milliseconds"])
                    same = partial(str, found["output"])
                    outputs.setdefault(title, {})[name] = Variant(same)
        for title, variants in outputs.items():
            check_outputs(f"crispy, {title}", variants)
    rows = []
    for title, columns in times.items():
        cells = {name: statistics.median(found) for name, found in columns.items()}
        rows.append(Row("crispy", f"{title}, CPU time", "ms", cells).hold_against(FASTER))
    return rows
