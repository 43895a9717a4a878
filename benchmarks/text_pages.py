"""A page of text only: what is paid where there is nothing to do."""

from __future__ import annotations

from .engines import django_variants, jinja2_variants
from .measure import Effort, milliseconds
from .outputs import check_outputs
from .registry import page
from .results import OURS_ASYNC, STOCK, STOCK_IN_THREAD, Row, Target


@page("text", "a page of text only, no tag and no variable")
def text(effort: Effort) -> list[Row]:
    """Measure a page without a tag."""
    variants = django_variants("text.html", {}) | jinja2_variants("text.html", {})
    check_outputs("text", variants)
    row = Row("text", "text only", "ms", milliseconds(variants, effort))
    return [
        row.hold_against(
            (
                Target(STOCK, OURS_ASYNC, at_least=1),
                Target(STOCK_IN_THREAD, OURS_ASYNC, at_least=10),
            )
        )
    ]
