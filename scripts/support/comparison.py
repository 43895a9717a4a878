"""Compares a test suite's outcomes with those of the stock library on the same machine."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Outcomes:
    """What one run of a suite gave.

    Attributes:
        outcomes: ``"passed"``, ``"failed"`` or ``"skipped"`` for each test id.
        details: the traceback for each test id that failed.
        routed: how often each kind of thing took the route under test.
    """

    outcomes: dict[str, str]
    details: dict[str, str] = field(default_factory=dict)
    routed: dict[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> "Outcomes":
        """Read what a runner wrote as JSON."""
        return cls(**json.loads(file.read_text("utf-8")))

    @property
    def untaken(self) -> list[str]:
        """The kinds of things of which none took the route."""
        return [kind for kind, count in (self.routed or {"things": 0}).items() if not count]

    def with_outcome(self, *wanted: str) -> set[str]:
        """The ids of the tests with one of these outcomes."""
        return {test for test, outcome in self.outcomes.items() if outcome in wanted}

    def last_line(self, test: str) -> str:
        """What the traceback of a failed test ends with."""
        return (self.details.get(test, "").strip().splitlines() or [""])[-1]


@dataclass(frozen=True)
class Excuse:
    """Why a test may fail here and not in stock.

    Attributes:
        error: how the last line of its traceback begins; with another one the failure counts.
        reason: what the test expects that does not have to hold.
    """

    error: str
    reason: str


@dataclass(frozen=True)
class Comparison:
    """One route's outcomes beside the stock ones.

    Attributes:
        ran: how many tests ran and were not skipped.
        passed: how many of them passed.
        shared: ids that fail in stock too.
        ours: ids that fail here only, without the excused ones.
        excused: ids that fail here only and have an excuse, and the reason.
        missing: ids that stock ran and that did not run here.
    """

    ran: int
    passed: int
    shared: frozenset[str]
    ours: frozenset[str]
    excused: dict[str, str]
    missing: frozenset[str]

    @property
    def holds(self) -> bool:
        """Whether nothing differs from stock."""
        return not self.ours and not self.missing


def compare(
    stock: Outcomes, routed: Outcomes, excuses: Mapping[str, Excuse] | None = None
) -> Comparison:
    """Compare the outcomes of a routed run with the stock ones, by test id.

    A subtest has an id of its own, and only when it fails; a test with a failing subtest has
    neither passed nor failed by itself, and so is not missing.
    """
    failed = routed.with_outcome("failed")
    stock_failed = stock.with_outcome("failed")
    ours = failed - stock_failed
    excused = {}
    for test in ours:
        excuse = (excuses or {}).get(test.partition(" ")[0])
        if excuse and routed.last_line(test).startswith(excuse.error):
            excused[test] = excuse.reason
    ran = routed.with_outcome("passed", "failed")
    stock_ran = stock.with_outcome("passed")
    return Comparison(
        ran=len(ran),
        passed=len(ran - failed),
        shared=frozenset(failed & stock_failed),
        ours=frozenset(ours - excused.keys()),
        excused=excused,
        missing=frozenset(
            test
            for test in stock_ran - ran
            if not any(other.startswith(f"{test} ") for other in failed)
        ),
    )
