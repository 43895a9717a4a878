"""The dashboard: five queries that do not depend on each other, and seven ways to deliver them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import cache
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db.models import Avg, Count, F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.utils import EngineHandler

from atemplates import aload, arender, astream

from .facts import current_facts
from .forms import LatencyForm
from .latency import Pause
from .models import Author, Book, Country, Review, Tag

Context = dict[str, Any]
PAGE = "shop/dashboard.html"
SHARES = {"centuries": 0.4, "authors": 1.0, "reviews": 0.6, "countries": 0.2, "subjects": 0.8}
"""How much of the latency each query waits where they are asked to differ."""


def panels(latency: int, *, uneven: bool = False) -> dict[str, QuerySet]:
    """The queries, by the names that they have in the template.

    Args:
        latency: the milliseconds that each waits in the database besides.
        uneven: whether that is the slowest, and the others wait a share of it.
    """

    def pause(name: str) -> Pause:
        return Pause(round(latency * SHARES[name]) if uneven else latency, name)

    centuries = Book.objects.filter(pause("centuries"))
    authors = Author.objects.filter(pause("authors"))
    reviews = Review.objects.filter(pause("reviews"))
    countries = Country.objects.filter(pause("countries"))
    subjects = Tag.objects.filter(pause("subjects"))
    return {
        "centuries": centuries.values(start=F("year") / 100 * 100)
        .annotate(books=Count("pk"))
        .order_by("start"),
        "authors": authors.annotate(
            stars=Avg("books__reviews__rating"), reviews=Count("books__reviews")
        )
        .filter(reviews__gte=2)
        .order_by("-stars", "-reviews", "sort_name")[:7],
        "reviews": reviews.select_related("user", "book").order_by("-created", "-pk")[:4],
        "countries": countries.annotate(books=Count("publishers__books")).order_by(
            "-books", "name"
        )[:7],
        "subjects": subjects.annotate(size=Count("books")).order_by("-size", "name")[:7],
    }


@cache
def compared() -> dict[str, Any]:
    """The engines that no other page has, by alias."""
    handler = EngineHandler(settings.DASHBOARD_TEMPLATES)
    return {alias: handler[alias] for alias in handler}


async def by_stock(request: HttpRequest, context: Context) -> HttpResponse:
    """Django's own backend, in a thread: each query when the template comes to it."""
    template = compared()["stock"].get_template(PAGE)
    return HttpResponse(await sync_to_async(template.render)(context, request))


async def by_default(request: HttpRequest, context: Context) -> HttpResponse:
    """Our backend, and nothing asked of it: each query when the template comes to it."""
    return await arender(request, PAGE, context)


async def by_tag(request: HttpRequest, context: Context) -> HttpResponse:
    """A template that says it: ``{% parallel %}`` around the panels."""
    return await arender(request, "shop/dashboard_parallel.html", context)


async def by_aload(request: HttpRequest, context: Context) -> HttpResponse:
    """A view that says it: each query begins here, and is awaited where the template needs it."""
    return await arender(request, PAGE, context | begun(context))


def begun(context: Context) -> Context:
    """Begin the queries of a context: name -> what stands for its rows."""
    compared()  # its "parallel" says how many load at a time
    return {name: aload(value) for name, value in context.items() if isinstance(value, QuerySet)}


async def by_option(request: HttpRequest, context: Context) -> HttpResponse:
    """Settings that say it: ``OPTIONS["parallel"]`` of the backend."""
    template = await compared()["parallel"].aget_template(PAGE)
    return HttpResponse(await template.render_async(context, request))


async def by_stream(request: HttpRequest, context: Context) -> HttpResponseBase:
    """The page of the other deliveries, sent while it is rendered: each panel when it and those
    before it are there."""
    return await astream(request, PAGE, context | begun(context), out_of_order=False)


async def by_defer(request: HttpRequest, context: Context) -> HttpResponseBase:
    """A template that says which parts may follow: ``{% defer %}`` around each panel, and each is
    sent when it is there."""
    loads = begun(context)
    all_loaded = has_loaded(loads.values())
    return await astream(
        request, "shop/dashboard_deferred.html", context | loads | {"all_loaded": all_loaded}
    )


async def has_loaded(loads: Iterable[Awaitable[object]]) -> bool:
    """Wait for all of some loads."""
    for load in loads:
        await load
    return True


class Delivery(NamedTuple):
    """A way to deliver the page.

    Attributes:
        title: what the page calls it.
        respond: renders the page.
    """

    title: str
    respond: Callable[[HttpRequest, Context], Awaitable[HttpResponseBase]]


DELIVERIES = {
    "stock": Delivery("stock Django in a thread", by_stock),
    "plain": Delivery("atemplates as it is", by_default),
    "tag": Delivery("{% parallel %}", by_tag),
    "aload": Delivery("aload()", by_aload),
    "option": Delivery('OPTIONS["parallel"]', by_option),
    "stream": Delivery("astream()", by_stream),
    "defer": Delivery("astream() and {% defer %}", by_defer),
}


async def dashboard(request: HttpRequest, delivery: str = "tag") -> HttpResponseBase:
    """The shop at a glance.

    Args:
        delivery: how the page is made, one of `DELIVERIES`; the panels are the same.
    """
    if delivery not in DELIVERIES:
        raise Http404(f"{delivery!r} is none of {', '.join(DELIVERIES)}.")
    form = LatencyForm(request.GET, label_suffix="")
    wanted = form.cleaned_data if form.is_valid() else {}
    context = {
        "section": "dashboard",
        "form": form,
        "delivery": delivery,
        "deliveries": DELIVERIES,
        "facts": current_facts.get(),
        **panels(wanted.get("latency") or 0, uneven=wanted.get("uneven", False)),
    }
    return await DELIVERIES[delivery].respond(request, context)
