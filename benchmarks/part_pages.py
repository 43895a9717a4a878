"""A page put together: inheritance, includes of every kind, links and translations; no form."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import translation

from .engines import django_variants
from .measure import Effort, milliseconds
from .outputs import check_outputs
from .registry import page
from .results import OURS_ASYNC, STOCK, Row, Target
from .site_pages import as_in_a_request, site_values
from .table_pages import SAME_SPEED

LANGUAGES = {"untranslated": "en", "translated": "de"}
"""What a row says -> the language: the source's own, and one with a catalogue."""


@contextmanager
def visited_in(language: str) -> Iterator[None]:
    """Set what Django's handler sets for a visitor of a language."""
    with as_in_a_request(), translation.override(language):
        yield


@page("parts", "three levels of inheritance, includes (plain, with, only), links, translations")
def parts(effort: Effort) -> list[Row]:
    """Measure a page whose work is to be put together."""
    count = effort.size(50, 3)
    values = site_values(count) | {"icon": "site/icon.svg"}
    found = []
    for what, language in LANGUAGES.items():
        with visited_in(language):
            variants = django_variants("parts/page.html", values)
            check_outputs("parts", variants)
            row = Row("parts", f"{count} articles, {what}", "ms", milliseconds(variants, effort))
        found.append(row.hold_against((Target(STOCK, OURS_ASYNC, at_least=4), SAME_SPEED)))
    return found
