"""The rows of a loop, and whether a value is true."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from types import GeneratorType
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from django.db.models import QuerySet

from ..placement.value_code import iteration_code, truth_code
from .async_sources import REFUSALS
from .calls import again_in_thread
from .paths import resolve_path
from .placed_steps import LEAVE, run_here
from .relations import TakenRows, evaluate
from .running_steps import register_step, value_step
from .sites import Site
from .source_steps import read_source, source_truth, sync_or_read
from .state import State
from .types import (
    ALWAYS_TRUE,
    INERT,
    LEARNED_TYPES,
    RELATED,
    SEQUENCES,
    SIMPLE,
    SOURCES,
    TRANSLATED,
    VIEWS,
    is_iterator,
    is_related,
    is_source,
    learn_type,
)
from .usual_paths import resolve_long_path
from .waits import Pending, Plan, Wait


def truth_of_value(state: State, value: Any, site: Site | None = None, root: Any = None) -> Any:
    """Return whether a value is true, or a `Pending` of it.

    Args:
        site: the expression whose value it is, if that is known.
        root: the value of its first bit.
    """
    kind = type(value)
    if kind in ALWAYS_TRUE:
        return True
    if kind is TRANSLATED:
        text = state.ambient.now().translated(value)
        if text is not None:
            return bool(text)
    if is_source(kind):
        return source_truth(state, value)
    code = truth_code(value) if state.looks else None
    if code is not None:
        result = run_here(state, code, bool, (value,), (value,))
        if result is not LEAVE:
            return result
        return again_in_thread(state, value, "__bool__", site, root, bool, value, code=code)
    try:
        if is_related(type(value)) and issubclass(type(value), QuerySet):
            wait = state.relations.whole(value, site, root)
            return (
                bool(value) if wait is None else Pending(evaluated_then(state, value, wait, bool))
            )
        return bool(value)
    except SynchronousOnlyOperation:
        if not state.on_loop:
            raise
        return again_in_thread(state, value, "__bool__", site, root, bool, value)


register_step(truth_of_value, value_step)


def truth_of_variable(state: State, context: Any, value: Any, site: Site) -> Any:
    """Return something whose truth is a variable's: its path resolved, and `truth_of_value`.

    Args:
        value: what the site's first bit gave.
    """
    root = value
    if len(site.bits) > 1:
        value = resolve_long_path(state, context, value, site)
    elif type(value) not in INERT:
        value = resolve_path(state, context, value, site)
    if type(value) is Pending:
        return Pending(_truth_later(state, value, site, root))
    return value if type(value) in SIMPLE else truth_of_value(state, value, site, root)


def _truth_later(state: State, pending: Pending, site: Site, root: Any) -> Plan:
    value = yield from pending.plan
    if type(value) not in SIMPLE:
        value = truth_of_value(state, value, site, root)
        if type(value) is Pending:
            value = yield from value.plan
    return value


def evaluated_then(state: State, queryset: Any, wait: Wait, function: Callable[[Any], Any]) -> Plan:
    """Evaluate a whole queryset, then give what ``function`` makes of its rows."""
    return function((yield from evaluate(state.relations, queryset, wait)))


AT_HAND: frozenset[type] = SEQUENCES | VIEWS
"""Exact types of values that a plain loop can go through as they are."""


def loop_rows(
    state: State,
    value: Any,
    site: Site | None = None,
    root: Any = None,
    *,
    backwards: bool = False,
    sized: bool = True,
) -> Any:
    """Return something that a plain loop can go through, for the source of a ``{% for %}``.

    The result has a length, and iterating it runs no query.

    Args:
        site: the expression whose value it is, if that is known.
        root: the value of its first bit.
        backwards: whether the loop goes through ``reversed()`` of the result.
        sized: whether the length that the source says is its own counts, or just its rows.
    """
    kind = type(value)
    if kind in AT_HAND:
        return value
    if value is None:
        return ()
    if kind is GeneratorType and sized and not state.looks:
        return list(value)
    if kind not in LEARNED_TYPES:
        learn_type(kind)
    if kind in SOURCES:
        return _source_rows(state, value, backwards, sized)
    if kind in RELATED and issubclass(kind, QuerySet):
        wait = state.relations.whole(value, site, root)
        return value if wait is None else Pending(evaluate(state.relations, value, wait))
    if state.on_loop and is_iterator(value):
        # On trial a generator cannot be put back to its beginning.
        return again_in_thread(state, value, "__iter__", site, root, list, value)
    code = iteration_code(value) if state.looks else None
    if code is not None:
        result = run_here(state, code, take_rows, (value, backwards, sized), (value,))
        if result is not LEAVE:
            return result
        arguments = (take_rows, value, backwards, sized)
        return again_in_thread(state, value, "__iter__", site, root, *arguments, code=code)
    try:
        return take_rows(value, backwards, sized)
    except SynchronousOnlyOperation:
        if not state.on_loop:
            raise
        arguments = (take_rows, value, backwards, sized)
        return again_in_thread(state, value, "__iter__", site, root, *arguments)


register_step(loop_rows, value_step)


def _source_rows(state: State, source: Any, backwards: bool, sized: bool) -> Any:
    if not state.on_loop and state.read.known(source) is None:
        try:
            found = take_rows(source, backwards, sized)
        except REFUSALS:
            return read_source(state, source)
        if isinstance(found, list) or found.items or not isinstance(found.error, REFUSALS):
            return found
    return read_source(state, source)


def take_rows(value: Any, backwards: bool, sized: bool) -> Rows | list[Any]:
    """Take the rows of an object with an iteration of its own; arguments as for `loop_rows`.

    Returns:
        A plain list, which is not yet in the order of a ``reversed`` loop, or `Rows`, which are.
    """
    if sized and not hasattr(value, "__len__"):
        return list(value)
    rows = Rows(value, backwards, sized)
    if backwards or rows.error is not None or rows.length != len(rows.items):
        return rows
    return rows.items


class Rows(TakenRows):
    """The rows of an object with an iteration of its own, taken before the loop begins.

    It may need the database at any row, and taking them is one step, which runs in one place. An
    exception in the midst is kept until the loop comes to it.
    """

    __slots__ = ("error", "length")

    def __init__(self, value: Any, backwards: bool, sized: bool) -> None:
        self.error: Exception | None = None
        self.items = []
        # The length first, as stock: it is what says whether there is anything.
        self.length = len(value) if sized else 1
        if self.length < 1:
            return
        iterator = reversed(value) if backwards else iter(value)
        try:
            # One by one: a list asks an iterator how long it is, and that may ask the object.
            self.items.extend(row for row in iterator)
        except SynchronousOnlyOperation:
            raise
        except Exception as error:
            self.error = error

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[Any]:
        yield from self.items
        if self.error is not None:
            raise self.error

    def __reversed__(self) -> Iterator[Any]:
        """The items as they are: they are in the loop's order."""
        return iter(self)


def unpack(item: Any, count: int) -> Any:
    """Return the values of one row for ``count`` loop variables.

    Raises:
        ValueError: the row has another length (with Django's own message).
    """
    try:
        length = len(item)
    except TypeError:  # not an iterable
        length = 1
    if length != count:
        raise ValueError(f"Need {count} values to unpack in for loop; got {length}. ")
    return tuple(islice(item, count))


ROW_CONTAINERS: frozenset[type] = frozenset({list, tuple})
"""Types of values that may hold instances."""


def container(state: State, value: Any, site: Site | None = None, root: Any = None) -> Any:
    """Return what ``in`` searches: a queryset with its rows, which it reads all of."""
    kind = type(value)
    if is_source(kind):
        if state.on_loop or not hasattr(kind, "__contains__"):
            return sync_or_read(state, value, list)
    elif issubclass(kind, QuerySet):
        wait = state.relations.whole(value, site, root)
        if wait is not None:
            return Pending(evaluate(state.relations, value, wait))
    return value
