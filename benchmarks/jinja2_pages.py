"""Jinja2 in our backend beside stock Jinja2, in both modes, on the same templates."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from atemplates.engines.jinja2 import Jinja2

from .engines import FILTERS, GLOBALS, TEMPLATES, jinja2_environment
from .measure import Effort, Variant, milliseconds
from .outputs import check_outputs
from .registry import page
from .results import JINJA2, JINJA2_ASYNC, OURS, OURS_ASYNC, Row, Target
from .site_pages import site_values
from .table_pages import Record, rows


@cache
def our_jinja2() -> Jinja2:
    """Our Jinja2 backend, on a plain environment with what the pages use."""
    options = {"environment": "jinja2.Environment", "auto_reload": False}
    backend = Jinja2(
        {"NAME": "jinja2", "DIRS": [TEMPLATES / "jinja2"], "APP_DIRS": False, "OPTIONS": options}
    )
    backend.env.globals.update(GLOBALS)
    backend.env.filters.update(FILTERS)
    return backend


def variants_of(name: str, values: dict[str, Any]) -> dict[str, Variant]:
    """Return the template ``name`` as rendered by stock Jinja2 and by ours, in both modes."""
    sync = jinja2_environment(False).get_template(name)
    asynchronous = jinja2_environment(True).get_template(name)
    ours = our_jinja2().get_template(name)
    return {
        JINJA2: Variant(partial(sync.render, values)),
        JINJA2_ASYNC: Variant(render_async=partial(asynchronous.render_async, values)),
        OURS: Variant(partial(ours.render, values)),
        OURS_ASYNC: Variant(render_async=partial(ours.render_async, values)),
    }


def measured(name: str, template: str, values: dict[str, Any], effort: Effort, what: str) -> Row:
    """Compare the outputs of a page, then measure it."""
    variants = variants_of(template, values)
    check_outputs(name, variants)
    return Row(name, what, "ms", milliseconds(variants, effort))


NO_SLOWER = Target(OURS, JINJA2, at_most=1.0)
"""Our sync ``render()`` is no slower than stock Jinja2's."""


@page("jinja2-table", "Jinja2: 1,000 rows of objects, loop.cycle, if, nested attributes")
def table(effort: Effort) -> list[Row]:
    """Measure a table."""
    count = effort.size(1000, 20)
    row = measured("jinja2-table", "table.html", {"rows": rows(count, Record)}, effort, f"{count}")
    return [
        row.hold_against(
            (
                Target(OURS_ASYNC, JINJA2, at_most=1.1),
                Target(JINJA2_ASYNC, OURS_ASYNC, at_least=1.6),
                NO_SLOWER,
            )
        )
    ]


@page("jinja2-macros", "Jinja2: macros, a call block, filters and a nested loop in each row")
def macros(effort: Effort) -> list[Row]:
    """Measure a page of macros and filters."""
    count = effort.size(500, 10)
    values = {"orders": [order(number) for number in range(count)]}
    row = measured("jinja2-macros", "macros.html", values, effort, f"{count}")
    return [
        row.hold_against(
            (
                Target(OURS_ASYNC, JINJA2, at_most=1.15),
                Target(JINJA2_ASYNC, OURS_ASYNC, at_least=1.4),
                NO_SLOWER,
            )
        )
    ]


def order(number: int) -> Record:
    """Return an order with up to four lines."""
    return Record(
        number=number,
        customer=f"customer & {number % 13}",
        note=None if number % 3 else "leave it at the <back> door, please",
        tags=["new", "Gift", "abroad"][: number % 4],
        lines=[
            Record(title=f"thing {line}", count=line + 1, price=line * 1.25, gift=line % 2 == 0)
            for line in range(number % 5)
        ],
    )


@page("jinja2-realistic", "Jinja2: three levels of inheritance, 8 includes, a loop of 50 with one")
def realistic(effort: Effort) -> list[Row]:
    """Measure a page as sites have them."""
    count = effort.size(50, 3)
    values = site_values(count)
    row = measured("jinja2-realistic", "site/article_list.html", values, effort, f"{count}")
    return [row.hold_against((Target(OURS_ASYNC, JINJA2, at_most=1.15), NO_SLOWER))]
