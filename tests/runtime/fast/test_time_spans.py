"""The time between two moments in words, with Django's results."""

import datetime
import random
import zoneinfo
from typing import Any

import pytest
from django.template import defaultfilters
from django.utils import timesince as django_timesince
from django.utils import translation

from atemplates.runtime.ambient import Ambient
from atemplates.runtime.fast import time_spans
from tests.runtime.fast.comparing import LANGUAGES, MyZone, check, outcome

PARIS, APIA = zoneinfo.ZoneInfo("Europe/Paris"), zoneinfo.ZoneInfo("Pacific/Apia")
OFFSET = datetime.timezone(datetime.timedelta(hours=-3, minutes=-30))
ZONES = [None, datetime.UTC, PARIS, APIA, OFFSET]
FILTERS = [defaultfilters.timesince_filter, defaultfilters.timeuntil_filter]
chance = random.Random(13)


class MyDate(datetime.date):
    """A subclass, which is left to Django."""


def some_moment(*zones: Any) -> datetime.datetime:
    """Return a moment, more often than not about the end of a month."""
    day = chance.choice([1, 2, 15, 28, 28, 29, 30, 31])
    while True:
        month, year = chance.randrange(1, 13), chance.choice([1999, 2000, 2023, 2024, 2024, 2025])
        clock = (chance.choice([0, 2, 12, 23]), chance.choice([0, 30]), chance.choice([0, 59]))
        try:
            return datetime.datetime(
                year, month, day, *clock, chance.choice([0, 1, 999999]), tzinfo=chance.choice(zones)
            )
        except ValueError:
            continue


def pairs(count: int, *zones: Any) -> list[tuple[Any, Any]]:
    """Return moments and dates that are some time apart."""
    found: list[tuple[Any, Any]] = []
    for _ in range(count):
        first = some_moment(*zones)
        second = some_moment(first.tzinfo, *(zones if first.tzinfo else ()))
        if chance.random() < 0.5:
            seconds = chance.choice(
                [0, 1, 59, 60, 61, 3599, 86400, 7 * 86400, 28 * 86400, 365 * 86400]
            )
            second = first + datetime.timedelta(
                seconds=seconds + chance.randrange(3), microseconds=chance.randrange(3)
            )
        if first.tzinfo is None and chance.random() < 0.3:
            first = first.date()
        if second.tzinfo is None and chance.random() < 0.3:
            second = second.date()
        found += [(first, second), (second, first)]
    return found


STRANGE: list[Any] = [
    *(None, "", "text", 5, MyDate(2024, 2, 29), datetime.time(1, 2), datetime.timedelta(1)),
    datetime.datetime(2024, 2, 29, tzinfo=MyZone()),
    datetime.datetime.max,
    datetime.datetime.min,
    datetime.datetime(1, 1, 1, tzinfo=PARIS),
    datetime.datetime(9999, 12, 31, 23, tzinfo=OFFSET),
    datetime.date(9999, 12, 31),
]


@pytest.mark.parametrize("function", FILTERS)
def test_between_two_moments(function):
    path = time_spans.SPAN_PATHS[function]
    ambient = Ambient()
    with translation.override("en"):
        moments = pairs(400, None) + pairs(800, *ZONES[1:])
        assert sum(check(function, path, *pair, ambient=ambient) for pair in moments) > 2000


@pytest.mark.parametrize("function", FILTERS)
def test_what_is_unusual(function):
    path = time_spans.SPAN_PATHS[function]
    usual = [some_moment(zone) for zone in ZONES] + [datetime.date(2024, 2, 29)]
    for value in STRANGE + usual:
        for other in STRANGE + usual:
            check(function, path, value, other)
        if not isinstance(value, datetime.datetime):
            check(function, path, value)


@pytest.mark.parametrize("function", FILTERS)
def test_a_language_that_changes(function):
    path = time_spans.SPAN_PATHS[function]
    ambient = Ambient()
    moments = pairs(40, None) + pairs(40, PARIS)
    for language in [*LANGUAGES, *LANGUAGES[::-1]]:
        with translation.override(language):
            assert sum(check(function, path, *pair, ambient=ambient) for pair in moments) > 100


class Clock:
    """Stands for the module ``datetime``: it tells the same time until it is set."""

    def __init__(self, module: Any, moment: datetime.datetime) -> None:
        self.date, self.timedelta = module.date, module.timedelta
        self.moment, self.asked = moment, 0
        clock = self

        class Now(datetime.datetime):
            """A datetime that asks the clock."""

            @classmethod
            def now(cls, tz: Any = None) -> datetime.datetime:
                clock.asked += 1
                naive = clock.moment.replace(tzinfo=None)
                return clock.moment.astimezone(tz) if tz else naive

        class Kind(type):
            """Says that any datetime is one."""

            def __instancecheck__(cls, value: Any) -> bool:
                return isinstance(value, datetime.datetime)

            def __call__(cls, *args: Any, **kwargs: Any) -> datetime.datetime:
                return datetime.datetime(*args, **kwargs)

        self.datetime = Kind("datetime", (Now,), {})


@pytest.mark.parametrize("function", FILTERS)
def test_the_clock_is_asked_each_time(monkeypatch, function):
    """By the name that Django's function asks it by."""
    path = time_spans.SPAN_PATHS[function]
    clock = Clock(datetime, datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.UTC))
    monkeypatch.setattr(django_timesince, "datetime", clock)
    ambient = Ambient()
    values = [some_moment(zone) for zone in ZONES for _ in range(50)]
    values += [value.date() for value in values[:50]]
    for value in values:
        clock.moment += datetime.timedelta(minutes=7)
        asked = clock.asked
        assert check(function, path, value, ambient=ambient)
        assert clock.asked == asked + 2


SOURCE = """{% load i18n %}{% for row in rows %}{{ row.0|timesince:row.1 }} {{ row.0|timeuntil:row.1 }}
{% language "de" %}{{ row.0|timesince:row.1 }}{% endlanguage %}{{ row.0|timesince:row.1|upper }}
{{ row.0|timesince:row.1|length }}{{ word|timesince:none }}{% endfor %}
{{ rows.0.0|timesince:moment }}{{ moment|timesince:moment }}"""


def test_in_templates(render):
    moment = datetime.datetime(2024, 2, 29, 12, 30)
    render(SOURCE, {"rows": pairs(10, None), "none": None, "word": "", "moment": moment})


def test_without_an_argument_it_is_now(render):
    long_ago = datetime.datetime.now() - datetime.timedelta(days=800, hours=5)
    output = render(
        "{% for row in rows %}{{ row|timesince }}{{ row|timeuntil }}{% endfor %}",
        {"rows": [long_ago]},
    )
    assert output == "2\xa0years, 2\xa0months0\xa0minutes"


def test_outcomes_are_compared_with_their_types():
    assert outcome(str, "a") != outcome(translation.gettext_lazy, "a")
