"""Text in lines and paragraphs: as markup, with numbers, escaped, or wrapped.

The whole text is escaped at once, since no line break is part of what is replaced.
"""

from __future__ import annotations

import re
from functools import lru_cache
from textwrap import TextWrapper
from typing import Any

from django.template import defaultfilters
from django.utils.safestring import SafeString

from ..escaping import escape
from .fast_path import FastPath
from .text_filters import LARGEST_WIDTH, TEXT_TYPES, count_in, text_of

MOST_LINES = 1000
"""The lines of a text whose numbers are remembered."""

_between_paragraphs = re.compile("\n\n+").split


def markup_of(value: Any, autoescape: bool) -> str:
    """Return a value as markup: escaped, unless it is safe or the context wants none of it."""
    kind = type(value)
    if kind is str:
        return escape(value) if autoescape else value
    # Neither a number's text nor a safe one is escaped.
    return value if kind is SafeString else str(value)


def with_newlines(text: str) -> str:
    """Write every line break as a newline."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def linebreaks(value: Any, autoescape: bool) -> SafeString:
    """The filter ``linebreaks``."""
    text = with_newlines(markup_of(value, autoescape))
    if "\n\n" not in text:
        text = text.replace("\n", "<br>")
        return SafeString(f"<p>{text}</p>")
    paragraphs = _between_paragraphs(text) if "\n\n\n" in text else text.split("\n\n")
    text = "</p>\n\n<p>".join([lines.replace("\n", "<br>") for lines in paragraphs])
    return SafeString(f"<p>{text}</p>")


def linebreaksbr(value: Any, autoescape: bool) -> SafeString:
    """The filter ``linebreaksbr``."""
    return SafeString(with_newlines(markup_of(value, autoescape)).replace("\n", "<br>"))


@lru_cache(maxsize=50)
def line_numbers(count: int) -> tuple[str, ...]:
    """Return the numbers of a text's lines, as wide as the last."""
    width = len(str(count))
    return tuple([f"{number:0{width}}. " for number in range(1, count + 1)])


def linenumbers(value: Any, autoescape: bool) -> SafeString:
    """The filter ``linenumbers``."""
    lines = markup_of(value, autoescape).split("\n")
    count = len(lines)
    numbers = line_numbers(count) if count <= MOST_LINES else line_numbers.__wrapped__(count)
    return SafeString("\n".join(map(str.__add__, numbers, lines)))


def escape_filter(value: Any) -> SafeString:
    """The filter ``escape``."""
    if type(value) is str:
        return SafeString(escape(value))
    return value if type(value) is SafeString else SafeString(value)


def force_escape(value: Any) -> SafeString:
    """The filter ``force_escape``."""
    return SafeString(escape(text_of(value)))


def wordwrap(value: Any, arg: Any) -> str | None:
    """The filter ``wordwrap``; None when that is left to Django."""
    width = count_in(arg, LARGEST_WIDTH)
    if width is None or width <= 0:
        return None
    text = value if type(value) is str else text_of(value)
    wrapped: list[str] = []
    # What can be printed has no other space than this.
    if text.isprintable() and "  " not in text and text[:1] != " " and text[-1:] != " ":
        wrap_words(text, width, wrapped)
    else:
        for line in text.splitlines():
            if " ".join(line.split()) == line:
                wrap_words(line, width, wrapped)
            else:
                wrap_spaces(line, width, wrapped)
    if text.endswith("\n"):
        wrapped.append("")
    text = "\n".join(wrapped)
    return SafeString(text) if type(value) is SafeString else text


def wrap_words(line: str, width: int, wrapped: list[str]) -> None:
    """Wrap a line whose words have one space between them."""
    start = 0
    last = len(line) - width
    while start < last:
        end = line.rfind(" ", start, start + width + 1)
        if end < 0:  # a word that is longer than the line
            end = line.find(" ", start + width + 1)
            if end < 0:
                break
        wrapped.append(line[start:end])
        start = end + 1
    wrapped.append(line[start:])


def wrap_spaces(line: str, width: int, wrapped: list[str]) -> None:
    """Wrap a line with other white space, of which some is kept, as Django does it."""
    lines = TextWrapper(
        width, break_long_words=False, break_on_hyphens=False, replace_whitespace=False
    ).wrap(line)
    wrapped.extend(lines or [line])


PARAGRAPH_PATHS = {
    defaultfilters.escape_filter: FastPath(escape_filter, TEXT_TYPES),
    defaultfilters.force_escape: FastPath(force_escape, TEXT_TYPES),
    defaultfilters.linebreaks_filter: FastPath(linebreaks, TEXT_TYPES, autoescape=True),
    defaultfilters.linebreaksbr: FastPath(linebreaksbr, TEXT_TYPES, autoescape=True),
    defaultfilters.linenumbers: FastPath(linenumbers, TEXT_TYPES, autoescape=True),
    defaultfilters.wordwrap: FastPath(wordwrap, TEXT_TYPES),
}
