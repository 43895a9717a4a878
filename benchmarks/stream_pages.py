"""Pages that leave while they are rendered: when they arrive, and what sending costs."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from functools import partial
from math import inf
from tempfile import TemporaryDirectory
from typing import Any

from django.http import HttpRequest
from django.test import RequestFactory

from atemplates import arender, astream

from .measure import Effort, Variant, milliseconds
from .outputs import EXACT, OutputsDiffer, check_outputs
from .parallel_pages import databases, measured
from .registry import page
from .results import OURS_ASYNC, Row, judge
from .row_pages import Ware
from .site_pages import as_in_a_request, site_values
from .table_pages import Record, rows

ASTREAM = "astream"
PANELS = 5
TRIES = 100
"""Of so many renders the best counts, where that is asked for."""
FIRST_BYTE = 20
"""Milliseconds within which the first byte of a page that is sent is there."""
WHOLE = 1.1
"""How long all of it takes at most, over its slowest query."""


@page("stream", "the demo's dashboard: its first byte, and all of it")
def stream(effort: Effort) -> list[Row]:
    """Measure the dashboard, whose queries take their time, whole and while it is sent."""
    if not importlib.util.find_spec("dj_database_url"):
        print("stream is left out: pip install dj-database-url", file=sys.stderr)
        return []
    made = []
    with TemporaryDirectory() as folder:
        for database in databases(folder):
            found = measured("streams", database, effort)
            wrong = {name: each for name, each in found["panels"].items() if each != [PANELS]}
            if wrong:
                raise OutputsDiffer(f"stream: {PANELS} panels are expected on each page: {wrong}")
            made += rows_of(database.title, found)
    return made


def rows_of(database: str, found: dict[str, Any]) -> list[Row]:
    """The rows of the table for one database."""
    latency = found["latency"]
    titles = {"first": "first byte", "whole": "whole"}
    first, whole = (
        Row("stream", f"{title}, slowest query {latency} ms ({database})", "ms", found[what])
        for what, title in titles.items()
    )
    for column in ("in order", "out of order"):
        name = f"{database}, {column}"
        first.outcomes.append(
            judge(f"{name}: ms to the first byte", first.cells[column], at_most=FIRST_BYTE)
        )
        whole.outcomes.append(
            judge(f"{name}: whole / slowest query", whole.cells[column] / latency, at_most=WHOLE)
        )
    return [first, whole]


# -- pages that never wait -------------------------------------------------------------------------


async def by_arender(request: HttpRequest, name: str, values: dict[str, Any]) -> str:
    """The text of a response that is made of the whole page."""
    response = await arender(request, name, values, using="django")
    return response.content.decode()


async def by_astream(request: HttpRequest, name: str, values: dict[str, Any]) -> str:
    """The text of a response that is sent while the page is rendered."""
    response = await astream(request, name, values, using="django")
    return b"".join([chunk async for chunk in response]).decode()


def pages(effort: Effort) -> dict[str, tuple[str, dict[str, Any]]]:
    """Some pages: title -> template and context."""
    wares = [Ware(number) for number in range(effort.size(500, 10))]
    return {
        "text only": ("text.html", {}),
        "10 variables": ("tiny.html", {f"value{n}": f"the value {n}" for n in range(10)}),
        "articles": ("site/article_list.html", site_values(effort.size(50, 3))),
        "rows": ("rows.html", {"rows": wares}),
        "table": ("table.html", {"rows": rows(effort.size(1000, 20), Record)}),
    }


@page("sending", "pages that never wait, as responses: astream held against arender")
def sending(effort: Effort) -> list[Row]:
    """Measure what sending costs where there is nothing to wait for."""
    made = []
    request = RequestFactory().get("/articles/")
    with as_in_a_request():
        for title, (name, values) in pages(effort).items():
            variants = {
                OURS_ASYNC: Variant(render_async=partial(by_arender, request, name, values)),
                ASTREAM: Variant(render_async=partial(by_astream, request, name, values)),
            }
            check_outputs(f"sending, {title}", variants, exact={*EXACT, ASTREAM})
            row = Row("sending", title, "ms", milliseconds(variants, effort))
            best = best_microseconds(variants, effort)
            ratio, more = best[ASTREAM] / best[OURS_ASYNC], best[ASTREAM] - best[OURS_ASYNC]
            row.notes.append(f"{title}, best: astream / arender is {ratio:.2f}, {more:.0f} µs more")
            made.append(row)
    return made


def best_microseconds(variants: dict[str, Variant], effort: Effort) -> dict[str, float]:
    """Return the best time of each, for a machine that is busy: what gives the loop its turn waits
    for others there."""
    best = dict.fromkeys(variants, inf)
    with asyncio.Runner() as runner:
        for _ in range(effort.size(TRIES, 1)):
            for name, variant in variants.items():
                best[name] = min(best[name], variant.seconds(runner, 1))
    return {name: seconds * 1e6 for name, seconds in best.items()}
