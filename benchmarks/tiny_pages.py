"""Ten variables: what a render costs before it does anything."""

from __future__ import annotations

from .engines import django_variants, jinja2_variants
from .measure import Effort, milliseconds
from .outputs import check_outputs
from .registry import page
from .results import OURS_ASYNC, STOCK, STOCK_IN_THREAD, Row, Target
from .table_pages import SAME_SPEED


@page("tiny", "ten variables")
def tiny(effort: Effort) -> list[Row]:
    """Measure a page of ten variables."""
    values = {f"value{number}": f"the value {number}" for number in range(10)}
    variants = django_variants("tiny.html", values) | jinja2_variants("tiny.html", values)
    check_outputs("tiny", variants)
    row = Row("tiny", "10 variables", "ms", milliseconds(variants, effort))
    return [
        row.hold_against(
            (
                Target(STOCK, OURS_ASYNC, at_least=2),
                Target(STOCK_IN_THREAD, OURS_ASYNC, at_least=10),
                SAME_SPEED,
            )
        )
    ]
