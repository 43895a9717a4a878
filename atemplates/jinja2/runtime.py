"""What generated code calls: one lookup, one call, one operation, one output each.

A plain function gives the value, or something that waits (a `Wait`, an `AwaitablePlan`, a `Missed`)
when it is stuck; generated code compares the type of what it got, and only then runs the generator
functions of this file. On the event loop a step of Django's own code that raises
`SynchronousOnlyOperation` becomes a wait for the same step in the request's thread (the guard
raises before a query is sent); steps that run code of others are placed before they run.
"""

from __future__ import annotations

import operator
import operator as operators
from collections.abc import Callable
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from django.db.models import Model
from jinja2.utils import missing
from markupsafe import Markup, soft_str

from ..placement.value_code import text_code, truth_code
from ..runtime.escaping import markup_escaped
from ..runtime.sites import Site
from ..runtime.turns import known_length, row_blocks, turn_if_due
from ..runtime.types import RELATED, SOURCES, is_iterator
from ..runtime.waits import Kind, Plan, Wait
from ..streaming.sink import Sink
from .callables import Macro, RenderFunction, TemplateReference, as_markup
from .calls import call_in_template, macro_plan
from .contexts import shown
from .defer import defer_timeout
from .deferred_parts import begin_deferred, show_deferred
from .filter_calls import bare, guard
from .iteration import IterationStrategy, iteration_strategy
from .lookups import (
    item,
    lookup_attribute,
    read_attribute,
    secured_attribute,
    secured_item,
    watched_attribute,
)
from .loops import LoopContext, open_filtered, open_loop
from .other_templates import (
    extend,
    import_template,
    include,
    include_plain,
    load_named,
    run_block,
    run_root,
)
from .placed import stands_on_loop, taken
from .rows import evaluated, open_rows, opened, settled_items
from .sandbox import secured_call
from .sending import (
    PIECE_WRITTEN,
    flushed,
    send_block,
    send_extended,
    send_include,
    send_plain,
    send_root,
)
from .sources import section_of_source, source_rows, source_truth_plan, text_of_source
from .state import running_state
from .streams import Stream, closed, kept
from .together import (
    all_rows,
    loop_ahead,
    own_evaluation,
    parallel_limit,
    parallel_parts,
    passing_rows,
    rendered_rows,
    send_parts,
)
from .tracebacks import internal
from .values import (
    FREE_TRUTH_TYPES,
    JINJA2_SCALARS,
    SEARCHABLE_TYPES,
    SETTLED_TYPES,
    UNESCAPED,
    AwaitablePlan,
    settled,
    settled_within,
)

__all__ = [
    "FREE_TRUTH_TYPES",
    "JINJA2_SCALARS",
    "PIECE_WRITTEN",
    "SEARCHABLE_TYPES",
    "SETTLED_TYPES",
    "UNESCAPED",
    "LoopContext",
    "Macro",
    "RenderFunction",
    "Sink",
    "Site",
    "TemplateReference",
    "all_rows",
    "as_markup",
    "bare",
    "begin_deferred",
    "call_in_template",
    "closed",
    "contained",
    "cut_section",
    "defer_timeout",
    "extend",
    "flushed",
    "guard",
    "import_template",
    "include",
    "include_plain",
    "item",
    "known_length",
    "load_named",
    "lookup_attribute",
    "loop_ahead",
    "macro_plan",
    "markup_escaped",
    "note_named_value",
    "open_filtered",
    "open_loop",
    "open_rows",
    "operated",
    "operators",
    "own_evaluation",
    "parallel_limit",
    "parallel_parts",
    "passing_rows",
    "printed",
    "read_attribute",
    "rendered_rows",
    "row_blocks",
    "run_block",
    "run_root",
    "running_state",
    "secured_attribute",
    "secured_call",
    "secured_item",
    "send_block",
    "send_extended",
    "send_include",
    "send_parts",
    "send_plain",
    "send_root",
    "settled",
    "settled_items",
    "settled_within",
    "show_deferred",
    "shown",
    "text",
    "texts",
    "truth_plan",
    "turn_if_due",
    "watched_attribute",
]


@internal
def cut_section(obj: Any, part: slice) -> Any:
    """Cut ``obj[start:stop:step]``."""
    if iteration_strategy(type(obj)) is IterationStrategy.SOURCE:
        return AwaitablePlan(section_of_source(obj, part))
    if type(obj) in SEARCHABLE_TYPES and JINJA2_SCALARS.issuperset(
        map(type, (part.start, part.stop, part.step))
    ):
        return obj[part]  # its items are not asked for anything
    return guard(operator.getitem, obj, part)


