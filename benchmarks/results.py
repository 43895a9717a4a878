"""What a benchmark gives: rows of one table, and whether the targets were met. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

# The columns, in the order of the table. A row has a value for those that it measured.
STOCK = "stock"
STOCK_IN_THREAD = "sync_to_async(stock)"
JINJA2 = "Jinja2"
JINJA2_ASYNC = "Jinja2 async"
MINIJINJA = "minijinja"
OURS = "ours"
OURS_ASYNC = "ours async"
OURS_FETCH = "ours, fetch"
OURS_ASYNC_FETCH = "ours async, fetch"
ENGINES = (
    STOCK,
    STOCK_IN_THREAD,
    JINJA2,
    JINJA2_ASYNC,
    MINIJINJA,
    OURS_FETCH,
    OURS_ASYNC_FETCH,
    OURS,
    OURS_ASYNC,
)


@dataclass(frozen=True)
class Target:
    """A limit for a ratio of two columns of one row.

    ``Target(STOCK, OURS_ASYNC, at_least=6)`` reads: stock takes at least 6 times as long as ours.
    """

    column: str
    over: str
    at_least: float | None = None
    at_most: float | None = None

    def outcome(self, cells: Mapping[str, float]) -> Outcome:
        """Say whether a row meets it."""
        ratio = cells[self.column] / cells[self.over]
        return judge(f"{self.column} / {self.over}", ratio, self.at_least, self.at_most)


@dataclass(frozen=True)
class Outcome:
    """A target held against what was measured."""

    what: str
    value: float
    limit: str
    met: bool

    def __str__(self) -> str:
        verdict = "met" if self.met else "MISSED"
        return f"{verdict}: {self.what} is {self.value:.2f} ({self.limit})"


def judge(
    what: str, value: float, at_least: float | None = None, at_most: float | None = None
) -> Outcome:
    """Hold a value against its limits."""
    limits = []
    if at_least is not None:
        limits.append(f"at least {at_least:g}")
    if at_most is not None:
        limits.append(f"at most {at_most:g}")
    met = (at_least is None or value >= at_least) and (at_most is None or value <= at_most)
    return Outcome(what, value, ", ".join(limits), met)


@dataclass
class Row:
    """One line of the table."""

    page: str
    what: str
    unit: str
    cells: dict[str, float]
    """Column -> value in ``unit``; the median of the run's repetitions where it is a time."""
    outcomes: list[Outcome] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def hold_against(self, targets: tuple[Target, ...]) -> Row:
        """Add the outcomes of the targets; return the row."""
        self.outcomes += [target.outcome(self.cells) for target in targets]
        return self

    def as_json(self) -> dict[str, Any]:
        """Return the row as JSON has it."""
        return asdict(self)
