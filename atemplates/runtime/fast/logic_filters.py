"""Filters that choose by a value: ``default``, ``yesno``, ``pluralize``, ``divisibleby``, ..."""

from __future__ import annotations

from functools import lru_cache
from types import NoneType
from typing import Any

from django.template import defaultfilters
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from ...placement.python_code import CODELESS_TYPES
from ..ambient import Ambient
from .fast_path import FastPath

TEXTS = frozenset({str, SafeString})
BUILTIN_COLLECTIONS: frozenset[type] = frozenset({list, tuple, dict, set, frozenset})
"""Exact types that tell their length, and by that their truth, without running anybody's code."""
TRUTHS = CODELESS_TYPES | BUILTIN_COLLECTIONS
"""Exact types whose truth runs nobody's code."""

LARGEST_INT = 10**300
"""An int that a float can hold."""
MOST_CHOICES = 1000
"""How many arguments are remembered; a template may compute them."""


def _default(value: Any, arg: Any) -> Any:
    return value or arg


def _default_if_none(value: Any, arg: Any) -> Any:
    return arg if value is None else value


def _yesno(ambient: Ambient, value: Any, arg: Any = None) -> str | None:
    if arg is None:
        arg = ambient.known.get("yesno")
        if arg is None:
            arg = ambient.known["yesno"] = gettext("yes,no,maybe")
    if type(arg) not in TEXTS:
        return None
    choices = yesno_choices(arg)
    if choices is None:
        return None
    return choices[2] if value is None else choices[0] if value else choices[1]


@lru_cache(MOST_CHOICES)
def yesno_choices(text: str) -> tuple[str, str, str] | None:
    """Return the words for true, false and None; None where that is left to Django."""
    words = text.split(",")
    if len(words) < 2:
        return None
    return words[0], words[1], words[2 if len(words) == 3 else 1]


def _pluralize(value: Any, arg: Any = "s") -> str | None:
    if type(arg) not in TEXTS:
        return None
    if value is None:
        return ""
    suffixes = plural_suffixes(arg)
    if type(value) in BUILTIN_COLLECTIONS:
        return suffixes[len(value) != 1]
    if type(value) is int and not -LARGEST_INT < value < LARGEST_INT:
        return None
    return suffixes[value != 1]


@lru_cache(MOST_CHOICES)
def plural_suffixes(text: str) -> tuple[str, str]:
    """Return what ``pluralize`` gives for one, and for any other number."""
    singular, comma, plural = text.partition(",")
    if not comma:
        return "", singular[:]  # never a SafeString
    return ("", "") if "," in plural else (singular, plural)


def _divisibleby(value: Any, arg: Any) -> bool | None:
    if type(arg) in TEXTS:
        try:
            arg = int(arg)
        except ValueError:
            return None
    elif type(arg) is not int:
        return None
    return value % arg == 0 if arg else None


LOGIC_PATHS = {
    defaultfilters.default: FastPath(_default, TRUTHS),
    defaultfilters.default_if_none: FastPath(_default_if_none, TRUTHS),
    defaultfilters.yesno: FastPath(_yesno, TRUTHS, ambient=True),
    defaultfilters.pluralize: FastPath(
        _pluralize, BUILTIN_COLLECTIONS | frozenset({int, float, bool, NoneType})
    ),
    defaultfilters.divisibleby: FastPath(_divisibleby, frozenset({int})),
}
