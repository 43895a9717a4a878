"""``python -m benchmarks.recorder_run FILE``: measure the demo's list page; print JSON.

Runs with the demo's settings, see `recorder_pages`. The page is rendered with its queries, from the
view's own queryset, by two backends that differ in the recorder alone.
"""

from __future__ import annotations

import argparse
import json
from io import StringIO
from typing import Any


def main() -> None:
    """Make the bookshop's database, measure, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("file", help="what is recorded goes there")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    import django

    django.setup()
    from django.core.management import call_command

    from .measure import Effort, milliseconds

    call_command("migrate", verbosity=0)
    call_command("load_books", stdout=StringIO())
    variants = {**variants_of("off", None), **variants_of("on", {"file": options.file})}
    print(json.dumps(milliseconds(variants, Effort(quick=options.quick), None)))


def variants_of(name: str, recorder: dict[str, Any] | None) -> dict[str, Any]:
    """The list page, rendered by blocking and on the loop, with a recorder or without one."""
    from django.conf import settings
    from django.core.paginator import Paginator
    from django.test import RequestFactory
    from django.urls import resolve

    from atemplates.engines.django import DjangoTemplates
    from shop.models import Book
    from shop.views import BookList

    from .measure import Variant

    entry = {**settings.TEMPLATES[0], "NAME": f"recorder {name}", "DIRS": []}
    del entry["BACKEND"]
    entry["OPTIONS"] = {**entry["OPTIONS"], "debug": False, "recorder": recorder}
    entry["OPTIONS"]["context_processors"] = []
    template = DjangoTemplates(entry).get_template("shop/book_list.html")
    request = RequestFactory().get("/")
    request.resolver_match = resolve("/")

    def context() -> dict[str, Any]:
        paginator = Paginator(Book.objects.for_cards(), BookList.paginate_by)
        page = paginator.page(1)
        return {
            "section": "books",
            "books": page.object_list,
            "page_obj": page,
            "paginator": paginator,
        }

    async def render_async() -> Any:
        from asgiref.sync import sync_to_async

        return await template.render_async(await sync_to_async(context)(), request)

    return {
        name: Variant(lambda: template.render(context(), request)),
        f"{name} async": Variant(render_async=render_async),
    }


if __name__ == "__main__":
    main()
