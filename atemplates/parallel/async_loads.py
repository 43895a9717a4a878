"""What only ``async for`` reads: a task on the event loop reads it, on a connection of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from time import perf_counter
from typing import Any

from ..relations.policy import Observer
from ..runtime.answers import collect_rows
from ..runtime.apart import await_apart, may_be_apart
from ..runtime.async_sources import at_hand, has_truth
from ..runtime.drivers import on_event_loop, wait_for
from ..runtime.loading import Loading
from .telling import observers_here, tell_load

IN_TRANSACTION = "a transaction is open on the connection of the task, which alone sees all of it"


class AsyncLoad(Loading):
    """A source of another package that is being read.

    It is read by a task of the loop that it was begun on; without a loop, or on another one, by
    whoever needs it first.

    Args:
        source: has ``__aiter__``.
    """

    __slots__ = ("_source", "_task", "_told")

    def __init__(self, source: Any) -> None:
        self._source = source
        self._told: tuple[Observer, ...] = observers_here()
        self._task: asyncio.Task[Any] | None = None
        if on_event_loop() and may_be_apart():
            self._begin()

    def __repr__(self) -> str:
        return f"<aload({_name_of(self._source)})>"

    def is_for_thread(self) -> bool:
        """Whether this thread gets it at once: it is read on a loop."""
        return False

    def wait(self) -> Any:
        """Return the source, or its rows; blocks the thread until they are there."""
        return wait_for(self._read_by_task())

    def __await__(self) -> Generator[Any, Any, Any]:
        """Give the source, where that keeps its rows, or a list of them."""
        return self._read_by_task().__await__()

    async def _read_by_task(self) -> Any:
        task = self._task
        if task is None and not may_be_apart():
            return await self._read(IN_TRANSACTION)  # by the task that is in the transaction
        if task is None or (task.get_loop() is not asyncio.get_running_loop() and not task.done()):
            task = self._begin()
        # Not the task itself: others may wait for it when this one is cancelled.
        await asyncio.wait([task])
        return task.result()

    def _begin(self) -> asyncio.Task[Any]:
        asker = asyncio.current_task()
        task = self._task = asyncio.get_running_loop().create_task(await_apart(self._read))
        task.add_done_callback(_seen)
        if asker is not None:

            def ended(asker: asyncio.Task[Any]) -> None:
                if asker.cancelled():
                    task.cancel()

            asker.add_done_callback(ended)
            task.add_done_callback(lambda _: asker.remove_done_callback(ended))
        return task

    async def _read(self, reason: str = "") -> Any:
        start = perf_counter()
        rows = await collect_rows(self._source)
        if self._told:
            name, model = _name_of(self._source), _model_of(self._source)
            tell_load(self._told, name, model, len(rows), (perf_counter() - start) * 1000, reason)
        kept = at_hand(self._source) is not None and has_truth(type(self._source))
        return self._source if kept else rows


def _seen(task: asyncio.Task[Any]) -> None:
    """Take note of an exception: it surfaces where the rows are needed, and nowhere else."""
    if not task.cancelled():
        task.exception()


def _model_of(source: Any) -> str:
    options = getattr(getattr(source, "model", None), "_meta", None)
    return str(getattr(options, "label", ""))


def _name_of(source: Any) -> str:
    return _model_of(source) or type(source).__qualname__
