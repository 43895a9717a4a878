"""One construct: outputs compared, then every engine's CPU time by turns."""

from __future__ import annotations

import asyncio
import gc
import statistics
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import truediv
from time import process_time
from typing import Any

from ..measure import Effort, Variant
from ..outputs import OutputsDiffer, check_outputs
from ..results import JINJA2, MINIJINJA, STOCK
from .construct import Construct
from .variants import jinja2_variant, own_variants, peer_variants

ROUNDS = 11
FEWEST_ROUNDS = 7
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
    ratios: dict[str, float]
    """Engine -> how many times as fast as stock Django, the median of what each round gave.

    What slows the machine down for a second slows both sides of a round.
    """
    left_out: dict[str, str] = field(default_factory=dict)
    """Engine -> why it has no figure."""


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
    samples = take_turns(variants, effort)
    return Measured(construct, *medians(samples), left_out)


def compare(construct: Construct, variants: Mapping[str, Variant]) -> None:
    """Compare outputs; a second time when they differ, since the clock goes on in between."""
    exact = set(variants) - {JINJA2, MINIJINJA}
    try:
        check_outputs(construct.label, variants, exact=exact, prints=construct.prints)
    except OutputsDiffer:
        check_outputs(construct.label, variants, exact=exact, prints=construct.prints)


@contextmanager
def frozen_heap() -> Iterator[None]:
    """Leave out of every garbage collection what is there before: each takes little time then."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def take_turns(variants: Mapping[str, Variant], effort: Effort) -> dict[str, list[float]]:
    """Measure variants by turns; return the seconds of CPU time of each, round by round."""
    samples: dict[str, list[float]] = {name: [] for name in variants}
    with asyncio.Runner() as runner:

        def take(name: str, times: int) -> float:
            return variants[name].seconds(runner, times, process_time)

        once = {name: take(name, 1) for name in variants}
        times = {name: repetitions(taken, effort) for name, taken in once.items()}
        rounds = rounds_within(BUDGET, sum(once[name] * times[name] for name in variants), effort)
        order = list(variants)
        for turn in range(rounds):
            # Nobody always runs after the same other one.
            shift = turn % len(order)
            for name in order[shift:] + order[:shift]:
                if not effort.quick:
                    gc.collect()
                samples[name].append(take(name, times[name]))
    return samples


def medians(samples: Mapping[str, list[float]]) -> tuple[dict[str, float], dict[str, float]]:
    """Return the medians of samples: milliseconds, and times stock Django's round by round."""
    # The clock may not have moved in one short render.
    taken = {name: [max(each, 1e-7) for each in found] for name, found in samples.items()}
    cells = {name: statistics.median(found) * 1000 for name, found in taken.items()}
    ratios = {
        name: statistics.median(map(truediv, taken[STOCK], found)) for name, found in taken.items()
    }
    return cells, ratios


def repetitions(taken: float, effort: Effort) -> int:
    """Return how often a sample renders what takes so many seconds."""
    return 1 if effort.quick else max(1, round(SAMPLE / max(taken, 1e-6)))


def rounds_within(budget: float, turn: float, effort: Effort) -> int:
    """Return how many turns of so many seconds a construct has."""
    if effort.quick:
        return 1
    return max(FEWEST_ROUNDS, min(ROUNDS, int(budget / turn)))
