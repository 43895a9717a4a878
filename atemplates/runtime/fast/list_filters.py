"""Filters over lists, tuples and strings, where the items are values that run nobody's code.

What holds anything else (awaitables, instances of models, objects of a site) is left to Django's
functions, and to what prepares it for them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import lru_cache
from html import escape as html_escape
from operator import itemgetter
from typing import Any

from django.template import defaultfilters
from django.utils.safestring import SafeString

from ...placement.python_code import CODELESS_TYPES
from ..containers import holds_awaitables
from ..escaping import escape, scan
from ..types import INERT
from .fast_path import FastPath, Inlined
from .logic_filters import BUILTIN_COLLECTIONS, TEXTS

LISTS: frozenset[type] = frozenset({list, tuple})
CUT = LISTS | TEXTS
"""Exact types that have items by number."""
WRITTEN: frozenset[type] = CODELESS_TYPES & {str, SafeString, int, float, bool, type(None)}
"""Exact types of items that are written as text here."""
MOST_CUTS = 1000
"""How many arguments of a filter are remembered; a template may compute them."""
DEEPEST = 20
"""How deep lists are in each other that are not left to Django."""


def _first(value: Any) -> Any:
    item = value[0] if value else ""
    return item if type(item) in INERT else None


def _last(value: Any) -> Any:
    item = value[-1] if value else ""
    if type(value) is SafeString:
        return SafeString(item)
    return item if type(item) in INERT else None


def _random(value: Any) -> Any:
    if not value:
        return SafeString("") if type(value) is SafeString else ""
    # Asked before: chance is asked once.
    if type(value) in LISTS:
        return random.choice(value) if INERT.issuperset(map(type, value)) else None
    item = random.choice(value)
    return SafeString(item) if type(value) is SafeString else item


def _slice(value: Any, arg: Any) -> Any:
    if type(arg) not in TEXTS and type(arg) is not int:
        return None
    cut = read_slice(str(arg))
    if cut is None:
        return None
    part = value[cut]
    return SafeString(part) if type(value) is SafeString else part


def _inlined_slice(value: str, arg: Any) -> Inlined | None:
    if (type(arg) not in TEXTS and type(arg) is not int) or read_slice(str(arg)) is None:
        return None
    return Inlined(f"{value}[{{constant}}]", LISTS | {str}, constant_slice)


def constant_slice(arg: Any) -> slice | None:
    """Return the slice that a constant argument stands for."""
    return read_slice(str(arg))


@lru_cache(MOST_CUTS)
def read_slice(text: str) -> slice | None:
    """Read the argument of ``slice``; None where it is none, and Django gives the whole value."""
    try:
        cut = slice(*[int(bit) if bit else None for bit in text.split(":")])
        ""[cut]
    except (TypeError, ValueError):
        return None
    return cut


def _join(value: Any, autoescape: Any, arg: Any) -> SafeString | None:
    if type(arg) not in TEXTS:
        return None
    kinds = set(map(type, value))
    if not autoescape:
        return SafeString(arg.join(value)) if kinds <= TEXTS else None
    if kinds == {str}:
        text = arg.join(value)
        if scan(text) is text:
            return SafeString(text)
        if type(arg) is str or scan(arg) is arg:
            return SafeString(html_escape(text))
    elif not kinds <= WRITTEN:
        return None
    if type(arg) is str:
        arg = escape(arg)
    if kinds == {SafeString}:
        return SafeString(arg.join(value))
    return SafeString(arg.join([escaped_item(item) for item in value]))


def escaped_item(item: Any) -> str:
    """Escape an item of one of the types in `WRITTEN`, as Django's ``conditional_escape``."""
    if type(item) is SafeString:
        return item
    return escape(item if type(item) is str else str(item))


def _safeseq(value: Any) -> list[SafeString] | None:
    kinds = set(map(type, value))
    if kinds == {str}:
        return list(map(SafeString, value))
    if not kinds <= WRITTEN:
        return None
    return [item if type(item) is SafeString else SafeString(item) for item in value]


def _escapeseq(value: Any) -> list[SafeString] | None:
    if not WRITTEN.issuperset(map(type, value)):
        return None
    return [item if type(item) is SafeString else SafeString(escaped_item(item)) for item in value]


