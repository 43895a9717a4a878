"""Pages that query: relations in batches against lazy rendering, and what that costs otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connection
from django.db.models import Count, QuerySet

from .engines import our_backend, stock_backend
from .library import BOOKS_OF_ONE, fill, fill_goods
from .measure import Effort, Variant, milliseconds
from .models import Author, Book, Good, Parcel, Phone
from .outputs import check_outputs
from .registry import page
from .results import (
    OURS,
    OURS_ASYNC,
    OURS_ASYNC_FETCH,
    OURS_FETCH,
    STOCK,
    STOCK_IN_THREAD,
    Row,
    Target,
    judge,
)

FASTER = (Target(STOCK_IN_THREAD, OURS_ASYNC, at_least=5), Target(STOCK, OURS, at_least=5))
NO_SLOWER = (Target(STOCK_IN_THREAD, OURS_ASYNC, at_least=1.3), Target(STOCK, OURS, at_least=1.3))
AS_FAST = (Target(STOCK_IN_THREAD, OURS_ASYNC, at_least=1), Target(STOCK, OURS, at_least=1))
ROUNDS = 60
"""How often two variants are measured that are to be told apart by a twentieth."""
NO_DEARER = (
    Target(OURS, OURS_FETCH, at_most=1.05),
    Target(OURS_ASYNC, OURS_ASYNC_FETCH, at_most=1.05),
)

Values = Callable[[], dict[str, Any]]


def variants_of(name: str, values: Values) -> dict[str, Variant]:
    """Return a Django template as variants that each begin with fresh querysets.

    Args:
        values: makes the context, as a view would, without evaluating a queryset.
    """
    stock = stock_backend().get_template(name)
    ours = our_backend().get_template(name)

    async def in_thread() -> str:
        return await sync_to_async(lambda: stock.render(values()))()

    async def on_loop() -> str:
        return await ours.render_async(values())

    return {
        STOCK: Variant(lambda: stock.render(values())),
        STOCK_IN_THREAD: Variant(render_async=in_thread),
        OURS: Variant(lambda: ours.render(values())),
        OURS_ASYNC: Variant(render_async=on_loop),
    }


def books(count: int) -> QuerySet[Book]:
    """The books of a page, with nothing loaded beside them."""
    return Book.objects.order_by("pk")[:count]


@page("relations", "50 books, each with author, publisher, country, tags and a count of reviews")
def relations(effort: Effort) -> list[Row]:
    """Measure a page that is left to load its relations itself."""
    count = effort.size(50, 6)
    fill(count)
    variants = variants_of("queries/books.html", lambda: {"books": books(count)})
    check_outputs("relations", variants)
    row = Row("relations", f"{count} books", "ms", milliseconds(variants, effort))
    queries = queries_of(variants)
    row.outcomes.append(judge("queries, ours async", queries[OURS_ASYNC], at_most=6))
    row.notes.append(f"stock takes {queries[STOCK_IN_THREAD]} queries")
    return [row.hold_against(FASTER)]


@page("nested", "30 authors, the books of each, the tags of each book")
def nested(effort: Effort) -> list[Row]:
    """Measure loops within loops."""
    count = effort.size(30, 3)
    fill(count * BOOKS_OF_ONE)
    variants = variants_of("queries/authors.html", lambda: {"authors": Author.objects.all()})
    check_outputs("nested", variants)
    row = Row("nested", f"{count} authors", "ms", milliseconds(variants, effort))
    queries = queries_of(variants)
    row.outcomes.append(judge("queries, ours async", queries[OURS_ASYNC], at_most=3))
    row.notes.append(f"stock takes {queries[STOCK_IN_THREAD]} queries")
    # Django's prefetch_related alone, without a template, takes a sixth of stock's time: most of
    # ours is Django making rows and managers.
    return [row.hold_against(FASTER)]


@page("inheritance", "60 goods with their children, and the phones with their parents")
def inheritance(effort: Effort) -> list[Row]:
    """Measure multi-table inheritance, from parents down and from children up."""
    count = effort.size(60, 6)
    fill_goods(count)

    def values() -> dict[str, Any]:
        return {"goods": Good.objects.order_by("pk"), "phones": Phone.objects.order_by("pk")}

    variants = variants_of("queries/goods.html", values)
    check_outputs("inheritance", variants)
    row = Row("inheritance", f"{count} goods", "ms", milliseconds(variants, effort))
    queries = queries_of(variants)
    row.outcomes.append(judge("queries, ours async", queries[OURS_ASYNC], at_most=9))
    row.notes.append(f"stock takes {queries[STOCK_IN_THREAD]} queries")
    return [row.hold_against(NO_SLOWER)]


@page("parents", "phones with what their parents' tables hold, for which nobody queries")
def parents(effort: Effort) -> list[Row]:
    """Measure parents that are made of their children's columns."""
    count = effort.size(180, 6)
    fill_goods(count)
    variants = variants_of("queries/phones.html", lambda: {"phones": Phone.objects.order_by("pk")})
    check_outputs("parents", variants)
    row = Row("parents", f"{count // 3} phones", "ms", milliseconds(variants, effort))
    row.outcomes.append(judge("queries, ours async", queries_of(variants)[OURS_ASYNC], at_most=1))
    return [row.hold_against(AS_FAST)]


