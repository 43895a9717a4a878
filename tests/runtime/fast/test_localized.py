"""The filters of ``l10n`` and ``tz``, with Django's results."""

import datetime
import itertools
import random
import zoneinfo
from decimal import Decimal
from typing import Any

import pytest
from django.templatetags import l10n, tz
from django.utils import timezone, translation
from django.utils.safestring import SafeString

from atemplates.runtime.ambient import Ambient
from atemplates.runtime.fast import localized
from tests.runtime.fast.comparing import LANGUAGES, MyZone, arguments, check

PARIS, ST_JOHNS = zoneinfo.ZoneInfo("Europe/Paris"), zoneinfo.ZoneInfo("America/St_Johns")
chance = random.Random(13)


MOMENT = datetime.datetime(2024, 2, 29, 13, 5, 7, 89)
VALUES: list[Any] = [
    *(0, 5, -5, 1234, -1234567, 10**40, 10**60, True, False, None, "", "a<", SafeString("<"), [], b"x"),
    *(0.0, -0.0, 1.5, -1234.5, 1e16, 1e-7, float("nan"), 123456.789),
    *map(Decimal, ["0", "1234567.891", "-1234.50", "1E+5", "NaN", "0E-7", "0.10"]),
    *(datetime.date(2024, 2, 29), MOMENT, MOMENT.replace(tzinfo=PARIS), datetime.time(13, 5), datetime.time(0)),
    *(datetime.timedelta(1), datetime.date(1, 1, 1), datetime.datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=PARIS)),
]  # fmt: skip
MOMENTS: list[Any] = [
    *(
        datetime.datetime(2024, chance.randrange(1, 13), 28, hour, 30, 5, hour, tzinfo=zone)
        for hour in range(24)
        for zone in (None, datetime.UTC, PARIS, ST_JOHNS, datetime.timezone(datetime.timedelta(hours=-3)))
    ),
    datetime.datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=PARIS),
    datetime.datetime(2024, 3, 31, 2, 30, tzinfo=PARIS),
    datetime.datetime(2024, 10, 27, 0, 30, tzinfo=datetime.UTC),
    *(datetime.datetime.min, datetime.datetime.max, datetime.datetime.max.replace(tzinfo=PARIS)),
    datetime.datetime.min.replace(tzinfo=datetime.UTC),
    datetime.datetime(2024, 1, 1, tzinfo=MyZone()),
    *(datetime.date(2024, 1, 1), None, "", "text", datetime.time(1)),
]  # fmt: skip
ZONES = arguments(
    *("UTC", "Europe/Paris", "America/New_York", "Nowhere/City", "", "../x", None, 5, MyZone()),
    *(datetime.UTC, PARIS, datetime.timezone(datetime.timedelta(hours=5, minutes=45))),
)


def check_all(module: Any, name: str, values: Any, cases: Any = ((),), ambient: Any = None) -> int:
    function = getattr(module, name)
    path = (localized.L10N_PATHS if module is l10n else localized.TZ_PATHS)[name]
    return sum(
        check(function, path, value, *args, ambient=ambient)
        for value, args in itertools.product(values, cases)
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["localize", "unlocalize"])
@pytest.mark.parametrize("grouped", [False, True])
def test_l10n_is_djangos(settings, name, language, grouped):
    settings.USE_THOUSAND_SEPARATOR = grouped
    with translation.override(language):
        assert check_all(l10n, name, VALUES) > 20


def test_a_language_that_changes():
    ambient = Ambient()
    for language in [*LANGUAGES, *LANGUAGES[::-1]]:
        with translation.override(language):
            assert check_all(l10n, "localize", VALUES, ambient=ambient)
            assert check_all(l10n, "unlocalize", VALUES, ambient=ambient)


@pytest.mark.parametrize("zone", [PARIS, ST_JOHNS, datetime.UTC, MyZone()])
def test_tz_is_djangos(zone):
    with timezone.override(zone):
        ambient = Ambient()
        answered = check_all(tz, "localtime", MOMENTS, ambient=ambient)
        assert not answered if isinstance(zone, MyZone) else answered > 100
        assert check_all(tz, "utc", MOMENTS) > 100
        assert check_all(tz, "do_timezone", MOMENTS, [(arg,) for arg in ZONES]) > 500


def test_what_tz_gives_is_printed_as_it_is():
    for zone in (PARIS, ST_JOHNS):
        ours = localized.TZ_PATHS["do_timezone"].function(MOMENT, zone)
        assert type(ours) is tz.datetimeobject
        assert vars(ours) == vars(tz.do_timezone(MOMENT, zone))


SOURCE = """{% load l10n tz i18n %}{% for v in values %}{{ v|localize }}{{ v|unlocalize }}
{% language "de" %}{{ v|localize }}{{ v|unlocalize }}{% endlanguage %}{{ v|localize|add:"<" }}
{% localize off %}{{ v|localize }}{% endlocalize %}{% autoescape off %}{{ v|localize }}{% endautoescape %}{% endfor %}
{% for v in moments %}{{ v|utc }}{{ v|localtime }}{{ v|timezone:"America/New_York" }}{{ v|timezone:zone }}
{{ v|utc|date:"c e" }}{{ v|localtime|time }}{{ v|utc|timezone:zone|date:"H:i" }}{{ v|utc|localize }}
{% timezone "Asia/Tokyo" %}{{ v|localtime }}{{ v|utc }}{% endtimezone %}
{% localtime off %}{{ v }}{{ v|localtime }}{{ v|utc }}{% endlocaltime %}
{% language "de" %}{{ v|utc }}{{ v|localtime|date }}{% endlanguage %}{% endfor %}
{{ moments.1|utc }}{{ values.3|localize }}"""


@pytest.mark.parametrize("use_tz", [True, False])
@pytest.mark.parametrize("grouped", [False, True])
def test_in_templates(render, settings, use_tz, grouped):
    settings.USE_TZ, settings.USE_THOUSAND_SEPARATOR = use_tz, grouped
    moments = [value for value in MOMENTS[:10] + MOMENTS[-12:-7] if value.year == 2024]
    render(
        SOURCE,
        {
            "values": [value for value in VALUES if repr(value) != "Decimal('NaN')"],
            "moments": moments,
            "zone": PARIS,
        },
    )
