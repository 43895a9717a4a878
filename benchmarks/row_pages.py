"""Rows as sites have them: filters, methods, a property, and a loop in each row."""

from __future__ import annotations

import datetime

from .engines import django_variants, jinja2_variants
from .measure import Effort, milliseconds
from .outputs import check_outputs
from .registry import page
from .results import JINJA2, MINIJINJA, OURS_ASYNC, STOCK, STOCK_IN_THREAD, Row, Target
from .table_pages import SAME_SPEED, Record

COLOURS = ("red", "green", "blue & white", "yellow")


class Ware:
    """What a row shows: plain attributes, two methods and a property."""

    def __init__(self, number: int) -> None:
        self.name = f"ware {number}"
        self.text = "some <b>text</b> & more of it" if number % 3 == 0 else "plain text here"
        self.price = number * 1.25
        self.count = number % 5
        self.made = datetime.date(2024, 1 + number % 12, 1 + number % 28)
        self.note = None if number % 3 else "leave it at the <back> door"
        self.colours = list(COLOURS[: 1 + number % 4])
        self.tags = [Record(name=f"Tag {n}", slug=f"tag-{n}") for n in range(number % 4)]

    def label(self) -> str:
        """Return a text to print."""
        return f"{self.name} <{self.count}>"

    def is_dear(self) -> bool:
        """Decide something."""
        return self.price > 500

    @property
    def total(self) -> int:
        """Calculate something."""
        return self.count * 3


@page("rows", "500 rows: six filters, two methods, a property and a loop over tags in each")
def rows_with_filters(effort: Effort) -> list[Row]:
    """Measure rows, beside Jinja2's own filters that do the same."""
    count = effort.size(500, 10)
    values = {"rows": [Ware(number) for number in range(count)]}
    variants = django_variants("rows.html", values) | jinja2_variants("rows.html", values)
    variants.pop(MINIJINJA, None)  # it has no strftime, and formats numbers otherwise
    check_outputs("rows", variants)
    row = Row("rows", f"{count} rows", "ms", milliseconds(variants, effort))
    return [
        row.hold_against(
            (
                Target(STOCK, OURS_ASYNC, at_least=6),
                Target(STOCK_IN_THREAD, OURS_ASYNC, at_least=6),
                Target(JINJA2, OURS_ASYNC, at_least=1),
                SAME_SPEED,
            )
        )
    ]
