"""Long loops: how long a page of 100,000 rows keeps the event loop, and what its turns cost."""

from __future__ import annotations

import asyncio
import gc
import statistics
from itertools import pairwise
from time import thread_time
from typing import Any

from django.http import HttpResponse

from atemplates.engines.django import DjangoTemplates
from atemplates.engines.jinja2 import Jinja2

from .engines import TEMPLATES, parameters
from .measure import Effort, Variant
from .outputs import check_outputs
from .registry import page
from .results import Row, judge
from .table_pages import Record, rows

YIELD_AFTER = 0.01
LARGEST_GAP = 3.0
"""What the longest time without a turn may be, over ``yield_after``."""
LOSS = 1.02
"""What a page with turns may take, over what it takes without."""
HEARTBEAT = 0.001
ON, OFF = "ours async", "ours async, no turns"


def backends(engine: str) -> dict[str, Any]:
    """Return our backend of an engine, with turns and without."""
    made: dict[str, Any] = {}
    for name, limit in ((ON, YIELD_AFTER), (OFF, None)):
        given = parameters(name)
        if engine == "django":
            given["OPTIONS"] = {**given["OPTIONS"], "yield_after": limit}
            made[name] = DjangoTemplates(given)
        else:
            given |= {"DIRS": [TEMPLATES / "jinja2"], "OPTIONS": {"yield_after": limit}}
            made[name] = Jinja2(given)
    return made


async def largest_gap(template: Any, values: dict[str, Any]) -> float:
    """Render a page and make a response of it; return the longest time between two beats of a task
    that wants to run each millisecond.

    In milliseconds of processor time: what other programs take is nobody's gap.
    """
    beats = [thread_time()]

    async def beat() -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            beats.append(thread_time())

    task = asyncio.create_task(beat())
    await asyncio.sleep(5 * HEARTBEAT)
    beats.clear()
    beats.append(thread_time())
    HttpResponse(await template.render_async(values))
    await asyncio.sleep(5 * HEARTBEAT)
    task.cancel()
    return 1000 * max(after - before for before, after in pairwise(beats))


@page("turns", "100,000 rows on the event loop: its largest gap, and what its turns cost")
def turns_of_the_loop(effort: Effort) -> list[Row]:
    """Measure a long table in both engines, with turns of the loop and without."""
    count = effort.size(100_000, 200)
    values = {"rows": rows(count, Record)}
    results = []
    for engine in ("django", "jinja2"):
        templates = {
            name: made.get_template("table.html") for name, made in backends(engine).items()
        }
        renders = {name: each.render_async for name, each in templates.items()}
        variants = {
            name: Variant(render_async=lambda render=render: render(values))  # type: ignore[misc]
            for name, render in renders.items()
        }
        check_outputs("turns", variants)
        times: dict[str, list[float]] = {name: [] for name in variants}
        gaps: dict[str, list[float]] = {name: [] for name in variants}
        with asyncio.Runner() as runner:
            for turn in range(effort.size(15, 1)):
                for name in (ON, OFF) if turn % 2 else (OFF, ON):
                    gc.collect()
                    times[name].append(1000 * variants[name].seconds(runner, 1, thread_time))
            for _ in range(effort.size(7, 1)):
                for name, template in templates.items():
                    gc.collect()
                    gaps[name].append(runner.run(largest_gap(template, values)))
        cells = {name: min(found) for name, found in times.items()}
        row = Row("turns", f"{count} rows, {engine}, processor time", "ms", cells)
        row.outcomes.append(
            judge(f"{engine}, with turns / without", cells[ON] / cells[OFF], at_most=LOSS)
        )
        cells = {name: statistics.median(found) for name, found in gaps.items()}
        gap = Row("turns", f"{count} rows, {engine}, largest gap, processor time", "ms", cells)
        ratio = cells[ON] / (1000 * YIELD_AFTER)
        gap.outcomes.append(
            judge(f"{engine}, largest gap / yield_after", ratio, at_most=LARGEST_GAP)
        )
        results += [row, gap]
    return results
