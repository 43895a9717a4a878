"""Text cut after so many characters or words, also where it has markup.

Django counts every character of a text, and reads markup with Python's parser. A text that is
short enough is what most have, and among the characters before the cut few combine with others.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any
from unicodedata import combining, normalize

from django.template import defaultfilters
from django.utils.html import VOID_ELEMENTS
from django.utils.safestring import SafeString
from django.utils.translation import pgettext_lazy

from ..ambient import Ambient
from ..escaping import escape
from .fast_path import FastPath, Inlined
from .html_text import end_tag, start_tag
from .text_filters import TEXT_TYPES, count_in, text_of

CUT_TEXT = pgettext_lazy("String to return when truncating text", "%(truncated_text)s…")
"""Django's message for a text that was cut after some characters."""
PLACE = "%(truncated_text)s"
USUAL_CUT = "%(truncated_text)s…"
CUT_WORDS = " …"
"""What follows a text that was cut after some words."""
LARGEST_LENGTH = 1_000_000


def cut_text(text: str, message: str) -> str:
    """Return a text that was cut, with what says so."""
    if PLACE in message:
        return message % {"truncated_text": text}
    return text if text.endswith(message) else f"{text}{message}"


def room_in(length: int, message: str) -> int:
    """Return how many characters may be left of a text, with what says that it was cut."""
    if message == USUAL_CUT:
        return length - 1
    added = cut_text("", message)
    return max(0, length - sum(not combining(character) for character in added))


def end_of(text: str, length: int, room: int) -> int:
    """Return where a text is cut that has characters which combine with the one before.

    Returns:
        The place of the character that would be one too many for ``room``; -1 if not more than
        ``length`` characters count.
    """
    counted = 0
    end = -1
    for place, character in enumerate(text):
        if not combining(character):
            counted += 1
            if end < 0 and counted > room:
                end = place
            if counted > length:
                return end
    return -1


def truncatechars(ambient: Ambient, value: Any, arg: Any) -> str | None:
    """The filter ``truncatechars``; None when that is left to Django."""
    length = arg if type(arg) is int else count_in(arg, LARGEST_LENGTH)
    if length is None:
        return None
    text = text_of(value)
    if length <= 0:
        text = ""
    else:
        if not text.isascii():
            text = normalize("NFC", text)
        if len(text) > length:
            message = ambient.text(CUT_TEXT)
            end = room_in(length, message)
            beginning = text[: length + 1]
            if not beginning.isascii() and any(map(combining, beginning)):
                end = end_of(text, length, end)
            text = text if end < 0 else cut_text(text[:end], message)
    return SafeString(text) if type(value) is SafeString else text


def _inlined_truncatechars(value: str, arg: Any) -> Inlined | None:
    if type(arg) is not int or not 0 < arg <= LARGEST_LENGTH:
        return None
    short = f"len({value}) <= {arg} and {value}.isascii()"
    return Inlined(
        f"{value} if {short} else {{constant}}(state, {value})", frozenset({str}), character_cutter
    )


def character_cutter(arg: int) -> Callable[[Any, Any], str | None]:
    """Return what ``truncatechars`` does with a constant argument."""
    room = arg - 1

    def cut(state: Any, value: str) -> str | None:
        ambient = state.ambient.now()
        if value.isascii() and ambient.text(CUT_TEXT) == USUAL_CUT:
            return value if len(value) <= arg else f"{value[:room]}…"
        return truncatechars(ambient, value, arg)

    return cut


def truncatewords(value: Any, arg: Any) -> str | None:
    """The filter ``truncatewords``; None when that is left to Django."""
    length = count_in(arg, LARGEST_LENGTH)
    if length is None:
        return None
    if length <= 0:
        text = ""
    else:
        words = text_of(value).split(None, length)
        if len(words) > length:
            text = cut_text(" ".join(words[:length]), CUT_WORDS)
        else:
            text = " ".join(words)
    return SafeString(text) if type(value) is SafeString else text


def truncatechars_html(ambient: Ambient, value: Any, arg: Any) -> str | None:
    """The filter ``truncatechars_html``; None when that is left to Django."""
    length = count_in(arg, LARGEST_LENGTH)
    if length is None:
        return None
    if length <= 0:
        text = ""
    else:
        text = text_of(value)
        if not text.isascii():
            text = normalize("NFC", text)
        message = ambient.text(CUT_TEXT)
        cut = cut_markup(text, Characters(text, length, message))
        if cut is None:
            return None
        text = cut
    return SafeString(text) if type(value) is SafeString else text


