"""Addresses in a text as links.

Django cuts the text into words and asks of each that has a full stop, a colon or an at sign whether
it is an address of some kind, which takes it up to forty microseconds. Hardly any word is one, and
those that are mostly consist of letters, digits, dots and slashes, which need no quoting.
"""

from __future__ import annotations

import re
from typing import Any

from django.template import defaultfilters
from django.utils import html
from django.utils.safestring import SafeString

from ..escaping import escape
from .fast_path import FastPath
from .paragraphs import markup_of
from .text_filters import TEXT_TYPES, text_of, width_of

_domains = "com|edu|gov|int|mil|net|org"
_sign = re.compile(rf"://|@|www\.|\.(?:{_domains})", re.IGNORECASE).search
"""Finds what every address has in it."""
_split = re.compile(r"""([\s<>"']+)""").split

LONGEST = 300
"""Of the addresses that are not left to Django."""
_label = "[a-z0-9](?:[a-z0-9-]{0,60}[a-z0-9])?"
_rest = "(?:/[a-zA-Z0-9/._~-]*)?(?:[?][a-zA-Z0-9._~-]+=[a-zA-Z0-9._~-]*)?(?:#[a-zA-Z0-9/._~-]+)?"
_simple_address = re.compile(
    rf"(?P<scheme>https?://){_label}(?:\.{_label})*(?::[0-9]+)?{_rest}"
    rf"|(?P<bare>www(?:\.{_label})+(?:\.[a-z]{{2,10}})|(?!http|www|[a-z0-9]\.){_label}(?:\.{_label})*\.(?:{_domains}))"
    "(?:/[a-zA-Z0-9/._~-]*)?"
    rf"|(?P<mail>(?!www\.)[a-zA-Z0-9_-]+(?:\.[a-zA-Z0-9_-]+)*@(?:{_label}\.)+[a-z]{{2,10}})"
).fullmatch


def assumed_scheme() -> str | None:
    """Return what Django puts before an address without one; None where it also warns of that."""
    settings = getattr(html, "settings", None)
    assumed = getattr(settings, "URLIZE_ASSUME_HTTPS", None)
    if assumed is None:
        return "http://" if settings is None else None
    return "https://" if assumed else None


def link(word: str, limit: int | None) -> str | None:
    """Return the link for a word that is a simple address; None when that is left to Django."""
    address = word.rstrip(".,:;!")
    match = _simple_address(address) if len(address) <= LONGEST else None
    if match is None:
        return None
    shown = address
    if limit is not None and len(address) > limit:
        shown = f"{address[: max(0, limit - 1)]}…"
    kind = match.lastgroup
    after = word[len(address) :]
    if kind == "mail":
        return f'<a href="mailto:{address}">{shown}</a>{after}'
    scheme = "" if kind == "scheme" else assumed_scheme()
    if scheme is None:
        return None
    return f'<a href="{scheme}{address}" rel="nofollow">{shown}</a>{after}'


def urlize(value: Any, autoescape: bool, limit: int | None = None) -> SafeString:
    """The filter ``urlize``."""
    text = text_of(value)
    if _sign(text) is None:
        return SafeString(markup_of(value, autoescape))
    safe = type(value) is SafeString
    escaping = autoescape and not safe
    words = _split(text)
    pieces = []
    start = 0
    known: dict[str, str] = {}  # an address that is repeated may take Django long
    for place in range(0, len(words), 2):
        word = words[place]
        if ("." in word or "@" in word or ":" in word) and _sign(word) is not None:
            found = known.get(word) or link(word, limit)
            if found is None:
                given = SafeString(word) if safe else word
                found = html.urlizer(
                    given, trim_url_limit=limit, nofollow=True, autoescape=autoescape
                )
            known[word] = found
            between = "".join(words[start:place])
            pieces.append(escape(between) if escaping else between)
            pieces.append(found)
            start = place + 1
    between = "".join(words[start:])
    pieces.append(escape(between) if escaping else between)
    return SafeString("".join(pieces))


def urlizetrunc(value: Any, autoescape: bool, limit: Any) -> SafeString | None:
    """The filter ``urlizetrunc``; None when that is left to Django."""
    limit = width_of(limit)
    return None if limit is None else urlize(value, autoescape, limit)


LINK_PATHS = {
    defaultfilters.urlize: FastPath(urlize, TEXT_TYPES, autoescape=True),
    defaultfilters.urlizetrunc: FastPath(urlizetrunc, TEXT_TYPES, autoescape=True),
}
