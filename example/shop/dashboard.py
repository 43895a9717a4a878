"""The dashboard: five queries that do not depend on each other, and five ways to deliver them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db.models import Avg, Count, F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.utils import EngineHandler

from atemplates import aload, arender

from .facts import current_facts
from .forms import LatencyForm
from .latency import Pause
from .models import Author, Book, Country, Review, Tag

Context = dict[str, Any]
PAGE = "shop/dashboard.html"


def panels(latency: int) -> dict[str, QuerySet]:
    """The queries, by the names that they have in the template.

    Args:
        latency: the milliseconds that each waits in the database besides.
    """
    centuries = Book.objects.filter(Pause(latency, "centuries"))
    authors = Author.objects.filter(Pause(latency, "authors"))
    reviews = Review.objects.filter(Pause(latency, "reviews"))
    countries = Country.objects.filter(Pause(latency, "countries"))
    subjects = Tag.objects.filter(Pause(latency, "subjects"))
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
    compared()  # its "parallel" says how many load at a time
    started = {name: aload(value) for name, value in context.items() if isinstance(value, QuerySet)}
    return await arender(request, PAGE, context | started)


async def by_option(request: HttpRequest, context: Context) -> HttpResponse:
    """Settings that say it: ``OPTIONS["parallel"]`` of the backend."""
    template = await compared()["parallel"].aget_template(PAGE)
    return HttpResponse(await template.render_async(context, request))


class Delivery(NamedTuple):
    """A way to deliver the page.

    Attributes:
        title: what the page calls it.
        respond: renders the page.
    """

    title: str
    respond: Callable[[HttpRequest, Context], Awaitable[HttpResponse]]


DELIVERIES = {
    "stock": Delivery("stock Django in a thread", by_stock),
    "plain": Delivery("atemplates as it is", by_default),
    "tag": Delivery("{% parallel %}", by_tag),
    "aload": Delivery("aload()", by_aload),
    "option": Delivery('OPTIONS["parallel"]', by_option),
}


async def dashboard(request: HttpRequest, delivery: str = "tag") -> HttpResponse:
    """The shop at a glance.

    Args:
        delivery: how the page is made, one of `DELIVERIES`; the panels are the same.
    """
    if delivery not in DELIVERIES:
        raise Http404(f"{delivery!r} is none of {', '.join(DELIVERIES)}.")
    form = LatencyForm(request.GET, label_suffix="")
    latency = form.cleaned_data["latency"] if form.is_valid() else None
    context = {
        "section": "dashboard",
        "form": form,
        "delivery": delivery,
        "deliveries": DELIVERIES,
        "facts": current_facts.get(),
        **panels(latency or 0),
    }
    return await DELIVERIES[delivery].respond(request, context)
