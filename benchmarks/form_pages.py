"""Forms: whole, field by field, bound with errors, and as a formset, by Django's form renderer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms

from .measure import Effort, milliseconds
from .outputs import check_outputs
from .query_pages import variants_of
from .registry import page
from .results import OURS, OURS_ASYNC, STOCK, STOCK_IN_THREAD, Row, Target
from .site_pages import ContactForm

FASTER = (Target(STOCK, OURS, at_least=1.3), Target(STOCK_IN_THREAD, OURS_ASYNC, at_least=1))
WRONG = {"name": "x" * 90, "email": "nobody", "subject": "neither"}
ContactFormSet = forms.formset_factory(ContactForm, extra=3)

PAGES: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "{{ form }}": ("forms/whole.html", lambda: {"form": ContactForm()}),
    "with errors": ("forms/whole.html", lambda: {"form": ContactForm(WRONG)}),
    "field by field": ("forms/fields.html", lambda: {"form": ContactForm()}),
    "{{ formset }}": ("forms/formset.html", lambda: {"formset": ContactFormSet()}),
}
"""Title -> the template, and what makes its context: a form for each render, as a view does."""


@page("forms", "a form of four fields: whole, with errors, field by field, three in a formset")
def forms_of_pages(effort: Effort) -> list[Row]:
    """Measure forms, each made anew for each render."""
    rows = []
    for title, (name, values) in PAGES.items():
        variants = variants_of(name, values)
        for _ in range(effort.size(20, 1)):  # the templates of the renderer are compiled by then
            check_outputs("forms", variants)
        row = Row("forms", title, "ms", milliseconds(variants, effort))
        rows.append(row.hold_against(FASTER))
    return rows
