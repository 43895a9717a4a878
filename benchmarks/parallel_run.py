"""``python -m benchmarks.parallel_run {cases,overlaps,streams}``: measure pages that wait, as JSON.

A process of its own: it has the demo's settings, and a database that is made for it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from collections.abc import Callable
from typing import Any

import django
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections

from .measure import Effort, Variant, milliseconds
from .results import OURS_ASYNC, STOCK_IN_THREAD

ONE, ALONE, ONE_BY_ONE, THREE = "one branch", "one, aload", "one by one", "three"
LONG, SHORT = 100, 10
"""Milliseconds of the waits."""
ROUNDS = 7
WARM = 2
"""How many renders are not measured: templates are compiled, and connections are opened."""


def set_up(pool: bool) -> None:
    """Set Django up as the demo does, for a database of this process."""
    settings.ALLOWED_HOSTS = ["testserver"]
    database: dict[str, Any] = settings.DATABASES["default"]
    if "sqlite" in database["ENGINE"]:
        database["TEST"] = {"NAME": f"{database['NAME']}-benchmarks"}
    else:
        database["NAME"] = f"atemplates_{os.getpid()}"
    if pool:
        database["OPTIONS"] = {"pool": {"min_size": 8, "max_size": 8}}
    django.setup()


def measured(variants: dict[str, Any], effort: Effort) -> dict[str, Any]:
    """Return how long each takes, and what each gives: the same, or nothing was compared."""
    made = {name: Variant(render_async=each) for name, each in variants.items()}
    with asyncio.Runner() as runner:
        outputs = [{name: each.once(runner) for name, each in made.items()} for _ in range(WARM)][
            -1
        ]
    rounds = effort.size(ROUNDS, 1)
    return {"outputs": outputs, "milliseconds": milliseconds(made, effort, rounds)}


def measured_cases(effort: Effort) -> dict[str, Any]:
    """Measure the cases: title -> what was measured, and the ``limit``."""
    from .parallel_cases import cases

    found = {}
    for title, case in cases(effort.size(LONG, 6), effort.size(SHORT, 2)).items():
        variants = {ONE: case.one, ONE_BY_ONE: case.one_by_one, OURS_ASYNC: case.together}
        if case.stock is not None:
            variants[STOCK_IN_THREAD] = case.stock
        if case.alone is not None:
            variants[ALONE] = case.alone
        found[title] = measured(variants, effort) | {"limit": case.limit}
    return found


def measured_overlaps(effort: Effort) -> dict[str, Any]:
    """Measure what overlaps: title -> what was measured, and whether it is expected to."""
    from .parallel_cases import overlaps

    return {
        title: measured({ONE: each.one, THREE: each.three}, effort) | {"overlaps": each.overlaps}
        for title, each in overlaps(effort.size(LONG, 6)).items()
    }


def measurement(what: str) -> Callable[[Effort], dict[str, Any]]:
    """Return the function that measures."""
    if what == "streams":
        from .stream_cases import measured_streams

        return measured_streams
    return measured_cases if what == "cases" else measured_overlaps


def main() -> None:
    """Make the database, measure, and drop it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["cases", "overlaps", "streams"])
    parser.add_argument("--pool", action="store_true", help="psycopg's pool of connections")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    set_up(options.pool)
    from django.test.utils import setup_databases, teardown_databases

    from shop.catalogue import load, read_books

    databases = setup_databases(verbosity=0, interactive=False)
    try:
        load(read_books())
        print(json.dumps(measurement(options.what)(Effort(quick=options.quick))))
    finally:
        asyncio.run(sync_to_async(connections.close_all)())
        teardown_databases(databases, verbosity=0)


if __name__ == "__main__":
    main()
