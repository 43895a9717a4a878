"""The pages, by name. A module of pages registers its own; `PAGE_MODULES` names the modules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TypeAlias

from .measure import Effort
from .results import Row

PAGE_MODULES = (
    "table_pages",
    "site_pages",
    "query_pages",
    "tiny_pages",
    "text_pages",
    "row_pages",
    "part_pages",
    "compile_pages",
    "cold_pages",
    "growth_pages",
    "analysis_pages",
    "recorder_pages",
    "trace_pages",
    "foreign_pages",
    "jinja2_pages",
    "view_pages",
    "form_pages",
    "crispy_pages",
    "parallel_pages",
    "turn_pages",
    "stream_pages",
)

Measure: TypeAlias = Callable[[Effort], list[Row]]


@dataclass(frozen=True)
class Page:
    """Something to measure."""

    name: str
    description: str
    measure: Measure


PAGES: dict[str, Page] = {}


def page(name: str, description: str) -> Callable[[Measure], Measure]:
    """Register the decorated function as a page.

    The function compares the outputs of its variants (`outputs.check_outputs`), then measures
    them (`measure.milliseconds`), and returns the rows of the table.
    """

    def register(measure: Measure) -> Measure:
        PAGES[name] = Page(name, description, measure)
        return measure

    return register


def load_pages() -> dict[str, Page]:
    """Import the modules of pages; return the pages in the order of the table."""
    for module in PAGE_MODULES:
        import_module(f"benchmarks.{module}")
    return PAGES
