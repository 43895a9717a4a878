"""One construct: outputs compared, then every engine's CPU time by turns."""

from __future__ import annotations

import asyncio
import gc
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import process_time
from typing import Any

from ..measure import Effort, Variant
from ..outputs import OutputsDiffer, check_outputs
from ..results import JINJA2, MINIJINJA, STOCK
from .construct import Construct
from .variants import jinja2_variant, own_variants, peer_variants

ROUNDS = 9
FEWEST_ROUNDS = 5
SAMPLE = 0.004
"""Seconds that a sample takes at least."""
BUDGET = 1.6
"""Seconds that a construct should take; one that is slow has fewer rounds."""


@dataclass
class Measured:
    """A line of the matrix."""

    construct: Construct
    cells: dict[str, float]
    """Engine -> milliseconds of CPU time for the loop, the median of the rounds."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Engine -> why it has no figure."""

    def times_stock(self, engine: str) -> float | None:
        """Return how many times as fast as stock Django an engine is."""
        return self.cells[STOCK] / self.cells[engine] if engine in self.cells else None


def measure_construct(construct: Construct, values: dict[str, Any], effort: Effort) -> Measured:
    """Compare the outputs of a construct, then measure it.

    Raises:
        OutputsDiffer: ours or Jinja2's is not what stock Django gives. A peer's that differs has
            no figure instead.
    """
    variants = own_variants(construct, values)
    jinja2 = jinja2_variant(construct, values)
    if jinja2 is not None:
        variants[JINJA2] = jinja2
    compare(construct, variants)
    left_out = {}
    for name, make in peer_variants(construct, values).items():
        try:
            variant = make()
            compare(construct, {STOCK: variants[STOCK], name: variant})
        except OutputsDiffer:
            left_out[name] = "differs"
        except BaseException as error:  # a panic of native code is no Exception
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
            left_out[name] = f"fails: {type(error).__name__}"
        else:
            variants[name] = variant
    return Measured(construct, processor_milliseconds(variants, effort), left_out)


def compare(construct: Construct, variants: Mapping[str, Variant]) -> None:
    """Compare outputs; a second time when they differ, since the clock goes on in between."""
    exact = set(variants) - {JINJA2, MINIJINJA}
    try:
        check_outputs(construct.label, variants, exact=exact, prints=construct.prints)
    except OutputsDiffer:
        check_outputs(construct.label, variants, exact=exact, prints=construct.prints)


def processor_milliseconds(variants: Mapping[str, Variant], effort: Effort) -> dict[str, float]:
    """Measure variants by turns; return the median of each, in milliseconds of CPU time."""
    gc.collect()
    gc.freeze()  # so that collecting before each sample takes no time
    try:
        with asyncio.Runner() as runner:
            once = {
                name: variant.seconds(runner, 1, process_time) for name, variant in variants.items()
            }
            samples: dict[str, list[float]] = {name: [] for name in variants}
            times = {
                name: 1 if effort.quick else max(1, round(SAMPLE / max(taken, 1e-6)))
                for name, taken in once.items()
            }
            turn_takes = sum(once[name] * times[name] for name in variants)
            rounds = 1 if effort.quick else ROUNDS
            if turn_takes * rounds > BUDGET:
                rounds = max(FEWEST_ROUNDS, int(BUDGET / turn_takes))
            order = list(variants)
            for turn in range(rounds):
                shift = turn % len(order)
                for name in order[shift:] + order[:shift]:
                    gc.collect()
                    samples[name].append(variants[name].seconds(runner, times[name], process_time))
    finally:
        gc.unfreeze()
    return {name: statistics.median(found) * 1000 for name, found in samples.items()}
