"""Filters that write numbers: ``floatformat``, ``filesizeformat``, ``add``, ``get_digit``.

Usual is: a finite int, float or Decimal of ordinary size. Everything else is left to Django.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from types import NoneType
from typing import Any, NamedTuple

from django.template import defaultfilters
from django.utils import translation
from django.utils.html import avoid_wrapping
from django.utils.safestring import SafeString

from ...placement.python_code import CODELESS_TYPES
from ..ambient import Ambient
from .fast_path import FastPath, Inlined
from .logic_filters import TEXTS

NUMBER_TYPES = frozenset({int, float, Decimal})
MOST_CHARACTERS = 40
"""Of the numbers that are not left to Django."""
PLACES = 20
MOST_PRECISIONS = 1000
"""How many arguments of ``floatformat`` are remembered; a template may compute them."""


class Punctuation(NamedTuple):
    """How a language writes numbers."""

    point: str
    grouping: Any
    comma: str


def punctuation(ambient: Ambient, use_l10n: bool = True) -> Punctuation | None:
    """Return the present language's punctuation; None where that is left to Django."""
    key = "punctuation" if use_l10n else "plain punctuation"
    found = ambient.known.get(key)
    if found is None:
        signs = [
            ambient.format(name, use_l10n)
            for name in ("DECIMAL_SEPARATOR", "NUMBER_GROUPING", "THOUSAND_SEPARATOR")
        ]
        usual = type(signs[0]) is str and type(signs[2]) is str and type(signs[1]) is int
        found = ambient.known[key] = Punctuation(*signs) if usual else ()
    return found or None


def writes_plainly(ambient: Ambient) -> bool:
    """Whether the present language has Python's decimal point and puts nothing between digits."""
    if ambient.plain_numbers is None:
        signs = punctuation(ambient)
        ambient.plain_numbers = (
            signs is not None
            and signs.point == "."
            and not (signs.grouping and ambient.groups_digits)
        )
    return ambient.plain_numbers


def punctuated(
    whole: str, fraction: str, ambient: Ambient, use_l10n: bool = True, grouped: bool = False
) -> str | None:
    """Write a number with the language's signs; None where that is left to Django.

    Args:
        whole: the digits before the point, which may have a minus sign.
        fraction: those after it.
        grouped: whether there are thousand separators whatever the settings say.
    """
    signs = ambient.known.get("punctuation") if use_l10n else None
    if not signs:
        signs = punctuation(ambient, use_l10n)
        if signs is None:
            return None
    point, grouping, comma = signs
    if grouping and (grouped or (use_l10n and ambient.groups_digits)):
        if grouping != 3:
            return None
        if len(whole) > 3:
            whole = f"{int(whole):,}"
            if comma != ",":
                whole = whole.replace(",", comma)
    return f"{whole}{point}{fraction}" if fraction else whole


def digits_of(number: float | Decimal) -> tuple[str, str] | None:
    """Return the digits before and after the point; None where that is left to Django.

    Args:
        number: one of the types in `NUMBER_TYPES`.
    """
    kind = type(number)
    if kind is int:
        return (str(number), "") if -LARGEST < number < LARGEST else None
    text = str(number)
    if kind is float:
        if "e" in text or "n" in text:  # with an exponent, or none at all
            return None
    elif "E" in text or "N" in text or "n" in text or len(text) > MOST_CHARACTERS:
        return None
    whole, _, fraction = text.partition(".")
    return whole, fraction


LARGEST = 10 ** (MOST_CHARACTERS - 1)


def rounded_digits(whole: str, fraction: str, places: int) -> tuple[str, str]:
    """Round half up, as people do it on paper."""
    if len(fraction) <= places:
        fraction = fraction.ljust(places, "0")
    elif fraction[places] < "5":
        fraction = fraction[:places]
    else:
        sign = "-" if whole[0] == "-" else ""
        digits = str(int(whole.lstrip("-") + fraction[:places]) + 1).zfill(places + 1)
        cut = len(digits) - places
        whole, fraction = sign + digits[:cut], digits[cut:]
    if whole == "-0" and not fraction.strip("0"):
        whole = "0"
    return whole, fraction


class Precision(NamedTuple):
    """What an argument of ``floatformat`` asks for."""

    places: int
    use_l10n: bool
    grouped: bool


@lru_cache(MOST_PRECISIONS)
def read_precision(arg: str) -> Precision | None:
    """Read the argument of ``floatformat``; None where that is left to Django."""
    marks = arg[-2:] if arg[-2:] in ("gu", "ug") else arg[-1:] if arg[-1:] in ("g", "u") else ""
    try:
        places = int(arg[: len(arg) - len(marks)] or (-1 if marks else ""))
    except ValueError:
        return None
    usual = -PLACES <= places <= PLACES
    return Precision(places, "u" not in marks, "g" in marks) if usual else None


def formatted_number(
    ambient: Ambient, value: Any, places: int, use_l10n: bool = True, grouped: bool = False
) -> str | None:
    """Write a number rounded; None where that is left to Django.

    Args:
        places: how many there are after the point; a negative number or zero: at most so many,
            and none if they were all zero.
    """
    digits = digits_of(value)
    if digits is None:
        return None
    whole, fraction = digits
    if places <= 0 and (not fraction or not fraction.strip("0")):
        fraction = ""
        if whole == "-0":
            whole = "0"
    else:
        whole, fraction = rounded_digits(whole, fraction, abs(places))
    return punctuated(whole, fraction, ambient, use_l10n, grouped)


