"""A block of code whose renders are observed: for ``with`` and ``async with``."""

from __future__ import annotations

from types import TracebackType
from typing import Generic, TypeVar

from .policy import Observer, observing

Collected = TypeVar("Collected")


class ObservedBlock(Generic[Collected]):
    """Tells an observer of every render begun inside the block.

    Renders in other tasks and threads count when they were begun from inside the block.

    Args:
        found: what the block gives, and the observer fills.
    """

    def __init__(self, found: Collected, observer: Observer) -> None:
        self.found = found
        self._observing = observing(observer)

    def __enter__(self) -> Collected:
        self._observing.__enter__()
        return self.found

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._observing.__exit__(kind, error, trace)

    async def __aenter__(self) -> Collected:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, trace)
