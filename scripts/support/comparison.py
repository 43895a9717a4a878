"""Compares a test suite's outcomes with those of the stock library on the same machine."""

import json
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Outcomes:
    """What one run of a suite gave.

    Attributes:
        outcomes: ``"passed"``, ``"failed"`` or ``"skipped"`` for each test id.
        details: the traceback for each test id that failed.
        renders: how many renders took the route under test.
    """

    outcomes: dict[str, str]
    details: dict[str, str] = field(default_factory=dict)
    renders: int = 0

    @classmethod
    def read(cls, file: Path) -> "Outcomes":
        """Read what a runner wrote as JSON."""
        return cls(**json.loads(file.read_text("utf-8")))

    def with_outcome(self, *wanted: str) -> set[str]:
        """The ids of the tests with one of these outcomes."""
        return {test for test, outcome in self.outcomes.items() if outcome in wanted}


@dataclass(frozen=True)
class Comparison:
    """One route's outcomes beside the stock ones.

    Attributes:
        ran: how many tests ran and were not skipped.
        passed: how many of them passed.
        shared: ids that fail in stock too.
        ours: ids that fail here only.
        missing: ids that stock ran and that did not run here.
    """

    ran: int
    passed: int
    shared: frozenset[str]
    ours: frozenset[str]
    missing: frozenset[str]

    @property
    def holds(self) -> bool:
        """Whether nothing differs from stock."""
        return not self.ours and not self.missing


def compare(stock: Outcomes, routed: Outcomes) -> Comparison:
    """Compare the outcomes of a routed run with the stock ones, by test id.

    A subtest has an id of its own, and only when it fails; a test with a failing subtest has
    neither passed nor failed by itself, and so is not missing.
    """
    failed = routed.with_outcome("failed")
    stock_failed = stock.with_outcome("failed")
    ran = routed.with_outcome("passed", "failed")
    stock_ran = stock.with_outcome("passed")
    return Comparison(
        ran=len(ran),
        passed=len(ran - failed),
        shared=frozenset(failed & stock_failed),
        ours=frozenset(failed - stock_failed),
        missing=frozenset(
            test
            for test in stock_ran - ran
            if not any(other.startswith(f"{test} ") for other in failed)
        ),
    )
