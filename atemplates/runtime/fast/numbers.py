"""Numbers as text: the usual cases of ``floatformat`` and of ``{{ number }}``, with Django's bytes.

Usual is: a finite int, float or Decimal of ordinary size, no thousand separators. Everything else
is left to Django.
"""

from __future__ import annotations

import decimal
from decimal import Decimal
from typing import Any

from django.template import defaultfilters
from django.utils.safestring import SafeString

from ..ambient import Ambient
from .fast_path import FastPath

NUMBER_TYPES = frozenset({int, float, Decimal})
MOST_DIGITS = 40
"""Digits and places of the numbers that are not left to Django."""
PLACES = 20
LARGEST_NUMBER = 10**MOST_DIGITS
precise = decimal.Context(prec=MOST_DIGITS + PLACES + 2, rounding=decimal.ROUND_HALF_UP)
steps = [Decimal(1).scaleb(-places) for places in range(PLACES + 1)]


def floatformat(ambient: Ambient, text: Any, arg: Any = -1) -> str | None:
    """The filter ``floatformat``; None when that is left to Django."""
    if type(arg) is int and 0 < arg <= PLACES and type(text) in NUMBER_TYPES:
        number = rounded(text, arg)
        if number is not None:
            written = with_separator(number, None, ambient)
            if written is not None:
                return SafeString(written)
    return None


def intcomma(ambient: Ambient, value: Any, use_l10n: bool = True) -> str | None:
    """The filter ``intcomma`` of ``django.contrib.humanize``; None when that is left to Django."""
    usual = type(value) is int and use_l10n is True and -LARGEST_NUMBER < value < LARGEST_NUMBER
    if usual and ambient.format("NUMBER_GROUPING") == 3:
        return f"{value:,}".replace(",", str(ambient.format("THOUSAND_SEPARATOR")))
    return None


def rounded(value: Any, places: int) -> str | None:
    """Write a number with some decimal places, at least one; None when that is left to Django."""
    number = value if type(value) is Decimal else Decimal(repr(value))
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int) or len(digits) + abs(exponent) > MOST_DIGITS:
        return None
    number = number.quantize(steps[places], context=precise)
    text = f"{number:f}"
    return text[1:] if sign and not number else text


def localized_number(value: float | Decimal, use_l10n: bool | None, ambient: Ambient) -> str | None:
    """Write a float or Decimal as ``{{ value }}`` does; None when that is left to Django."""
    if use_l10n is False:
        return None
    if type(value) is Decimal:
        _, digits, exponent = value.as_tuple()
        if not isinstance(exponent, int) or len(digits) + abs(exponent) > MOST_DIGITS:
            return None
        return with_separator(f"{value:f}", use_l10n, ambient)
    text = repr(value)
    return None if "e" in text else with_separator(text, use_l10n, ambient)


def with_separator(number: str, use_l10n: bool | None, ambient: Ambient) -> str | None:
    """Write the language's decimal separator; None when digits may have to be grouped."""
    if ambient.groups_digits:
        return None
    separator = ambient.format("DECIMAL_SEPARATOR", use_l10n)
    return number if separator == "." else number.replace(".", str(separator))


NUMBER_PATHS = {
    defaultfilters.floatformat: FastPath(floatformat, NUMBER_TYPES, ambient=True),
}

INTCOMMA = FastPath(intcomma, frozenset({int}), ambient=True)
"""For a filter that is known when its library is loaded."""
