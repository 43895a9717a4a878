"""Filters that write numbers, with Django's results: many values, arguments and languages."""

import decimal
import itertools
import random
from decimal import Decimal
from typing import Any

import pytest
from django.template import defaultfilters
from django.test import override_settings
from django.utils import translation
from django.utils.safestring import SafeString

from atemplates.runtime.ambient import Ambient
from atemplates.runtime.fast import number_filters
from tests.runtime.fast.comparing import arguments, check

LANGUAGES = ["en", "de", "fr", "ar", "hi", "xx", None]
chance = random.Random(13)


class Number(int):
    """A subclass, which is left to Django."""


EDGES: list[Any] = [
    *(0, 1, -1, 9, 10, 999, 1000, -1000, 1023, 1024, 1025, 1048575, 1048576, 10**9, 10**18, 10**39, -(10**39)),
    *(10**60, 10**200, 10**201, True, False, None, Number(5), 1 << 20, 1 << 30, 1 << 40, 1 << 50, 1 << 60, 1 << 70),
    *(0.0, -0.0, 0.5, -0.5, 1.5, 2.5, 0.05, 0.25, 0.125, 2.675, 1.005, -0.001, -0.004, 0.995, 9.995, 99.95, -9.96),
    *(999.95, 999.949, 1e15, 1e16, 1e22, 1e-5, 1e-9, -1e-9, 1e300, 123456.789, float("nan"), float("inf")),
    *(-float("inf"), 1023.99, 1048575.9, 34.0, 34.23234, 34.26, 1 / 3, 2 / 3, 1e15 + 0.5, 1234567.5),
    *map(Decimal, ["0", "-0", "0.00", "-0.00", "1", "1.0", "5.00", "-5.50", "0.5", "1.005", "2.675", "-0.004"]),
    *map(Decimal, ["1E+5", "1E-7", "1E+300", "0E-3", "0E+3", "NaN", "sNaN", "Infinity", "-Infinity", "NaN12"]),
    *map(Decimal, ["12345678901234567890.123456789", "9" * 41, "0." + "9" * 20, "99.995", "1234567.891", "1E+2"]),
    *("", "5", "1.5", "-2", "text", " 7 ", "1e3", "x1", "Ⅷ", "é", "٣", SafeString("5"), SafeString("x"), [], [1], ["a", object], (1,), (SafeString("<"),)),
]  # fmt: skip
RANDOM: list[Any] = [
    *(chance.randrange(-(10**size), 10**size) for size in range(1, 16) for _ in range(4)),
    *(chance.uniform(-(10**size), 10**size) for size in range(-3, 9) for _ in range(10)),
    *(round(chance.uniform(-1000, 1000), places) for places in range(5) for _ in range(20)),
    *(
        Decimal(chance.randrange(-(10**9), 10**9)).scaleb(-places)
        for places in range(9)
        for _ in range(8)
    ),
]
VALUES = EDGES + RANDOM
PRECISIONS = arguments(
    *(*range(-6, 7), 20, 21, -20, -21, True, 2.0, None),
    *(
        "2",
        "-3",
        "0",
        "g",
        "2g",
        "-2g",
        "u",
        "2u",
        "gu",
        "ug",
        "3gu",
        "-1ug",
        "ugu",
        "2ugu",
        "g2",
        "",
        " 2 ",
        "x",
    ),
)
CASES: dict[str, list[tuple[Any, ...]]] = {
    "filesizeformat": [()],
    "add": [(arg,) for arg in arguments("5", "-2", " 3 ", "x", "", "1.5", "5x", "x5", "é", "٣", 5, -1, 2.5, True, None, [2], [object], (2,))],
    "get_digit": [(arg,) for arg in arguments("1", "x", "0", "-1", "", 1, 2, 3, 20, 50, 0, -1, True, 1.5, None)],
}  # fmt: skip


