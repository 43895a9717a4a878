"""What a running plan asks about relations: the seam to the room that loads them.

`atemplates.relations.render_relations.RenderRelations` has these methods, and says more of each.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol, TypeAlias

from .waits import Kind, Plan, Wait

Notify: TypeAlias = "Callable[[float, Any], None] | None"
"""What a driver calls with the milliseconds that a wait took, and its answer."""


class KnownValue(NamedTuple):
    """A step's value that is known without resolving it."""

    value: Any


class TakenRows:
    """Rows that were taken from their source before the loop began, in the order of the loop."""

    __slots__ = ("items",)

    items: list[Any]


class OpenLoops(Protocol):
    """The loops around the node that renders now, and where single objects came from."""

    def follow(self, stack: list[Any]) -> None:
        """Learn of the loops from the list in which the plan notes them, `State.loops`."""
        ...

    def note_origin(self, value: Any, owner: Any, bits: tuple[str, ...], root: str) -> None:
        """Note under a new name (``{% with %}``) where an object came from."""
        ...


NOT_QUICK = "not quick"
"""Stands for a value that takes more than reading an attribute."""


class Relations(Protocol):
    """What a render does about relations.

    ``site`` is the expression in question, ``root`` the value of its first bit, ``index`` how many
    of its bits are resolved.
    """

    @property
    def policy(self) -> str:
        """What is done about a relation that was not loaded; ``{% relations %}`` changes it."""
        ...

    @policy.setter
    def policy(self, policy: str) -> None: ...

    @property
    def loops(self) -> OpenLoops:
        """The loops around the node that renders now."""
        ...

    def step(
        self, value: Any, bit: str, site: Any, root: Any, index: int
    ) -> Wait | KnownValue | None:
        """Decide what resolving ``bit`` on a model instance, manager or queryset needs first."""
        ...

    def quick_step(self, instance: Any, bit: str, site: Any, root: Any, index: int) -> Any:
        """Read an attribute of a model instance off the loop, or give `NOT_QUICK`."""
        ...

    def whole(self, queryset: Any, site: Any = None, root: Any = None) -> Wait | None:
        """Decide what evaluating a whole queryset needs first."""
        ...

    def loaded(self, queryset: Any) -> Any:
        """Give a queryset the rows that a load for a whole loop has brought for its instance."""
        ...

    def derive(self, source: Any, queryset: Any, site: Any, root: Any, index: int) -> None:
        """Note that a queryset was made from a manager, queryset or instance."""
        ...

    def prepare(self, instance: Any, site: Any = None, root: Any = None, index: int = 1) -> None:
        """Get ready for code of a model, which may reach for what was not loaded."""
        ...

    def prepare_value(self, value: Any, site: Any = None, root: Any = None) -> None:
        """The same for a value that is about to be printed or filtered."""
        ...

    def python_step(self, value: Any, bit: str, site: Any, root: Any, index: int) -> Notify:
        """Describe a step that runs code, and is about to be made where it may query."""
        ...

    def filter_step(self, function: Any, value: Any, site: Any, root: Any) -> Notify:
        """Describe a filter that is about to be applied where it may query."""
        ...

    def call_step(self, method: Any, site: Any, root: Any) -> Notify:
        """Describe a call of an ORM method that asks the database."""
        ...

    def for_branch(self) -> Relations:
        """Make the same for a part of the render that runs while others do."""
        ...

    def watching(self) -> AbstractContextManager[None]:
        """Watch this thread's queries, if somebody wants to know of them."""
        ...

    def is_watched_by(self, watcher: object) -> bool:
        """Whether a watcher of queries is this render's."""
        ...

    def check(self) -> None:
        """Raise an error of this render that Python code has caught."""
        ...

    def finish(self) -> None:
        """Take back what was changed on the caller's objects."""
        ...


def evaluate(relations: Relations, queryset: Any, wait: Wait) -> Plan:
    """The plan that evaluates a whole queryset; gives one that has its rows.

    Args:
        wait: what `Relations.whole` said that this needs first.
    """
    answer = yield wait
    if wait.kind is not Kind.CALL:
        return answer
    queryset = relations.loaded(queryset)  # with the rows that were loaded for a whole loop
    again = relations.whole(queryset)
    return queryset if again is None else (yield again)
