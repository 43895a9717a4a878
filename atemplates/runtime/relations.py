"""What a render asks of its relations: the seam between the plans and the room that loads them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

from .waits import Wait


class OpenLoops(Protocol):
    """The loops around the node that renders now, and where single objects came from."""

    def enter(
        self,
        values: Any,
        owner: Any,
        bits: tuple[str, ...],
        root: str,
        *,
        backwards: bool = False,
        whole: bool = True,
    ) -> int:
        """Note that a loop begins; return what `leave` needs."""
        ...

    def leave(self, mark: int) -> None:
        """Note that a loop has ended."""
        ...

    def note_origin(self, value: Any, owner: Any, bits: tuple[str, ...], root: str) -> None:
        """Note where an object came from that gets a new name."""
        ...


class WatchesQueries(Protocol):
    """Notes which queries are sent while it watches."""

    def watching(self) -> AbstractContextManager[Any]:
        """Watch a part of the render that runs in the request's thread."""
        ...


class Relations(Protocol):
    """What one render does about relations. Steps are described to it; it makes no query itself."""

    policy: str

    @property
    def loops(self) -> OpenLoops:
        """The loops around the code that runs."""
        ...

    @property
    def watch(self) -> WatchesQueries:
        """What notes the queries of the render."""
        ...

    def step(self, value: Any, bit: str, site: Any, root: Any, index: int) -> Any:
        """Decide what a bit needs: a `Wait`, something with a ``value``, or None: go on."""
        ...

    def whole(self, queryset: Any, site: Any = None, root: Any = None) -> Wait | None:
        """Decide what evaluating a queryset needs; None when its rows are there."""
        ...

    def loaded(self, queryset: Any) -> Any:
        """Give a queryset the rows that a load for a whole loop has brought."""
        ...

    def derive(self, source: Any, queryset: Any, site: Any, root: Any, index: int) -> None:
        """Note that a queryset was made from another, a manager or an instance."""
        ...

    def prepare(self, instance: Any, site: Any = None, root: Any = None, index: int = 1) -> None:
        """Get ready for code of a model, which may reach for what was not loaded."""
        ...

    def prepare_value(self, value: Any, site: Any = None, root: Any = None) -> None:
        """Get ready for code that prints or filters a value, which may hold instances."""
        ...

    def filter_step(self, function: Any, value: Any, site: Any, root: Any) -> Any:
        """Describe a filter that may query; return the ``notify`` of its wait."""
        ...

    def python_step(self, value: Any, bit: str, site: Any, root: Any, index: int) -> Any:
        """Describe a step that may query; return the ``notify`` of its wait."""
        ...

    def call_step(self, method: Any, site: Any, root: Any) -> Any:
        """Describe a call of an ORM method; return the ``notify`` of its wait."""
        ...

    def finish(self) -> None:
        """Take back what was changed on the caller's objects."""
        ...

    def check(self) -> None:
        """Raise an error of this render that Python code has caught."""
        ...
