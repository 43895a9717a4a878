"""The time between two moments in words: ``timesince``, ``timeuntil``, ``naturaltime``."""

from __future__ import annotations

import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.template import defaultfilters
from django.utils import timesince as django_timesince
from django.utils import translation
from django.utils.html import avoid_wrapping

from ..ambient import Ambient
from .fast_path import FastPath

KNOWN_ZONES = frozenset({datetime.timezone, ZoneInfo, type(None)})
"""Exact types of a datetime's zone; what others do is not known."""
MOMENTS = frozenset({datetime.date, datetime.datetime})
UNITS = ("year", "month", "week", "day", "hour", "minute")
clock: Any = django_timesince
"""The module whose ``datetime`` tells the time: that of Django's function."""
LAST_UNIT = len(UNITS) - 1


def span_in_words(
    ambient: Ambient,
    since: datetime.datetime,
    until: datetime.datetime,
    words: Any = django_timesince.TIME_STRINGS,
) -> str | None:
    """Write the time between two moments in the same zone; None where that is left to Django.

    Two units are written: the first that is not zero, and the next unless that is.

    Args:
        words: the lazy message of each unit, as Django's function takes them.
    """
    counts = (0, 0, 0, 0, 0, 0)
    span = until - since
    days = span.days
    if days >= 0 and (days or span.seconds):
        months = 0
        if days >= 28:
            months = (until.year - since.year) * 12 + until.month - since.month
            if (since.day, since.time()) > (until.day, until.time()):
                months -= 1
        if months:
            span = until - months_later(since, months)
            days = span.days
            if days < 0:
                return None
        minutes = span.seconds // 60
        counts = (months // 12, months % 12, days // 7, days % 7, minutes // 60, minutes % 60)
    place = 0
    while place < LAST_UNIT and not counts[place]:
        place += 1
    text = unit_in_words(ambient, words, place, counts[place])
    if place == LAST_UNIT or not counts[place + 1]:
        return text
    comma = ambient.known.get("comma")
    if comma is None:
        comma = ambient.known["comma"] = translation.gettext(", ")
    return f"{text}{comma}{unit_in_words(ambient, words, place + 1, counts[place + 1])}"


DAYS_OF_MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def months_later(moment: datetime.datetime, months: int) -> datetime.datetime:
    """Return a moment some months later, on the last day of a month that is too short."""
    years, month = divmod(moment.month - 1 + months, 12)
    return datetime.datetime(
        moment.year + years,
        month + 1,
        min(moment.day, DAYS_OF_MONTHS[month]),
        moment.hour,
        moment.minute,
        moment.second,
        tzinfo=moment.tzinfo,
    )


def unit_in_words(ambient: Ambient, words: Any, place: int, count: int) -> str:
    """Write a number of years, months, ...; the catalogue is asked once for each number."""
    key = (id(words), place, count)
    text = ambient.known.get(key)
    if text is None:
        text = ambient.known[key] = avoid_wrapping(words[UNITS[place]] % {"num": count})
    return text


def _timesince(ambient: Ambient, value: Any, arg: Any = None) -> str | None:
    return span_since(ambient, value, arg, False)


def _timeuntil(ambient: Ambient, value: Any, arg: Any = None) -> str | None:
    return span_since(ambient, value, arg, True)


def span_since(ambient: Ambient, value: Any, arg: Any, backwards: bool) -> str | None:
    """Write the time from a moment to another, or to now; None where that is left to Django."""
    if type(value) is datetime.date:
        value = datetime.datetime(value.year, value.month, value.day)
    if type(value.tzinfo) not in KNOWN_ZONES:
        return None
    if arg is None:
        other = clock.datetime.datetime.now(value.tzinfo)
    elif type(arg) is datetime.date:
        other = datetime.datetime(arg.year, arg.month, arg.day)
    elif type(arg) is datetime.datetime:
        other = arg
    else:
        return None
    if type(other) is not datetime.datetime or (other.tzinfo is None) != (value.tzinfo is None):
        return None
    try:
        if other.tzinfo is not value.tzinfo:
            if type(other.tzinfo) not in KNOWN_ZONES:
                return None
            other = other.astimezone(value.tzinfo)
        if backwards:
            return span_in_words(ambient, other, value)
        return span_in_words(ambient, value, other)
    except (OverflowError, ValueError):  # Django's function says what comes of it.
        return None


SPAN_PATHS = {
    defaultfilters.timesince_filter: FastPath(_timesince, MOMENTS, ambient=True),
    defaultfilters.timeuntil_filter: FastPath(_timeuntil, MOMENTS, ambient=True),
}
