"""Filters that choose by a value, with Django's results."""

import datetime
import itertools
from decimal import Decimal
from typing import Any

import pytest
from django.template import defaultfilters
from django.utils import translation
from django.utils.safestring import SafeString
from markupsafe import Markup

from atemplates.runtime.ambient import Ambient
from atemplates.runtime.fast import logic_filters
from tests.runtime.fast.comparing import arguments, check


class Number(int):
    """A subclass, which is left to Django."""


VALUES: list[Any] = [
    *(None, True, False, 0, 1, 2, -1, 10, 5, 10**400, Number(1), 0.0, 1.0, 1.5, float("nan"), float("inf")),
    *("", "a", "0", "1", "1.0", "<", SafeString(""), SafeString("<"), Markup("<"), b"", b"a", 1j),
    *([], [0], [1, 2], (), (1,), {}, {"a": 1}, set(), {1}, frozenset(), range(1), Decimal(0), Decimal(1)),
    *(Decimal("NaN"), Decimal("sNaN"), datetime.date(2024, 2, 29), datetime.timedelta(0)),
]  # fmt: skip
ARGUMENTS: dict[str, list[tuple[Any, ...]]] = {
    "default": [(arg,) for arg in arguments("x", "", "<", 0, None, [1])],
    "default_if_none": [(arg,) for arg in arguments("x", "", "<", 0, None, [1])],
    "yesno": [(), *((arg,) for arg in arguments("a,b,c", "a,b", "a", "", ",,", "<,>,&", "1,2,3,4", None, 5))],
    "pluralize": [(), *((arg,) for arg in arguments("s", "es", "y,ies", "", ",", "a,b,c", "<,>", 5, None))],
    "divisibleby": [
        (arg,) for arg in arguments("2", "0", "-3", " 5 ", "x", "", "2.0", 1, 2, 5, 0, -2, 2.5, True, None)
    ],
}  # fmt: skip


def check_all(name: str, ambient: Any = None) -> int:
    function = defaultfilters.register.filters[name]
    path = logic_filters.LOGIC_PATHS[function]
    return sum(
        check(function, path, value, *args, ambient=ambient)
        for value, args in itertools.product(VALUES, ARGUMENTS[name])
    )


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_choices_are_djangos(name):
    assert check_all(name) > 30


def test_the_words_are_the_languages():
    ambient = Ambient()
    for language in ["en", "de", "ar", "fr", None, "en"]:
        with translation.override(language):
            assert check_all("yesno", ambient) > 100


def test_few_arguments_are_remembered():
    for number in range(3000):
        logic_filters.yesno_choices(f"a,{number}")
        logic_filters.plural_suffixes(f"a,{number}")
    for known in (logic_filters.yesno_choices, logic_filters.plural_suffixes):
        assert known.cache_info().currsize <= logic_filters.MOST_CHOICES


SOURCE = """{% load i18n %}{% for v in values %}{{ v|default:"<" }}{{ v|default:word }}{{ v|default_if_none:"x" }}
{{ v|yesno }}{{ v|yesno:"a,b" }}{{ v|yesno:word }}{% language "de" %}{{ v|yesno }}{% endlanguage %}{{ v|yesno }}
{% if v|default:none %}yes{% endif %}{{ v|default:none|default_if_none:"none" }}
{% endfor %}{% for n in numbers %}{{ n|divisibleby:2 }}{{ n|pluralize }}{{ n|pluralize:"y,ies" }}{% endfor %}
{{ values.0|yesno }}{{ values.0|default:word }}{{ numbers.0|pluralize:word }}"""


def test_in_templates(render):
    values = [value for value in VALUES if not isinstance(value, Decimal)]
    render(SOURCE, {"values": values, "word": "<&,b", "none": None, "numbers": [0, 1, 2, 3]})
