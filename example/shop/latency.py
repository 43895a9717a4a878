"""A query that takes as long as it is told to, in the database and so on its own connection."""

from __future__ import annotations

import time
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, Func


class Pause(Func):
    """A condition that is true, after a while; a query waits once, however many rows it has.

    Args:
        milliseconds: how long.
        name: is written into the SQL as a comment, by which `facts` knows the query.
    """

    output_field = BooleanField()

    def __init__(self, milliseconds: int, name: str) -> None:
        super().__init__()
        self.milliseconds = milliseconds
        self.name = name

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[float]]:
        return f"(SELECT pause(%s) /* query: {self.name} */)", [self.milliseconds / 1000]

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        # A subquery that depends on no row is run once. pg_sleep gives no value.
        sql = f"(SELECT TRUE FROM pg_sleep(%s) /* query: {self.name} */)"
        return sql, [self.milliseconds / 1000]


def add_pause(*, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Give a SQLite connection that was just opened what PostgreSQL has as ``pg_sleep``."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("pause", 1, pause)


def pause(seconds: float) -> bool:
    """Keep a connection busy."""
    time.sleep(seconds)
    return True
