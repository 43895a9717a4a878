"""Plan on the event loop that run code of others: here on trial, or in the request's thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any, Protocol

from ..placement.records import is_learning, noted, observed
from ..placement.trials import LEAVE, attempt
from .state import Policy
from .waits import Kind, Wait

BUDGET = 0.002
"""How many seconds code of others may take on the loop in one render. A render that needs more goes
on in the thread, which costs less than that, and leaves the loop to others."""


class PlacingState(Protocol):
    """What placing needs of the state of a render."""

    policy: Policy
    spent: float
    trials: int
    on_loop: bool
    learning: bool


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


def run_in_thread(
    code: Any, function: Callable[..., Any], *args: Any, notify: Any = None, **kwargs: Any
) -> Wait:
    """Wait for a step in the request's thread, where it is watched."""
    return Wait(Kind.CALL, observed, (code, function, *args), kwargs, notify=notify)


__all__ = ["BUDGET", "LEAVE", "run_here", "run_in_thread", "run_placed"]
