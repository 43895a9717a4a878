"""Numbers as ``{{ number }}`` writes them, with Django's bytes."""

from __future__ import annotations

from decimal import Decimal

from ..ambient import Ambient
from .number_filters import MOST_CHARACTERS, digits_of, punctuated, punctuation

LEAST_PLAIN, BEYOND_PLAIN = 1e-4, 1e16
"""Between these, Python writes a float without an exponent."""


def localized_number(value: float | Decimal, use_l10n: bool | None, ambient: Ambient) -> str | None:
    """Write a float or Decimal as ``{{ value }}`` does; None when that is left to Django."""
    if use_l10n is False:
        return str(value)
    plain = ambient.plain_numbers
    if plain is None:
        plain = ambient.plain_numbers = writes_plainly(ambient)
    if plain:
        if type(value) is float:
            if LEAST_PLAIN <= value < BEYOND_PLAIN:
                return repr(value)
        else:
            text = str(value)
            if len(text) <= MOST_CHARACTERS and text.replace(".", "", 1).isdecimal():
                return text
    digits = digits_of(value)
    return None if digits is None else punctuated(*digits, ambient)


def writes_plainly(ambient: Ambient) -> bool:
    """Whether the present language has Python's decimal point and puts nothing between digits."""
    signs = punctuation(ambient)
    return (
        signs is not None and signs.point == "." and not (signs.grouping and ambient.groups_digits)
    )
