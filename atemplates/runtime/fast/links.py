"""Addresses in a text as links.

Django cuts the text into words and asks of each that has a full stop, a colon or an at sign whether
it is an address of some kind, which takes it up to forty microseconds. Hardly any word is one, and
those that are mostly consist of letters, digits, dots and slashes, which need no quoting.
"""

from __future__ import annotations

import re
import warnings
from typing import Any

from django.template import defaultfilters
from django.utils import html
from django.utils.safestring import SafeString

from ..escaping import escape
from .fast_path import FastPath
from .paragraphs import markup_of
from .text_filters import LARGEST_WIDTH, TEXT_TYPES, count_in, text_of

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


def read_warning() -> tuple[str, type[Warning]] | None:
    """Return what Django warns of where it puts ``http`` before an address, as its code has it."""
    code = html.Urlizer.handle_word.__code__
    texts = [
        text
        for text in code.co_consts
        if isinstance(text, str) and "URLIZE_ASSUME_HTTPS" in text and " " in text
    ]
    named = [getattr(html, name, None) for name in code.co_names]
    kinds = [kind for kind in named if type(kind) is type and issubclass(kind, Warning)]
    return (texts[0], kinds[0]) if len(texts) == len(kinds) == 1 else None


class Warner(html.Urlizer):
    """Warns as Django does, from the very line, and makes no link."""

    def handle_word(self, word: str, **options: Any) -> str:
        """Warn of a word."""
        text, kind = warning or ("", Warning)
        warnings.warn(text, kind, stacklevel=2)
        return word


warning = read_warning()
warn_of = Warner()


def assumed_scheme(word: str) -> str | None:
    """Return what Django puts before an address without one; None when that is left to Django."""
    settings = getattr(html, "settings", None)
    if settings is None:  # a release that knows no other
        return "http://"
    if settings.URLIZE_ASSUME_HTTPS:
        return "https://"
    if warning is None:
        return None
    warn_of(word)
    return "http://"


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
    scheme = "" if kind == "scheme" else assumed_scheme(word)
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
    limit = count_in(limit, LARGEST_WIDTH)
    return None if limit is None else urlize(value, autoescape, limit)


LINK_PATHS = {
    defaultfilters.urlize: FastPath(urlize, TEXT_TYPES, autoescape=True),
    defaultfilters.urlizetrunc: FastPath(urlizetrunc, TEXT_TYPES, autoescape=True),
}
