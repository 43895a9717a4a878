"""What the type of a value tells: can it be awaited, is its truth or its text free of I/O.

A value costs one test of its type against a set. Types that are met for the first time are looked
at once and remembered; only a value that waits (an awaitable, a call that is stuck) costs more.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict, deque
from collections.abc import Generator
from types import GeneratorType
from typing import Any

from django.db.models.manager import BaseManager
from django.db.models.query import QuerySet
from django.utils.safestring import SafeString
from jinja2.runtime import Undefined
from jinja2.utils import missing
from markupsafe import Markup

from ..runtime.containers import CONTAINER_TYPES, filled, holds_awaitables
from ..runtime.loading import is_loading
from ..runtime.types import (
    FORGET,
    NOTHING,
    SCALARS,
    SOURCES,
    changing,
    is_awaitable,
    learn_type,
)
from ..runtime.waits import Kind, Wait, resume_plan
from .state import active
from .tracebacks import internal

JINJA2_SCALARS: frozenset[type] = SCALARS | {Markup}
"""Exact types whose text, truth, comparison and arithmetic never do I/O."""

UNESCAPED: frozenset[type] = JINJA2_SCALARS - {str, bytes}
"""Those of them whose text holds nothing to escape, or is markup."""

SEARCHABLE_TYPES = frozenset(
    {str, Markup, SafeString, list, tuple, dict, set, frozenset, range, OrderedDict, deque}
)
"""Exact types that can be searched and iterated without I/O."""

# Threads that render read these sets without a lock, while `remember_type` may add to them. A type
# is in `SETTLED_TYPES` last. To miss one there or in `FREE_TRUTH_TYPES` costs a slower path and
# changes nothing; in `ORM_TYPES` it would pass the policy for relations over, so that is not
# emptied with them.

FREE_TRUTH_TYPES: set[type] = {*JINJA2_SCALARS, *SEARCHABLE_TYPES}
"""Types whose truth is free of I/O. Grows as types are met."""

SETTLED_TYPES: set[type] = {*FREE_TRUTH_TYPES, type(missing), Undefined}
"""Types that are not awaitable and not one of ours that wait. Grows as types are met."""

ORM_TYPES: set[type] = set()
"""Querysets and managers: what is called on one may be a query. Grows as types are met."""

most_types = 4096
"""How many types the growing sets may hold, in programs that make classes without end."""


class AwaitablePlan:
    """A plan that is part of the template's own (a macro, a block, a filter) and not finished.

    Template code runs it on as part of its own plan. Python code that got hold of one (a sync
    function that called a macro which has to wait) can await it.
    """

    __slots__ = ("_markup", "_plan", "_wait")

    def __init__(self, plan: Generator[Wait, Any, Any], markup: bool = False) -> None:
        self._plan = plan
        self._markup = markup
        self._wait: Wait | None = None

    def _start(self) -> Any:
        """Run as far as it goes without waiting; return the result, or itself if it is stuck."""
        try:
            self._wait = self._plan.send(None)
        except StopIteration as stop:
            return Markup(stop.value) if self._markup else stop.value
        return self

    @internal
    def _finish(self, site: Any = None, root: Any = None) -> Generator[Wait, Any, Any]:
        """The rest of the plan."""
        if self._wait is None:
            result = yield from self._plan
        else:
            result = yield from resumed(self._plan, self._wait)
        return Markup(result) if self._markup else result

    def __await__(self) -> Any:
        from ..runtime.drivers import arun

        return arun(self._finish()).__await__()

    def __str__(self) -> str:
        raise TypeError(
            "This macro (or block, or filter) has to wait for I/O, so its text is not there yet. "
            "Write `await` before the call, and make the calling function `async def`."
        )

    __html__ = __str__


resumed = internal(resume_plan)


class Results:
    """What coroutines returned, by the identity of the coroutine, for as long as it lives.

    A coroutine can be awaited once; a template may use one in several places. Any thread may keep
    and get results: each step is one of a dict's own, and an entry is dropped while its coroutine
    is being freed, before another can have its identity.
    """

    def __init__(self) -> None:
        self.found: dict[int, tuple[weakref.ref[Any], Any]] = {}

    def get(self, awaitable: Any) -> Any:
        entry = self.found.get(id(awaitable))
        return missing if entry is None or entry[0]() is not awaitable else entry[1]

    def keep(self, awaitable: Any, result: Any) -> None:
        key = id(awaitable)
        try:
            reference = weakref.ref(awaitable, lambda _: self.found.pop(key, None))
        except TypeError:  # a type without weak references is awaited as often as it is used
            return
        self.found[key] = (reference, result)


results = Results()


def forget_types() -> None:
    """Forget the types that were met: each is looked at again when it is met again."""
    with changing:
        SETTLED_TYPES.intersection_update(
            {*JINJA2_SCALARS, *SEARCHABLE_TYPES, type(missing), Undefined}
        )
        FREE_TRUTH_TYPES.intersection_update({*JINJA2_SCALARS, *SEARCHABLE_TYPES})
        if len(ORM_TYPES) > most_types:
            ORM_TYPES.clear()


FORGET.append(forget_types)
NOTHING.append(Undefined)  # it has ``__aiter__``, and nothing to read


def remember_type(kind: type) -> None:
    """Note that values of a type are not awaitable, and whether their truth is free of I/O."""
    learn_type(kind)
    own = hasattr(kind, "__bool__") or hasattr(kind, "__len__") or kind in SOURCES
    with changing:
        if len(SETTLED_TYPES) > most_types:
            forget_types()
        if issubclass(kind, (QuerySet, BaseManager)):
            ORM_TYPES.add(kind)
        if not own:
            FREE_TRUTH_TYPES.add(kind)
        SETTLED_TYPES.add(kind)


PLANNED: set[type] = {AwaitablePlan}
"""Types whose ``finish(site, root)`` is a plan that gives the value. Filled by imports alone."""


PLACED: set[type] = set()
"""Types of ours that are values, and want to know where in the template they were made. Filled
by imports alone."""


@internal
def settled(value: Any, site: Any = None, root: Any = None) -> Generator[Wait, Any, Any]:
    """Wait until a value is at hand: the plan of everything that is not `SETTLED_TYPES`.

    Args:
        value: what an expression gave.
        site: the expression's place and path in the template.
        root: the value of the variable that the path begins with.

    Returns:
        A value that is not awaitable.
    """
    while type(value) not in SETTLED_TYPES:
        kind = type(value)
        if kind is AwaitablePlan and value._wait is None:
            value = Markup((yield from value._plan)) if value._markup else (yield from value._plan)
        elif kind is Wait:
            value = yield value
        elif kind in PLANNED:
            value = yield from value._finish(site, root)
        elif kind in PLACED:
            if value._stream.place[0] is None:
                value._stream.place = (site, root)
            return value
        elif is_awaitable(value):
            value = yield from await_remembered(value)
        else:
            if kind is not GeneratorType:  # some generators can be awaited, most can not
                remember_type(kind)
            return value
    return value


@internal
def settled_within(value: Any, site: Any = None, root: Any = None) -> Generator[Wait, Any, Any]:
    """The same, for consumers that make text of containers: also what these hold is awaited."""
    if type(value) not in SETTLED_TYPES:
        value = yield from settled(value, site, root)
    if type(value) in CONTAINER_TYPES and holds_awaitables(value, SETTLED_TYPES):
        value = yield from filled(value, await_remembered)
    return value


@internal
def await_remembered(awaitable: Any) -> Generator[Wait, Any, Any]:
    """Await once, however often the template uses the awaitable."""
    result = results.get(awaitable)
    if result is missing:
        state = active.get()
        shared = state.shared if state is not None else None
        if shared is None or is_loading(awaitable):
            result = yield Wait(Kind.AWAIT, awaitable)
        else:
            # It may have begun: another part that runs at the same time has met it, or the page
            # that is sent has begun with all of its awaitables.
            once = shared.result(awaitable)
            done = once.done
            result = (yield Wait(Kind.AWAIT, once)) if done is None else done.result()
        results.keep(awaitable, result)
    return result
