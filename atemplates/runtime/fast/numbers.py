"""Numbers as ``{{ number }}`` writes them, with Django's bytes."""

from __future__ import annotations

from decimal import Decimal

from ..ambient import Ambient
from .number_filters import MOST_CHARACTERS, digits_of, punctuated, writes_plainly

LEAST_PLAIN, BEYOND_PLAIN = 1e-4, 1e16
"""Between these, Python writes a float without an exponent."""


def localized_number(value: float | Decimal, use_l10n: bool | None, ambient: Ambient) -> str | None:
    """Write a float or Decimal as ``{{ value }}`` does; None when that is left to Django."""
    if use_l10n is False:
        return str(value)
    if ambient.plain_numbers or writes_plainly(ambient):
        if type(value) is float:
            if LEAST_PLAIN <= value < BEYOND_PLAIN:
                return repr(value)
        else:
            text = str(value)
            if len(text) <= MOST_CHARACTERS and text.replace(".", "", 1).isdecimal():
                return text
    digits = digits_of(value)
    return None if digits is None else punctuated(*digits, ambient)
