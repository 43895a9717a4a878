"""The filters of ``{% load l10n %}``, ``{% load tz %}`` and ``{% load i18n %}``."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.templatetags import i18n
from django.templatetags.tz import datetimeobject
from django.utils import timezone
from django.utils.safestring import SafeString

from ..ambient import Ambient
from . import dates
from .fast_path import FastPath
from .logic_filters import TEXTS
from .number_filters import digits_of, punctuated
from .numbers import localized_number
from .time_spans import KNOWN_ZONES

L10N_MODULE = "django.templatetags.l10n"
I18N_MODULE = "django.templatetags.i18n"
TZ_MODULE = "django.templatetags.tz"
LOCALIZED: frozenset[type] = (
    TEXTS | dates.DATE_TYPES | {int, float, bool, type(None), Decimal, datetime.time}
)


def _localize(ambient: Ambient, value: Any) -> str | None:
    return localized(ambient, value, True)


def _unlocalize(ambient: Ambient, value: Any) -> str | None:
    return localized(ambient, value, False)


def localized(ambient: Ambient, value: Any, use_l10n: bool) -> str | None:
    """Write a value of a type in `LOCALIZED`; None when that is left to Django."""
    kind = type(value)
    if kind is int:
        if not use_l10n:
            return str(value)
        digits = digits_of(value)
        text = None if digits is None else punctuated(*digits, ambient)
        # Django marks a whole number safe that it does not group.
        grouped = ambient.groups_digits and ambient.format("NUMBER_GROUPING", True)
        return text if text is None or grouped else SafeString(text)
    if kind is float or kind is Decimal:
        return localized_number(value, use_l10n, ambient)
    if kind in dates.DATE_TYPES:
        return dates.localized_date(value, use_l10n, ambient)
    if kind is datetime.time:
        return dates.localized_time(value, use_l10n, ambient)
    return str(value)


def _localtime(ambient: Ambient, value: Any) -> Any:
    return moved(value, ambient.zone)


def _utc(value: Any) -> Any:
    return moved(value, datetime.UTC)


def _timezone(value: Any, arg: Any) -> Any:
    if type(arg) in TEXTS:
        try:
            arg = ZoneInfo(arg)
        except Exception:  # Django's function says what comes of it.
            return None
    return moved(value, arg)


def moved(value: datetime.datetime, zone: Any) -> Any:
    """Convert a datetime to a time zone; None when that is left to Django."""
    if type(zone) not in KNOWN_ZONES or zone is None or type(value.tzinfo) not in KNOWN_ZONES:
        return None
    try:
        if value.tzinfo is None:
            value = value.replace(tzinfo=timezone.get_default_timezone())
        there = value.astimezone(zone)
    except (OverflowError, ValueError):
        return None
    result: Any = datetimeobject(
        there.year,
        there.month,
        there.day,
        there.hour,
        there.minute,
        there.second,
        there.microsecond,
        there.tzinfo,
    )
    result.convert_to_local_time = False  # so it is printed as it is
    return result


DATETIMES = frozenset({datetime.datetime})
L10N_PATHS = {
    "localize": FastPath(_localize, LOCALIZED, ambient=True),
    "unlocalize": FastPath(_unlocalize, LOCALIZED, ambient=True),
}
TZ_PATHS = {
    "localtime": FastPath(_localtime, DATETIMES, ambient=True),
    "utc": FastPath(_utc, DATETIMES),
    "do_timezone": FastPath(_timezone, DATETIMES),
}
LANGUAGE_PATHS = {
    function.__name__: FastPath(function, TEXTS)
    for function in (
        i18n.language_name,
        i18n.language_name_translated,
        i18n.language_name_local,
        i18n.language_bidi,
    )
}
"""Django's own functions: of a language's code they run nobody's code."""
