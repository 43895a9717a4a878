"""Jinja2's tests over rows, able to wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from jinja2.tests import TESTS

from ..placement.python_code import special_code
from ..runtime.drivers import on_event_loop
from ..runtime.waits import Kind, Wait
from .calls import PendingFilter, PlanFilter
from .iteration import Way, way_of
from .placed import on_loop, taken
from .runtime import contained
from .sources import source_rows
from .streams import Steps, evaluated
from .tracebacks import internal

replaced: dict[Any, PlanFilter] = {}
"""Our test for each of Jinja2's own that cannot wait. Filled by imports alone."""


def instead_of(name: str) -> Callable[[Callable[..., Steps]], Callable[..., Steps]]:
    """Use a plan in the place of Jinja2's test of that name, which it gets as first argument."""

    def register(plan: Callable[..., Steps]) -> Callable[..., Steps]:
        stock: Any = TESTS[name]

        def pending(*args: Any, **kwargs: Any) -> PendingFilter:
            return PendingFilter(plan(stock, *args, **kwargs))

        replaced[stock] = PlanFilter(pending, stock)
        return plan

    return register


@instead_of("in")
@internal
def is_in(stock: Any, value: Any, seq: Any) -> Steps:
    return (yield from contained(value, seq, on_event_loop()))


@instead_of("iterable")
@internal
def is_iterable(stock: Any, value: Any) -> Steps:
    if way_of(type(value)) in (Way.QUERYSET, Way.SOURCE):
        return True
    code = special_code(type(value), "__iter__", "__getitem__")
    if code is not None and on_loop():
        return (yield from taken(code, stock, (value,)))
    try:
        return stock(value)
    except SynchronousOnlyOperation:
        return (yield Wait(Kind.CALL, stock, (value,)))


@instead_of("sequence")
@internal
def is_sequence(stock: Any, value: Any) -> Steps:
    if way_of(type(value)) is Way.QUERYSET:
        value = yield from evaluated(value)
    elif way_of(type(value)) is Way.SOURCE:
        value = yield from source_rows(value, on_event_loop())
    code = special_code(type(value), "__len__", "__getitem__", "__getattr__")
    if code is not None and on_loop():
        return (yield from taken(code, stock, (value,)))
    try:
        len(value)
    except SynchronousOnlyOperation:  # Jinja2's own test takes any exception for "no"
        return (yield Wait(Kind.CALL, stock, (value,)))
    except Exception:
        return False
    return stock(value)
