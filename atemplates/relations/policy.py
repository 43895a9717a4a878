"""What applies to a render that begins: the policy for lazy access, and the observers of loads."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeAlias

from ..errors import LocatedError, Location
from ..runtime.policy import POLICIES

if TYPE_CHECKING:
    # Every render imports this module, and only one that loads something makes an event.
    from .events import Event


Observer: TypeAlias = "Callable[[Event], None]"
"""Who is told of the loads of a render."""

_observers_here: ContextVar[tuple[Observer, ...]] = ContextVar("atemplates_observers", default=())
# Any thread may add and remove; a render reads it in one step, when it begins.
_observers_everywhere: list[Observer] = []


def observers() -> tuple[Observer, ...]:
    """The observers of a render that begins now."""
    local = _observers_here.get()
    return (*_observers_everywhere, *local) if _observers_everywhere else local


@contextmanager
def observing(observer: Observer) -> Iterator[None]:
    """Tell ``observer`` of the events of every render begun inside, in this task and thread."""
    token = _observers_here.set((*_observers_here.get(), observer))
    try:
        yield
    finally:
        _observers_here.reset(token)


def observe_everywhere(observer: Observer) -> Callable[[], None]:
    """Tell ``observer`` of the events of every render in this process, from any thread.

    Returns:
        A function that ends it.
    """
    _observers_everywhere.append(observer)

    def end() -> None:
        if observer in _observers_everywhere:
            _observers_everywhere.remove(observer)

    return end


UNWATCHED = nullcontext()
"""Around code whose queries nobody wants to know of, or somebody is told of already."""

_policy_here: ContextVar[str | None] = ContextVar("atemplates_relations", default=None)
# Any thread may add; each takes out the very entry it has put in. It is read in one step.
_policies_everywhere: list[list[str]] = []


class LazyAccessError(LocatedError):
    """``relations="raise"``: a template reached for something that the view did not load.

    Attributes:
        expression: the template's expression, as written.
        root: the context variable it hangs on.
        path: the steps from the root; ``"[]"`` stands for an item.
        model: the label of the model whose attribute was not loaded.
        suggestion: the call to add to the view's queryset.
    """

    def __init__(
        self,
        message: str,
        *,
        location: Location | None = None,
        expression: str = "",
        root: str = "",
        path: tuple[str, ...] = (),
        model: str = "",
        suggestion: str = "",
    ) -> None:
        super().__init__(message, location)
        self.expression = expression
        self.root = root
        self.path = path
        self.model = model
        self.suggestion = suggestion


class LazyAccessWarning(UserWarning):
    """``relations="warn"``: as the error, once for each line of a template."""


@contextmanager
def relations(policy: str) -> Iterator[None]:
    """Render with this policy whatever the OPTIONS say, inside this block.

    Raises:
        ValueError: there is no such policy.
    """
    check_policy(policy)
    token = _policy_here.set(policy)
    try:
        yield
    finally:
        _policy_here.reset(token)


@contextmanager
def relations_everywhere(policy: str) -> Iterator[None]:
    """Do as `relations` does, for every render of this process, in any task and thread.

    Raises:
        ValueError: there is no such policy.
    """
    entry = [check_policy(policy)]
    _policies_everywhere.append(entry)
    try:
        yield
    finally:
        _policies_everywhere[:] = [each for each in _policies_everywhere if each is not entry]


def check_policy(policy: Any) -> str:
    """Return the policy.

    Raises:
        ValueError: it is none of the known ones.
    """
    if policy not in POLICIES:
        raise ValueError(f"relations={policy!r}: expected one of {', '.join(map(repr, POLICIES))}.")
    return str(policy)


def current_policy(configured: str) -> str:
    """Return the policy of a render that begins now."""
    here = _policy_here.get()
    if here or not _policies_everywhere:
        return here or configured
    return next((entry[0] for entry in _policies_everywhere[-1:]), configured)


# Any thread may add, or empty it: at worst a line is warned about once more.
_warned: set[tuple[str, int | None]] = set()
MOST_WARNINGS = 10_000


def warn_once(message: str, template: str, line: int | None) -> None:
    """Warn about lazy access on a template's line, the first time.

    Templates made at run time may have no end; their lines are not all remembered.
    """
    if (template, line) in _warned:
        return
    if len(_warned) >= MOST_WARNINGS:
        _warned.clear()
    _warned.add((template, line))
    # Where it happened is in the text: the stack leads to whoever rendered, or to a thread.
    warnings.warn(message, LazyAccessWarning, stacklevel=2)


def reset_warnings() -> None:
    """Forget which lines have been warned about."""
    _warned.clear()
