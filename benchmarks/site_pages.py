"""A page as sites have them: inheritance, includes, links, translations, filters and a form."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.test import RequestFactory
from django.urls import set_urlconf
from django.utils import translation
from django.utils.text import slugify

from atemplates.forms import DjangoTemplates as OurFormRenderer

from .engines import django_variants, jinja2_variants
from .measure import Effort, milliseconds
from .outputs import check_outputs
from .registry import page
from .results import OURS, OURS_ASYNC, STOCK, Row, Target
from .table_pages import SAME_SPEED, Record

TITLES = ("Rivers & roads", "The old town", "A <new> kind of bread", "Six walks", "On bicycles")
SUMMARY = (
    "Where to go, what to see and whom to ask when nothing is as it was described in the guide; "
    "with a map, some photographs and the addresses of people who know better than we do."
)


class ContactForm(forms.Form):
    """A form of four fields."""

    name = forms.CharField(max_length=80)
    email = forms.EmailField(help_text="We answer there.")
    subject = forms.ChoiceField(choices=[("praise", "Praise"), ("blame", "Blame")])
    message = forms.CharField(widget=forms.Textarea)


def article(number: int) -> Record:
    """Return an article."""
    title = f"{TITLES[number % len(TITLES)]} {number}"
    author = f"Author {number % 9}"
    return Record(
        number=number,
        slug=slugify(title),
        title=title,
        author=Record(name=author, slug=slugify(author)),
        published=datetime.datetime(
            2024, 1 + number % 12, 1 + number % 28, 12, tzinfo=datetime.UTC
        ),
        summary=SUMMARY,
        topics=[Record(name=f"Topic {n}", slug=f"topic-{n}") for n in range(number % 4)],
        views=1234 * number,
        rating=number % 50 / 10,
        price=Decimal(number) / 4 if number % 3 else None,
        featured=number % 10 == 0,
    )


def site_values(count: int) -> dict[str, Any]:
    """Return the context of the page."""
    articles = [article(number) for number in range(1, count + 1)]
    return {
        "site": Record(name="The Weekly", description="News & more"),
        "section": Record(title="Out of doors", slug="outdoors", description="…", views=1234567),
        "navigation": [
            Record(title=title, slug=slugify(title))
            for title in ("Home", "Outdoors", "Food", "Arts")
        ],
        "user": Record(name="Ada", is_authenticated=True),
        "messages": [Record(level="info", text="Welcome back")],
        "articles": articles,
        "popular": articles[:5],
        "pages": range(1, 8),
        "page": 3,
        "now": datetime.datetime(2025, 5, 1, tzinfo=datetime.UTC),
        "form": ContactForm(),
    }


@contextmanager
def as_in_a_request() -> Iterator[None]:
    """Set what Django's handler and its LocaleMiddleware set before a view renders."""
    set_urlconf(settings.ROOT_URLCONF)
    try:
        with translation.override("en"):
            yield
    finally:
        set_urlconf(None)


TARGETS = (Target(STOCK, OURS_ASYNC, at_least=2.5), SAME_SPEED)


@page("realistic", "three levels of inheritance, 8 includes, a loop of 50 with one, a form")
def realistic(effort: Effort) -> list[Row]:
    """Measure a page as sites have them, with settings as they are and with our form renderer."""
    count = effort.size(50, 3)
    name = "site/article_list.html"
    values = site_values(count)
    request = RequestFactory().get("/articles/")
    with as_in_a_request():
        variants = django_variants(name, values, request) | jinja2_variants(name, values)
        check_outputs("realistic", variants)
        first = Row("realistic", f"{count} articles", "ms", milliseconds(variants, effort))
        # Only the form differs, which FORM_RENDERER makes every form of a site do.
        ours = values | {"form": ContactForm(renderer=OurFormRenderer())}
        variants = django_variants(name, values, request, thread=False) | {
            engine: variant
            for engine, variant in django_variants(name, ours, request).items()
            if engine in (OURS, OURS_ASYNC)
        }
        check_outputs("realistic", variants)
        second = Row("realistic", "and our FORM_RENDERER", "ms", milliseconds(variants, effort))
    return [first.hold_against(TARGETS), second.hold_against(TARGETS)]
