"""Dates and times as text, with Django's own words."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from django.template import defaultfilters
from django.templatetags.tz import datetimeobject

from ..ambient import Ambient
from .date_formats import Format, format_source, known_formats, read_format
from .fast_path import FastPath, Inlined
from .time_spans import KNOWN_ZONES

DATETIME_TYPES: frozenset[type] = frozenset({datetime.datetime, datetimeobject})
"""Exact types of datetimes: Django's filters for time zones give one of its own."""
DATE_TYPES = DATETIME_TYPES | frozenset({datetime.date})
TIME_TYPES = DATETIME_TYPES | frozenset({datetime.time})


def write_date(value: Any, text: str, ambient: Ambient) -> str | None:
    """Write a date or datetime by a format string; None when that is left to Django."""
    return written_date(known_formats.get(text) or read_format(text), value, ambient)


def written_date(read: Format, value: Any, ambient: Ambient) -> str | None:
    """Write a value of a type in `DATE_TYPES`; None when that is left to Django."""
    if type(value) is datetime.date:
        if read.timed:
            return None
    elif read.zoned and type(value.tzinfo) not in KNOWN_ZONES:
        return None
    return read.write(value, ambient)


def written_time(read: Format, value: Any, ambient: Ambient) -> str | None:
    """Write a time, or that of a datetime; None when that is left to Django."""
    if read.dated or (read.zoned and type(value.tzinfo) not in KNOWN_ZONES):
        return None
    return read.write(value, ambient)


def meant_format(ambient: Ambient, arg: Any, usual: str) -> Format | None:
    """Return the format that a filter's argument stands for; None for anything unusual.

    Args:
        usual: the name of the format that is meant without an argument.
    """
    if arg is not None and not isinstance(arg, str):
        return None
    text = arg or usual
    # A name is looked up among the language's formats; what is no identifier is none.
    return named_format(ambient, text) if text.isidentifier() else read_format(text)


def named_format(ambient: Ambient, name: str, use_l10n: bool | None = None) -> Format | None:
    """Return the present language's format of a name; None where it is no string."""
    key = (name, use_l10n)
    read: Format | None = ambient.known.get(key)
    if read is None:
        text = ambient.format(name, use_l10n)
        if isinstance(text, str):
            read = ambient.known[key] = read_format(text)
    return read


def date(ambient: Ambient, value: Any, arg: Any = None) -> str | None:
    """The filter ``date``; None when that is left to Django."""
    read = meant_format(ambient, arg, "DATE_FORMAT")
    return None if read is None else written_date(read, value, ambient)


def _time(ambient: Ambient, value: Any, arg: Any = None) -> str | None:
    read = meant_format(ambient, arg, "TIME_FORMAT")
    return None if read is None else written_time(read, value, ambient)


def _inlined_date(value: str, arg: Any) -> Inlined | None:
    if arg is not None and not isinstance(arg, str):
        return None
    if not arg or arg.isidentifier():
        return Inlined(f"{{constant}}(state, {value})", DATE_TYPES, named_date_writer)
    source = format_source(value, arg)
    if source is None:
        return Inlined(f"{{constant}}(state, {value})", DATE_TYPES, date_writer)
    return Inlined(source, DATETIME_TYPES if read_format(arg).timed else DATE_TYPES)


def named_date_writer(arg: str | None) -> Callable[[Any, Any], str | None]:
    """Return what the filter ``date`` does with the name of a format."""
    name = arg or "DATE_FORMAT"
    key = (name, None)

    def write(state: Any, value: Any) -> str | None:
        ambient = state.ambient.now()
        read = ambient.known.get(key) or named_format(ambient, name)
        return None if read is None else written_date(read, value, ambient)

    return write


def date_writer(arg: str) -> Callable[[Any, Any], str | None]:
    """Return what the filter ``date`` does with a format."""
    read = read_format(arg)
    return lambda state, value: written_date(read, value, state.ambient.now())


def _inlined_time(value: str, arg: Any) -> Inlined | None:
    if not isinstance(arg, str) or not arg or arg.isidentifier() or read_format(arg).dated:
        return None
    source = format_source(value, arg)
    return None if source is None else Inlined(source, TIME_TYPES)


def localized_date(value: Any, use_l10n: bool | None, ambient: Ambient) -> str | None:
    """Write a date or datetime as ``{{ value }}`` does; None when that is left to Django."""
    name = "DATE_FORMAT" if type(value) is datetime.date else "DATETIME_FORMAT"
    read = named_format(ambient, name, use_l10n)
    return None if read is None else written_date(read, value, ambient)


def localized_time(value: datetime.time, use_l10n: bool | None, ambient: Ambient) -> str | None:
    """Write a time as ``{{ value }}`` does; None when that is left to Django."""
    read = named_format(ambient, "TIME_FORMAT", use_l10n)
    return None if read is None else written_time(read, value, ambient)


DATE_PATHS = {
    defaultfilters.date: FastPath(date, DATE_TYPES, ambient=True, inlined=_inlined_date),
    defaultfilters.time: FastPath(_time, TIME_TYPES, ambient=True, inlined=_inlined_time),
}
