"""``python -m benchmarks.cold_run ENGINE``: render a page for the first time; print JSON.

One process, one render: what a new worker, a test or a command pays for a page. Django is set up,
the engine is made and the context is there before the clock starts; parsing, compiling and
rendering the page, its parents and all that it includes are measured.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from typing import Any

import django

from .cold_pages import KEPT
from .results import OURS, STOCK


def backend(engine: str, folder: str) -> Any:
    """Make the engine that is measured."""
    from .engines import parameters

    given = parameters("cold")
    if engine == STOCK:
        from django.template.backends.django import DjangoTemplates as StockTemplates

        return StockTemplates(given)
    from atemplates.engines.django import DjangoTemplates

    if engine == KEPT:
        given["OPTIONS"] = {**given["OPTIONS"], "plan_cache": folder}
    return DjangoTemplates(given)


def main() -> None:
    """Render once, and print how long it took, and a digest of what came out."""
    parser = argparse.ArgumentParser()
    parser.add_argument("engine", choices=[STOCK, OURS, KEPT])
    parser.add_argument("folder", help="where compiled code is kept")
    parser.add_argument("--rows", type=int, default=10)
    options = parser.parse_args()
    django.setup()
    from django.middleware.csrf import get_token
    from django.test import RequestFactory

    from .site_pages import as_in_a_request, site_values

    made = backend(options.engine, options.folder)
    request = RequestFactory().get("/articles/")
    request.META["CSRF_COOKIE"] = "x" * 32
    get_token(request)
    values = site_values(options.rows)
    with as_in_a_request():
        start = time.process_time()
        text = made.get_template("site/article_list.html").render(values, request)
        seconds = time.process_time() - start
    digest = hashlib.sha256(str(text).encode()).hexdigest()
    print(json.dumps({"milliseconds": seconds * 1000, "digest": digest, "size": len(str(text))}))


if __name__ == "__main__":
    main()
