"""Growth: time and memory from a thousand rows to a hundred thousand."""

from __future__ import annotations

from .engines import django_variants
from .measure import Effort, milliseconds, peak_megabytes
from .outputs import check_outputs
from .registry import page
from .results import OURS, OURS_ASYNC, STOCK, Row, Target, judge
from .table_pages import Record, rows

LINEAR = 1.25
"""What a row may cost in the longest table, as a multiple of what it costs in the shortest."""
MEMORY = (Target(OURS, STOCK, at_most=1.2), Target(OURS_ASYNC, STOCK, at_most=1.2))


@page("growth", "the table from 1,000 to 100,000 rows: time for a row, peak memory")
def growth(effort: Effort) -> list[Row]:
    """Measure how time and memory grow with the rows."""
    sizes = [effort.size(1_000, 10), effort.size(10_000, 50), effort.size(100_000, 100)]
    results = []
    for size in sizes:
        variants = django_variants("table.html", {"rows": rows(size, Record)}, thread=False)
        check_outputs("growth", variants)
        rounds = None if size == sizes[0] else effort.size(5, 2)
        times = milliseconds(variants, effort, rounds)
        results.append(
            Row(
                "growth", f"{size} rows", "µs a row", {n: t * 1000 / size for n, t in times.items()}
            )
        )
    shortest, longest = results[0].cells, results[-1].cells
    for name in (OURS, OURS_ASYNC):
        what = f"{name}, a row of {sizes[-1]} / of {sizes[0]}"
        results[-1].outcomes.append(judge(what, longest[name] / shortest[name], at_most=LINEAR))
    stock = longest[STOCK] / shortest[STOCK]
    results[-1].notes.append(f"stock, a row of {sizes[-1]} / of {sizes[0]} is {stock:.2f}")
    memory = Row("growth", f"{sizes[-1]} rows, peak memory", "MB", peak_megabytes(variants))
    return [*results, memory.hold_against(MEMORY)]
