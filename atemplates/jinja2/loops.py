"""The ``loop`` variable, over rows that are all there or over a stream."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

from jinja2.exceptions import TemplateRuntimeError
from jinja2.utils import missing
from markupsafe import Markup

from ..runtime.turns import ROWS_BETWEEN_LOOKS, turn_if_due
from ..runtime.waits import Plan
from .iteration import IterationStrategy, iteration_strategy
from .nested import finish, given
from .rows import open_rows, settled_items
from .state import running_state
from .streams import IteratorStream, PlannedStream, Stream
from .tracebacks import internal
from .values import SEARCHABLE_TYPES, AwaitablePlan

INDEXABLE = frozenset({list, tuple, str, Markup, range})


class LoopContext:
    """What a template sees as ``loop``.

    Generated code counts ``index0`` in its own ``for`` statement. Over a list the rest follows
    from the index; over a stream, what lies ahead has to be fetched, so those attributes give a
    `AwaitablePlan`, which the template's plan resolves.
    """

    __module__ = "jinja2.runtime"  # messages about what it lacks name it as stock's

    _APART = object()
    """In the place of the value before, for rows that are rendered at the same time."""

    __slots__ = (
        "__weakref__",
        "_before",
        "_current",
        "_last_changed_value",
        "_length",
        "_recurse",
        "_rows",
        "_start",
        "_stream",
        "_undefined",
        "depth0",
        "index0",
    )

    def __init__(
        self, rows: Any, stream: Stream | None, undefined: Any, recurse: Any = None, depth0: int = 0
    ) -> None:
        self._rows: Any = rows if rows is None or type(rows) in INDEXABLE else tuple(rows)
        self._stream = stream
        self._undefined = undefined
        self._recurse = recurse
        self.depth0 = depth0
        self.index0 = -1
        self._length: int | None = None
        self._start = 0
        self._before = self._current = missing
        self._last_changed_value: Any = missing

    @internal
    def _advance(self) -> Plan:
        """Fetch the next row of a stream: return it in a list, or None at the end."""
        assert self._stream is not None
        row = yield from self._stream.next()
        if row is missing:
            return None
        self._start = self.index0 + 1
        self._before, self._current = self._current, row
        return [row]

    @property
    def length(self) -> Any:
        """How many rows there are, or were when that was asked first."""
        if self._stream is not None:
            return AwaitablePlan(self._measure())
        if self._length is None:
            self._length = len(self._rows)
        return self._length

    @internal
    def _measure(self) -> Plan:
        assert self._stream is not None
        return self.index + (yield from self._stream.fill())

    def __len__(self) -> int:
        length = self.length
        return finish(length._finish()) if type(length) is AwaitablePlan else int(length)

    @property
    def depth(self) -> int:
        """How deep a recursive loop is, from 1."""
        return self.depth0 + 1

    @property
    def index(self) -> int:
        """The number of the row, from 1."""
        return self.index0 + 1

    @property
    def revindex(self) -> Any:
        """The number of the row counted from the end, to 1."""
        if self._stream is None:
            return self.length - self.index0
        return AwaitablePlan(self._remaining(1))

    @property
    def revindex0(self) -> Any:
        """The number of the row counted from the end, to 0."""
        if self._stream is None:
            return self.length - self.index0 - 1
        return AwaitablePlan(self._remaining(0))

    @internal
    def _remaining(self, base: int) -> Plan:
        assert self._stream is not None
        return base + (yield from self._stream.fill())

    @property
    def first(self) -> bool:
        """Whether this is the first row."""
        return self.index0 == 0

    @property
    def last(self) -> Any:
        """Whether this is the last row."""
        if self._stream is None:
            return self.index0 + 1 >= len(self._rows)
        return AwaitablePlan(self._is_last())

    @internal
    def _is_last(self) -> Plan:
        assert self._stream is not None
        return (yield from self._stream.peek()) is missing

    @property
    def previtem(self) -> Any:
        """The row before this one; undefined at the first."""
        if self.first:
            return self._undefined("there is no previous item")
        return self._rows[self.index0 - 1] if self._stream is None else self._before

    @property
    def nextitem(self) -> Any:
        """The row after this one; undefined at the last."""
        if self._stream is not None:
            return AwaitablePlan(self._following())
        if self.last:
            return self._undefined("there is no next item")
        return self._rows[self.index0 + 1]

    @internal
    def _following(self) -> Plan:
        assert self._stream is not None
        row = yield from self._stream.peek()
        return self._undefined("there is no next item") if row is missing else row

    def cycle(self, *args: Any) -> Any:
        """One of the arguments, in turn."""
        if not args:
            raise TypeError("no items for cycling given")
        return args[self.index0 % len(args)]

    def changed(self, *value: Any) -> bool:
        """Whether the value differs from the one of the last call.

        Raises:
            TemplateRuntimeError: the rows are rendered at the same time.
        """
        if self._last_changed_value is LoopContext._APART:
            raise TemplateRuntimeError(
                "loop.changed() compares with the row before, and the rows of a loop that stands "
                "directly inside {% parallel %} are rendered at the same time. Move the loop out "
                "of {% parallel %}."
            )
        if self._last_changed_value != value:
            self._last_changed_value = value
            return True
        return False

    @internal
    def _pend(self, eval_ctx: Any, iterable: Iterable[Any]) -> AwaitablePlan:
        """Render the loop's body for nested rows, as part of the template's plan."""
        if self._recurse is None:
            raise TypeError("The loop must have the 'recursive' marker to be called recursively.")
        return AwaitablePlan(self._recurse(iterable, self._recurse, self.depth))

    def __call__(self, iterable: Iterable[Any]) -> Any:
        """The same for Python code: the text, or an `AwaitablePlan` to code that can await."""
        return given(self._pend(None, iterable))

    def __repr__(self) -> str:
        length = "?" if self._stream is not None else len(self._rows)
        return f"<{type(self).__name__} {self.index}/{length}>"


class LoopForPython:
    """What a Python function gets for ``loop`` over a stream: its attributes are values."""

    __module__ = "jinja2.runtime"
    __slots__ = ("_loop",)

    def __init__(self, loop: LoopContext) -> None:
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._loop, name)
        return finish(value._finish()) if type(value) is AwaitablePlan else value

    def __len__(self) -> int:
        return len(self._loop)

    @internal
    def __call__(self, iterable: Iterable[Any]) -> Any:
        return self._loop(iterable)

    def __repr__(self) -> str:
        return repr(self._loop)


@internal
def open_loop(in_loop: bool, value: Any, site: Any = None, root: Any = None) -> Plan:
    """Begin a loop that uses ``loop``: return the rows if they are all there, else a stream."""
    if type(value) in SEARCHABLE_TYPES:
        return value, None
    first, stream = yield from open_rows(in_loop, value, site, root)
    if stream is None and iteration_strategy(type(first)) in (
        IterationStrategy.ITERATOR,
        IterationStrategy.UNKNOWN,
    ):
        return None, IteratorStream(iter(first))
    if stream is not None and first is not None:
        # What the first chunk has read stays in the stream; it is only looked at here.
        return None, stream
    return first, stream


@internal
def open_filtered(
    in_loop: bool, value: Any, test: Any, count: int | None, site: Any = None, root: Any = None
) -> Plan:
    """Begin a loop that uses ``loop`` and has a condition: the rows that meet it, one by one.

    Args:
        in_loop: whether the plan runs on the event loop.
        value: what is looped over.
        test: the plan function of the condition.
        count: into how many variables a row is unpacked; None: it is not.
        site: the place and path of the expression that gave the value.
        root: the value of the variable that the path begins with.
    """
    first, stream = yield from open_rows(in_loop, value, site, root)
    filtered = PlannedStream(in_loop)
    filtered.upstream = stream
    filtered.steps = rows_that(first, stream, test, count, in_loop)
    return None, filtered


@internal
def rows_that(
    rows: Any, stream: Stream | None, test: Any, count: int | None, in_loop: bool
) -> Generator[Any, Any, None]:
    """Give the rows that pass a loop's test, and the waits for it."""
    state = running_state()
    while rows is not None:
        for row in rows:
            if state.turning:
                state.rows += 1
                if state.rows >= ROWS_BETWEEN_LOOKS:
                    yield from turn_if_due(state)
            if count is not None and type(row) is not tuple:
                row = yield from settled_items(row, count, in_loop)
            if (yield from test(row)):
                yield row
        rows = None if stream is None else (yield from stream.chunk())
