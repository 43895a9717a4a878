"""Pages full of code of others: a site's own tags, and the admin."""

from __future__ import annotations

import asyncio
import gc
import statistics
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.admin import site as admin_site
from django.contrib.auth.models import User
from django.contrib.messages.storage import default_storage
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.http import HttpRequest
from django.template.backends.django import DjangoTemplates as StockTemplates
from django.template.response import TemplateResponse
from django.test import RequestFactory
from django.urls import set_urlconf

from atemplates.engines.django import DjangoTemplates
from atemplates.placement.records import RECORDS, TRUSTED_AFTER

from .engines import parameters
from .library import fill
from .measure import Effort, Variant, milliseconds
from .models import Book
from .outputs import check_outputs
from .registry import page
from .results import OURS, OURS_ASYNC, STOCK, STOCK_IN_THREAD, Row, Target
from .site_pages import article
from .table_pages import Record

SHOP = {
    "context_processors": [
        "django.template.context_processors.request",
        "benchmarks.processors.shop",
        "benchmarks.processors.menu",
        "benchmarks.processors.basket",
    ],
    "builtins": ["benchmarks.templatetags.hosts"],
}
ADMIN = {
    "context_processors": [
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]
}
FASTER = (Target(STOCK_IN_THREAD, OURS_ASYNC, at_least=1.3),)
LEARNED = 7
"""How many renders are measured on a fresh engine, once it had time to learn."""

Options = dict[str, list[str]]
Values = Callable[[], dict[str, Any]]


def backends(options: Options) -> tuple[StockTemplates, DjangoTemplates]:
    """Return new backends with some OPTIONS: Django's own, and ours."""
    return (
        StockTemplates(parameters("stock") | {"OPTIONS": dict(options)}),
        DjangoTemplates(parameters("ours") | {"OPTIONS": dict(options)}),
    )


def variants_of(
    name: Any, values: Values, request: HttpRequest, options: Options
) -> dict[str, Variant]:
    """Return a Django template as rendered by new backends, each time with new values."""
    stock_backend, our_backend = backends(options)
    chosen = name if isinstance(name, str) else chosen_of(name, stock_backend)
    stock = stock_backend.get_template(chosen)
    ours = our_backend.get_template(chosen)

    async def in_thread() -> Any:
        return await sync_to_async(stock.render)(values(), request)

    async def on_loop() -> Any:
        return await ours.render_async(values(), request)

    return {
        STOCK: Variant(lambda: stock.render(values(), request)),
        STOCK_IN_THREAD: Variant(render_async=in_thread),
        OURS: Variant(lambda: ours.render(values(), request)),
        OURS_ASYNC: Variant(render_async=on_loop),
    }


def chosen_of(names: list[str], backend: StockTemplates) -> str:
    """Return the first of some templates that exists."""
    return str(backend.engine.select_template(names).name)


def rows_of(
    page: str, what: str, make: Callable[[], dict[str, Variant]], effort: Effort
) -> list[Row]:
    """Measure a page as it is in the long run, and on fresh engines, from the fourth render on."""
    RECORDS.clear()
    variants = make()
    check_outputs(page, variants)
    warm = Row(page, what, "ms", milliseconds(variants, effort))
    fresh = Row(page, f"{what}, renders 4 to 10", "ms", after_learning(make, effort))
    return [warm.hold_against(FASTER), fresh.hold_against(FASTER)]


def after_learning(make: Callable[[], dict[str, Variant]], effort: Effort) -> dict[str, float]:
    """Measure the renders after the third of engines that had not met a template or tag before.

    Args:
        make: makes the variants, with new engines.
    """
    samples: dict[str, list[float]] = {STOCK_IN_THREAD: [], OURS_ASYNC: []}
    with asyncio.Runner() as runner:
        for _ in range(effort.rounds):
            for name, found in samples.items():
                RECORDS.clear()
                render = make()[name].render_async
                assert render is not None
                found.append(runner.run(_seconds_after_learning(render)))
    return {name: statistics.median(found) * 1000 for name, found in samples.items()}


