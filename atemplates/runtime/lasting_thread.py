"""The request's thread, for a task that lives longer than the view that began it.

A view behind sync middleware runs inside an `async_to_sync`, whose thread does the sync work of the
view while it waits for it. When the view has ended nobody does, and whatever the view has begun
would fail with its next query. The thread is the same one afterwards; only who hands it work is
another.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

from asgiref.sync import SyncToAsync

from .errands import put_back, thread_of_task


class LastingExecutor(Executor):
    """Hands work to the thread of an `async_to_sync` while that waits, and afterwards to the
    request's own.

    Args:
        executor: what the `async_to_sync` made for as long as it waits.
    """

    def __init__(self, executor: Any) -> None:
        self.executor = executor

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have a function called in the thread."""
        if not has_ended(self.executor):
            return self.executor.submit(fn, *args, **kwargs)  # type: ignore[no-any-return]
        return _executor_of_request().submit(fn, *args, **kwargs)


def outlive_view() -> None:
    """Let the sync work of this context be done also when the view that runs has ended."""
    executor = thread_of_task()
    if executor is not None and type(executor) is not LastingExecutor:
        put_back(LastingExecutor(executor))


def has_ended(executor: Any) -> bool:
    """Whether nobody waits any more in the thread of an `async_to_sync`, nor of one around it."""
    while executor is not None:
        if type(executor) is LastingExecutor:
            executor = executor.executor
        elif getattr(executor, "_broken", False):
            executor = getattr(executor, "_old_executor", None)
        else:
            return False
    return True


def _executor_of_request() -> Executor:
    # As `sync_to_async` finds it where no `async_to_sync` waits.
    context = SyncToAsync.thread_sensitive_context.get(None)
    if context is None:
        return SyncToAsync.single_thread_executor
    known = SyncToAsync.context_to_thread_executor
    if context not in known:
        known[context] = ThreadPoolExecutor(max_workers=1)
    return known[context]
