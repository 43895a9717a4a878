"""Numbers as ``{{ number }}`` writes them, with Django's bytes."""

from __future__ import annotations

from decimal import Decimal

from ..ambient import Ambient
from .number_filters import digits_of, punctuated


def localized_number(value: float | Decimal, use_l10n: bool | None, ambient: Ambient) -> str | None:
    """Write a float or Decimal as ``{{ value }}`` does; None when that is left to Django."""
    if use_l10n is False:
        return str(value)
    digits = digits_of(value)
    return None if digits is None else punctuated(*digits, ambient)
