"""The filters of ``django.contrib.humanize``, which is imported where a site has loaded it."""

from __future__ import annotations

import datetime
import sys
from math import ceil, floor
from typing import Any

from django.utils import translation
from django.utils.safestring import SafeString

from ..ambient import Ambient
from . import dates
from .fast_path import FastPath
from .number_filters import (
    LARGEST,
    NUMBER_TYPES,
    digits_of,
    formatted_number,
    punctuated,
    punctuation,
)
from .time_spans import KNOWN_ZONES, MOMENTS, span_in_words

HUMANIZE_MODULE = "django.contrib.humanize.templatetags.humanize"


REAL_CLOCK: Any = datetime.datetime
"""What Django's module asks the time, unless a test of a site has put another in its place."""


def humanize() -> Any:
    """Return Django's module; it is there, since a filter of it is applied."""
    return sys.modules[HUMANIZE_MODULE]


def _intcomma(ambient: Ambient, value: Any, use_l10n: Any = True) -> str | None:
    if use_l10n is not True:
        return None
    if type(value) is str:
        if not value.isascii() or not value.isdigit() or len(value) > 30:
            return None
        value = int(value)
    if type(value) is int:
        signs = punctuation(ambient)
        # How a whole number is written without grouping depends on the version.
        if signs is None or signs.grouping != 3 or not -LARGEST < value < LARGEST:
            return None
        text = f"{value:,}"
        return text if signs.comma == "," else text.replace(",", signs.comma)
    digits = digits_of(value)
    return None if digits is None else punctuated(*digits, ambient, grouped=True)


def _intword(ambient: Ambient, value: Any) -> Any:
    size = abs(value)
    if size < 1_000_000:
        return value
    converters = humanize().intword_converters
    found = next((each for each in converters if size < 10 ** (each[0] + 3)), None)
    if found is None:
        return None
    power, converter = found
    part = value / 10**power
    number = formatted_number(ambient, part, 1)
    if number is None:
        return None
    # Away from one, as Django does it with Decimals: the catalogue is asked for this number.
    rounded = abs((ceil(part - 1) if part > 1 else floor(part - 1)) + 1)
    key = ("intword", power, rounded)
    text = ambient.known.get(key)
    if text is None:
        text = ambient.known[key] = converter(rounded)
    return text % {"value": number}


NUMBER_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def _apnumber(ambient: Ambient, value: Any) -> Any:
    if not 0 < value < 10:
        return value
    return translated_word(ambient, NUMBER_WORDS[value - 1])


def translated_word(ambient: Ambient, message: str) -> str:
    """Translate a message; the catalogue is asked once."""
    key = ("word", message)
    text = ambient.known.get(key)
    if text is None:
        text = ambient.known[key] = translation.gettext(message)
    return text


ORDINAL_ENDINGS = ("th", "st", "nd", "rd", "th", "th", "th", "th", "th", "th")


def _ordinal(ambient: Ambient, value: Any) -> Any:
    if value < 0:
        return str(value) if value > -(10**30) else None
    if value == 1:  # some versions have a message of its own for it
        first = ambient.known.get("ordinal 1")
        if first is None:
            first = ambient.known["ordinal 1"] = humanize().ordinal(1)
        return first
    if value > 10**30:
        return None
    ending = 10 if value % 100 in (11, 12, 13) else value % 10
    key = ("ordinal", ending)
    text = ambient.known.get(key)
    if text is None:
        if ending == 10:
            text = translation.pgettext("ordinal 11, 12, 13", "{}th")
        else:
            text = translation.pgettext(f"ordinal {ending}", "{}" + ORDINAL_ENDINGS[ending])
        ambient.known[key] = text
    return SafeString(text.format(value))


def _naturalday(ambient: Ambient, value: Any, arg: Any = None) -> str | None:
    zone = value.tzinfo if type(value) is datetime.datetime else None
    clock: Any = humanize().datetime
    if type(zone) not in KNOWN_ZONES or clock is not REAL_CLOCK:
        return None
    day = datetime.date(value.year, value.month, value.day)
    distance = (day - clock.now(zone).date()).days
    if -1 <= distance <= 1:
        return translated_word(ambient, ("yesterday", "today", "tomorrow")[distance + 1])
    return dates.date(ambient, day, arg)


def _naturaltime(ambient: Ambient, value: Any) -> Any:
    module = humanize()
    clock = module.datetime
    if type(value.tzinfo) not in KNOWN_ZONES or clock is not REAL_CLOCK:
        return None
    now = clock.now(None if value.tzinfo is None else datetime.UTC)
    formatter = module.NaturalTimeFormatter
    past = value < now
    span = now - value if past else value - now
    when = "past" if past else "future"
    if span.days:
        words = formatter.past_substrings if past else formatter.future_substrings
        try:
            if value.tzinfo is not None:
                now = now.astimezone(value.tzinfo)
            since, until = (value, now) if past else (now, value)
            distance = span_in_words(ambient, since, until, words)
        except (OverflowError, ValueError):  # Django's function says what comes of it.
            return None
        if distance is None:
            return None
        key: tuple[Any, ...] = (when, "days")
        text = ambient.known.get(key)
        if text is None:
            text = ambient.known[key] = str(formatter.time_strings[f"{when}-day"])
        return text % {"delta": distance}
    count = span.seconds
    unit = "second"
    if count >= 3600:
        count, unit = count // 3600, "hour"
    elif count >= 60:
        count, unit = count // 60, "minute"
    if not count:
        return formatter.time_strings["now"]  # the lazy message itself
    key = (when, unit, count)
    text = ambient.known.get(key)
    if text is None:
        text = formatter.time_strings[f"{when}-{unit}"] % {"count": count}
        ambient.known[key] = text
    return text


INTS = frozenset({int})
HUMANIZE_PATHS = {
    "intcomma": FastPath(_intcomma, NUMBER_TYPES | frozenset({str}), ambient=True),
    "intword": FastPath(_intword, INTS, ambient=True),
    "apnumber": FastPath(_apnumber, INTS, ambient=True),
    "ordinal": FastPath(_ordinal, INTS, ambient=True),
    "naturalday": FastPath(_naturalday, MOMENTS, ambient=True),
    "naturaltime": FastPath(_naturaltime, frozenset({datetime.datetime}), ambient=True),
}
