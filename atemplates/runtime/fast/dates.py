"""Dates and times as text, with Django's own words."""

from __future__ import annotations

import datetime
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
    kind = type(value)
    if kind in DATE_TYPES:
        read = known_formats.get(text) or read_format(text)
        if kind is datetime.date:
            usual = not read.timed
        else:
            usual = not read.zoned or type(value.tzinfo) in KNOWN_ZONES
        if usual:
            return read.text(value, ambient)
    return None


def write_time(value: Any, text: str, ambient: Ambient) -> str | None:
    """Write a time, or that of a datetime, by a format string; None when it is left to Django."""
    read = known_formats.get(text) or read_format(text)
    if read.dated or (read.zoned and type(value.tzinfo) not in KNOWN_ZONES):
        return None
    return read.text(value, ambient)


def format_text(ambient: Ambient, arg: Any, usual: str) -> str | None:
    """Return the format string that a filter's argument stands for; None for anything unusual.

    Args:
        usual: the name of the format that is meant without an argument.
    """
    if arg is not None and not isinstance(arg, str):
        return None
    text = arg or usual
    # A name is looked up among the language's formats; what is no identifier is none.
    if text.isidentifier():
        text = ambient.format(text)
    return text if isinstance(text, str) else None


def date(ambient: Ambient, value: Any, arg: Any = None) -> str | None:
    """The filter ``date``; None when that is left to Django."""
    text = format_text(ambient, arg, "DATE_FORMAT")
    return None if text is None else write_date(value, text, ambient)


def _time(ambient: Ambient, value: Any, arg: Any = None) -> str | None:
    text = format_text(ambient, arg, "TIME_FORMAT")
    return None if text is None else write_time(value, text, ambient)


def _inlined_date(value: str, arg: Any) -> Inlined | None:
    read = constant_format(arg)
    if read is None:
        return None
    source = format_source(value, arg)
    if source is None:
        return None
    return Inlined(source, DATETIME_TYPES if read.timed else DATE_TYPES)


def _inlined_time(value: str, arg: Any) -> Inlined | None:
    read = constant_format(arg)
    if read is None or read.dated:
        return None
    source = format_source(value, arg)
    return None if source is None else Inlined(source, TIME_TYPES)


def constant_format(arg: Any) -> Format | None:
    """Return what a constant argument says, if that is a format and no name of one."""
    usual = isinstance(arg, str) and arg and not arg.isidentifier()
    return read_format(arg) if usual else None


def localized_date(value: Any, use_l10n: bool | None, ambient: Ambient) -> str | None:
    """Write a date or datetime as ``{{ value }}`` does; None when that is left to Django."""
    name = "DATE_FORMAT" if type(value) is datetime.date else "DATETIME_FORMAT"
    return write_date(value, ambient.format(name, use_l10n), ambient)


def localized_time(value: datetime.time, use_l10n: bool | None, ambient: Ambient) -> str | None:
    """Write a time as ``{{ value }}`` does; None when that is left to Django."""
    return write_time(value, ambient.format("TIME_FORMAT", use_l10n), ambient)


DATE_PATHS = {
    defaultfilters.date: FastPath(date, DATE_TYPES, ambient=True, inlined=_inlined_date),
    defaultfilters.time: FastPath(_time, TIME_TYPES, ambient=True, inlined=_inlined_time),
}
