"""What filters do with a value, as far as paths are concerned."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from django.template import defaultfilters

from ...relations.paths import Consumption
from ...runtime.types import is_django
from .values import UNKNOWN, RowsValue, Unknown, Value, several

if TYPE_CHECKING:
    from .walker import NodeWalker


@dataclass(frozen=True, slots=True)
class Argument:
    """The argument of a filter."""

    value: Value
    constant: Any = None
    """The literal that the argument is; None for a variable."""


Result: TypeAlias = "Callable[[NodeWalker, str, Value, list[Argument]], Value]"


@dataclass(frozen=True, slots=True)
class Effect:
    """What a filter does."""

    consumption: Consumption | None
    """What becomes of the value; None if that is for the next filter or the tag to say."""
    result: Result
    lost: str | None = None


def a_text(w: NodeWalker, text: str, value: Value, arguments: list[Argument]) -> Value:
    """Texts, numbers and truth values have nothing that could be followed."""
    return UNKNOWN


def its_item(w: NodeWalker, text: str, value: Value, arguments: list[Argument]) -> Value:
    return value.item()


def its_items(w: NodeWalker, text: str, value: Value, arguments: list[Argument]) -> Value:
    return RowsValue(value.item(), value)


def printed_items(w: NodeWalker, text: str, value: Value, arguments: list[Argument]) -> Value:
    w.record(text, value.item(), "output")
    return UNKNOWN


def sorted_items(w: NodeWalker, text: str, value: Value, arguments: list[Argument]) -> Value:
    """Sorting reads a path on each item; a number is a position."""
    key, item = arguments[0].constant, value.item()
    if key is None:
        w.record(text, item, "operand", "sorted by a path that is known only when it renders")
    else:
        found = item
        for bit in [key] if is_number(key) else str(key).split("."):
            found = found.step(str(bit))
        w.record(text, found, "operand")
    return RowsValue(item, value)


def either(w: NodeWalker, text: str, value: Value, arguments: list[Argument]) -> Value:
    return several([value, *(argument.value for argument in arguments)])


def is_number(key: Any) -> bool:
    """Whether ``dictsort`` takes its argument for a position."""
    try:
        float(key)
    except ValueError:
        return False
    return True


TEXT = Effect("output", a_text)
EITHER = Effect(None, either)
FILTER_EFFECTS: dict[Any, Effect] = {
    defaultfilters.add: EITHER,
    defaultfilters.default: EITHER,
    defaultfilters.default_if_none: EITHER,
    defaultfilters.dictsort: Effect("loop", sorted_items),
    defaultfilters.dictsortreversed: Effect("loop", sorted_items),
    defaultfilters.escapeseq: Effect("loop", printed_items),
    defaultfilters.first: Effect("item", its_item),
    defaultfilters.join: Effect("loop", printed_items),
    defaultfilters.last: Effect("item", its_item),
    defaultfilters.length: Effect("length", a_text),
    defaultfilters.pluralize: Effect("length", a_text),
    defaultfilters.random: Effect("item", its_item),
    defaultfilters.safeseq: Effect("loop", printed_items),
    defaultfilters.slice_filter: Effect("slice", its_items),
    defaultfilters.unordered_list: Effect("loop", printed_items),
    defaultfilters.yesno: Effect("truth", a_text),
}
"""The filters that keep something of the value, or do other than print it."""


def effect_of(function: Any) -> Effect:
    """Return what a filter does: Django's others print the value, anybody else's do who knows."""
    known = FILTER_EFFECTS.get(function)
    if known is not None:
        return known
    original = inspect.unwrap(function)
    if is_django(getattr(original, "__module__", None) or ""):
        return TEXT
    name = getattr(function, "_filter_name", None) or getattr(original, "__name__", "filter")

    def unknown(w: NodeWalker, text: str, value: Value, arguments: list[Argument]) -> Value:
        return Unknown(f"the result of the filter |{name}")

    return Effect("argument", unknown, f"passed to the filter |{name}")