def check_all(name: str, values: Any, cases: Any, ambient: Any = None) -> int:
    function = defaultfilters.register.filters[name]
    path = number_filters.NUMBER_PATHS[function]
    return sum(
        check(function, path, value, *args, ambient=ambient)
        for value, args in itertools.product(values, cases)
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("grouped", [False, True])
def test_floatformat_is_djangos(settings, language, grouped):
    settings.USE_THOUSAND_SEPARATOR = grouped
    cases = [(), *((arg,) for arg in chance.sample(PRECISIONS, 12))]
    with translation.override(language):
        assert check_all("floatformat", EDGES + chance.sample(RANDOM, 60), cases) > 300


def test_floatformat_with_every_argument():
    with translation.override("de"):
        assert check_all("floatformat", VALUES[::3], [(arg,) for arg in PRECISIONS]) > 2000


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("grouped", [False, True])
def test_filesizeformat_is_djangos(settings, language, grouped):
    settings.USE_THOUSAND_SEPARATOR = grouped
    sizes = [chance.randrange(1 << power) * sign for power in range(5, 75) for sign in (1, -1)]
    with translation.override(language):
        assert check_all("filesizeformat", VALUES + sizes, [()]) > 300


@pytest.mark.parametrize("name", ["add", "get_digit"])
def test_whole_numbers(name):
    assert check_all(name, VALUES, CASES[name]) > 400


def test_a_language_that_changes():
    ambient = Ambient()
    for language in [*LANGUAGES, *LANGUAGES[::-1]]:
        with translation.override(language):
            assert check_all("filesizeformat", EDGES, [()], ambient)
            assert check_all("floatformat", EDGES, [(2,), ("2g",), ("2u",)], ambient)


@pytest.mark.parametrize(
    "signs",
    [
        {"THOUSAND_SEPARATOR": "'", "NUMBER_GROUPING": 3},
        {"THOUSAND_SEPARATOR": "'", "NUMBER_GROUPING": 2},
        {"THOUSAND_SEPARATOR": "<br>", "NUMBER_GROUPING": (3, 2, 0), "DECIMAL_SEPARATOR": "<"},
        {"NUMBER_GROUPING": 0, "DECIMAL_SEPARATOR": ","},
        {"DECIMAL_SEPARATOR": SafeString(","), "THOUSAND_SEPARATOR": SafeString(".")},
    ],
)
def test_other_signs_than_the_languages(signs):
    with override_settings(USE_THOUSAND_SEPARATOR=True, **signs), translation.override("xx"):
        check_all("floatformat", VALUES, [(2,), ("2g",), ("2u",), (-1,)])
        check_all("filesizeformat", VALUES, [()])


@pytest.mark.parametrize("rounding", [decimal.ROUND_DOWN, decimal.ROUND_UP])
def test_the_programs_own_decimal_context_changes_nothing(rounding):
    with decimal.localcontext(prec=3, rounding=rounding):
        check_all("floatformat", RANDOM, [(2,), (-1,)])


def test_few_arguments_are_remembered():
    for number in range(3000):
        number_filters.read_precision(f"{number}g")
    assert number_filters.read_precision.cache_info().currsize <= number_filters.MOST_PRECISIONS


SOURCE = """{% load i18n %}{% for v in values %}{{ v|floatformat }}{{ v|floatformat:2 }}{{ v|floatformat:"-2g" }}
{{ v|floatformat:arg }}{{ v|filesizeformat }}{{ v|add:"5" }}{{ v|add:word }}{{ v|floatformat:2|add:word }}
{% language "de" %}{{ v|floatformat:1 }}{{ v|filesizeformat }}{% endlanguage %}{% endfor %}
{% for n in numbers %}{{ n|get_digit:1 }}{{ n|get_digit:arg }}{{ n|add:arg }}{% endfor %}
{{ values.3|floatformat:arg }}{{ values.2|filesizeformat }}{{ values.1|add:arg }}"""


def test_in_templates(render):
    values = [value for value in EDGES if not isinstance(value, float) or abs(value) < 1e300]
    render(
        SOURCE,
        {"values": values[:17] + values[30:60], "numbers": [0, 7, 123], "arg": 2, "word": "<"},
    )
