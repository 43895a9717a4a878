"""Jinja2's filters over rows, able to wait: querysets, async iterables, lazy relations, awaitables.

Where the rows are at hand, Jinja2's own sync filter does its work on them at once. Otherwise they
are fetched first, by a plan.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import partial
from inspect import signature
from types import GeneratorType
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from jinja2 import Environment
from jinja2.exceptions import FilterArgumentError
from jinja2.filters import FILTERS
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from jinja2.utils import missing

from ..placement.python_code import attribute_code
from ..placement.value_code import use_code
from ..runtime.containers import CONTAINER_TYPES, filled, holds_awaitables
from ..runtime.drivers import on_event_loop
from ..runtime.types import is_awaitable
from ..runtime.waits import Kind, Plan, Wait
from .attributes import computed, path_of
from .filter_calls import PendingFilter, PlanFilter, guard
from .function_marks import PASS_MARK, is_variant
from .iteration import IterationStrategy, iteration_strategy, iterators_of_containers
from .lookups import Missed
from .loops import LoopContext
from .one_by_one import batches, is_unbounded, unique_rows
from .placed import moved_then, stands_on_loop
from .rows import opened, readable_rows
from .rowstreams import LazyRows, RowStream, applied, looked_up, selected
from .streams import PlannedStream, ThreadStream, closed, not_yet
from .tracebacks import internal
from .values import PLACED, SEARCHABLE_TYPES, SETTLED_TYPES, await_remembered, settled

REPLACED_FILTERS: dict[Any, PlanFilter] = {}
"""Our filter for each of Jinja2's own that cannot wait. Filled by imports alone."""


