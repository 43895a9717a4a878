"""For the tests of a site: what its templates load, and rendering under another policy."""

from __future__ import annotations

from types import TracebackType

from .relations.events import Event
from .relations.policy import (
    LazyAccessError,
    LazyAccessWarning,
    observing,
    relations,
    reset_warnings,
)

__all__ = [
    "Event",
    "LazyAccessError",
    "LazyAccessWarning",
    "Log",
    "record",
    "relations",
    "reset_warnings",
]


class Log(list[Event]):
    """The events of the renders inside a `record` block, in order."""

    @property
    def lazy(self) -> list[Event]:
        """The events that the view could have spared: relations, deferred fields, counts."""
        return [event for event in self if event.is_lazy]

    def __str__(self) -> str:
        return "\n".join(map(str, self)) or "nothing was loaded"


class record:
    """Record the events of every render inside the block; for ``with`` and ``async with``.

    Renders in other tasks and threads count when they were begun from inside the block.
    """

    def __init__(self) -> None:
        self.log = Log()
        self._observing = observing(self.log.append)

    def __enter__(self) -> Log:
        self._observing.__enter__()
        return self.log

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._observing.__exit__(kind, error, trace)

    async def __aenter__(self) -> Log:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, trace)
