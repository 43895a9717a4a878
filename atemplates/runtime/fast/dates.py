"""Dates and times as text, with Django's own words but reading each format string only once.

Django cuts the format string into letters and text, and looks into the time zone, for every value.
Formats with letters that need the time zone, and values of other types than exactly ``date`` and
``datetime``, are left to Django.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any, NamedTuple

from django.template import defaultfilters
from django.utils.dateformat import DateFormat, TimeFormat, re_escaped, re_formatchars
from django.utils.functional import Promise

from ..ambient import Ambient
from .fast_path import FastPath

ZONELESS = frozenset("aAbcdDEfFgGhHijlLmMnNoPsStuUwWyYz")
"""The letters that Django's formatter writes without looking at its time zone."""

MOST_FORMATS = 1000
"""How many format strings are remembered; a template may compute them."""


class Format(NamedTuple):
    """A format string that was read."""

    pieces: tuple[str | Callable[[Any], Any], ...] | None
    """Text, and Django's methods that write a part of a value; None when it is left to Django."""
    timed: bool
    """Whether it has letters that a ``date`` cannot fill in."""


# Any thread may add, or empty it: all read the same from a text, and what is gone is read again.
known_formats: dict[str, Format] = {}


def read_format(text: str) -> Format:
    """Read a format string."""
    found = known_formats.get(text)
    if found is None:
        if len(known_formats) >= MOST_FORMATS:
            known_formats.clear()
        found = known_formats[text] = _read(text)
    return found


def _read(text: str) -> Format:
    pieces: list[str | Callable[[Any], Any]] = []
    timed = False
    for index, piece in enumerate(re_formatchars.split(text)):
        if not index % 2:
            pieces.append(re_escaped.sub(r"\1", piece))
        elif piece in ZONELESS:
            pieces.append(getattr(DateFormat, piece))
            timed = timed or hasattr(TimeFormat, piece)
        else:
            return Format(None, timed)
    return Format(tuple(piece for piece in pieces if piece), timed)


def write_date(value: Any, text: str, ambient: Ambient) -> str | None:
    """Write a date or datetime by a format string; None when that is left to Django."""
    kind = type(value)
    if kind is datetime.datetime or kind is datetime.date:
        pieces, timed = known_formats.get(text) or read_format(text)
        if pieces is not None and not (timed and kind is datetime.date):
            formatter = object.__new__(DateFormat)
            formatter.data = value
            return "".join(
                [
                    piece if isinstance(piece, str) else written(piece(formatter), ambient)
                    for piece in pieces
                ]
            )
    return None


def written(part: Any, ambient: Ambient) -> str:
    """Return the text of what a method of Django's formatter gave."""
    if type(part) is str:
        return part
    # The names of months and days are lazy messages of Django's modules.
    return ambient.text(part) if isinstance(part, Promise) else str(part)


def date(ambient: Ambient, value: Any, arg: Any = None) -> str | None:
    """The filter ``date``; None when that is left to Django."""
    if arg is None or isinstance(arg, str):
        text = arg or "DATE_FORMAT"
        # A name is looked up among the language's formats; what is no identifier is none.
        if text.isidentifier():
            text = ambient.format(text)
        if isinstance(text, str):
            return write_date(value, text, ambient)
    return None


def localized_date(value: Any, use_l10n: bool | None, ambient: Ambient) -> str | None:
    """Write a date or datetime as ``{{ value }}`` does; None when that is left to Django."""
    name = "DATETIME_FORMAT" if type(value) is datetime.datetime else "DATE_FORMAT"
    return write_date(value, ambient.format(name, use_l10n), ambient)


def localized_time(value: datetime.time, use_l10n: bool | None, ambient: Ambient) -> str | None:
    """Write a time as ``{{ value }}`` does; None when that is left to Django."""
    text = ambient.format("TIME_FORMAT", use_l10n)
    pieces = (known_formats.get(text) or read_format(text)).pieces
    if pieces is None:
        return None
    formatter = object.__new__(TimeFormat)
    formatter.data = value
    try:
        return "".join(
            [
                piece if isinstance(piece, str) else written(piece(formatter), ambient)
                for piece in pieces
            ]
        )
    except AttributeError:  # a letter that a time cannot fill in
        return None


DATE_PATHS = {
    defaultfilters.date: FastPath(
        date, frozenset({datetime.date, datetime.datetime}), ambient=True
    ),
}
