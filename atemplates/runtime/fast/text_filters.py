"""Filters that change the letters of a text, or put spaces around it.

Django's turn the value into a string, look whether it is safe and mark what comes out, each
through functions of their own, which costs more than the work itself. A safe string that a filter
keeps safe comes out as one here too.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Any

from django.template import defaultfilters
from django.utils.safestring import SafeString

from .fast_path import FastPath, Inlined

PLAIN_TEXTS = frozenset({str})
TEXT_TYPES: frozenset[type] = frozenset({str, SafeString, int, float, bool, type(None), Decimal})
"""What most filters of text meet. Other values may have a text that code of others writes."""

LARGEST_WIDTH = 10_000
"""Of fields that are not left to Django, which refuses some."""


def text_of(value: Any) -> str:
    """Return a value of `TEXT_TYPES` as a string: what is safe stays it."""
    kind = type(value)
    return value if kind is str or kind is SafeString else str(value)


def addslashes(value: Any) -> str:
    """The filter ``addslashes``."""
    text = value if type(value) is str else text_of(value)
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("'", "\\'")
    return SafeString(text) if type(value) is SafeString else text


def _inlined_addslashes(value: str, _: Any) -> Inlined:
    quoted = "".join(f".replace({sign!r}, {chr(92) + sign!r})" for sign in "\\\"'")
    return Inlined(f"{value}{quoted}", PLAIN_TEXTS)


def capfirst(value: Any) -> str:
    """The filter ``capfirst``."""
    text = text_of(value)
    text = text[:1].upper() + text[1:]
    return SafeString(text) if type(value) is SafeString else text


def lower(value: Any) -> str:
    """The filter ``lower``."""
    text = text_of(value).lower()
    return SafeString(text) if type(value) is SafeString else text


def upper(value: Any) -> str:
    """The filter ``upper``: an entity does not survive it, so that nothing stays safe."""
    return text_of(value).upper()


_after_apostrophe = re.compile("[a-z]'[A-Z]")
_after_digit = re.compile(r"\d[A-Z]")
_after_ascii_digit = re.compile("[0-9][A-Z]")


def _lowered(match: re.Match[str]) -> str:
    return match[0].lower()


def title(value: Any) -> str:
    """The filter ``title``."""
    if type(value) is str:
        return title_text(value)
    text = title_text(text_of(value))
    return SafeString(text) if type(value) is SafeString else text


def title_text(text: str) -> str:
    """Do the same for a text, which is not safe afterwards."""
    text = text.title()
    if "'" in text:
        text = _after_apostrophe.sub(_lowered, text)
    digits = _after_ascii_digit if text.isascii() else _after_digit
    if digits.search(text) is not None:
        text = digits.sub(_lowered, text)
    return text


def _inlined_title(value: str, _: Any) -> Inlined:
    return Inlined(f"{{constant}}({value})", PLAIN_TEXTS, _title_function)


def _title_function(_: Any) -> Any:
    return title_text


def cut(value: Any, arg: Any) -> str | None:
    """The filter ``cut``; None when that is left to Django."""
    kind = type(arg)
    if kind is not str and kind is not SafeString:
        return None
    text = text_of(value).replace(arg, "")
    return SafeString(text) if type(value) is SafeString and arg != ";" else text


def count_in(arg: Any, largest: int) -> int | None:
    """Return the whole number that an argument says; None when that is left to Django."""
    kind = type(arg)
    if kind is not int:
        if kind is not str and kind is not SafeString:
            return None
        try:
            arg = int(arg)
        except ValueError:
            return None
    return arg if arg <= largest else None


def ljust(value: Any, arg: Any) -> str | None:
    """The filter ``ljust``; None when that is left to Django."""
    width = count_in(arg, LARGEST_WIDTH)
    if width is None:
        return None
    text = text_of(value).ljust(width)
    return SafeString(text) if type(value) is SafeString else text


def rjust(value: Any, arg: Any) -> str | None:
    """The filter ``rjust``; None when that is left to Django."""
    width = count_in(arg, LARGEST_WIDTH)
    if width is None:
        return None
    text = text_of(value).rjust(width)
    return SafeString(text) if type(value) is SafeString else text


CENTERS_LEFT = defaultfilters.center("ab", 5) != "ab".center(5)
"""Whether an odd space goes to the right, as with format strings: releases of Django differ."""


def center(value: Any, arg: Any) -> str | None:
    """The filter ``center``; None when that is left to Django."""
    width = count_in(arg, LARGEST_WIDTH)
    if width is None:
        return None
    text = text_of(value)
    if width > len(text):
        text = f"{text:^{width}}" if CENTERS_LEFT else text.center(width)
        return SafeString(text) if type(value) is SafeString else text
    return text


def make_list(value: Any) -> list[str]:
    """The filter ``make_list``."""
    return list(text_of(value))


def wordcount(value: Any) -> int:
    """The filter ``wordcount``."""
    return len(text_of(value).split())


def stringformat(value: Any, arg: Any) -> str | None:
    """The filter ``stringformat``; None when that is left to Django."""
    kind = type(arg)
    if kind is not str and kind is not SafeString:
        return None
    try:
        text = ("%" + arg) % value
    except (ValueError, TypeError):
        text = ""
    except Exception:  # as Django's does
        return None
    return SafeString(text) if type(value) is SafeString else text


_letters = "abcdefghijklmnopqrstuvwxyz"
_keys = "22233344455566677778889999"
_keypad = str.maketrans(_letters, _keys)
_ascii_keypad = bytes.maketrans((_letters + _letters.upper()).encode(), (_keys + _keys).encode())


def phone2numeric(value: str) -> str:
    """The filter ``phone2numeric``."""
    if value.isascii():
        text = value.encode().translate(_ascii_keypad).decode()
    else:
        text = value.lower().translate(_keypad)
    return SafeString(text) if type(value) is SafeString else text


_slug_letters = bytes(
    ord(character.lower())
    if character.isalnum() or character == "_"
    else ord(" " if character.isspace() or character == "-" else "\0")
    for character in map(chr, range(128))
).ljust(256, b"\0")
_no_slug_letters = bytes(code for code, letter in enumerate(_slug_letters) if not letter)


def slugify(value: Any) -> str:
    """The filter ``slugify``: words of ASCII letters, digits and underscores between dashes."""
    text = value if type(value) is str else text_of(value)
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
    letters = text.encode("ascii", "ignore").translate(_slug_letters, _no_slug_letters)
    text = b"-".join(letters.split()).strip(b"-_").decode()
    return SafeString(text) if type(value) is SafeString else text


def safe(value: Any) -> SafeString:
    """The filter ``safe``."""
    return value if type(value) is SafeString else SafeString(value)


TEXT_PATHS = {
    defaultfilters.addslashes: FastPath(addslashes, TEXT_TYPES, inlined=_inlined_addslashes),
    defaultfilters.capfirst: FastPath(
        capfirst, PLAIN_TEXTS, source="{value}[:1].upper() + {value}[1:]"
    ),
    defaultfilters.center: FastPath(center, TEXT_TYPES),
    defaultfilters.cut: FastPath(cut, TEXT_TYPES),
    defaultfilters.ljust: FastPath(ljust, TEXT_TYPES),
    defaultfilters.lower: FastPath(lower, PLAIN_TEXTS, source="{value}.lower()"),
    defaultfilters.make_list: FastPath(make_list, TEXT_TYPES),
    defaultfilters.phone2numeric_filter: FastPath(phone2numeric, frozenset({str, SafeString})),
    defaultfilters.rjust: FastPath(rjust, TEXT_TYPES),
    defaultfilters.safe: FastPath(safe, PLAIN_TEXTS, source="SafeString({value})"),
    defaultfilters.slugify: FastPath(slugify, TEXT_TYPES),
    defaultfilters.stringformat: FastPath(stringformat, TEXT_TYPES),
    defaultfilters.title: FastPath(title, TEXT_TYPES, inlined=_inlined_title),
    defaultfilters.upper: FastPath(upper, frozenset({str, SafeString}), source="{value}.upper()"),
    defaultfilters.wordcount: FastPath(
        wordcount, frozenset({str, SafeString}), source="len({value}.split())"
    ),
}
