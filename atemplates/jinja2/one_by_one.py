"""``unique`` and ``batch`` over rows that are read one by one, as far as somebody asks for them."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment
from jinja2.filters import ignore_case, make_attrgetter
from jinja2.utils import missing

from ..runtime.waits import Plan
from .attributes import computed
from .iteration import iteration_strategy
from .rows import opened, unbounded
from .rowstreams import LazyRows
from .streams import PlannedStream
from .tracebacks import internal
from .values import settled


def is_unbounded(value: Any) -> bool:
    """Whether rows are read one by one, from what may have no end."""
    if type(value) is LazyRows:
        return not value._stream._is_bounded()
    return iteration_strategy(type(value)) in unbounded


@internal
def unique_rows(
    stream: PlannedStream,
    environment: Environment,
    value: Any,
    case_sensitive: bool = False,
    attribute: Any = None,
) -> Plan:
    """The steps of ``unique`` over rows that are read one by one."""
    change = None if case_sensitive else ignore_case
    seen: set[Any] = set()

    def key(row: Any) -> Any:
        function = lambda lookups: make_attrgetter(lookups, attribute, change)(row)  # noqa: E731
        return computed(function, environment, [row], attribute)

    _, source = yield from opened(value, stream.in_loop)
    stream.upstream = source
    row: Any
    while (row := (yield from source.next())) is not missing:
        row = yield from settled(row)
        found = yield from settled(key(row))
        if found not in seen:
            seen.add(found)
            yield row


@internal
def batches(
    stream: PlannedStream, stock: Any, value: Any, linecount: int, fill_with: Any = None
) -> Plan:
    """The steps of ``batch`` over rows that are read one by one."""
    _, source = yield from opened(value, stream.in_loop)
    stream.upstream = source
    batch: list[Any] = []
    row: Any
    while (row := (yield from source.next())) is not missing:
        batch.append((yield from settled(row)))
        if len(batch) == linecount:
            yield from stock(batch, linecount, fill_with)
            batch = []
    yield from stock(batch, linecount, fill_with)