@page("methods", "a queryset's own methods: exists, count, first, last, all")
def methods(effort: Effort) -> list[Row]:
    """Measure a page whose time goes to the queries that it names itself."""
    count = effort.size(50, 6)
    fill(count)
    variants = variants_of("queries/methods.html", lambda: {"books": Book.objects.order_by("pk")})
    check_outputs("methods", variants)
    row = Row("methods", f"{count} books", "ms", milliseconds(variants, effort))
    queries = queries_of(variants)
    most = queries[STOCK_IN_THREAD]
    row.outcomes.append(judge("queries, ours async", queries[OURS_ASYNC], at_most=most))
    return [row.hold_against(AS_FAST)]


@page("code", "1,000 loaded rows that print themselves, with a property and a choice each")
def code(effort: Effort) -> list[Row]:
    """Measure Python code of many rows, which may reach for what was not loaded."""
    count = effort.size(1_000, 5)
    rows = [Parcel(pk=number, name=f"P{number}", state="SD"[number % 2]) for number in range(count)]
    variants = variants_of("queries/code.html", lambda: {"parcels": rows})
    check_outputs("code", variants)
    row = Row("code", f"{count} rows", "ms", milliseconds(variants, effort))
    return [row.hold_against(AS_FAST)]


@page("columns", "5,000 loaded rows whose relations nobody touches: batch against fetch")
def columns(effort: Effort) -> list[Row]:
    """Measure what batches cost a page that has no use for them."""
    count = effort.size(5_000, 5)
    fill(count)
    name, values = "queries/columns.html", {"books": list(books(count))}
    ours = our_backend().get_template(name)

    def variants(policy: str) -> tuple[Variant, Variant]:
        async def on_loop() -> str:
            return await ours.render_async(values, relations=policy)

        return Variant(lambda: ours.render(values, relations=policy)), Variant(render_async=on_loop)

    every: dict[str, Variant] = {}
    every[OURS_FETCH], every[OURS_ASYNC_FETCH] = variants("fetch")
    every[OURS], every[OURS_ASYNC] = variants("batch")
    stock = Variant(lambda: stock_backend().get_template(name).render(values))
    check_outputs("columns", {STOCK: stock, **every})
    times = milliseconds(every, effort, effort.size(ROUNDS, 2))
    row = Row("columns", f"{count} rows", "ms", times)
    return [row.hold_against(NO_DEARER)]


@page("loaded", "the books of 'relations', from a view that loads what the page shows")
def loaded(effort: Effort) -> list[Row]:
    """Measure a page that has no need of us, and count what it waits for."""
    count = effort.size(50, 6)
    fill(count)

    def values() -> dict[str, Any]:
        rows = books(count).select_related("author__publisher__country").prefetch_related("tags")
        return {"books": rows.annotate(review_count=Count("reviews"))}

    variants = variants_of("queries/loaded.html", values)
    check_outputs("loaded", variants)
    row = Row("loaded", f"{count} books", "ms", milliseconds(variants, effort))
    queries = queries_of(variants)
    row.outcomes += [
        judge("queries, ours async", queries[OURS_ASYNC], at_most=queries[STOCK_IN_THREAD]),
        judge("hops, ours async", hops_of(variants[OURS_ASYNC]), at_most=1),
    ]
    return [row.hold_against((Target(OURS_ASYNC, STOCK_IN_THREAD, at_most=1),))]


# -- counting --------------------------------------------------------------------------------------


def queries_of(variants: dict[str, Variant]) -> dict[str, int]:
    """Count the queries of one render of each variant."""
    with asyncio.Runner() as runner:
        return {name: _queries(variant, runner) for name, variant in variants.items()}


def _queries(variant: Variant, runner: asyncio.Runner) -> int:
    """Count in the thread that queries: this one, or the one that awaiting sends them to."""
    found: list[str] = []

    @contextmanager
    def counting() -> Iterator[None]:
        def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            found.append(sql)
            return execute(sql, params, many, context)

        with connection.execute_wrapper(note):
            yield

    if variant.render is not None:
        with counting():
            variant.render()
        return len(found)
    wrapper = counting()
    runner.run(sync_to_async(wrapper.__enter__)())
    try:
        variant.once(runner)
    finally:
        runner.run(sync_to_async(wrapper.__exit__)(None, None, None))
    return len(found)


class CountingLoop(asyncio.SelectorEventLoop):
    """An event loop that counts what it gives to threads."""

    hops = 0

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        """Do as the usual loop, and count."""
        self.hops += 1
        return super().run_in_executor(executor, func, *args)


def hops_of(variant: Variant) -> int:
    """Count how often one render waits for a thread."""
    loop = CountingLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        variant.once(runner)
    return loop.hops
