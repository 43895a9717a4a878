"""Dates are written with Django's bytes: every format, every kind of value, several languages."""

import datetime
import zoneinfo
from typing import Any

import pytest
from django.template import defaultfilters
from django.templatetags import tz
from django.utils import formats, translation
from django.utils.safestring import SafeString
from hypothesis import given
from hypothesis import strategies as st

from atemplates.runtime.ambient import Ambient
from atemplates.runtime.fast import date_formats, dates
from tests.runtime.fast.comparing import inlined_result

ALL_LETTERS = "aAbcdDeEfFgGhHiIjlLmMnNoOPrsStTUuwWyYzZ"
NAMES = ["DATE_FORMAT", "DATETIME_FORMAT", "SHORT_DATE_FORMAT", "TIME_FORMAT", "DATE_INPUT_FORMATS"]
DAY = datetime.date(2024, 2, 29)
LANGUAGES = ["en", "de", "cs", "ar", "ja", None]
ZONES = [datetime.UTC, zoneinfo.ZoneInfo("Europe/Paris"), zoneinfo.ZoneInfo("America/St_Johns")]


class MyDatetime(datetime.datetime):
    """A subclass, which is left to Django."""


class MyZone(datetime.tzinfo):
    """Somebody's zone: what it does is not known."""

    def utcoffset(self, _: Any) -> Any:
        return datetime.timedelta(hours=1)

    def dst(self, _: Any) -> Any:
        return None

    def tzname(self, _: Any) -> Any:
        return "mine"


moments = st.datetimes(
    min_value=datetime.datetime(1000, 1, 2), timezones=st.none() | st.sampled_from(ZONES)
)
values = st.one_of(
    moments,
    moments.map(lambda value: value.date()),
    moments.map(lambda value: value.time()),
    moments.map(lambda value: tz.do_timezone(value, ZONES[1])),
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


def applied(function: Any, value: Any, text: Any) -> Any:
    """Apply a filter as compiled code does."""
    path = dates.DATE_PATHS[function]
    ours = path.function(Ambient().now(), value, text) if type(value) in path.types else None
    found = inlined_result(path, value, (text,), Ambient())
    assert found is None or found == function(value, text)
    return function(value, text) if ours is None else ours


def date(value: Any, text: Any) -> Any:
    """Apply the filter ``date`` as compiled code does."""
    return applied(defaultfilters.date, value, text)


@given(
    function=st.sampled_from([defaultfilters.date, defaultfilters.time]),
    value=values,
    text=texts,
    language=st.sampled_from(LANGUAGES),
)
def test_the_filters_are_djangos(function, value, text, language):
    with translation.override(language):
        ours = outcome(applied, function, value, text)
        assert ours == outcome(function, value, text)


@pytest.mark.parametrize("function", [defaultfilters.date, defaultfilters.time])
def test_a_language_that_changes(function):
    """Names, and what is said of the time of day, are those of the moment."""
    ambient = Ambient()
    path = dates.DATE_PATHS[function]
    hours = [datetime.datetime(2024, month, 28, 2 * month - 2, month % 2) for month in range(1, 13)]
    hours += [moment.replace(minute=30) for moment in hours]
    formats_ = [
        "%F % D",
        "N j, Y, P",
        "a A f g h",
        "b E M l w",
        "H:i:s.u",
        *NAMES[:4],
        "P",
        "e T O Z",
    ]
    for language in [*LANGUAGES, *LANGUAGES[::-1]]:
        with translation.override(language):
            for moment in hours:
                for text in formats_:
                    ours = path.function(ambient.now(), moment, text)
                    assert ours == function(moment, text) or ours is None
            assert path.function(ambient.now(), hours[5], "H:i P") is not None


@given(
    value=moments | moments.map(lambda value: value.date()),
    use_l10n=st.sampled_from([None, True, False]),
    language=st.sampled_from(LANGUAGES),
)
def test_output_is_djangos(value, use_l10n, language):
    with translation.override(language):
        ours = dates.localized_date(value, use_l10n, Ambient().now())
        assert ours in (None, formats.localize(value, use_l10n=use_l10n))


@pytest.mark.parametrize("letter", ALL_LETTERS)
def test_letters_that_are_not_left_to_django(letter):
    """The formatter that was not given a time zone has all that most letters need."""
    moment = datetime.datetime(2024, 2, 29, 13, 5, 7, 89, tzinfo=ZONES[1])
    ours = dates.write_date(moment, f"{letter} ", Ambient().now())
    assert ours == defaultfilters.date(moment, f"{letter} ")


@pytest.mark.parametrize("letter", "eIOrTZ")
def test_letters_of_a_zone_that_is_not_known_are_left_to_django(letter):
    moment = datetime.datetime(2024, 2, 29, tzinfo=MyZone())
    assert dates.write_date(moment, f"Y {letter}", Ambient().now()) is None
    assert dates.write_date(moment, "Y H", Ambient().now()) == "2024 00"


@given(
    value=moments.map(lambda value: value.timetz()) | moments.map(lambda value: value.time()),
    use_l10n=st.sampled_from([None, True, False]),
    language=st.sampled_from(LANGUAGES),
)
def test_output_of_times_is_djangos(value, use_l10n, language):
    with translation.override(language):
        ours = dates.localized_time(value, use_l10n, Ambient().now())
        assert ours in (None, formats.localize(value, use_l10n=use_l10n))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Y-m-d H:i:s", "2024-02-09 03:05:07"),
        ("d.m.y, G \\H", "09.02.24, 3 H"),
        ("j/n {value} ' \\Y", None),
        ("{}'\"\n\\\\%s", None),
    ],
)
def test_formats_as_expressions(text, expected):
    """Nothing of a format's text gets into the code but as a constant."""
    moment = datetime.datetime(2024, 2, 9, 3, 5, 7)
    found = inlined_result(dates.DATE_PATHS[defaultfilters.date], moment, (text,), Ambient())
    if expected is not None:
        assert found == expected
    assert found in (None, defaultfilters.date(moment, text))


