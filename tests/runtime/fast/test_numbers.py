"""Numbers are written with Django's bytes."""

import decimal
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.humanize.templatetags import humanize
from django.template import defaultfilters
from django.test import override_settings
from django.utils import formats, translation
from django.utils.safestring import SafeString
from hypothesis import example, given
from hypothesis import strategies as st

from atemplates.runtime.ambient import Ambient
from atemplates.runtime.fast import numbers

any_number = st.one_of(
    st.integers(),
    st.integers(-1000, 1000),
    st.floats(),
    st.floats(-1000, 1000),
    st.decimals(),
    st.decimals(-1000, 1000, places=3),
    st.booleans(),
    st.sampled_from(["1.5", "", None, "text", SafeString("2.25"), 10**60, Decimal("1E+80")]),
)
arguments = st.one_of(
    st.integers(-30, 30),
    st.sampled_from(["2", "-3", "g", "2g", "2u", "", None, True, 2.0, SafeString("1")]),
)


def outcome(function: Any, *args: Any) -> Any:
    """Return the result with its type, or the exception's type."""
    try:
        result = function(*args)
    except Exception as error:
        return type(error)
    return type(result), result


def floatformat(number: Any, argument: Any) -> Any:
    """Apply the filter as compiled code does."""
    ambient = Ambient(django_settings.USE_THOUSAND_SEPARATOR).now()
    ours = numbers.floatformat(ambient, number, argument)
    return defaultfilters.floatformat(number, argument) if ours is None else ours


def intcomma(number: Any, use_l10n: Any = True) -> Any:
    """Apply the filter as compiled code does."""
    ours = numbers.intcomma(Ambient().now(), number, use_l10n)
    return humanize.intcomma(number, use_l10n) if ours is None else ours


@given(number=any_number, argument=arguments, language=st.sampled_from(["en", "de", "fr", "ar"]))
@example(-0.0, 2, "en")
@example(-0.001, 2, "en")
@example(Decimal("-0.004"), 2, "de")
@example(0.125, 2, "en")
@example(2.675, 2, "en")
@example(1e22, 1, "en")
@example(Decimal("1E+5"), 1, "en")
@example(Decimal("NaN"), 1, "en")
@example(float("-inf"), 1, "en")
def test_floatformat_is_djangos(number, argument, language):
    with translation.override(language):
        ours = outcome(floatformat, number, argument)
        assert ours == outcome(defaultfilters.floatformat, number, argument)


@given(
    number=st.floats() | st.floats(-1000, 1000) | st.decimals() | st.decimals(-1000, 1000),
    use_l10n=st.sampled_from([None, True, False]),
    language=st.sampled_from(["en", "de", "fr", "ar"]),
)
@example(-0.0, None, "de")
@example(1e-7, None, "de")
@example(1e16, None, "de")
@example(Decimal("-0E-3"), None, "de")
@example(Decimal("sNaN"), None, "de")
@example(Decimal("1E+300"), None, "de")
def test_output_is_djangos(number, use_l10n, language):
    with translation.override(language):
        ours = numbers.localized_number(number, use_l10n, Ambient().now())
        # What is left to Django may also raise there.
        assert ours is None or ours == formats.localize(number, use_l10n=use_l10n)


@given(
    number=any_number | st.integers(-(10**45), 10**45),
    argument=st.sampled_from([True, False, None, "2"]),
    language=st.sampled_from(["en", "de", "fr", "hi", "es"]),
)
def test_intcomma_is_djangos(number, argument, language):
    with translation.override(language):
        ours = outcome(intcomma, number, argument)
        assert ours == outcome(humanize.intcomma, number, argument)


def test_other_separators_than_the_languages(settings):
    settings.USE_THOUSAND_SEPARATOR = True
    settings.THOUSAND_SEPARATOR = "'"
    settings.NUMBER_GROUPING = (3, 2, 0)
    with translation.override("xx"):
        assert intcomma(123456789) == humanize.intcomma(123456789)


@given(number=any_number, argument=st.integers(1, 5))
def test_thousand_separators_are_djangos(number, argument):
    with override_settings(USE_THOUSAND_SEPARATOR=True), translation.override("de"):
        ours = outcome(floatformat, number, argument)
        assert ours == outcome(defaultfilters.floatformat, number, argument)


@pytest.mark.parametrize("rounding", [decimal.ROUND_DOWN, decimal.ROUND_UP])
def test_the_programs_own_decimal_context_changes_nothing(rounding):
    with decimal.localcontext(prec=3, rounding=rounding):
        assert floatformat(Decimal("1234.565"), 2) == "1234.57"
        assert defaultfilters.floatformat(Decimal("1234.565"), 2) == "1234.57"
