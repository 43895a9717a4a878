"""Numbers are printed with Django's bytes."""

import datetime
from decimal import Decimal

import pytest
from django.test import override_settings
from django.utils import formats, translation
from hypothesis import example, given
from hypothesis import strategies as st

from atemplates.runtime.ambient import Ambient
from atemplates.runtime.fast import numbers


@given(
    number=st.floats() | st.floats(-1000, 1000) | st.decimals() | st.decimals(-1000, 1000),
    use_l10n=st.sampled_from([None, True, False]),
    language=st.sampled_from(["en", "de", "fr", "ar"]),
)
@example(-0.0, None, "de")
@example(1e-7, None, "de")
@example(1e16, None, "de")
@example(1e16, None, "en")
@example(9999999999999998.0, None, "en")
@example(1e-4, None, "en")
@example(9.999e-5, None, "en")
@example(Decimal("NaN"), None, "en")
@example(Decimal("1E+3"), None, "en")
@example(Decimal(10) ** 50, None, "en")
@example(Decimal("-0E-3"), None, "de")
@example(Decimal("sNaN"), None, "de")
@example(Decimal("1E+300"), None, "de")
def test_output_is_djangos(number, use_l10n, language):
    with translation.override(language):
        ours = numbers.localized_number(number, use_l10n, Ambient().now())
        # What is left to Django may also raise there.
        assert ours is None or ours == formats.localize(number, use_l10n=use_l10n)


@pytest.mark.parametrize("language", ["en", "de", "fr", "hi", None])
@pytest.mark.parametrize("grouping", [3, 0, (3, 2, 0)])
def test_thousand_separators_are_djangos(language, grouping):
    numbers_ = [0.5, 999.5, 1234.5, -1234567.25, Decimal("1234567"), Decimal("-1000.10")]
    with (
        override_settings(USE_THOUSAND_SEPARATOR=True, NUMBER_GROUPING=grouping),
        translation.override(language),
    ):
        ambient = Ambient(True).now()
        for number in numbers_:
            for use_l10n in (None, True, False):
                ours = numbers.localized_number(number, use_l10n, ambient)
                assert ours in (None, formats.localize(number, use_l10n=use_l10n))


def test_a_language_that_changes_within_a_loop(render):
    """What is known of a language's numbers and formats holds for that language alone."""
    printed = "{{ x }};{{ x|floatformat:2 }};{{ x|floatformat }};{{ day }};{{ day|date }};"
    printed += "{{ day|date:'N j' }};{{ day|date:'DATE_FORMAT' }};{{ day|date:'d.m.Y' }}\n"
    inside = "".join(
        f"{{% language '{language}' %}}{printed}{{% endlanguage %}}{printed}"
        for language in ("de", "en", "fr")
    )
    plain = f"{{% localize off %}}{printed}{{% endlocalize %}}"
    values = [1234.5, 0.125, 12, Decimal("1234.50"), -3.0, float("inf"), 1e-9, True, "1.5", None]
    render(
        f"{{% load i18n l10n %}}{{% for x in values %}}{inside}{plain}{{% endfor %}}",
        {"values": values, "day": datetime.date(2024, 3, 9)},
    )
