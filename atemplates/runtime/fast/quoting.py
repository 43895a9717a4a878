"""Text within addresses, scripts and other quotes: each special character has its replacement.

All replacements are made once and looked up, where Django makes them anew for every text.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

from django.template import defaultfilters
from django.utils.encoding import iri_to_uri
from django.utils.html import escapejs as django_escapejs
from django.utils.safestring import SafeString

from ..escaping import escape
from .fast_path import FastPath
from .text_filters import TEXT_TYPES, text_of

MOST_TABLES = 100
"""How many sets of characters that need no quoting are remembered; a template may compute them."""

# Any thread may add, or empty it: what is gone is made again.
known_tables: dict[str, list[str]] = {}
"""Characters that need no quoting -> what each byte of UTF-8 becomes."""


def byte_table(safe: str) -> list[str]:
    """Return what ``urllib.parse.quote`` makes of each byte but those of some characters."""
    table = known_tables.get(safe)
    if table is None:
        if len(known_tables) >= MOST_TABLES:
            known_tables.clear()
        codes = range(256)
        table = known_tables[safe] = [quote(bytes((code,)), safe=safe) for code in codes]
    return table


def urlencode(value: Any, safe: Any = "/") -> str | None:
    """The filter ``urlencode``; None when that is left to Django."""
    if type(safe) is not str and type(safe) is not SafeString:
        return None
    text = text_of(value)
    if not text:
        return text  # a safe one stays it
    table = known_tables.get(safe) or byte_table(safe)
    try:
        return "".join(map(table.__getitem__, text.encode()))
    except UnicodeEncodeError:  # as Django's does
        return None


_iri_table = [iri_to_uri(chr(code)) for code in range(128)]
_iri_table += [f"%{code:02X}" for code in range(128, 256)]


def iriencode(value: Any) -> str | None:
    """The filter ``iriencode``; None when that is left to Django."""
    try:
        text = "".join(map(_iri_table.__getitem__, text_of(value).encode()))
    except UnicodeEncodeError:  # as Django's does
        return None
    return SafeString(text) if type(value) is SafeString else text


_in_scripts = "\\'\"<>&=-;`\u2028\u2029" + "".join(map(chr, range(32)))
if django_escapejs("\x7f") != "\x7f":  # as releases after 5.2 have it
    _in_scripts += "".join(map(chr, range(0x7F, 0xA0)))
_script_table = {character: f"\\u{ord(character):04X}" for character in _in_scripts}
_split_script = re.compile(f"([{re.escape(_in_scripts)}])").split


_usual_in_scripts = [(sign, _script_table[sign]) for sign in "\\'\"<>&=-;`"]


def escapejs(value: Any) -> SafeString:
    """The filter ``escapejs``."""
    text = value if type(value) is str else text_of(value)
    if text.isprintable():  # which the others are not
        for sign, quoted in _usual_in_scripts:
            if sign in text:
                text = text.replace(sign, quoted)
        return SafeString(text)
    pieces = _split_script(text)
    for place in range(1, len(pieces), 2):
        pieces[place] = _script_table[pieces[place]]
    return SafeString("".join(pieces))


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
    defaultfilters.urlencode: FastPath(urlencode, TEXT_TYPES),
}
