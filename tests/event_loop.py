"""The event loop of the async tests: it runs beside the test's thread, not in it."""

import asyncio
import threading
from concurrent.futures import Future
from typing import Any

from asgiref.current_thread_executor import CurrentThreadExecutor
from asgiref.sync import AsyncToSync

PATIENCE = 60.0
"""Seconds after which a test gives up waiting for what never comes; one that passes never waits."""


async def turns(number: int) -> None:
    """Give the event loop a number of turns: an order of tasks that no machine's speed decides."""
    for _ in range(number):
        await asyncio.sleep(0)


class LoopBesideTheTest(asyncio.SelectorEventLoop):
    """An event loop that runs in a thread of its own while the test's thread does its sync work.

    pytest-django opens a test's transaction in the test's thread. On an ordinary loop asgiref
    would send ``sync_to_async`` work, and with it every query, to another thread, whose connection
    does not see that transaction and is never rolled back. Here the test's thread waits for such
    work instead, as it does in Django's own ``TestCase`` and under ``async_to_sync``.
    """

    def run_until_complete(self, future: Any) -> Any:
        """Run the loop until the future is done, and sync work in the calling thread meanwhile.

        Args:
            future: a future or coroutine, as for any event loop.

        Returns:
            The result of the future; its exception is raised.
        """
        executor = CurrentThreadExecutor(None)
        finished: Future[Any] = Future()

        def run() -> None:
            try:
                result = super(LoopBesideTheTest, self).run_until_complete(future)
            except BaseException as error:
                finished.set_exception(error)
            else:
                finished.set_result(result)

        AsyncToSync.loop_thread_executors[self] = executor
        thread = threading.Thread(target=run, name="event loop of a test")
        try:
            thread.start()
            executor.run_until_future(finished)
            thread.join()
        finally:
            del AsyncToSync.loop_thread_executors[self]
        return finished.result()
