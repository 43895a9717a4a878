"""The filters of ``humanize``, with Django's results: many values and languages."""

import datetime
import itertools
import random
import zoneinfo
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.humanize.templatetags import humanize
from django.utils import translation
from django.utils.safestring import SafeString

from atemplates.runtime.ambient import Ambient
from atemplates.runtime.fast import humanized
from tests.runtime.fast.comparing import arguments, check

LANGUAGES = ["en", "de", "fr", "ar", "hi", "es", None]
PARIS = zoneinfo.ZoneInfo("Europe/Paris")
chance = random.Random(13)


class Number(int):
    """A subclass, which is left to Django."""


NUMBERS: list[Any] = [
    *range(-3, 35), *(100, 101, 111, 112, 113, 121, 999, 1000, 1001, 1111, 999999, 10**6, 10**6 + 1, 1999999),
    *(sign * factor * 10**power for power in range(6, 40) for factor in (1, 2, 15) for sign in (1, -1)),
    *(10**103 - 1, 10**103, -(10**101), 10**400, True, False, None, Number(5), 10**30 + 1, 10**29),
    *(0.0, -0.0, 1.5, 1234567.891, -1234.5, 1e15, 1e16, 1e22, 1e-7, float("nan"), float("inf"), 999.0),
    *map(Decimal, ["0", "1234567.891", "-1234.50", "1E+5", "NaN", "-Infinity", "0E-7", "1234567890" * 3, "0.1"]),
    *("", "5", "1234", "-1234", "0012", "1234.5", "text", "1e3", " 1234 ", "٣٤٥٦", "1_000", "9" * 50, "1234x"),
    *(SafeString("1234"), SafeString("text"), [], b"12"),
]  # fmt: skip
SOME: list[Any] = [
    *(chance.randrange(-(10**size), 10**size) for size in range(2, 36) for _ in range(6)),
    *(chance.uniform(-(10**size), 10**size) for size in range(1, 9) for _ in range(5)),
    *(Decimal(chance.randrange(10**9)).scaleb(-places) for places in range(6) for _ in range(5)),
]


def check_all(name: str, values: Any, cases: Any = ((),), ambient: Any = None) -> int:
    function = getattr(humanize, name)
    path = humanized.HUMANIZE_PATHS[name]
    return sum(
        check(function, path, value, *args, ambient=ambient)
        for value, args in itertools.product(values, cases)
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["intcomma", "intword", "apnumber", "ordinal"])
def test_numbers_are_djangos(name, language):
    with translation.override(language):
        assert check_all(name, NUMBERS + SOME) > 50


def test_how_numbers_are_rounded():
    with translation.override("en"):
        values = [number * 10**power for number in range(900, 2200, 7) for power in (4, 5, 7)]
        assert check_all("intword", values) > 500


@pytest.mark.parametrize("language", LANGUAGES)
def test_separators_of_the_settings(settings, language):
    settings.USE_THOUSAND_SEPARATOR = True
    with translation.override(language):
        check_all("intcomma", NUMBERS + SOME, [(), (True,), (False,), (None,), ("",)])
        check_all("intword", SOME)


@pytest.mark.parametrize(
    "signs",
    [
        {"THOUSAND_SEPARATOR": "'", "NUMBER_GROUPING": 3},
        {"THOUSAND_SEPARATOR": "'", "NUMBER_GROUPING": (3, 2, 0)},
        {"THOUSAND_SEPARATOR": "'", "NUMBER_GROUPING": 0},
    ],
)
def test_other_signs_than_the_languages(settings, signs):
    for name, value in signs.items():
        setattr(settings, name, value)
    with translation.override("xx"):
        check_all("intcomma", NUMBERS + SOME)


def moments(now: datetime.datetime) -> list[datetime.datetime]:
    """Return moments around now; a little is added, since time goes on while they are compared."""
    spans = [
        0,
        1,
        2,
        30,
        59,
        60,
        61,
        90,
        3599,
        3600,
        7200,
        86399,
        86400,
        90000,
        6 * 86400,
        40 * 86400,
    ]
    spans += [chance.randrange(10 ** chance.randrange(1, 9)) for _ in range(60)]
    return [now + datetime.timedelta(seconds=sign * span) for span in spans for sign in (1, -1)]