def test_early_years_are_left_to_django():
    for function, value in (
        (defaultfilters.date, datetime.date(999, 1, 2)),
        (defaultfilters.date, datetime.datetime(3, 1, 2)),
    ):
        assert inlined_result(dates.DATE_PATHS[function], value, ("Y-m-d",)) is None
        assert inlined_result(dates.DATE_PATHS[function], value, ("d.m.y",)) == function(
            value, "d.m.y"
        )


def test_dates_in_loops(render):
    formats_ = ("Y-m-d", "d.m.Y", "H:i", "Y-m-d H:i:s", "j. F Y", "", "DATE_FORMAT", "\\Y{}'y")
    printed = "".join(
        f"{{{{ x|date:'{text}' }}}},{{{{ x|time:'{text}' }}}};" for text in formats_[:-1]
    )
    values = [
        *(DAY, datetime.datetime(2024, 7, 29, 13, 5, tzinfo=ZONES[1]), datetime.time(3, 4)),
        *(datetime.datetime(2024, 7, 29, 23, 5, tzinfo=datetime.UTC), None, "", "text", 5),
        *(datetime.date(33, 1, 1), MyDatetime(2024, 2, 3), tz.do_timezone(moment(), ZONES[2])),
    ]
    dates_only = "{% for x in values %}{{ x|date }}{{ x|time }}{{ x }}{% endfor %}"
    render(
        f"{{% for x in clocks %}}{printed}{{% endfor %}}" + dates_only,
        {"values": values, "clocks": values[1:2] + values[3:8]},
    )
    render(
        "{% for x in values %}{{ x|date:'d.m.Y' }}{{ x|date:'y' }}{% endfor %}",
        {"values": [each for each in values if type(each) is not datetime.time]},
    )


def test_an_escaped_letter_asks_for_nothing(render):
    """A year is text here, and a time has none."""
    render(
        "{% for x in values %}{{ x|time:'\\Y H' }};{{ x|time:'H \\Y' }}{% endfor %}",
        {"values": [datetime.time(3, 4), datetime.datetime(99, 1, 2, 3, 4)]},
    )


def moment() -> datetime.datetime:
    return datetime.datetime(2024, 7, 29, 23, 5, tzinfo=datetime.UTC)


def test_a_date_has_no_time_of_day():
    with pytest.raises(TypeError, match="may not contain time-related format specifiers"):
        date(datetime.date(2024, 2, 29), "Y H")


def test_few_formats_are_remembered(monkeypatch):
    monkeypatch.setattr(date_formats, "MOST_FORMATS", 3)
    monkeypatch.setattr(date_formats, "known_formats", {})
    monkeypatch.setattr(dates, "known_formats", date_formats.known_formats)
    for number in range(10):
        assert dates.date(Ambient().now(), DAY, f"Y \\{number}") == f"2024 {number}"
        assert len(date_formats.known_formats) <= 3
