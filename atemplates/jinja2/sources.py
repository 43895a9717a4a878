"""Querysets that are not Django's: their rows, truth, sections and items, as plans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from jinja2.runtime import Undefined

from ..placement.guard import needs_loop
from ..runtime.async_sources import REFUSALS, REFUSED, is_async_iterator, own_truth
from ..runtime.drivers import on_event_loop
from ..runtime.source_steps import call_on_loop
from ..runtime.waits import Kind, Plan, Wait
from .state import running_state
from .tracebacks import internal
from .values import settled


@internal
def source_rows(source: Any, in_loop: bool) -> Plan:
    """The rows of a queryset that is not Django's: read with ``async for``, once in a render.

    Off the event loop it is asked synchronously first, as stock does.
    """
    read = running_state().read
    rows = read.synchronously(source, in_loop, list)
    return (yield from read.steps(source)) if rows is REFUSED else rows


@internal
def source_truth_plan(source: Any) -> Plan:
    """Whether a queryset that is not Django's has rows, if it has no truth of its own."""
    in_loop = on_event_loop()
    truth = own_truth(source, in_loop)
    return bool((yield from source_rows(source, in_loop))) if truth is None else truth


@internal
def section_of_source(source: Any, part: slice) -> Plan:
    """Cut a queryset that is not Django's: by itself, or its rows."""
    if running_state().read.known(source) is None:
        try:
            found = yield from settled(source[part])
        except REFUSALS:
            pass
        else:
            if is_async_iterator(type(found)):  # one section may be used more than once
                return (yield Wait(Kind.ROWS, found))
            return found
    return (yield from source_rows(source, on_event_loop()))[part]


@internal
def text_of_source(write: Callable[[Any], str], source: Any) -> Plan:
    """The text of a queryset that is not Django's: some are asked for it on a loop only."""
    try:
        return write(source)
    except SynchronousOnlyOperation:
        return (yield Wait(Kind.CALL, write, (source,)))
    except RuntimeError as error:
        if not needs_loop(error):
            raise
    return (yield Wait(Kind.AWAIT, call_on_loop(write, source)))


@internal
def source_item(environment: Any, source: Any, position: int) -> Plan:
    """A row of a queryset that is not Django's: from it, if it gives one, or from its rows."""
    read = running_state().read
    if read.known(source) is None:
        try:
            found = yield from settled(environment.getitem(source, position))
        except IndexError:  # of what was awaited
            return environment.undefined(obj=source, name=position)
        except SynchronousOnlyOperation:
            found = None
        if found is not None and not issubclass(type(found), Undefined):
            return found
    try:
        return (yield from read.steps(source))[position]
    except IndexError:
        return environment.undefined(obj=source, name=position)