@pytest.fixture
def stopped(monkeypatch):
    """Stop the clock of Django's module and of ours."""

    class Stopped(datetime.datetime):
        """A datetime whose clock stands still."""

        @classmethod
        def now(cls, tz: Any = None) -> datetime.datetime:
            naive = datetime.datetime(2024, 2, 29, 12, 30, 30, 500)
            return naive.replace(tzinfo=datetime.UTC).astimezone(tz) if tz else naive

    real = datetime.datetime
    monkeypatch.setattr(humanize, "datetime", Stopped)
    monkeypatch.setattr(humanized, "REAL_CLOCK", Stopped)
    return real(2024, 2, 29, 12, 30, 30, 500)


@pytest.mark.parametrize("language", LANGUAGES)
def test_naturaltime_is_djangos(stopped, language):
    ambient = Ambient()
    aware = stopped.replace(tzinfo=datetime.UTC)
    values = moments(stopped) + moments(aware) + moments(aware.astimezone(PARIS))
    with translation.override(language):
        assert check_all("naturaltime", values, ambient=ambient) == len(values)


@pytest.mark.parametrize("language", LANGUAGES)
def test_naturalday_is_djangos(stopped, language):
    ambient = Ambient()
    aware = stopped.replace(tzinfo=datetime.UTC)
    values: list[Any] = moments(stopped) + moments(aware) + moments(aware.astimezone(PARIS))
    values += [value.date() for value in moments(stopped)]
    values += [
        value + datetime.timedelta(days=days) for value in values[:3] for days in range(-3, 4)
    ]
    cases = [(), *((arg,) for arg in arguments("Y-m-d", "DATE_FORMAT", "", "D < F", "H", None))]
    with translation.override(language):
        assert check_all("naturalday", values, cases, ambient=ambient) > 2000


def test_somebody_elses_clock(monkeypatch):
    """Tests of a site may put one in the place of Django's: then Django's function is asked."""
    monkeypatch.setattr(humanize, "datetime", type("Frozen", (datetime.datetime,), {}))
    now = datetime.datetime(2024, 2, 29)
    assert not check_all("naturaltime", [now])
    assert not check_all("naturalday", [now, now.date()])


def test_what_is_unusual():
    strange = [None, "", "text", 5, datetime.time(1), datetime.timedelta(1), datetime.datetime.max]
    for name in ("naturalday", "naturaltime"):
        check_all(name, [*strange, datetime.datetime.min, datetime.date.max])


def test_a_language_that_changes():
    ambient = Ambient()
    for language in [*LANGUAGES, *LANGUAGES[:2]]:
        with translation.override(language):
            for name in ("intcomma", "intword", "apnumber", "ordinal"):
                check_all(name, NUMBERS, ambient=ambient)


SOURCE = """{% load humanize i18n %}{% for v in numbers %}{{ v|intcomma }}{{ v|intword }}{{ v|apnumber }}{{ v|ordinal }}
{% language "de" %}{{ v|intcomma }}{{ v|intword }}{{ v|apnumber }}{{ v|ordinal }}{% endlanguage %}
{{ v|intcomma:no }}{{ v|ordinal|add:"x" }}{{ v|intword|upper }}{% endfor %}
{% for v in moments %}{{ v|naturalday }}{{ v|naturalday:"Y-m-d" }}{{ v|naturaltime }}{% endfor %}
{{ numbers.5|ordinal }}{{ moments.0|naturalday }}"""


@pytest.mark.parametrize("use_tz", [True, False])
def test_in_templates(render, settings, use_tz):
    settings.USE_TZ = use_tz
    now = datetime.datetime.now(datetime.UTC)
    days = [now + datetime.timedelta(days=days, minutes=5) for days in (-400, -1, 0, 1, 2, 60)]
    render(SOURCE, {"numbers": NUMBERS[:20] + SOME[::12], "no": False, "moments": days})
