"""What a page awaits beside its own task is awaited apart: on connections of its own, then closed.

A connection of django-async-backend belongs to the task that first used it, and refuses others. A
part of a page that is rendered at the same time, a load, and what a sync render waits for run in
tasks that nobody else sees: the connection of a request is of no use there, and one that was opened
there is of no use to anybody later.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from types import CoroutineType
from typing import Any

ASYNC_BACKEND = "django_async_backend.db"
"""The module that makes the connections. It is looked for where a site has imported it."""


def has_async_backend() -> bool:
    """Whether the site uses django-async-backend."""
    return ASYNC_BACKEND in sys.modules


def may_be_apart() -> bool:
    """Whether another connection reads what this task's reads: it is in no transaction."""
    if not has_async_backend():
        return True
    opened = sys.modules[ASYNC_BACKEND].async_connections.all(initialized_only=True)
    return not any(connection.in_atomic_block for connection in opened)


async def await_apart(function: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
    """Await ``function(...)`` on connections of its own, but for a request in a transaction.

    What that has written can be read by the task of the request only: its connection is left to
    refuse.
    """
    backend: Any = sys.modules.get(ASYNC_BACKEND)
    new_connection = getattr(backend, "async_new_connection", None)  # not before 6.1
    if new_connection is None or not may_be_apart():
        return await function(*args, **kwargs)
    async with new_connection():
        return await function(*args, **kwargs)


def task_apart(awaitable: Awaitable[Any]) -> asyncio.Future[Any]:
    """Return a task that awaits something apart, or the task that it is."""
    if not has_async_backend() or asyncio.isfuture(awaitable):
        return asyncio.ensure_future(awaitable)
    task = asyncio.ensure_future(await_apart(_await, awaitable))

    def close(ended: Any) -> None:
        if type(awaitable) is CoroutineType:
            awaitable.close()  # the task may have been cancelled before it began

    task.add_done_callback(close)
    return task


async def _await(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
