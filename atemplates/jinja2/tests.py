"""Jinja2's tests over rows, able to wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from jinja2.tests import TESTS

from ..placement.python_code import special_code
from ..runtime.drivers import on_event_loop
from ..runtime.waits import Kind, Plan, Wait
from .filter_calls import PendingFilter, PlanFilter
from .iteration import IterationStrategy, iteration_strategy
from .placed import stands_on_loop, taken
from .rows import evaluated
from .runtime import contained
from .sources import source_rows
from .tracebacks import internal

REPLACED_TESTS: dict[Any, PlanFilter] = {}
"""Our test for each of Jinja2's own that cannot wait. Filled by imports alone."""


def replaces_test(name: str) -> Callable[[Callable[..., Plan]], Callable[..., Plan]]:
    """Use a plan in the place of Jinja2's test of that name, which it gets as first argument."""

    def register(plan: Callable[..., Plan]) -> Callable[..., Plan]:
        stock: Any = TESTS[name]

        def pending(*args: Any, **kwargs: Any) -> PendingFilter:
            return PendingFilter(plan(stock, *args, **kwargs))

        REPLACED_TESTS[stock] = PlanFilter(pending, stock)
        return plan

    return register


@replaces_test("in")
@internal
def is_in(stock: Any, value: Any, seq: Any) -> Plan:
    return (yield from contained(value, seq, on_event_loop()))


@replaces_test("iterable")
@internal
def is_iterable(stock: Any, value: Any) -> Plan:
    if iteration_strategy(type(value)) in (IterationStrategy.QUERYSET, IterationStrategy.SOURCE):
        return True
    code = special_code(type(value), "__iter__", "__getitem__")
    if code is not None and stands_on_loop():
        return (yield from taken(code, stock, (value,)))
    try:
        return stock(value)
    except SynchronousOnlyOperation:
        return (yield Wait(Kind.CALL, stock, (value,)))


@replaces_test("sequence")
@internal
def is_sequence(stock: Any, value: Any) -> Plan:
    if iteration_strategy(type(value)) is IterationStrategy.QUERYSET:
        value = yield from evaluated(value)
    elif iteration_strategy(type(value)) is IterationStrategy.SOURCE:
        value = yield from source_rows(value, on_event_loop())
    code = special_code(type(value), "__len__", "__getitem__", "__getattr__")
    if code is not None and stands_on_loop():
        return (yield from taken(code, stock, (value,)))
    try:
        len(value)
    except SynchronousOnlyOperation:  # Jinja2's own test takes any exception for "no"
        return (yield Wait(Kind.CALL, stock, (value,)))
    except Exception:
        return False
    return stock(value)
