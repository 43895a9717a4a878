"""Plan on sources that ``async for`` goes through: their rows, truth, filters and lookups.

On the event loop they are read asynchronously unless their rows are at hand. Off it, one that can
be used synchronously is, as stock does it; where it refuses it is read asynchronously there too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import MethodType
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from django.template.base import VariableDoesNotExist

from .async_sources import REFUSALS, REFUSED, has_truth, is_async_iterator, own_truth
from .async_twins import (
    READING_METHODS,
    Either,
    has_only_twins,
    is_marked,
    only_twin,
    rows_method,
    source_twin,
)
from .state import State
from .types import is_awaitable
from .waits import Kind, Pending, Plan, Wait


def read_source(state: State, source: Any) -> Any:
    """Return the rows of a source, or a `Pending` of them."""
    rows = state.read.known(source)
    return Pending(state.read.steps(source)) if rows is None else rows


def read_then(state: State, source: Any, function: Callable[[Any], Any]) -> Any:
    """Return what ``function`` makes of a source's rows, or a `Pending` of it."""
    rows = read_source(state, source)
    return Pending(_then(rows, function)) if type(rows) is Pending else function(rows)


def _then(pending: Pending, function: Callable[[Any], Any]) -> Plan:
    return function((yield from pending.plan))


def sync_or_read(state: State, source: Any, function: Callable[[Any], Any]) -> Any:
    """Off the loop: what ``function`` makes of the source itself, or of its rows if it refuses."""
    found = state.read.synchronously(source, state.on_loop, function)
    return read_then(state, source, function) if found is REFUSED else found


def source_truth(state: State, source: Any) -> Any:
    """Return whether a source is true, or a `Pending` of it."""
    truth = own_truth(source, state.on_loop)
    return read_then(state, source, bool) if truth is None else truth


async def call_on_loop(function: Callable[..., Any], *args: Any) -> Any:
    """Call what can be called on an event loop only, as the wait for this has it."""
    return function(*args)


# -- filters ---------------------------------------------------------------------------------------


class Attempt:
    """A source as a filter of Django's sees it, that notes whether the source refuses.

    The filters take a ``TypeError`` for an answer: the length of what has none is 0.
    """

    def __init__(self, source: Any) -> None:
        self.source = source
        self.refused = False

    def _ask(self, function: Callable[..., Any], *args: Any) -> Any:
        try:
            return function(self.source, *args)
        except REFUSALS:
            self.refused = True
            raise

    def __bool__(self) -> bool:
        kind = type(self.source)
        if has_truth(kind) and not (hasattr(kind, "__bool__") or hasattr(kind, "__len__")):
            self.refused = True  # Python would take it for true, whatever its rows
            raise TypeError
        return bool(self._ask(bool))

    def __len__(self) -> int:
        return int(self._ask(len))

    def __getitem__(self, key: Any) -> Any:
        return self._ask(lambda source: source[key])

    def __iter__(self) -> Iterator[Any]:
        rows = self._ask(iter)
        try:
            first = next(rows)
        except StopIteration:
            return
        except REFUSALS:
            self.refused = True
            raise
        yield first
        yield from rows


def filter_source(
    state: State,
    apply: Callable[[Any], Any],
    function: Any,
    source: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Apply a filter of Django's that reads rows, or cuts some out, to a source.

    Args:
        apply: applies the filter to a list.
    """
    known = state.read.known(source)
    if known is None and (not state.on_loop or function.__name__ in CUTTING_FILTERS):
        attempt = Attempt(source)
        try:
            result = function(attempt, *args, **kwargs)
        except Exception:
            if not attempt.refused:
                raise
        else:
            if not attempt.refused:
                if is_awaitable(result):
                    return Pending(_cut(function, result))
                if is_async_iterator(type(result)) and result is not source:
                    return Pending(_read_part(result))
                return source if result is attempt else result
    return Pending(_filter(state, apply, source))


CUTTING_FILTERS = frozenset({"first", "last", "slice_filter"})
"""Filters that a source answers without all of its rows, if it can."""


def _cut(function: Any, awaitable: Any) -> Plan:
    try:
        return (yield Wait(Kind.AWAIT, awaitable))
    except IndexError:
        return function(())


def _read_part(rows: Any) -> Plan:
    """The rows of a section that can be gone through once: of Django's own it is a list."""
    return (yield Wait(Kind.ROWS, rows))


def _filter(state: State, apply: Callable[[Any], Any], source: Any) -> Plan:
    rows = yield from state.read.steps(source)
    result = apply(rows)
    if type(result) is Pending:
        result = yield from result.plan
    return source if result is rows else result


# -- lookups ---------------------------------------------------------------------------------------


def look_up(state: State, source: Any, bit: str, lookup: Callable[[Any, str], Any]) -> Any:
    """Resolve one bit on a source; the value, or a `Pending` of it.

    Args:
        lookup: resolves a bit on anything.

    Raises:
        VariableDoesNotExist: there is no such attribute or row.
    """
    position = bit.isdecimal() and not is_async_iterator(type(source))
    if position and state.read.known(source) is not None:
        return _row(state.read.known(source), bit)
    try:
        found = lookup(source, bit)
    except (VariableDoesNotExist, SynchronousOnlyOperation) as error:
        if position:
            return read_then(state, source, lambda rows: _row(rows, bit))
        if isinstance(error, VariableDoesNotExist) or not hasattr(type(source), "__getitem__"):
            raise
        found = _attribute(source, bit)  # what refused may be but the subscript
    if position and is_awaitable(found):
        return Pending(_awaited_row(found, source, bit))
    if type(found) is MethodType and found.__self__ is source:
        twin = source_twin(getattr(source, f"a{bit}", None))
        if twin is not None and not is_marked(found):
            return twin if state.on_loop else Either(found, twin)
    return found


def _attribute(source: Any, bit: str) -> Any:
    try:
        return getattr(source, bit)
    except AttributeError:
        raise VariableDoesNotExist("Failed lookup for key [%s] in %r", (bit, source)) from None


def _row(rows: list[Any], bit: str) -> Any:
    try:
        return rows[int(bit)]
    except IndexError:
        raise VariableDoesNotExist("Failed lookup for key [%s] in %r", (bit, rows)) from None


def _awaited_row(awaitable: Any, source: Any, bit: str) -> Plan:
    try:
        return (yield Wait(Kind.AWAIT, awaitable))
    except IndexError:
        raise VariableDoesNotExist("Failed lookup for key [%s] in %r", (bit, source)) from None


def missing_method(value: Any, bit: str) -> Any:
    """Return what stands in for a method that a source or manager does not have, or None."""
    if bit not in READING_METHODS or not has_only_twins(type(value)):
        return None
    return only_twin(getattr(value, f"a{bit}", None)) or rows_method(value, bit)
