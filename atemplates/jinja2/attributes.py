"""Jinja2's filters that look attributes up on rows: ``sort(attribute="author.name")``.

The filter gets an environment whose lookups stop at what has to be waited for; then all rows'
attributes are looked up by a plan that can wait, and the filter runs again on what was found.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from jinja2 import Environment
from jinja2.runtime import Undefined

from ..placement.python_code import CODELESS_TYPES
from ..placement.value_code import use_code
from ..runtime.sites import Site
from ..runtime.types import is_awaitable
from ..runtime.waits import Kind, Plan, Wait
from .lookups import Missed, item_lookup
from .placed import moved_then, stands_on_loop
from .state import running_state
from .tracebacks import internal
from .values import SETTLED_TYPES, AwaitablePlan, settled


class Unsettled(Exception):
    """A filter met an attribute that has to be waited for.

    Args:
        obj: whose attribute it is.
        part: the attribute.
        value: what has to be waited for.
    """

    def __init__(self, obj: Any, part: Any, value: Any) -> None:
        super().__init__(part)
        self.obj = obj
        self.part = part
        self.value = value


class Elsewhere(Exception):
    """A filter met a value whose code belongs in the request's thread."""


class SettledLookups:
    """An environment for Jinja2's filters, whose ``getitem`` knows what was waited for."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.item = item_lookup(environment)
        self.found: dict[tuple[int, Any], tuple[Any, Any]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.environment, name)

    @internal
    def getitem(self, obj: Any, part: Any) -> Any:
        """Look up as the environment does, or give what was found before.

        Raises:
            Unsettled: the value has to be waited for.
        """
        if self.found and (id(obj), part) in self.found:
            return self.found[id(obj), part][1]
        value = self.item(self.environment, obj, part)
        if type(value) not in SETTLED_TYPES:
            raise Unsettled(obj, part, value)
        if type(value) not in CODELESS_TYPES and stands_on_loop() and use_code(value) is not None:
            raise Elsewhere
        return value

    def keep(self, obj: Any, part: Any, value: Any) -> None:
        """Keep what was waited for; and the object, so that its id stays its own."""
        self.found[id(obj), part] = (obj, value)

    @internal
    def wait_for(self, rows: Any, attribute: Any) -> Plan:
        """Look the attributes of all rows up, waiting where needed."""
        place = running_state().place
        for parts in paths_of(attribute):
            for row in rows:
                obj = row
                for number, part in enumerate(parts, 1):
                    if (id(obj), part) in self.found:
                        value = self.found[id(obj), part][1]
                    else:
                        value = self.item(self.environment, obj, part)
                    if type(value) not in SETTLED_TYPES:
                        value = yield from found_in(rows, place, value, parts[:number], row)
                        self.keep(obj, part, value)
                    if issubclass(type(value), Undefined):
                        break
                    obj = value


@internal
def found_in(rows: Any, place: tuple[Any, Any], value: Any, parts: list[Any], row: Any) -> Plan:
    """Wait for a lookup on a row of a filter, which counts as a loop over the rows.

    Args:
        rows: the filter's rows, as far as they are known.
        place: where in the template the filter stands.
        value: what the lookup gave.
        parts: the path from the row.
        row: the row.
    """
    outer, root = place
    bits = ("", *map(str, parts))
    site = Site(bits, ".".join(bits[1:]))
    if outer is not None:
        site = Site(bits, outer.text, template=outer.template, line=outer.line, file=outer.file)
    loops = running_state().loops
    loops.append([rows, root, outer, None])
    try:
        return (yield from settled(value, site, row))
    finally:
        loops.pop()


def paths_of(attribute: Any) -> list[list[Any]]:
    """The lookups that an ``attribute`` argument stands for: ``"a.b,c"`` is two paths."""
    if not isinstance(attribute, str):
        return [] if attribute is None else [[attribute]]
    return [path_of(path) for path in attribute.split(",")]


@lru_cache(1024)
def path_of(attribute: Any) -> list[Any]:
    """The one path that an ``attribute`` argument stands for; commas have no meaning in it."""
    if not isinstance(attribute, str):
        return [] if attribute is None else [attribute]
    return [int(part) if part.isdigit() else part for part in attribute.split(".")]


@internal
def computed(
    function: Callable[[Any], Any], environment: Environment, rows: Any, attribute: Any
) -> Any:
    """Run one of Jinja2's filters on rows that are ready; give its result, or a `AwaitablePlan`.

    Args:
        function: the filter, of the environment to use.
        environment: the environment.
        rows: the rows, for looking attributes up.
        attribute: what the filter looks up on each row.
    """
    if attribute is None and stands_on_loop() and use_code(rows) is not None:
        return AwaitablePlan(moved_then(computed, function, environment, rows, attribute))
    lookups = SettledLookups(environment)
    try:
        return function(lookups)
    except Elsewhere:
        return AwaitablePlan(moved_then(computed, function, environment, rows, attribute))
    except Unsettled as unsettled:
        if (
            type(unsettled.value) is Missed
            and unsettled.value.code is not None
            and stands_on_loop()
        ):
            # In the thread it is looked up as often as Jinja2's own filter does.
            return AwaitablePlan(moved_then(computed, function, environment, rows, attribute))
        return AwaitablePlan(computed_slowly(function, lookups, rows, attribute, unsettled))
    except SynchronousOnlyOperation:
        return Wait(Kind.CALL, function, (lookups,))


@internal
def computed_slowly(
    function: Callable[[Any], Any],
    lookups: SettledLookups,
    rows: Any,
    attribute: Any,
    unsettled: Unsettled,
) -> Plan:
    if is_awaitable(unsettled.value):  # made by the lookup, so it would not be found again
        lookups.keep(unsettled.obj, unsettled.part, (yield from settled(unsettled.value)))
    yield from lookups.wait_for(rows, attribute)
    try:
        return function(lookups)
    except Elsewhere:
        return (yield from moved_then(function, lookups))
    except SynchronousOnlyOperation:
        return (yield Wait(Kind.CALL, function, (lookups,)))