def replaces_filter(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Use a function in the place of Jinja2's filter of that name.

    It gets Jinja2's own sync function as its first argument, and gives the filter's result or
    something that waits.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        stock: Any = FILTERS[name]
        sync = stock.__wrapped__ if is_variant(stock) else stock
        REPLACED_FILTERS[stock] = PlanFilter(partial(function, sync), stock)
        return function

    return register


@internal
def rows_now(value: Any) -> tuple[Any, bool]:
    """The rows of a value, as far as nothing has to be waited for.

    Returns:
        The rows, and whether they are at hand and none is awaitable. If not, what is returned
        stands for the value, which may have been read.
    """
    kind = type(value)
    if kind is LazyRows:
        rows = value._stream.at_once()
        if rows is not_yet:
            return value, False
        value = rows
    elif kind in iterators_of_containers:
        value = list(value)
    elif kind not in CONTAINER_TYPES:
        return value, kind in SEARCHABLE_TYPES
    return value, SETTLED_TYPES.issuperset(map(type, value)) or all(map(is_value, value))


@internal
def fetched(value: Any, in_loop: bool, go_on: Callable[[Any], Any]) -> Plan:
    """Fetch all rows, await those that are awaitable, and go on with a list of them."""
    rows = list((yield from readable_rows(value, in_loop)))
    if not SETTLED_TYPES.issuperset(map(type, rows)):
        for number, row in enumerate(rows):
            rows[number] = yield from settled(row)
    return (yield from settled(go_on(rows)))


@internal
def go_on_filled(value: Any, go_on: Callable[[Any], Any]) -> Plan:
    """Await what a container holds, and go on with one that has the results."""
    return (yield from settled(go_on((yield from filled(value, await_remembered)))))


def is_value(row: Any) -> bool:
    """Whether a row is at hand, be it one that is read row by row itself."""
    kind = type(row)
    if kind is GeneratorType:
        return not is_awaitable(row)
    return kind in SETTLED_TYPES or kind in PLACED


# Filters that read everything and may look attributes up.


@internal
def over_attributes(name: str, position: int, lazy: bool = False) -> None:
    """Register a filter.

    Args:
        name: the filter's name.
        position: where ``attribute`` stands among the arguments after the rows.
        lazy: whether it is a generator function.
    """

    @replaces_filter(name)
    def filter_(stock: Any, environment: Environment, value: Any, *args: Any, **kwargs: Any) -> Any:
        if lazy and is_unbounded(value):
            stream = PlannedStream(environment.is_async)
            stream.steps = unique_rows(stream, environment, value, *args, **kwargs)
            return LazyRows(stream)
        rows, ready = rows_now(value)
        if not ready:
            again = partial(filter_, stock, environment)
            go_on = lambda rows: again(rows, *args, **kwargs)  # noqa: E731
            return PendingFilter(fetched(rows, environment.is_async, go_on))

        attribute = kwargs.get("attribute", args[position] if len(args) > position else None)
        if attribute is None and not lazy:
            if stands_on_loop() and use_code(rows) is not None:
                return PendingFilter(moved_then(stock, environment, rows, *args, **kwargs))
            try:
                return stock(environment, rows, *args, **kwargs)
            except SynchronousOnlyOperation:
                return Wait(Kind.CALL, stock, (environment, rows, *args), kwargs)

        def function(lookups: Any) -> Any:
            result = stock(lookups, rows, *args, **kwargs)
            return iter(list(result)) if lazy else result

        return computed(function, environment, rows, attribute)


over_attributes("sort", 2)
over_attributes("unique", 1, lazy=True)
over_attributes("min", 1)
over_attributes("max", 1)
over_attributes("groupby", 0)
over_attributes("sum", 0)


@replaces_filter("join")
@internal
def join(stock: Any, eval_ctx: EvalContext, value: Any, d: Any = "", attribute: Any = None) -> Any:
    rows, ready = rows_now(value)
    go_on = lambda rows: join(stock, eval_ctx, rows, d, attribute)  # noqa: E731
    if not ready:
        return PendingFilter(fetched(rows, eval_ctx.environment.is_async, go_on))
    if type(rows) in CONTAINER_TYPES and holds_awaitables(rows, SETTLED_TYPES):
        return PendingFilter(go_on_filled(rows, go_on))
    if attribute is None:
        if stands_on_loop() and use_code(rows, d) is not None:
            return PendingFilter(moved_then(stock, eval_ctx, rows, d))
        try:
            return stock(eval_ctx, rows, d)
        except SynchronousOnlyOperation:
            return Wait(Kind.CALL, stock, (eval_ctx, rows, d))

    def function(lookups: Any) -> Any:
        settled_ctx = copy.copy(eval_ctx)
        settled_ctx.environment = lookups
        return stock(settled_ctx, rows, d, attribute)

    return computed(function, eval_ctx.environment, rows, attribute)


# Filters that read everything and look nothing up.


@internal
def over_rows(name: str, lazy: bool = False) -> None:
    """Register a filter whose result is made of the rows, of which the awaitable are awaited.

    Args:
        name: the filter's name.
        lazy: whether it is a generator function.
    """
    variant = is_variant(FILTERS[name])

    @replaces_filter(name)
    def filter_(stock: Any, *args: Any, **kwargs: Any) -> Any:
        if variant:
            args = args[1:]  # the eval context, which only the async variant needs
        value, rest = args[0], args[1:]

        def function(rows: Any) -> Any:
            result = stock(rows, *rest, **kwargs)
            return iter(list(result)) if lazy else result

        if name == "batch" and is_unbounded(value):
            bound = signature(stock).bind(value, *rest, **kwargs)
            if type(bound.args[1]) is int and bound.args[1] > 0:
                stream = PlannedStream(on_event_loop())
                stream.steps = batches(stream, stock, *bound.args)
                return LazyRows(stream)
        rows, ready = rows_now(value)
        if ready:
            return guard(function, rows)
        return PendingFilter(fetched(rows, on_event_loop(), partial(guard, function)))


@internal
def with_rows_ready(value: Any, function: Callable[[Any], Any]) -> Plan:
    """Make the rows of a value ready, leave them what they are, and go on with them."""
    rows = yield from readable_rows(value, on_event_loop())
    if (
        type(rows) in SEARCHABLE_TYPES
        or iteration_strategy(type(rows)) is IterationStrategy.QUERYSET
    ):
        return (yield from settled(function(rows)))  # the rows are asked for nothing
    return (yield from settled(guard(function, rows)))


over_rows("list")
over_rows("slice", lazy=True)
over_rows("batch", lazy=True)


# Filters that ask for what sequences have, and read nothing of what is none.


@internal
def over_sequences(name: str) -> None:
    """Register a filter that takes a length, an end, a place or an order."""
    before = 1 if hasattr(FILTERS[name], PASS_MARK) else 0

    @replaces_filter(name)
    def filter_(stock: Any, *args: Any, **kwargs: Any) -> Any:
        first, value, rest = args[:before], args[before], args[before + 1 :]

        def function(rows: Any) -> Any:
            return stock(*first, rows, *rest, **kwargs)

        kind = type(value)
        if kind in SEARCHABLE_TYPES:
            return function(value)
        if kind is LoopContext and name == "length":
            return value.length
        strategy = iteration_strategy(kind)
        if strategy in asynchronous or (
            name == "reverse" and strategy in read_once and not is_ordered(kind)
        ):
            return PendingFilter(with_rows_ready(value, function))
        if strategy is IterationStrategy.STREAM:
            value = no_rows()  # stock has a generator here, and refuses it
        return guard(function, value)


def no_rows() -> Iterator[Any]:
    """A generator without rows."""
    yield from ()


def is_ordered(kind: type) -> bool:
    """Whether ``reversed()`` takes values of a type."""
    return hasattr(kind, "__reversed__") or (
        hasattr(kind, "__len__") and hasattr(kind, "__getitem__")
    )


asynchronous = frozenset(
    {
        IterationStrategy.QUERYSET,
        IterationStrategy.SOURCE,
        IterationStrategy.ASYNC,
        IterationStrategy.EITHER,
    }
)
read_once = frozenset({IterationStrategy.STREAM, IterationStrategy.UNKNOWN})

over_sequences("length")
over_sequences("last")
over_sequences("random")
over_sequences("reverse")


@replaces_filter("tojson")
@internal
def tojson(stock: Any, eval_ctx: EvalContext, value: Any, indent: int | None = None) -> Any:
    go_on = lambda rows: guard(stock, eval_ctx, rows, indent)  # noqa: E731
    if type(value) in CONTAINER_TYPES and holds_awaitables(value, SETTLED_TYPES):
        return PendingFilter(go_on_filled(value, go_on))
    if iteration_strategy(type(value)) not in asynchronous:
        return guard(stock, eval_ctx, value, indent)
    return PendingFilter(fetched(value, eval_ctx.environment.is_async, go_on))


@replaces_filter("items")
@internal
def items(stock: Any, value: Any) -> Any:
    return guard(lambda: iter(list(stock(value))))


# Filters that read as far as they have to.


@replaces_filter("first")
@internal
def first(stock: Any, environment: Environment, seq: Any) -> Any:
    if type(seq) in SEARCHABLE_TYPES:
        return stock(environment, seq)
    return PendingFilter(first_row(stock, environment, seq))


@internal
def first_row(stock: Any, environment: Environment, seq: Any) -> Plan:
    rows, stream = yield from opened(seq, environment.is_async)
    if stream is None:
        return (yield from settled(stock(environment, rows)))
    if isinstance(stream, ThreadStream):
        stream.size = 1  # nothing is read beyond the first row
    try:
        row = yield from stream.next()
    finally:
        yield from closed(stream)
    if row is missing:
        return stock(environment, ())
    return (yield from settled(row))


@replaces_filter("attr")
@internal
def attr(stock: Any, environment: Environment, obj: Any, name: str) -> Any:
    if stands_on_loop():
        code = attribute_code(obj, name) if type(name) is str else use_code(obj, name)
        if code is not None:
            return Missed(partial(stock, environment), obj, name, code)
    try:
        return stock(environment, obj, name)
    except SynchronousOnlyOperation:
        return Missed(partial(stock, environment), obj, name)


# Filters that give rows one by one.


@replaces_filter("map")
@internal
def mapped(stock: Any, context: Context, value: Any, *args: Any, **kwargs: Any) -> Any:
    def prepare(stream: Any) -> Callable[[Any], Any]:
        if not args and "attribute" in kwargs:
            parts = path_of(kwargs.pop("attribute"))
            default = kwargs.pop("default", None)
            if kwargs:
                raise FilterArgumentError(f"Unexpected keyword argument {next(iter(kwargs))!r}")
            return looked_up(stream, context.environment, parts, default)
        if not args:
            raise FilterArgumentError("map requires a filter argument")
        return applied(context, args[0], args[1:], kwargs, is_filter=True)

    return LazyRows(RowStream(context, value, prepare))


@internal
def selecting(name: str, keep: bool, by_attribute: bool) -> None:
    """Register one of ``select``, ``reject``, ``selectattr`` and ``rejectattr``."""

    @replaces_filter(name)
    def filter_(stock: Any, context: Context, value: Any, *args: Any, **kwargs: Any) -> Any:
        def prepare(stream: Any) -> Callable[[Any], Any]:
            rest = list(args)
            lookup = None
            if by_attribute:
                if not rest:
                    raise FilterArgumentError("Missing parameter for attribute name")
                parts = path_of(rest.pop(0))
                lookup = looked_up(stream, context.environment, parts)
            test = None
            if rest:
                test = applied(context, rest[0], rest[1:], kwargs, is_filter=False)
            return selected(keep, lookup, test)

        return LazyRows(RowStream(context, value, prepare))


selecting("select", keep=True, by_attribute=False)
selecting("reject", keep=False, by_attribute=False)
selecting("selectattr", keep=True, by_attribute=True)
selecting("rejectattr", keep=False, by_attribute=True)