def _unordered_list(value: Any, autoescape: Any) -> SafeString | None:
    text = list_lines(value, bool(autoescape), "\t")
    return None if text is None else SafeString(text)


def list_lines(items: Any, autoescape: bool, indent: str) -> str | None:
    """Write the items of a list as ``unordered_list`` does; None when that is left to Django."""
    kinds = set(map(type, items))
    nested = not kinds.isdisjoint(LISTS)
    if not kinds <= (WRITTEN | LISTS) or len(indent) > DEEPEST:
        return None
    if not nested:
        as_they_are = not autoescape or (kinds == {str} and scan(text := "".join(items)) is text)
        between = f"</li>\n{indent}<li>"
        joined = between.join(map(str if as_they_are else escaped_item, items))
        return f"{indent}<li>{joined}</li>" if items else ""
    lines: list[str] = []
    place = 0
    while place < len(items):
        item = items[place]
        place += 1
        if type(item) in LISTS:  # one without an item that it belongs to, which is printed
            return None
        inner = ""
        if place < len(items) and type(items[place]) in LISTS:
            if items[place]:
                below = list_lines(items[place], autoescape, indent + "\t")
                if below is None:
                    return None
                inner = f"\n{indent}<ul>\n{below}\n{indent}</ul>\n{indent}"
            place += 1
        text = escaped_item(item) if autoescape else str(item)
        lines.append(f"{indent}<li>{text}{inner}</li>")
    return "\n".join(lines)


def _dictsort(value: Any, arg: Any) -> list[Any] | None:
    return sorted_rows(value, arg, False)


def _dictsortreversed(value: Any, arg: Any) -> list[Any] | None:
    return sorted_rows(value, arg, True)


def sorted_rows(value: Any, arg: Any, backwards: bool) -> list[Any] | None:
    """Sort dicts, lists or strings by one of their items; None when that is left to Django."""
    kinds = set(map(type, value))
    get = row_key(arg)
    if get is None or not kinds <= (BUILTIN_COLLECTIONS | TEXTS):
        return None
    if kinds == {dict}:
        for row in value:
            if not CODELESS_TYPES.issuperset(map(type, row.values())):
                if holds_awaitables(value, INERT):
                    return None
                break
    elif not kinds <= TEXTS and holds_awaitables(value, INERT):
        return None
    try:
        if not CODELESS_TYPES.issuperset(map(type, map(get, value))):
            return None
        return sorted(value, key=get, reverse=backwards)
    except Exception:  # Django's function says what comes of it.
        return None


def row_key(arg: Any) -> Callable[[Any], Any] | None:
    """Return what gives the item of a row that is sorted by; None when that is left to Django."""
    if type(arg) is int:
        return itemgetter(arg)
    return text_key(arg) if type(arg) in TEXTS else None


@lru_cache(MOST_CUTS)
def text_key(arg: str) -> Callable[[Any], Any] | None:
    """Do the same for a text."""
    if arg.isidentifier() and arg[0] != "_":
        try:
            float(arg)  # "nan" is a number
        except ValueError:
            return itemgetter(arg)
    return None


LIST_PATHS = {
    defaultfilters.first: FastPath(_first, CUT),
    defaultfilters.last: FastPath(_last, CUT),
    defaultfilters.length: FastPath(
        len, CUT | BUILTIN_COLLECTIONS | frozenset({range, bytes}), source="len({value})"
    ),
    defaultfilters.random: FastPath(_random, CUT),
    defaultfilters.slice_filter: FastPath(_slice, CUT, inlined=_inlined_slice),
    defaultfilters.join: FastPath(_join, LISTS, autoescape=True),
    defaultfilters.safeseq: FastPath(_safeseq, LISTS),
    defaultfilters.escapeseq: FastPath(_escapeseq, LISTS),
    defaultfilters.unordered_list: FastPath(_unordered_list, LISTS, autoescape=True),
    defaultfilters.dictsort: FastPath(_dictsort, LISTS),
    defaultfilters.dictsortreversed: FastPath(_dictsortreversed, LISTS),
}
