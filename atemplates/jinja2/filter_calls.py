"""Calls of filters, tests and operators out of generated code."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, update_wrapper
from types import FunctionType
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from jinja2.filters import FILTERS
from jinja2.tests import TESTS

from ..runtime.drivers import on_event_loop
from ..runtime.waits import Plan, Wait
from .arguments import prepared, stuck, unready
from .function_marks import is_variant
from .iteration import IterationStrategy, iteration_strategy
from .nested import given
from .placed import Placed, applied_code, stands_on_loop
from .sources import source_rows
from .state import running_state
from .tracebacks import internal
from .values import PLANNED, AwaitablePlan, settled

plain_functions = frozenset(
    function for function in (*FILTERS.values(), *TESTS.values()) if not is_variant(function)
)
"""Jinja2's own filters and tests that do no I/O when they are given texts and numbers."""


class PlanFilter:
    """A filter or test of ours in the place of one of Jinja2's own.

    ``function`` gives the result, or something that waits. A call is one by Python code: it gives
    the result, or something to await to code that can.
    """

    def __init__(self, function: Callable[..., Any], stock: Callable[..., Any]) -> None:
        self.function = function
        update_wrapper(self, stock)

    @internal
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        result = self.function(*args, **kwargs)
        if type(result) is not Wait and type(result) not in PLANNED:
            return result
        return given(AwaitablePlan(settled(result)))


def bare(function: Callable[..., Any]) -> Callable[..., Any]:
    """What generated code calls for a filter or test that was one of ours when it was written."""
    return function.function if isinstance(function, PlanFilter) else partial(guard, function)


class PendingFilter(AwaitablePlan):
    """A filter as part of the template's plan; it can tell where in the template it stands."""

    __slots__ = ()

    @internal
    def _finish(self, site: Any = None, root: Any = None) -> Plan:
        """Run the filter."""
        if site is None or self._wait is not None:
            return (yield from super()._finish())
        state = running_state()
        outer, state.place = state.place, (site, root)
        try:
            return (yield from self._plan)
        finally:
            state.place = outer


PLANNED.add(PendingFilter)


@internal
def guard(function: Any, /, *args: Any, **kwargs: Any) -> Any:
    """Call a filter, a test or an operator, here or where what it runs belongs."""
    if type(function) is PlanFilter:
        return function.function(*args, **kwargs)
    for argument in (*args, *kwargs.values()) if kwargs else args:
        if type(argument) in unready:
            return AwaitablePlan(prepared(function, function, args, kwargs))
    if function is default and reads_source(function, args):
        return AwaitablePlan(with_rows(function, args, kwargs))  # Python may take it for true
    if stands_on_loop():
        code = applied_code(function, args, kwargs)
        if code is not None and not reads_source(function, args):
            return Placed(code, function, args, kwargs)
    try:
        return function(*args, **kwargs)
    except SynchronousOnlyOperation as error:
        if reads_source(function, args):
            return AwaitablePlan(with_rows(function, args, kwargs))
        return stuck(function, args, kwargs, error)
    except TypeError:
        if reads_source(function, args):
            return AwaitablePlan(with_rows(function, args, kwargs))
        raise


default = FILTERS["default"]
own_functions = frozenset((*FILTERS.values(), *TESTS.values()))
"""Jinja2's own filters and tests: calling one a second time changes nothing."""


def reads_source(function: Any, args: tuple[Any, ...]) -> bool:
    """Whether one of Jinja2's own filters and tests was given a queryset that is not Django's."""
    sources = any(
        iteration_strategy(type(argument)) is IterationStrategy.SOURCE for argument in args
    )
    return sources and type(function) is FunctionType and function in own_functions


@internal
def with_rows(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Plan:
    """Call again with the rows of the sources; one that is given back is given back itself."""
    read: dict[int, Any] = {}
    ready: list[Any] = []
    for argument in args:
        rows = argument
        if iteration_strategy(type(argument)) is IterationStrategy.SOURCE:
            rows = yield from source_rows(argument, on_event_loop())
            read[id(rows)] = argument
        ready.append(rows)
    result = yield from settled(guard(function, *ready, **kwargs))
    return read.get(id(result), result)
