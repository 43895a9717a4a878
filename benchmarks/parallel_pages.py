"""Pages that wait several times: as fast as the slowest of their waits, or one after the other."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from .cold_pages import ROOT
from .measure import Effort, Variant
from .outputs import check_outputs
from .parallel_run import ONE, ONE_BY_ONE, THREE
from .registry import page
from .results import OURS_ASYNC, STOCK_IN_THREAD, Row, Target, judge

POSTGRESQL = "postgres://postgres@127.0.0.1:5432/postgres"
"""Where a server is looked for that ``DATABASE_URL`` does not name."""
OVERLAPPING, ONE_AFTER_THE_OTHER = 1.15, 2.5
"""Three over one, at most, and at least."""


class Database(NamedTuple):
    """Where the queries of the pages wait.

    Attributes:
        arguments: what it takes on the command line of the process that measures.
    """

    title: str
    url: str
    arguments: tuple[str, ...] = ()


def databases(folder: str) -> list[Database]:
    """PostgreSQL where one answers, also with psycopg's pool where it is installed, or SQLite."""
    url = os.environ.get("DATABASE_URL") or POSTGRESQL
    if url.startswith("postgres") and answers(url):
        found = [Database("PostgreSQL", url)]
        if importlib.util.find_spec("psycopg_pool"):
            found.append(Database("PostgreSQL, pool", url, ("--pool",)))
        return found
    return [Database("SQLite", f"sqlite:///{Path(folder) / 'pages.sqlite3'}")]


def answers(url: str) -> bool:
    """Whether a PostgreSQL server lets us in."""
    if not importlib.util.find_spec("psycopg"):
        return False
    import psycopg

    try:
        psycopg.connect(url.rpartition("/")[0] + "/postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def measured(what: str, database: Database, effort: Effort) -> dict[str, dict[str, Any]]:
    """Measure in a process of its own.

    Raises:
        subprocess.CalledProcessError: it failed; its errors are printed.
    """
    command = [sys.executable, "-m", "benchmarks.parallel_run", what, *database.arguments]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "bookshop_site.settings",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "example"), str(ROOT)]),
        "DATABASE_URL": database.url,
        # Debugging keeps the queries of a connection.
        "DEBUG": "0",
        "SECRET_KEY": "only for benchmarks",
    }
    done = subprocess.run(
        [*command, *(["--quick"] if effort.quick else [])],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


def everywhere(what: str, effort: Effort) -> list[tuple[str, dict[str, Any]]]:
    """Measure on each database; return the titles of the rows, and what was measured."""
    if not importlib.util.find_spec("dj_database_url"):
        print(f"{what} is left out: pip install dj-database-url", file=sys.stderr)
        return []
    with TemporaryDirectory() as folder:
        return [
            (f"{title} ({database.title})", found)
            for database in databases(folder)
            for title, found in measured(what, database, effort).items()
        ]


@page("parallel", "pages that wait several times, held against the slowest of their waits")
def parallel_pages(effort: Effort) -> list[Row]:
    """Measure what is asked to take as long as one of its waits."""
    made = []
    for title, found in everywhere("cases", effort):
        compared = (ONE_BY_ONE, OURS_ASYNC, STOCK_IN_THREAD)
        outputs = {
            name: Variant(partial(str, found["outputs"][name]))
            for name in compared
            if name in found["outputs"]
        }
        check_outputs(f"parallel, {title}", outputs)
        row = Row("parallel", title, "ms", found["milliseconds"])
        made.append(row.hold_against((Target(OURS_ASYNC, ONE, at_most=found["limit"]),)))
    return made


@page("overlaps", "what waits 100 ms, once and three times: at the same time or in turn")
def overlapping(effort: Effort) -> list[Row]:
    """Measure what overlaps, and what does not in whatever way it is written."""
    made = []
    for title, found in everywhere("overlaps", effort):
        cells = found["milliseconds"]
        most, least = (OVERLAPPING, None) if found["overlaps"] else (None, ONE_AFTER_THE_OTHER)
        row = Row("overlaps", title, "ms", cells)
        row.outcomes.append(judge(f"{title}, three / one", cells[THREE] / cells[ONE], least, most))
        made.append(row)
    return made
