"""What a page's footer tells: who rendered it, with how many queries, in what time."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


@dataclass(frozen=True)
class Query:
    """A query of a page: when it began, counted from the request, and how long it took, in ms."""

    began: float
    milliseconds: float


@dataclass
class PageFacts:
    """The facts of one request, gathered while it is answered."""

    engine: str = ""
    mode: str = ""
    all_queries: list[Query] = field(default_factory=list)
    named: dict[str, Query] = field(default_factory=dict)
    started: float = field(default_factory=perf_counter)

    @property
    def queries(self) -> int:
        """How many queries were made."""
        return len(self.all_queries)

    @property
    def slowest(self) -> float:
        """The milliseconds of the slowest query that has a name."""
        return max((query.milliseconds for query in self.named.values()), default=0.0)

    @property
    def one_by_one(self) -> float:
        """The milliseconds that the queries with names would take one after the other."""
        return sum(query.milliseconds for query in self.named.values())

    def add_query(self, sql: str, began: float) -> None:
        """Note a query that is done; a comment in it may give it a name."""
        query = Query((began - self.started) * 1000, (perf_counter() - began) * 1000)
        self.all_queries.append(query)
        if name := re.search(r"/\* query: (\w+) \*/", sql):
            self.named[name[1]] = query

    @property
    def milliseconds(self) -> float:
        """The time since the request came in."""
        return (perf_counter() - self.started) * 1000

    def headers(self) -> dict[str, str]:
        """The facts as response headers; engine and mode only if a template was rendered."""
        headers = {"X-Queries": str(self.queries), "X-Render-Ms": f"{self.milliseconds:.1f}"}
        if self.engine:
            headers |= {"X-Atemplates-Engine": self.engine, "X-Atemplates-Mode": self.mode}
        return headers

    def sentence(self) -> str:
        """The facts as HTML for the footer."""
        queries = f"{self.queries} {'query' if self.queries == 1 else 'queries'}"
        return (
            f"Rendered by <strong>{self.engine} / {self.mode}</strong> "
            f"with {queries} in {self.milliseconds:.1f} ms."
        )


# asgiref hands the context to the thread in which a request's queries run, so that what is counted
# there arrives here, and requests that are answered at the same time are not mixed up.
current_facts: ContextVar[PageFacts | None] = ContextVar("current_facts", default=None)


def count_queries_of(*, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Let a database connection that was just opened count its queries."""
    if count_query not in connection.execute_wrappers:
        connection.execute_wrappers.append(count_query)


def count_query(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """Run a query and note it for the request that it is made for, on whatever connection."""
    began = perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        facts = current_facts.get()
        if facts is not None:
            facts.add_query(sql, began)


def note_engine(alias: str, mode: str = "") -> None:
    """Remember which template engine renders the current request's page.

    Args:
        mode: how; the middleware knows it of the engines that settings name.
    """
    facts = current_facts.get()
    if facts is not None:
        facts.engine, facts.mode = alias, mode
