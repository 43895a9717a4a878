"""Measuring: the variants of a page by turns, in one process, and the median of each."""

from __future__ import annotations

import asyncio
import gc
import statistics
import tracemalloc
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

SAMPLE = 0.01
"""Seconds that one sample should take at least, for the clock's sake."""


@dataclass(frozen=True)
class Effort:
    """How much work a run does."""

    quick: bool = False
    """Sizes and repetitions for a test: everything runs, nothing can be concluded."""

    @property
    def rounds(self) -> int:
        """How often each variant is measured."""
        return 2 if self.quick else 15

    @property
    def sample(self) -> float:
        """Seconds that a sample takes at least."""
        return 0.0 if self.quick else SAMPLE

    def size(self, full: int, quick: int) -> int:
        """Choose a size."""
        return quick if self.quick else full


@dataclass(frozen=True)
class Variant:
    """One way to render a page: exactly one of the two functions is given."""

    render: Callable[[], Any] | None = None
    render_async: Callable[[], Awaitable[Any]] | None = None

    def once(self, runner: asyncio.Runner) -> Any:
        """Render once and return the result."""
        if self.render is not None:
            return self.render()
        return runner.run(_result(self.render_async))

    def seconds(
        self, runner: asyncio.Runner, times: int, clock: Callable[[], float] = perf_counter
    ) -> float:
        """Render some times; return the seconds that one took on average."""
        if self.render is not None:
            return _repeat(self.render, times, clock)
        return runner.run(_repeat_async(self.render_async, times, clock))


async def _result(render: Any) -> Any:
    return await render()


def _repeat(render: Callable[[], Any], times: int, clock: Callable[[], float]) -> float:
    start = clock()
    for _ in range(times):
        render()
    return (clock() - start) / times


async def _repeat_async(render: Any, times: int, clock: Callable[[], float]) -> float:
    start = clock()
    for _ in range(times):
        await render()
    return (clock() - start) / times


def milliseconds(
    variants: Mapping[str, Variant], effort: Effort, rounds: int | None = None
) -> dict[str, float]:
    """Measure variants by turns; return the median of each, in milliseconds per render."""
    with asyncio.Runner() as runner:
        times = {
            name: max(1, round(effort.sample / variant.seconds(runner, 1)))
            for name, variant in variants.items()
        }
        samples: dict[str, list[float]] = {name: [] for name in variants}
        order = list(variants)
        for turn in range(rounds or effort.rounds):
            # Nobody always runs after the same other one.
            shift = turn % len(order)
            for name in order[shift:] + order[:shift]:
                gc.collect()
                samples[name].append(variants[name].seconds(runner, times[name]))
    return {name: statistics.median(found) * 1000 for name, found in samples.items()}


def peak_megabytes(variants: Mapping[str, Variant]) -> dict[str, float]:
    """Return the most memory that rendering once took beyond what was there before."""
    peaks = {}
    with asyncio.Runner() as runner:
        for name, variant in variants.items():
            variant.once(runner)  # what is made once stays out of it
            gc.collect()
            tracemalloc.start()
            try:
                before = tracemalloc.get_traced_memory()[0]
                variant.once(runner)
                peaks[name] = (tracemalloc.get_traced_memory()[1] - before) / 1e6
            finally:
                tracemalloc.stop()
    return peaks
