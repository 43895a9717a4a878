"""``python -m benchmarks.crispy_run ENGINE``: render forms with django-crispy-forms; print JSON.

One process, one engine: the library keeps the templates that it has found, so that the first
engine of a process would render them for every other one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import django
from asgiref.sync import sync_to_async
from django.conf import settings

from .engines import parameters
from .measure import Variant
from .results import OURS, OURS_ASYNC, STOCK, STOCK_IN_THREAD

BACKENDS = {
    STOCK: "django.template.backends.django.DjangoTemplates",
    OURS: "atemplates.engines.django.DjangoTemplates",
}
COLUMNS = {STOCK: (STOCK, STOCK_IN_THREAD), OURS: (OURS, OURS_ASYNC)}
"""Engine -> the columns of its sync and of its async renders."""
TEMPLATE = "{% load crispy_forms_tags %}<form>{{ form|crispy }}</form>"
WARM = 30
"""How many renders are not measured: what runs is learned, and templates are compiled."""


def set_up(engine: str) -> None:
    """Set Django up as a site that has the library and one engine."""
    settings.TEMPLATES = [parameters("only") | {"BACKEND": BACKENDS[engine]}]
    django.setup()


def variants(engine: str, values: Callable[[], dict[str, Any]]) -> dict[str, Variant]:
    """Return the form as rendered by the engine, sync and async, each time with new values."""
    from django.template import engines

    template: Any = engines["only"].from_string(TEMPLATE)  # type: ignore[attr-defined]

    async def in_thread() -> Any:
        return await sync_to_async(lambda: template.render(values()))()

    async def on_loop() -> Any:
        return await template.render_async(values())

    sync, asynchronous = COLUMNS[engine]
    return {
        sync: Variant(lambda: template.render(values())),
        asynchronous: Variant(render_async=in_thread if engine == STOCK else on_loop),
    }


def main() -> None:
    """Print each form's output by each variant, and the milliseconds of CPU time of a render."""
    parser = argparse.ArgumentParser()
    parser.add_argument("engine", choices=BACKENDS)
    parser.add_argument("--renders", type=int, default=100)
    options = parser.parse_args()
    set_up(options.engine)
    from .form_pages import WRONG
    from .site_pages import ContactForm

    forms: dict[str, Callable[[], dict[str, Any]]] = {
        "a form": lambda: {"form": ContactForm()},
        "with errors": lambda: {"form": ContactForm(WRONG)},
    }
    found: dict[str, dict[str, Any]] = {}
    with asyncio.Runner() as runner:
        for title, values in forms.items():
            found[title] = {}
            for name, variant in variants(options.engine, values).items():
                output = [str(variant.once(runner)) for _ in range(WARM)][-1]
                seconds = variant.seconds(runner, options.renders, time.process_time)
                found[title][name] = {"output": output, "milliseconds": seconds * 1000}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
