"""The demo's dashboard while it is delivered: when its first byte is there, and all of it."""

from __future__ import annotations

import asyncio
import gc
import statistics
from time import perf_counter
from typing import Any, NamedTuple

from django.test import AsyncClient

from shop.dashboard import SHARES

from .measure import Effort
from .results import OURS_ASYNC, STOCK_IN_THREAD

IN_ORDER, OUT_OF_ORDER = "in order", "out of order"
DELIVERIES = {
    STOCK_IN_THREAD: "stock",
    OURS_ASYNC: "aload",
    IN_ORDER: "stream",
    OUT_OF_ORDER: "defer",
}
"""The columns, and what the demo calls them. The page by `arender` loads with `aload`, too."""
LATENCY = 300
"""Milliseconds of the slowest query; the others take a share of it."""
ROUNDS = 7
WARM = 3
"""How often a page is not measured: templates are compiled, and connections are opened."""


class Arrival(NamedTuple):
    """When a page was there.

    Attributes:
        first: after how many milliseconds its first byte.
        whole: the same for its last.
        panels: how many panels were on it.
    """

    first: float
    whole: float
    panels: int


async def arrival(client: AsyncClient, delivery: str, latency: int) -> Arrival:
    """Get the page, and look at the clock."""
    gc.collect()
    start, first, pieces = perf_counter(), None, []
    response = await client.get(f"/dashboard/{delivery}/?latency={latency}&uneven=on")
    assert response.status_code == 200, response
    if response.streaming:
        async for piece in response:
            first = first or perf_counter()
            pieces.append(piece)
    else:
        pieces.append(response.content)
    whole = perf_counter()
    panels = sum(b"".join(pieces).count(f'<h2 id="{name}">'.encode()) for name in SHARES)
    return Arrival(((first or whole) - start) * 1000, (whole - start) * 1000, panels)


def measured_streams(effort: Effort) -> dict[str, Any]:
    """Measure each delivery by turns.

    Returns:
        The medians by what was measured and column, with ``latency`` and the ``panels`` that each
        page had.
    """
    latency = effort.size(LATENCY, 20)
    client = AsyncClient()
    found: dict[str, list[Arrival]] = {column: [] for column in DELIVERIES}
    with asyncio.Runner() as runner:
        for turn in range(WARM + effort.size(ROUNDS, 1)):
            for column, delivery in DELIVERIES.items():
                each = runner.run(arrival(client, delivery, latency))
                if turn >= WARM:
                    found[column].append(each)
    return {
        "latency": latency,
        "panels": {
            column: sorted({each.panels for each in all_}) for column, all_ in found.items()
        },
        **{
            what: {
                column: statistics.median(getattr(each, what) for each in all_)
                for column, all_ in found.items()
            }
            for what in ("first", "whole")
        },
    }
