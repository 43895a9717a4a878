"""What a sync render awaits is awaited on connections of its own, which are closed at the end.

A connection of django-async-backend belongs to the task that first used it. What a sync render
waits for runs in a task that nobody else sees, and often on a loop of its own: the connection of a
request is of no use there, and one that was opened there is of no use to anybody later.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Any

ASYNC_BACKEND = "django_async_backend.db"
"""The module that makes the connections. It is looked for where a site has imported it."""


def has_async_backend() -> bool:
    """Whether the site uses django-async-backend."""
    return ASYNC_BACKEND in sys.modules


async def await_apart(function: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
    """Await ``function(...)`` on connections of its own, but for a request in a transaction.

    What that has written can be read by the task of the request only: its connection is left to
    refuse.
    """
    backend: Any = sys.modules[ASYNC_BACKEND]
    opened = backend.async_connections.all(initialized_only=True)
    new_connection = getattr(backend, "async_new_connection", None)  # not before 6.1
    if new_connection is None or any(connection.in_atomic_block for connection in opened):
        return await function(*args, **kwargs)
    async with new_connection():
        return await function(*args, **kwargs)
