"""``python -m benchmarks.trace_run``: measure pages with an active trace and without; print JSON.

Runs with the demo's settings, see `trace_pages`. The pages are rendered with their queries.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .measure import Variant

TABLE = Path(__file__).parent / "templates" / "django" / "table.html"
"""A row has six cells, a cycle, an if, a nested attribute, and something to escape."""

BOOK_TABLE = """<table>{% for book in books %}<tr class="{% cycle 'odd' 'even' %}">
<td>{{ forloop.counter }}</td><td><a href="{{ book.get_absolute_url }}">{{ book.title }}</a></td>
<td>{{ book.author.name }}</td><td>{{ book.year }}</td>
<td>{{ book.title|truncatechars:20 }}</td></tr>
{% endfor %}</table>"""


def main() -> None:
    """Make the bookshop's database, measure, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    import django

    django.setup()
    from django.core.management import call_command

    from .measure import Effort, milliseconds

    call_command("migrate", verbosity=0)
    call_command("load_books", stdout=StringIO())
    effort = Effort(quick=options.quick)
    found = {}
    for name, (template, context) in pages().items():
        found[name] = milliseconds(trace_variants(template, context), effort, None)
    print(json.dumps(found))


def pages() -> dict[str, tuple[Any, Callable[[], dict[str, Any]]]]:
    """The pages by name: the template, and what makes its context."""
    from django.conf import settings
    from django.core.paginator import Paginator

    from atemplates.engines.django import DjangoTemplates
    from shop.dashboard import panels
    from shop.facts import current_facts
    from shop.forms import LatencyForm
    from shop.models import Book
    from shop.views import BookList

    from .table_pages import Record, rows

    entry = {**settings.TEMPLATES[0], "NAME": "measured", "DIRS": []}
    del entry["BACKEND"]
    entry["OPTIONS"] = {**entry["OPTIONS"], "debug": False, "context_processors": []}
    backend = DjangoTemplates(entry)

    def books(lazy: bool) -> dict[str, Any]:
        found = Book.objects.all() if lazy else Book.objects.for_cards()
        paginator = Paginator(found.order_by("pk"), BookList.paginate_by)
        page = paginator.page(1)
        return {
            "section": "books",
            "books": page.object_list,
            "page_obj": page,
            "paginator": paginator,
        }

    table_rows = rows(100, Record)
    table = backend.from_string(TABLE.read_text(encoding="utf-8"))
    book_list = backend.get_template("shop/book_list.html")
    return {
        "book list": (book_list, lambda: books(False)),
        "book list, lazy": (book_list, lambda: books(True)),
        "dashboard": (
            backend.get_template("shop/dashboard.html"),
            lambda: {
                "section": "dashboard",
                **panels(0),
                "facts": current_facts.get(),
                "form": LatencyForm(),
            },
        ),
        "table of 100 books": (
            backend.from_string(BOOK_TABLE),
            lambda: {"books": Book.objects.select_related("author").order_by("pk")[:100]},
        ),
        "table of 100 rows in memory": (table, lambda: {"rows": table_rows}),
    }


def trace_variants(template: Any, context: Callable[[], dict[str, Any]]) -> dict[str, Variant]:
    """A page, rendered by blocking and on the loop, with an active trace and without."""
    from asgiref.sync import sync_to_async
    from django.test import RequestFactory
    from django.urls import resolve

    from atemplates.trace import trace

    from .measure import Variant

    request = RequestFactory().get("/")
    request.resolver_match = resolve("/")
    make_context = sync_to_async(context)

    def traced() -> Any:
        with trace():
            return template.render(context(), request)

    async def render_async() -> Any:
        return await template.render_async(await make_context(), request)

    async def traced_async() -> Any:
        values = await make_context()
        async with trace():
            return await template.render_async(values, request)

    return {
        "off": Variant(lambda: template.render(context(), request)),
        "on": Variant(traced),
        "off async": Variant(render_async=render_async),
        "on async": Variant(render_async=traced_async),
    }


if __name__ == "__main__":
    main()