def truncatewords_html(value: Any, arg: Any) -> str | None:
    """The filter ``truncatewords_html``; None when that is left to Django."""
    length = count_in(arg, LARGEST_LENGTH)
    if length is None:
        return None
    if length <= 0:
        text = ""
    else:
        cut = cut_markup(text_of(value), Words(length))
        if cut is None:
            return None
        text = cut
    return SafeString(text) if type(value) is SafeString else text


class Characters:
    """Counts the characters of the pieces of a text."""

    __slots__ = ("counted", "left", "length", "message", "whole")

    def __init__(self, text: str, length: int, message: str) -> None:
        self.length = length
        self.message = message
        self.left = room_in(length, message)
        self.counted = 0
        self.whole = len(text)

    def add(self, piece: str, output: list[str]) -> bool:
        """Add a piece to the output, as much of it as fits; whether anything may follow."""
        size = len(piece)
        self.counted += size
        if self.counted == self.length and sum(map(len, output)) + size == self.whole:
            output.append(piece)
            return False
        left = self.left
        if left < size:
            output.append(cut_text(escape(piece[:left]), self.message))
            return False
        self.left = left - size
        output.append(escape(piece))
        return True


class Words:
    """Counts the words of the pieces of a text."""

    __slots__ = ("left",)

    def __init__(self, length: int) -> None:
        self.left = length

    def add(self, piece: str, output: list[str]) -> bool:
        """Add a piece to the output, as much of it as fits; whether anything may follow."""
        left = self.left
        words = piece.split(None, left) if left else []
        # A piece has at least one word, if one of spaces.
        size = len(words) or 1
        # The spaces around all words are part of the first and of the last.
        before = piece[: len(piece) - len(piece.lstrip())] if piece[0].isspace() else ""
        if left < size:
            text = before + " ".join(words[:left]) if left else ""
            output.append(cut_text(escape(text), CUT_WORDS))
            return False
        self.left = left - size
        text = before + " ".join(words)
        if piece[-1].isspace():
            text = text + piece[len(piece.rstrip()) :] if words else piece
        output.append(escape(text))
        return True


_next_tag = re.compile(f"(?:{start_tag}|{end_tag})", re.IGNORECASE | re.ASCII).match


def cut_markup(text: str, counter: Characters | Words) -> str | None:
    """Return a text with markup, cut; None when that is left to Django."""
    output: list[str] = []
    opened: list[str] = []
    place = 0
    while True:
        tag = text.find("<", place)
        piece = text[place:tag] if tag >= 0 else text[place:]
        if piece:
            if "&" in piece:
                # The parser waits for the end of an entity that may be cut off.
                if tag < 0 and not _ended(piece):
                    return None
                piece = unescape(piece)
            if not counter.add(piece, output):
                output.extend([f"</{name}>" for name in reversed(opened)])
                break
        if tag < 0:
            break
        match = _next_tag(text, tag)
        if match is None:
            return None
        place = match.end()
        start, empty, end = match.groups()
        if start is not None:
            output.append(match[0])
            name = start.lower()
            if name not in VOID_ELEMENTS:
                if empty:
                    return None
                opened.append(name)
        else:
            name = end.lower()
            if name not in VOID_ELEMENTS:
                output.append(f"</{name}>")
                if opened and opened[-1] == name:
                    opened.pop()
    return "".join(output)


def _ended(piece: str) -> bool:
    place = piece.rfind("&")
    return piece.find(";", place) >= 0 or piece.find(" ", place) >= 0


TRUNCATION_PATHS = {
    defaultfilters.truncatechars: FastPath(
        truncatechars, TEXT_TYPES, ambient=True, inlined=_inlined_truncatechars
    ),
    defaultfilters.truncatechars_html: FastPath(truncatechars_html, TEXT_TYPES, ambient=True),
    defaultfilters.truncatewords: FastPath(truncatewords, TEXT_TYPES),
    defaultfilters.truncatewords_html: FastPath(truncatewords_html, TEXT_TYPES),
}
