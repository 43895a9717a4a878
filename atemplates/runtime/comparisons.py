"""What the operators of ``{% if %}`` need."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation

from ..errors import UNSWALLOWED
from ..placement.value_code import comparison_code
from .calls import again_in_thread
from .placed_steps import LEAVE, run_here
from .state import State
from .waits import Pending


def condition_failed(error: Exception) -> bool:
    """Give False for an exception inside a condition, as Django's ``smartif`` does.

    Raises:
        SynchronousOnlyOperation: and every error of ours: those are never taken for "false".
    """
    if isinstance(error, UNSWALLOWED):
        raise error
    return False


def compare(state: State, name: str, first: Any, second: Any) -> Any:
    """Compare two values of which one may run code of its own.

    Returns:
        The result, or a `Pending` of it.
    """
    function = COMPARISONS[name]
    code = comparison_code(first, second) if state.looks else None
    if code is not None:
        result = run_here(state, code, function, (first, second), (first, second))
        if result is LEAVE:
            return again_in_thread(
                state, second, "__contains__", None, None, function, first, second, code=code
            )
        return result
    try:
        return function(first, second)
    except SynchronousOnlyOperation as error:
        return compare_again(state, error, name, first, second)


def compare_again(state: State, error: Exception, name: str, first: Any, second: Any) -> Pending:
    """Repeat a comparison in the thread: Django's own code met its guard on the loop."""
    if not state.on_loop:
        raise error
    return again_in_thread(
        state, second, "__contains__", None, None, COMPARISONS[name], first, second
    )


COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "in": lambda first, second: first in second,
    "not in": lambda first, second: first not in second,
    "is": operator.is_,
    "is not": operator.is_not,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
