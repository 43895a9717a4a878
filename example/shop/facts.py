"""What a page's footer tells: who rendered it, with how many queries, in what time."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


@dataclass
class PageFacts:
    """The facts of one request, gathered while it is answered."""

    engine: str = ""
    mode: str = ""
    queries: int = 0
    started: float = field(default_factory=perf_counter)

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
    """Run a query and count it for the request that it is made for."""
    facts = current_facts.get()
    if facts is not None:
        facts.queries += 1
    return execute(sql, params, many, context)


def note_engine(alias: str) -> None:
    """Remember which template engine renders the current request's page."""
    facts = current_facts.get()
    if facts is not None:
        facts.engine = alias
