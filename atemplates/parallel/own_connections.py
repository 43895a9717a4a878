"""The database connections of a worker's thread: opened without waiting, watched, and closed.

A worker waits for no connection: whoever waits for the worker may hold the one that it would wait
for. Where none is to be had at once, the load goes back to the request's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import connections

from ..errors import logger

MOMENT = 0.1
"""The seconds after which an idle connection that somebody else took first is not waited for."""


class NoConnection(Exception):
    """A worker has no connection, and its load has to go back."""


class _IdleConnections:
    """A pool of psycopg's as a worker sees it: it hands out what is idle, and nothing else."""

    def __init__(self, pool: Any) -> None:
        self.pool = pool

    def __getattr__(self, name: str) -> Any:
        return getattr(self.pool, name)

    def getconn(self) -> Any:
        """Return an idle connection.

        Raises:
            psycopg_pool.PoolTimeout: there is none. The pool grows if it may, for the next one.
        """
        idle = self.pool.get_stats().get("pool_available", 0)
        return self.pool.getconn(timeout=MOMENT if idle else 0.001)


@lru_cache(maxsize=64)
def _own_class(kind: Any) -> Any:
    """Return the class of a worker's connections, made from that of the backend."""

    def connect(self: Any) -> None:
        try:
            kind.connect(self)
        except Exception as error:
            self.not_opened = error
            raise
        self.not_opened = None

    def pool(self: Any) -> Any:
        found = kind.pool.__get__(self)
        return None if found is None else _IdleConnections(found)

    members: dict[str, Any] = {
        "connect": connect,
        "not_opened": None,
        "__module__": kind.__module__,
    }
    if isinstance(getattr(kind, "pool", None), property):
        members["pool"] = property(pool)
    return type(kind.__name__, (kind,), members)


def own_connection(alias: str) -> Any:
    """Return this thread's connection to a database; it need not be open."""
    connection: Any = connections[alias]
    kind: Any = type(connection)
    if not hasattr(kind, "not_opened"):
        connection = _own_class(kind)(connections.settings[alias], alias)
        connections[alias] = connection
    return connection


class Watch(NamedTuple):
    """Who sees the queries of a connection of the request's thread."""

    alias: str
    wrappers: tuple[Any, ...]
    log: Any
    """Where its queries are noted; None when they are not."""

    @classmethod
    def of(cls, alias: str) -> Watch:
        """Return who sees this thread's queries to a database."""
        connection: Any = connections[alias]
        log = connection.queries_log if connection.queries_logged else None
        return cls(alias, tuple(connection.execute_wrappers), log)


@contextmanager
def watched(watches: Iterable[Watch], opened: str | None) -> Iterator[None]:
    """Let those who see the request's queries see what this thread asks inside.

    Args:
        opened: the alias of a database whose connection is opened first, if that is known.

    Raises:
        NoConnection: a connection could not be had at once.
    """
    used = []
    for watch in watches:
        connection = own_connection(watch.alias)
        connection.not_opened = None
        connection.execute_wrappers[:] = watch.wrappers
        connection.force_debug_cursor = watch.log is not None
        connection.queries_log.clear()
        used.append((watch, connection))
    try:
        if opened is not None:
            _open(own_connection(opened))
        try:
            yield
        finally:
            # Whatever code of the site has made of it, in the request's thread it may be another.
            for _, connection in used:
                if connection.not_opened is not None:
                    raise _no_connection(connection, connection.not_opened)
    finally:
        for watch, connection in used:
            connection.execute_wrappers.clear()
            connection.force_debug_cursor = False
            if watch.log is not None:
                watch.log.extend(connection.queries_log)
            connection.queries_log.clear()


def _open(connection: Any) -> None:
    """Open a connection.

    Raises:
        NoConnection: it cannot be opened; in the request's thread the same may work, or fail as it
            does on a page without loads.
    """
    try:
        connection.ensure_connection()
    except Exception as error:
        raise _no_connection(connection, error) from error


def _no_connection(connection: Any, error: BaseException) -> NoConnection:
    if type(error.__cause__ or error).__name__ == "PoolTimeout":
        return NoConnection(f"the pool of {connection.alias!r} had no idle connection")
    return NoConnection(f"no connection to {connection.alias!r} could be opened: {error}")


def keep_connections() -> None:
    """Before the next load: close the connections that are not as they were when they opened."""
    _each(_close_if_changed)


def rest_connections() -> None:
    """Without a next load: close them or give them back, but for what ``CONN_MAX_AGE`` keeps."""
    _each(_close_if_over)


def close_connections() -> None:
    """Close the connections of this thread, which ends."""
    _each(_close)


def _close_if_changed(connection: Any) -> None:
    is_open = connection.connection is not None
    usual = connection.settings_dict["AUTOCOMMIT"]
    if is_open and (connection.errors_occurred or connection.autocommit != usual):
        connection.close()


def _close_if_over(connection: Any) -> None:
    if connection.in_atomic_block:
        connection.close()
    else:
        connection.close_if_unusable_or_obsolete()


def _close(connection: Any) -> None:
    connection.close()


def _each(close: Callable[[Any], None]) -> None:
    for connection in connections.all(initialized_only=True):
        try:
            close(connection)
        except Exception:
            logger.exception("A connection to %r could not be closed.", connection.alias)
            del connections[connection.alias]