@internal
def truth_plan(value: Any, site: Any = None, root: Any = None) -> Plan:
    """Whether a value counts as true; a queryset is evaluated for it."""
    if type(value) not in SETTLED_TYPES:
        value = yield from settled(value, site, root)
    strategy = iteration_strategy(type(value))
    if strategy is IterationStrategy.SOURCE:
        return (yield from source_truth_plan(value))
    if strategy is IterationStrategy.QUERYSET:
        value = yield from evaluated(value, site, root)
    code = truth_code(value)
    if code is not None:
        return (yield from taken(code, bool, (value,)))
    try:
        return bool(value)
    except SynchronousOnlyOperation:
        return (yield Wait(Kind.CALL, bool, (value,)))


@internal
def printed(write: Callable[[Any], str], value: Any, site: Any = None, root: Any = None) -> Plan:
    """The text of a value, made by ``write`` (``escape`` or ``str``)."""
    if type(value) is AwaitablePlan and value._wait is None:
        # What most of such values are: a macro or a block, whose output is text.
        value = Markup((yield from value._plan)) if value._markup else (yield from value._plan)
    if type(value) in JINJA2_SCALARS:
        return write(value)
    value = yield from settled_within(value, site, root)
    index = len(site.bits) if site is not None else 1
    if type(value) in RELATED and issubclass(type(value), Model):
        running_state().relations.prepare(value, site, root, index)
    if type(value) in SOURCES:
        return (yield from text_of_source(write, value))
    code = text_code(value)
    if code is not None:
        notify = None
        if type(value) in RELATED and stands_on_loop():
            notify = running_state().relations.python_step(value, "__str__", site, root, index)
        return (yield from taken(code, write, (value,), notify=notify))
    try:
        return write(value)
    except SynchronousOnlyOperation:
        notify = None
        if type(value) in RELATED:
            notify = running_state().relations.python_step(value, "__str__", site, root, index)
        return (yield Wait(Kind.CALL, write, (value,), notify=notify))


@internal
def text(value: Any, markup: bool, site: Any = None, root: Any = None) -> Plan:
    """An operand of ``~`` as text; where markup is joined, one that is markup stays so."""
    return (yield from printed(soft_str if markup else str, value, site, root))


@internal
def texts(values: tuple[Any, ...], markup: bool, origins: tuple[tuple[Any, ...], ...]) -> Plan:
    """The operands of ``~``, which are at hand, as texts."""
    found = []
    for value, origin in zip(values, origins, strict=True):
        found.append((yield from text(value, markup, *origin)))
    return found


@internal
def operated(operation: Callable[..., Any], *operands: Any) -> Plan:
    """An operator on operands of which some may wait, or query."""
    ready = []
    for operand in operands:
        ready.append((yield from settled(operand)))
    return (yield from settled(guard(operation, *ready)))


@internal
def contained(value: Any, container: Any, in_loop: bool) -> Plan:
    """Whether ``value in container``; rows that arrive one by one are read as far as needed."""
    value = yield from settled(value)
    container = yield from settled(container)
    strategy = iteration_strategy(type(container))
    if strategy is IterationStrategy.QUERYSET:
        container = yield from evaluated(container)
    elif strategy is IterationStrategy.SOURCE and (
        in_loop or not hasattr(type(container), "__contains__")
    ):
        container = yield from source_rows(container, in_loop)
    elif strategy in streaming and not hasattr(type(container), "__contains__"):
        _, stream = yield from opened(container, in_loop)
        if (
            stream is not None
            and strategy is not IterationStrategy.STREAM
            and is_iterator(container)
        ):
            return (yield from found(value, stream))  # an iterator can be read on
        if stream is not None:
            return (yield from kept(stream, searched(value, stream)))
    return bool((yield from settled(guard(operator.contains, container, value))))


streaming = frozenset(
    {
        IterationStrategy.STREAM,
        IterationStrategy.ASYNC,
        IterationStrategy.EITHER,
        IterationStrategy.UNKNOWN,
        IterationStrategy.ITERATOR,
    }
)


@internal
def found(value: Any, stream: Stream) -> Plan:
    """Search a stream, no further than to the first row that equals the value."""
    while (row := (yield from stream.next())) is not missing:
        row = yield from settled(row)
        if row is value or (yield from operated(operator.eq, row, value)):
            return True
    return False


@internal
def searched(value: Any, stream: Stream) -> Plan:
    """The same in what nobody else reads: it is closed when the value is found."""
    if (yield from found(value, stream)):
        yield from stream.close()
        return True
    return False


def note_named_value(value: Any, site: Any, root: Any) -> None:
    """Note where a value came from that gets a new name, if it is an object with relations."""
    if len(site.bits) > 1:
        running_state().known.loops.note_origin(value, root, site.bits[1:], site.bits[0])