def _floatformat(ambient: Ambient, value: Any, arg: Any = -1) -> str | None:
    if value is None:
        return "" if type(arg) is int or (type(arg) in TEXTS and arg) else None
    precision = precision_of(arg)
    if precision is None:
        return None
    text = formatted_number(ambient, value, *precision)
    return None if text is None else SafeString(text)


def precision_of(arg: Any) -> Precision | None:
    """Read the argument of ``floatformat``; None where that is left to Django."""
    if type(arg) is int and -PLACES <= arg <= PLACES:
        return Precision(arg, True, False)
    return read_precision(arg) if type(arg) in TEXTS else None


def _inlined_floatformat(value: str, arg: Any) -> Inlined | None:
    if arg is not None and precision_of(arg) is None:
        return None
    return Inlined(f"{{constant}}(state, {value})", NUMBER_TYPES, number_writer)


MOST_SCALED = 1e9
"""Of floats times a power of ten: below it they are exact enough to be rounded by Python."""


def number_writer(arg: Any) -> Callable[[Any, Any], SafeString | None] | None:
    """Return what ``floatformat`` with a constant argument makes of a number."""
    precision = precision_of(-1 if arg is None else arg)
    if precision is None:
        return None
    places, use_l10n, grouped = precision
    plain = use_l10n and not grouped
    pattern, scale = f".{abs(places)}f", 10.0 ** abs(places)
    point, zeros = -1 - places, f".{'0' * places}" if places > 0 else ""

    def write(state: Any, value: Any) -> SafeString | None:
        ambient = state.ambient.now()
        if plain and (ambient.plain_numbers or writes_plainly(ambient)):
            if type(value) is float:
                scaled = value * scale
                # Django rounds what Python's shortest digits say, and a half up: the result is
                # another one only where these end in a five that is the first to be left out.
                if (
                    0.0 < scaled < MOST_SCALED
                    and not 0.499999 < scaled % 1.0 < 0.500001
                    and (places > 0 or value % 1.0)
                ):
                    return SafeString(format(value, pattern))
            elif type(value) is int:
                if -LARGEST < value < LARGEST:
                    return SafeString(f"{value}{zeros}")
            elif places > 0:
                digits = str(value)
                if (
                    digits[point : point + 1] == "."
                    and len(digits) <= MOST_CHARACTERS
                    and digits.replace(".", "", 1).isdecimal()
                ):
                    return SafeString(digits)
        text = formatted_number(ambient, value, *precision)
        return None if text is None else SafeString(text)

    return write


SIZES = tuple((1 << 10 * power, f"%s {unit}B") for power, unit in enumerate("KMGTP", start=1))
"""Bytes of each unit, and the message that Django's catalogues have for it."""


def _filesizeformat(ambient: Ambient, value: Any) -> str | None:
    if type(value) is not int:
        if value is not None and not -1e15 < value < 1e15:
            return None
        value = int(value or 0)
    size = abs(value)
    if size < 1024:
        text = ambient.known.get(("bytes", size))
        if text is None:
            text = translation.ngettext("%(size)d byte", "%(size)d bytes", size) % {"size": size}
            ambient.known["bytes", size] = text = avoid_wrapping(text)
    else:
        # Each unit is ten bits more than the one before.
        unit, message = SIZES[min((size.bit_length() - 1) // 10, len(SIZES)) - 1]
        digits = digits_of(round(size / unit, 1))
        number = punctuated(*digits, ambient) if digits is not None else None
        if number is None:
            return None
        known = ambient.known.get(message)
        if known is None:
            known = ambient.known[message] = avoid_wrapping(translation.gettext(message))
        # The number may hold a space, too.
        text = known % avoid_wrapping(number)
    return f"-{text}" if value < 0 else text


def _add(value: Any, arg: Any) -> Any:
    kind = type(arg)
    if type(value) is int:
        if kind is int:
            return value + arg
        if kind in TEXTS:
            try:
                return value + int(arg)
            except ValueError:
                return None
    elif type(value) in TEXTS and kind in TEXTS and (value[:1].isalpha() or arg[:1].isalpha()):
        return value + arg  # no text that begins with a letter is a number
    elif kind is type(value) and kind in (list, tuple):
        both = value + arg
        return both if CODELESS_TYPES.issuperset(map(type, both)) else None
    return None


def _get_digit(value: Any, arg: Any) -> Any:
    if type(arg) in TEXTS:
        try:
            arg = int(arg)
        except ValueError:
            return value
    if type(arg) is not int or not 0 <= value < LARGEST:
        return None
    if arg < 1:
        return value
    text = str(value)
    return int(text[-arg]) if arg <= len(text) else 0


NUMBER_PATHS = {
    defaultfilters.floatformat: FastPath(
        _floatformat, NUMBER_TYPES | {NoneType}, ambient=True, inlined=_inlined_floatformat
    ),
    defaultfilters.filesizeformat: FastPath(
        _filesizeformat, frozenset({int, float, NoneType}), ambient=True
    ),
    defaultfilters.add: FastPath(_add, TEXTS | {int, list, tuple}),
    defaultfilters.get_digit: FastPath(_get_digit, frozenset({int})),
}
