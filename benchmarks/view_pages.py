"""Class-based views: ours on the loop, Django's in a thread, both as its ASGI handler runs them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from asgiref.sync import ThreadSensitiveContext, iscoroutinefunction, sync_to_async
from django.test import RequestFactory
from django.views import generic

from atemplates import views

from .library import fill
from .measure import Effort, Variant, milliseconds
from .models import Book
from .outputs import check_outputs
from .registry import page
from .results import OURS_ASYNC, STOCK_IN_THREAD, Row, Target

NO_SLOWER = (Target(STOCK_IN_THREAD, OURS_ASYNC, at_least=1),)
BOOKS = 60


@page("views", "class-based views: a list, a detail, a form, and a list with hooks of each colour")
def class_based_views(effort: Effort) -> list[Row]:
    """Measure requests of generic views, from the view function to the rendered response."""
    fill(BOOKS)
    rows = []
    stock, ours = _views_of(generic), _views_of(views)
    pairs = {name: (view, ours[name]) for name, view in stock.items()}
    pairs["list, async hooks"] = (stock["list, sync hooks"], _with_async_hooks(ours["list"]))
    for title, (theirs, own) in pairs.items():
        variants = {
            STOCK_IN_THREAD: _variant(theirs, "stock"),
            OURS_ASYNC: _variant(own, "django"),
        }
        check_outputs("views", variants)
        row = Row("views", title, "ms", milliseconds(variants, effort))
        rows.append(row.hold_against(NO_SLOWER))
    return rows


def _views_of(generic: ModuleType) -> dict[str, Any]:
    """The views, of the classes in ``generic``."""

    class List(generic.ListView):  # type: ignore[name-defined, misc]
        queryset = Book.objects.order_by("pk")
        paginate_by = 20
        template_name = "django/views/list.html"

    class Detail(generic.DetailView):  # type: ignore[name-defined, misc]
        model = Book
        template_name = "django/views/detail.html"

    class Form(generic.UpdateView):  # type: ignore[name-defined, misc]
        model = Book
        fields = ["title", "slug", "year", "summary"]
        template_name = "django/views/detail.html"

    class SyncHooks(List):
        def get_queryset(self) -> Any:
            return super().get_queryset().filter(year__gt=1000)

        def get_context_data(self, **kwargs: Any) -> Any:
            return {**super().get_context_data(**kwargs), "more": 1}

    return {"list": List, "detail": Detail, "form": Form, "list, sync hooks": SyncHooks}


def _with_async_hooks(view: Any) -> Any:
    class AsyncHooks(view):  # type: ignore[misc]
        async def get_queryset(self) -> Any:
            return (await super().get_queryset()).filter(year__gt=1000)

        async def get_context_data(self, **kwargs: Any) -> Any:
            return {**await super().get_context_data(**kwargs), "more": 1}

    return AsyncHooks


def _variant(view: Any, engine: str) -> Variant:
    """What Django's ASGI handler does with a view: it calls it, and renders what that returns."""
    function = view.as_view(template_engine=engine)
    kwargs = {} if issubclass(view, generic.ListView) else {"pk": 1}
    request = RequestFactory().get("/")

    async def respond() -> str:
        async with ThreadSensitiveContext():
            response = await _on_loop(function)(request, **kwargs)
            response = await _on_loop(response.render)()
        text: str = response.content.decode()
        return text

    return Variant(render_async=respond)


def _on_loop(function: Any) -> Any:
    return function if iscoroutinefunction(function) else sync_to_async(function)
