"""What filters do with a value, as far as paths are concerned: one table for each language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from django.template import defaultfilters

from ..relations.paths import Consumption
from ..runtime.types import is_django
from .functions import filter_name, module_of
from .values import UNKNOWN, RowsValue, Unknown, Value, groups_of, several
from .walker import AccessWalker


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a filter is given beside the value."""

    values: Sequence[Value] = ()
    key: Any = None
    """The literal that says what is read of each item: Django's first argument, or the names in
    Jinja2's ``attribute``; None if there is none, or the template does not show it."""


Result: TypeAlias = Callable[[AccessWalker, str, Value, Arguments], Value]
"""Returns what a filter's result may stand for; is given the expression's text for records."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a filter does."""

    consumption: Consumption | None
    """What becomes of the value; None if that is for the next filter or the tag to say."""
    result: Result = field(default=lambda w, text, value, given: UNKNOWN)
    """By default a text, a number or a truth value, in which nothing could be followed."""
    lost: str | None = None


def its_item(w: AccessWalker, text: str, value: Value, given: Arguments) -> Value:
    return value.item()


def its_items(w: AccessWalker, text: str, value: Value, given: Arguments) -> Value:
    return RowsValue(value.item(), value)


def either(w: AccessWalker, text: str, value: Value, given: Arguments) -> Value:
    return several([value, *given.values])


def printed_items(w: AccessWalker, text: str, value: Value, given: Arguments) -> Value:
    with w.rows():
        w.record(text, value.item(), "output")
    return UNKNOWN


def sorted_items(w: AccessWalker, text: str, value: Value, given: Arguments) -> Value:
    """Django's ``dictsort`` reads a path on each item; a number is a position."""
    if given.key is None:
        reason = "sorted by a path that is known only when it renders"
        with w.rows():
            w.record(text, value.item(), "operand", reason)
    else:
        key = str(given.key)
        read_of_items(w, text, value, [key] if is_number(key) else key.split("."))
    return RowsValue(value.item(), value)


def is_number(key: str) -> bool:
    """Whether ``dictsort`` takes its argument for a position."""
    try:
        float(key)
    except ValueError:
        return False
    return True


def read_of_items(w: AccessWalker, text: str, value: Value, bits: Sequence[str]) -> Value:
    """Note what is read of each item, and return it."""
    found = value.item()
    for bit in bits:
        found = found.step(bit)
    with w.rows():
        w.record(text, found, "operand")
    return found


def by_key(result: Callable[[Value, Value | None], Value]) -> Effect:
    """Make the effect of a filter of Jinja2 that may read an attribute of each item.

    Args:
        result: is given the value, and what is read of each item: None if there is no such key.
    """

    def effect(w: AccessWalker, text: str, value: Value, given: Arguments) -> Value:
        read = read_of_items(w, text, value, given.key) if given.key is not None else None
        return result(value, read)

    return Effect("loop", effect)


TEXT = Effect("output")
TRUTH = Effect("truth")
LENGTH = Effect("length")
ITEM_OF = Effect("item", its_item)
ITEMS_OF = Effect("loop", its_items)
EITHER = Effect(None, either)
PRINTED_ITEMS = Effect("loop", printed_items)
SORTED_ITEMS = Effect("loop", sorted_items)

DJANGO_FILTERS: dict[Any, Effect] = {
    defaultfilters.add: EITHER,
    defaultfilters.default: EITHER,
    defaultfilters.default_if_none: EITHER,
    defaultfilters.dictsort: SORTED_ITEMS,
    defaultfilters.dictsortreversed: SORTED_ITEMS,
    defaultfilters.escapeseq: PRINTED_ITEMS,
    defaultfilters.first: ITEM_OF,
    defaultfilters.join: PRINTED_ITEMS,
    defaultfilters.last: ITEM_OF,
    defaultfilters.length: LENGTH,
    defaultfilters.pluralize: LENGTH,
    defaultfilters.random: ITEM_OF,
    defaultfilters.safeseq: PRINTED_ITEMS,
    defaultfilters.slice_filter: Effect("slice", its_items),
    defaultfilters.unordered_list: PRINTED_ITEMS,
    defaultfilters.yesno: TRUTH,
}
"""The filters of Django, by function, that keep something of the value, or do not print it."""

JINJA2_FILTERS: dict[str, Effect] = {
    **dict.fromkeys(("first", "last", "random"), ITEM_OF),
    **dict.fromkeys(("length", "count"), LENGTH),
    **dict.fromkeys(("list", "reverse", "select", "reject", "slice"), ITEMS_OF),
    **dict.fromkeys(("default", "d"), Effect("output", either)),
    **dict.fromkeys(
        ("selectattr", "rejectattr", "sort", "unique"),
        by_key(lambda value, read: RowsValue(value.item(), value)),
    ),
    **dict.fromkeys(("min", "max"), by_key(lambda value, read: value.item())),
    **dict.fromkeys(("sum", "join"), by_key(lambda value, read: UNKNOWN)),
    "map": by_key(lambda value, read: RowsValue(read or UNKNOWN, value)),
    "groupby": by_key(lambda value, read: groups_of(value, read or value.item())),
}
"""The same of Jinja2, by name."""


def unknown_effect(name: str) -> Effect:
    """Return what a filter does that is somebody's own: it may reach through what it is given."""

    def result(w: AccessWalker, text: str, value: Value, given: Arguments) -> Value:
        return Unknown(f"the result of the filter |{name}")

    return Effect("argument", result, f"passed to the filter |{name}")


def effect_of_function(function: Any) -> Effect:
    """Return what a filter of Django's template language does; Django's others print the value."""
    known = DJANGO_FILTERS.get(function)
    if known is not None:
        return known
    if is_django(module_of(function)):
        return TEXT
    return unknown_effect(filter_name(function))
