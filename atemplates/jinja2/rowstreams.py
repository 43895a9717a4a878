"""Streams of what a filter makes of each row: ``map``, ``select`` and their relatives."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeAlias

from jinja2 import Environment
from jinja2.runtime import Context, Undefined
from jinja2.utils import missing

from ..runtime.drivers import arun, run
from ..runtime.turns import ROWS_BETWEEN_LOOKS, turn_if_due
from ..runtime.waits import Plan
from .arguments import streams, unready
from .attributes import found_in
from .filter_calls import guard, plain_functions
from .function_marks import first_argument
from .iteration import iteration_strategy
from .lookups import item_lookup
from .rows import opened, unbounded
from .runtime import truth_plan
from .state import active
from .streams import Stream, not_yet
from .tracebacks import internal
from .values import FREE_TRUTH_TYPES, JINJA2_SCALARS, PLACED, SETTLED_TYPES, AwaitablePlan, settled

RowStep: TypeAlias = Callable[[Any], Any]
"""From a row to what comes of it, to ``missing`` for nothing, or to something that waits."""


class RowStream(Stream):
    """What a filter makes of rows, one by one.

    As with Jinja2's generators nothing happens before the first row is asked for, and no row is
    looked at before it is needed. Rows are made by a plain generator, up to one that has to wait.

    Args:
        context: the template's context.
        value: where the rows come from.
        prepare: makes the step that is applied to each.
    """

    step: RowStep | None = None
    rows: Any = ()
    iterator: Iterator[Any] | None = None
    stuck: Any = None

    def __init__(self, context: Any, value: Any, prepare: Callable[[RowStream], RowStep]) -> None:
        self.ready = deque()
        self.in_loop = context.environment.is_async
        self.value = value
        self.prepare: Callable[[RowStream], RowStep] | None = prepare

    @internal
    def begin(self, rows: Any) -> None:
        """Begin to make rows out of others that are at hand."""
        assert self.prepare is not None
        self.step, self.prepare = self.prepare(self), None
        self.rows = rows
        self.iterator = iter(rows)

    @internal
    def at_once(self) -> Any:
        """All rows as a list, if nothing has to be waited for, else ``not_yet``."""
        value = self.value
        if self.prepare is None:
            return not_yet
        if type(value) is LazyRows:
            rows = value._stream.at_once()
            if rows is not_yet:
                return not_yet
        elif type(value) is list or type(value) is tuple:
            rows = value
            if not rows:
                self.prepare = None
                return []
        else:
            return not_yet
        self.begin(rows)
        found: list[Any] = []
        step, iterator = self.step, self.iterator
        assert step is not None
        assert iterator is not None
        for row in iterator:
            made = step(row) if type(row) in SETTLED_TYPES else AwaitablePlan(self.late(row, step))
            if type(made) not in SETTLED_TYPES:
                self.stuck = made
                self.ready.extend(found)
                return not_yet
            if made is not missing:
                found.append(made)
        self.iterator = None
        return found

    def _is_bounded(self) -> bool:
        if type(self.value) is LazyRows:
            return bool(self.value._stream._is_bounded())
        return iteration_strategy(type(self.value)) not in unbounded

    @internal
    def flow(self) -> Iterator[Any]:
        """The rows that are ready, and those that can be made without waiting."""
        while self.ready:
            yield self.ready.popleft()
        yield from self.more()

    @internal
    def more(self) -> Iterator[Any]:
        """The rows after those that are ready, up to one that has to be waited for."""
        if self.iterator is None or self.stuck is not None:
            return
        step = self.step
        assert step is not None
        for row in self.iterator:
            made = step(row) if type(row) in SETTLED_TYPES else AwaitablePlan(self.late(row, step))
            if type(made) not in SETTLED_TYPES:
                self.stuck = made
                return
            if made is not missing:
                yield made
        self.iterator = None

    @internal
    def late(self, row: Any, step: RowStep) -> Plan:
        return (yield from settled(step((yield from settled(row)))))

    @internal
    def chunk(self) -> Plan:
        """Return an iterator over some rows, or None at the end."""
        if self.iterator is not None and self.stuck is None:  # after many that were at hand
            state = active.get()
            if state is not None and state.turning:
                yield from turn_if_due(state)
        if not self.ready and not (yield from self.advance()):
            return None
        return islice(self.flow(), ROWS_BETWEEN_LOOKS)

    @internal
    def advance(self) -> Plan:
        """Wait for what the next rows need; return False if there are no more."""
        if self.prepare is not None:
            yield from self.open()
        if self.stuck is not None:
            stuck, self.stuck = self.stuck, None
            made = yield from settled(stuck)
            if made is not missing:
                self.ready.append(made)
        elif self.iterator is None:
            rows = None if self.upstream is None else (yield from self.upstream.chunk())
            if rows is None:
                return False
            self.iterator = iter(rows)
        return True

    @internal
    def open(self) -> Plan:
        """Find the rows."""
        if not (yield from truth_plan(self.value, *self.place)):
            self.prepare = None
            return
        rows, self.upstream = yield from opened(self.value, self.in_loop, *self.place)
        self.begin(() if rows is None else rows)

    @internal
    def fetch(self) -> Plan:
        # Rows may be ready already: what counts is that there is one more.
        before = len(self.ready)
        while (yield from self.advance()):
            if len(self.ready) > before:
                return True
            for row in self.more():
                self.ready.append(row)
                return True
        return False

    @internal
    def rest(self) -> Plan:
        """Take every row there is, as a list."""
        found: list[Any] = []
        while (rows := (yield from self.chunk())) is not None:
            found.extend(rows)
        return found


class LazyRows:
    """What a template holds of a `RowStream`; stock Jinja2 gives a generator.

    A template can call what it can reach, in a sandbox as well, so it reaches nothing but this.
    """

    __slots__ = ("__weakref__", "_stream")

    _is_rows = True

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        row = run(self._stream.next())
        if row is missing:
            raise StopIteration
        return row

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        row = await arun(self._stream.next())
        if row is missing:
            raise StopAsyncIteration
        return row


# Messages about what it lacks name it as stock's.
LazyRows.__name__ = "generator"
LazyRows.__module__ = "builtins"

streams.add(LazyRows)
unready.add(LazyRows)
PLACED.add(LazyRows)


@internal
def looked_up(
    stream: RowStream, environment: Environment, parts: list[Any], default: Any = None
) -> RowStep:
    """A step that follows a path of lookups."""
    item = item_lookup(environment)

    def step(row: Any) -> Any:
        obj = row
        for number, part in enumerate(parts, 1):
            obj = item(environment, obj, part)
            if type(obj) not in SETTLED_TYPES:
                return AwaitablePlan(slow(obj, number, row))
            if default is not None and issubclass(type(obj), Undefined):
                obj = default
        return obj

    def slow(obj: Any, number: int, row: Any) -> Plan:
        while True:
            obj = yield from found_in(stream.rows, stream.place, obj, parts[:number], row)
            if default is not None and issubclass(type(obj), Undefined):
                obj = default
            if number == len(parts):
                return obj
            obj = item(environment, obj, parts[number])
            number += 1

    def only(row: Any) -> Any:
        obj = item(environment, row, part)
        return obj if type(obj) in SETTLED_TYPES else AwaitablePlan(slow(obj, 1, row))

    if len(parts) == 1 and default is None:
        (part,) = parts
        return only
    return step


@internal
def applied(
    context: Context, name: Any, args: Sequence[Any], kwargs: dict[str, Any], is_filter: bool
) -> RowStep:
    """A step that applies a filter or a test by its name."""
    environment = context.environment
    method = "call_filter" if is_filter else "call_test"
    known: Any = environment.filters if is_filter else environment.tests
    function = known.get(name) if isinstance(name, str) else None
    if function is None or getattr(type(environment), method) is not getattr(Environment, method):
        call = getattr(environment, method)
        return lambda row: guard(call, name, row, args, kwargs, context)
    passed: tuple[Any, ...] = {
        "context": (context,),
        "eval_context": (context.eval_ctx,),
        "environment": (environment,),
    }.get(first_argument(function), ())
    if function in plain_functions and not (passed or args or kwargs):
        return lambda row: function(row) if type(row) in JINJA2_SCALARS else guard(function, row)
    return lambda row: guard(function, *passed, row, *args, **kwargs)


@internal
def selected(keep: bool, lookup: RowStep | None, test: RowStep | None) -> RowStep:
    """A step that keeps or drops a row, by its own truth or that of a lookup or test."""

    def step(row: Any) -> Any:
        verdict = row if lookup is None else lookup(row)
        if test is not None:
            if type(verdict) not in SETTLED_TYPES:
                return AwaitablePlan(slow(row, verdict, tested=False))
            verdict = test(verdict)
        if type(verdict) in FREE_TRUTH_TYPES:
            return row if bool(verdict) is keep else missing
        return AwaitablePlan(slow(row, verdict, tested=True))

    def slow(row: Any, verdict: Any, tested: bool) -> Plan:
        if not tested:
            assert test is not None
            verdict = test((yield from settled(verdict)))
        return row if (yield from truth_plan(verdict)) is keep else missing

    return step