async def _seconds_after_learning(render: Callable[[], Awaitable[Any]]) -> float:
    for _ in range(TRUSTED_AFTER):
        await render()
    gc.collect()
    start = perf_counter()
    for _ in range(LEARNED):
        await render()
    return (perf_counter() - start) / LEARNED


@contextmanager
def urlconf() -> Iterator[None]:
    """Set what Django's handler sets before a view renders."""
    set_urlconf(settings.ROOT_URLCONF)
    try:
        yield
    finally:
        set_urlconf(None)


def shop_values(count: int) -> dict[str, Any]:
    """Return the context of the site's pages."""
    articles = [article(number) for number in range(1, count + 1)]
    return {
        "section": Record(title="Out of doors", text="Rivers & roads, and six walks in town"),
        "articles": articles,
        "first": articles[-1],
        "prices": {"small": 3, "large": 8},
        "topics": ["Rivers", "Roads", "<Bread>"],
        "name": "Ada Lovelace",
    }


@page("foreign", "a site's own tags, filters and context processors, and a {% url %} of others")
def foreign(effort: Effort) -> list[Row]:
    """Measure each of 20 tags once; 200 uses in a loop; and a block tag around a loop."""
    count = effort.size(25, 2)
    values = shop_values(count)
    request = RequestFactory().get("/articles/", {"page": "1"})
    rows = []
    with urlconf():
        for name, what in (
            ("page", "20 tags"),
            ("list", f"{count * 8} uses in a loop"),
            ("panels", f"a block tag around {count}"),
        ):

            def make(name: str = name) -> dict[str, Variant]:
                return variants_of(f"foreign/{name}.html", lambda: values, request, SHOP)

            rows += rows_of("foreign", what, make, effort)
    return rows


@page("hundred-tags", "100 simple tags in a row")
def hundred_tags(effort: Effort) -> list[Row]:
    """Measure tags that do next to nothing."""
    values = shop_values(1)
    request = RequestFactory().get("/")

    def make() -> dict[str, Variant]:
        return variants_of("foreign/hundred.html", lambda: values, request, SHOP)

    return rows_of("hundred-tags", "100 tags", make, effort)


@page("admin", "the admin's index, change list and change form, as its views give them")
def admin(effort: Effort) -> list[Row]:
    """Measure what the admin's views hand to their templates."""
    count = effort.size(50, 3)
    fill(count)
    user = User.objects.create_superuser("ada")
    rows = []
    with urlconf():
        for what, path, view in (
            ("index", "/admin/", admin_site.index),
            ("change list", "/admin/benchmarks/book/", admin_of(Book).changelist_view),
            (
                "change form",
                "/admin/benchmarks/book/1/change/",
                lambda request: admin_of(Book).change_view(
                    request, str(Book.objects.earliest("pk").pk)
                ),
            ),
        ):
            request = admin_request(path, user)
            response = view(request)

            def make(
                request: HttpRequest = request, response: TemplateResponse = response
            ) -> dict[str, Variant]:
                return variants_of(response.template_name, lambda: as_new(response), request, ADMIN)

            rows += rows_of("admin", what, make, effort)
    return rows


def admin_of(model: Any) -> Any:
    """Return the admin of a model."""
    return admin_site.get_model_admin(model)


def admin_request(path: str, user: User) -> HttpRequest:
    """Return a request as the middleware of sessions, users and messages leaves it."""
    request = RequestFactory().get(path)
    request.user = user
    request.session = SessionStore()
    request._messages = default_storage(request)  # type: ignore[attr-defined]
    return request


def as_new(response: TemplateResponse) -> dict[str, Any]:
    """Return the context of a response with a change list that has not loaded its rows."""
    # A token of the middleware's is another one in each render.
    values: dict[str, Any] = {**(response.context_data or {}), "csrf_token": "token"}
    if "cl" in values:
        values["cl"].result_list = values["cl"].result_list.all()
    return values
