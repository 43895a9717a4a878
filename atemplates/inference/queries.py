"""No query while the source of a site is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.db import connections


class QueryTried(Exception):
    """A method of the site wanted to query while its queryset was being looked at."""


@contextmanager
def no_queries() -> Iterator[None]:
    """Raise `QueryTried` instead of sending a query, on every connection of this thread."""

    def refuse(*args: Any) -> Any:
        raise QueryTried

    with ExitStack() as stack:
        for connection in connections.all():
            stack.enter_context(connection.execute_wrapper(refuse))
        yield
