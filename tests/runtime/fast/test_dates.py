"""Dates are written with Django's bytes: every format, every kind of value, several languages."""

import datetime
import zoneinfo
from typing import Any

import pytest
from django.template import defaultfilters
from django.utils import formats, translation
from django.utils.safestring import SafeString
from hypothesis import given
from hypothesis import strategies as st

from atemplates.runtime.ambient import Ambient
from atemplates.runtime.fast import dates

ALL_LETTERS = "aAbcdDeEfFgGhHiIjlLmMnNoOPrsStTUuwWyYzZ"
NAMES = ["DATE_FORMAT", "DATETIME_FORMAT", "SHORT_DATE_FORMAT", "TIME_FORMAT", "DATE_INPUT_FORMATS"]
DAY = datetime.date(2024, 2, 29)
LANGUAGES = ["en", "de", "cs", "ar", "ja"]
ZONES = [datetime.UTC, zoneinfo.ZoneInfo("Europe/Paris"), zoneinfo.ZoneInfo("America/St_Johns")]


class MyDatetime(datetime.datetime):
    """A subclass, which is left to Django."""


moments = st.datetimes(
    min_value=datetime.datetime(1000, 1, 2), timezones=st.none() | st.sampled_from(ZONES)
)
values = st.one_of(
    moments,
    moments.map(lambda value: value.date()),
    moments.map(lambda value: value.time()),
    moments.map(lambda value: MyDatetime(*value.timetuple()[:6], tzinfo=value.tzinfo)),
    st.sampled_from([None, "", "text", 5, 0]),
)
letters = st.sampled_from([*ALL_LETTERS, " ", "-", "\\Y", "\\", "<", "x", "é"])
texts = st.one_of(
    st.lists(letters, max_size=6).map("".join),
    st.lists(letters, max_size=6).map("".join).map(SafeString),
    st.sampled_from([*NAMES, None, "", 5]),
)


def outcome(function: Any, *args: Any) -> Any:
    """Return the result with its type, or the exception's type and text."""
    try:
        result = function(*args)
    except Exception as error:
        return type(error), str(error)
    return type(result), result


def date(value: Any, text: Any) -> Any:
    """Apply the filter as compiled code does."""
    ours = dates.date(Ambient().now(), value, text)
    return defaultfilters.date(value, text) if ours is None else ours


@given(value=values, text=texts, language=st.sampled_from(LANGUAGES))
def test_the_filter_is_djangos(value, text, language):
    with translation.override(language):
        ours = outcome(date, value, text)
        assert ours == outcome(defaultfilters.date, value, text)


@given(
    value=moments | moments.map(lambda value: value.date()),
    use_l10n=st.sampled_from([None, True, False]),
    language=st.sampled_from(LANGUAGES),
)
def test_output_is_djangos(value, use_l10n, language):
    with translation.override(language):
        ours = dates.localized_date(value, use_l10n, Ambient().now())
        assert ours in (None, formats.localize(value, use_l10n=use_l10n))


@pytest.mark.parametrize("letter", sorted(dates.ZONELESS))
def test_letters_that_are_not_left_to_django(letter):
    """The formatter that was not given a time zone has all that these letters need."""
    moment = datetime.datetime(2024, 2, 29, 13, 5, 7, 89, tzinfo=ZONES[1])
    ours = dates.write_date(moment, f"{letter} ", Ambient().now())
    assert ours == defaultfilters.date(moment, f"{letter} ")


@pytest.mark.parametrize("letter", "eIOrTZ")
def test_letters_of_the_time_zone_are_left_to_django(letter):
    assert dates.write_date(datetime.datetime(2024, 2, 29), f"Y {letter}", Ambient().now()) is None


def test_a_date_has_no_time_of_day():
    with pytest.raises(TypeError, match="may not contain time-related format specifiers"):
        date(datetime.date(2024, 2, 29), "Y H")


def test_few_formats_are_remembered(monkeypatch):
    monkeypatch.setattr(dates, "MOST_FORMATS", 3)
    monkeypatch.setattr(dates, "known_formats", {})
    for number in range(10):
        assert dates.date(Ambient().now(), DAY, f"Y \\{number}") == f"2024 {number}"
        assert len(dates.known_formats) <= 3
