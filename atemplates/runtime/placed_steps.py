"""Plan on the event loop that run code of others: here on trial, or in the request's thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from time import perf_counter
from typing import Any, Protocol

from ..placement.records import FunctionRecord, is_learning, known_record, noted, observed
from ..placement.trials import LEAVE, UNCHANGING, attempt, quick_attempt
from .policy import Policy
from .waits import Kind, Wait

BUDGET = 0.002
"""How many seconds code of others may take on the loop in one render. A render that needs more goes
on in the thread, which costs less than that, and leaves the loop to others."""


class PlacingState(Protocol):
    """What placing needs of the state of a render."""

    policy: Policy
    spent: float
    trials: float
    on_loop: bool
    learning: bool


class SureState(PlacingState, Protocol):
    """The same, of a render that remembers what ran on the loop in it."""

    sure: dict[int, FunctionRecord]
    visible: set[int]


def run_here(
    state: PlacingState,
    code: Any,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    objects: Iterable[Any] = (),
    kwargs: dict[str, Any] | None = None,
) -> Any:
    """Take a step on the loop if what it runs has earned it.

    Args:
        code: what the step runs, as `atemplates.placement.python_code` says.
        function: the step.
        args: its arguments.
        objects: what it may change.
        kwargs: its keyword arguments.

    Returns:
        The step's result, or `LEAVE`: the step belongs in the thread, and stands on the loop.
    """
    return run_placed(state, code, state.policy.trusts(code), function, args, kwargs, objects)


def run_placed(
    state: PlacingState,
    code: Any,
    trusted: bool,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any] | None = None,
    objects: Iterable[Any] = (),
) -> Any:
    """Do the same; ``trusted`` says whether the code may run here. Arguments as for `run_here`."""
    if not state.on_loop:  # it is looked at what runs, to learn how it does
        return noted(code, function, *args, **(kwargs or {}))
    if state.spent > BUDGET or state.trials > state.policy.trials:
        return LEAVE
    if not trusted:
        state.learning = state.learning or is_learning(code)
        return LEAVE
    start = perf_counter()
    state.trials += 1
    result = attempt(code, function, args, kwargs, objects, state)
    state.spent += perf_counter() - start
    return result


def run_surely(
    state: SureState, function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]
) -> Any:
    """Call the function of a tag or filter once more on the loop, where it has run in this render.

    Returns:
        The result, or `LEAVE`: it is to be placed as ever.
    """
    record = state.sure.get(id(function))
    if record is None or state.spent > BUDGET or state.trials > state.policy.trials:
        return LEAVE
    if not UNCHANGING.issuperset(map(type, args)):
        return LEAVE
    if kwargs and not UNCHANGING.issuperset(map(type, kwargs.values())):
        return LEAVE
    result = quick_attempt(record, function, args, kwargs, state)
    if record.belongs_in_thread:
        del state.sure[id(function)]
        state.visible.discard(id(function))
    return result


def note_sure(state: SureState, function: Callable[..., Any]) -> None:
    """Note that the function of a tag or filter has run on the loop."""
    if state.on_loop:
        record = known_record(function)
        if record is not None and not record.belongs_in_thread:
            state.sure[id(function)] = record
            if record.sees_through(function):
                state.visible.add(id(function))


def run_in_thread(
    code: Any, function: Callable[..., Any], *args: Any, notify: Any = None, **kwargs: Any
) -> Wait:
    """Wait for a step in the request's thread, where it is watched."""
    return Wait(Kind.CALL, observed, (code, function, *args), kwargs, notify=notify)


__all__ = [
    "BUDGET",
    "LEAVE",
    "note_sure",
    "run_here",
    "run_in_thread",
    "run_placed",
    "run_surely",
]
