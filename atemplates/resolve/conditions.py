"""What the operators of ``{% if %}`` need."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from ..errors import UNSWALLOWED
from ..state import State
from ..waits import Wait
from .calls import again_in_thread


def swallow(error: Exception) -> bool:
    """Give False for an exception inside a condition, as Django's ``smartif`` does.

    Raises:
        SynchronousOnlyOperation: and every error of ours: those are never taken for "false".
    """
    if isinstance(error, UNSWALLOWED):
        raise error
    return False


def compare_again(state: State, error: Exception, name: str, first: Any, second: Any) -> Wait:
    """Repeat in the request's thread a comparison that met Django's guard on the loop."""
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
