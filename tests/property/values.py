"""The values that generated contexts are made of.

A context is described by the source of a Python expression, which is evaluated in the namespace
that `namespace` makes. So each render gets a context of its own, values with side effects included,
and what Hypothesis prints for a failing example can be pasted into a test.
"""

from __future__ import annotations

import collections
import datetime
import decimal
import functools
import types
import uuid
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django.template.context import Context
from django.utils.functional import SimpleLazyObject, lazystr
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy, ngettext_lazy

from . import keeping
from .objects import (
    AttributeDict,
    Calling,
    Colour,
    Counter,
    CountingText,
    Html,
    HtmlText,
    Level,
    LoudText,
    Missing,
    Needing,
    Number,
    Pair,
    PlainSpy,
    Raising,
    Renderer,
    SafeText,
    Slotted,
    Spy,
    Text,
    Thing,
    fail,
    fresh,
)
from .odd_objects import (
    Bag,
    Falling,
    Getter,
    Guarded,
    GuardedAttributes,
    Items,
    Liar,
    Odd,
    Sequence,
    Stream,
    WaitedFor,
)


def _generator(*items: Any, then: str = "") -> Any:
    yield from items
    if then:
        fail(then)


def _coroutine_function(function: Any) -> Any:
    @functools.wraps(function)
    async def coroutine_function() -> Any:
        return function()

    return coroutine_function


def _lambda(value: Any) -> Any:
    return lambda: value


def _lambda_with_default(value: Any) -> Any:
    return lambda argument=value: argument


SHARED: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        AttributeDict, Bag, Calling, Colour, Context, Counter, CountingText, Falling, Getter,
        Guarded, GuardedAttributes, Html, HtmlText, Items, Level, Liar, LoudText, Missing, Needing,
        Number, Odd, Pair, PlainSpy, Raising, Renderer, SafeText, Sequence, Slotted, Spy, Stream,
        Text, Thing,
    )
}  # fmt: skip
SHARED |= {
    "Decimal": decimal.Decimal,
    "OrderedDict": collections.OrderedDict,
    "ZoneInfo": ZoneInfo,
    "date": datetime.date,
    "datetime": datetime.datetime,
    "defaultdict": collections.defaultdict,
    "deque": collections.deque,
    "fresh": fresh,
    "function": _lambda,
    "function_with_default": _lambda_with_default,
    "gen": _generator,
    "lazy": lazystr,
    "lazy_object": lambda value: SimpleLazyObject(lambda: value),
    "mapping": types.MappingProxyType,
    "namespace": types.SimpleNamespace,
    "plural": lambda number: ngettext_lazy("%d byte", "%d bytes", number),
    "safe": mark_safe,
    "time": datetime.time,
    "timedelta": datetime.timedelta,
    "translated": gettext_lazy,
    "utc": datetime.UTC,
    "uuid": uuid.UUID,
}


def namespace(
    asynchronous: bool, template: Callable[[str], Any], asks: bool = True
) -> dict[str, Any]:
    """What the source of a context may name.

    Args:
        asynchronous: whether ``later()`` and ``promise()`` make coroutines; without, they give
            what a coroutine would.
        template: parses a template, with the engine of the render.
        asks: whether what ``kept()`` makes asks the database.
    """

    def later(value: Any) -> Any:
        """A function that gives the value, or a coroutine function."""

        def function() -> Any:
            return value

        return function if not asynchronous else _coroutine_function(function)

    def later_raising(name: str) -> Any:
        def function() -> Any:
            return fail(name)

        return function if not asynchronous else _coroutine_function(function)

    def promise(value: Any) -> Any:
        """The value, or an awaitable that gives it."""
        return WaitedFor(value) if asynchronous else value

    return {
        **SHARED,
        "kept": functools.partial(keeping.kept, asks=asks),
        "later": later,
        "later_raising": later_raising,
        "promise": promise,
        "template": template,
        "wrapped_template": lambda source: types.SimpleNamespace(
            template=template(source), render=lambda context: "never"
        ),
    }
