"""A table of a thousand rows, over objects and over dicts."""

from __future__ import annotations

from typing import Any

from .engines import django_variants, jinja2_variants
from .measure import Effort, Variant, milliseconds
from .outputs import check_outputs
from .registry import page
from .results import JINJA2, OURS, OURS_ASYNC, STOCK, Row, Target


class Record:
    """An object with attributes, as a view hands to a template."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


def rows(count: int, make: Any) -> list[Any]:
    """Return rows of six values, one nested, one that has to be escaped in every third row."""
    return [
        make(
            id=number,
            name=f"name {number}",
            author=make(name=f"author {number % 7}"),
            active=number % 2 == 0,
            text="some <b>text</b> & more" if number % 3 == 0 else "plain text here",
            price=f"{number}.50",
        )
        for number in range(count)
    ]


def table_variants(count: int, make: Any) -> dict[str, Variant]:
    """Return the page in every engine."""
    values = {"rows": rows(count, make)}
    return django_variants("table.html", values) | jinja2_variants("table.html", values)


SAME_SPEED = Target(OURS, OURS_ASYNC, at_most=1.1)
"""Our sync ``render()`` takes at most 10 % longer than our async one."""


@page("table", "1,000 rows of objects: six cells, cycle, if, nested attribute, escaping")
def table(effort: Effort) -> list[Row]:
    """Measure the table over objects."""
    count = effort.size(1000, 20)
    variants = table_variants(count, Record)
    check_outputs("table", variants)
    row = Row("table", f"{count} objects", "ms", milliseconds(variants, effort))
    return [
        row.hold_against(
            (
                Target(STOCK, OURS_ASYNC, at_least=6),
                Target(JINJA2, OURS_ASYNC, at_least=1.5),
                SAME_SPEED,
            )
        )
    ]


@page("dicts", "the same table over dicts")
def dicts(effort: Effort) -> list[Row]:
    """Measure the table over dicts."""
    count = effort.size(1000, 20)
    variants = table_variants(count, dict)
    check_outputs("dicts", variants)
    row = Row("dicts", f"{count} dicts", "ms", milliseconds(variants, effort))
    return [row.hold_against((Target(STOCK, OURS_ASYNC, at_least=5), SAME_SPEED))]
