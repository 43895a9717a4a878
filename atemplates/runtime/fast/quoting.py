"""Text within addresses, scripts and other quotes: each special character has its replacement.

The text is split once at its special characters, and those are looked up, where Django asks for
every character or byte.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cached_property
from typing import Any
from urllib.parse import quote

from django.template import defaultfilters
from django.utils.encoding import iri_to_uri
from django.utils.html import escapejs as django_escapejs
from django.utils.safestring import SafeString

from ..escaping import escape
from .fast_path import FastPath
from .text_filters import TEXT_TYPES, text_of

MOST_QUOTERS = 100
"""How many sets of characters that need no quoting are remembered; a template may compute them."""


class Replacements(dict[str, str]):
    """A special character -> its replacement, asked for when it is met first."""

    def __init__(self, replace: Callable[[str], str]) -> None:
        super().__init__()
        self.replace = replace

    def __missing__(self, character: str) -> str:
        found = self.replace(character)
        if character < "\u3000":  # so that not all that there are can gather
            self[character] = found
        return found


class Quoter:
    """Replaces the special characters of a text, each by what a function makes of it."""

    def __init__(self, replace: Callable[[str], str], others: str | None = None) -> None:
        """Remember the function.

        Args:
            others: the special characters beyond Latin-1; None if that may be any.
        """
        self.replace = replace
        self.others = others
        # Any thread may add: all of them make the same of a character.
        self.known = Replacements(replace)

    @cached_property
    def split(self) -> Callable[[str], list[Any]]:
        """Cuts a text into pieces of which every second is a special character."""
        latin = list(map(chr, range(256)))
        if self.others is None:
            plain = "".join(letter for letter in latin if self.replace(letter) == letter)
            return re.compile(f"([^{re.escape(plain)}])").split
        special = "".join(letter for letter in latin if self.replace(letter) != letter)
        return re.compile(f"([{re.escape(special + self.others)}])").split

    def quoted(self, text: str) -> str:
        """Return the text with its special characters replaced; itself if it has none."""
        pieces = self.split(text)
        if len(pieces) == 1:
            return text
        pieces[1::2] = map(self.known.__getitem__, pieces[1::2])
        return "".join(pieces)


_iri = Quoter(iri_to_uri)
_script = Quoter(django_escapejs, "\u2028\u2029")
# Any thread may add, or empty it: what is gone is made again.
_quoters: dict[str, Quoter] = {}


def quoter_of(safe: str) -> Quoter:
    """Return what quotes all but some characters as ``urllib.parse.quote`` does."""
    found = _quoters.get(safe)
    if found is None:
        if len(_quoters) >= MOST_QUOTERS:
            _quoters.clear()
        found = _quoters[safe] = Quoter(lambda character: quote(character, safe=safe))
    return found


def urlencode(value: Any, safe: Any = "/") -> str | None:
    """The filter ``urlencode``; None when that is left to Django."""
    if type(safe) is not str and type(safe) is not SafeString:
        return None
    try:
        text = (_quoters.get(safe) or quoter_of(safe)).quoted(text_of(value))
    except UnicodeEncodeError:  # as Django's does
        return None
    return text


def iriencode(value: Any) -> str | None:
    """The filter ``iriencode``; None when that is left to Django."""
    try:
        text = _iri.quoted(text_of(value))
    except UnicodeEncodeError:  # as Django's does
        return None
    return SafeString(text) if type(value) is SafeString else text


def escapejs(value: Any) -> SafeString:
    """The filter ``escapejs``."""
    return SafeString(_script.quoted(text_of(value)))


_encode = json.JSONEncoder().encode


def json_script(value: Any, element_id: Any = None) -> SafeString | None:
    """The filter ``json_script``; None when that is left to Django."""
    start = '<script type="application/json">'
    if element_id is not None:
        if type(element_id) is not str and type(element_id) is not SafeString:
            return None
        if element_id:
            name = escape(element_id) if type(element_id) is str else element_id
            start = f'<script id="{name}" type="application/json">'
    try:
        text = _encode(value)
    except Exception:  # Django's encoder knows more types
        return None
    if "<" in text or ">" in text or "&" in text:
        text = text.replace(">", "\\u003E").replace("<", "\\u003C").replace("&", "\\u0026")
    return SafeString(f"{start}{text}</script>")


QUOTING_PATHS = {
    defaultfilters.escapejs_filter: FastPath(escapejs, TEXT_TYPES),
    defaultfilters.iriencode: FastPath(iriencode, TEXT_TYPES),
    defaultfilters.json_script: FastPath(
        json_script, frozenset({str, int, float, bool, type(None), list, tuple, dict})
    ),
    # A safe string would have to come out as a plain one.
    defaultfilters.urlencode: FastPath(urlencode, frozenset({str, int, float})),
}
