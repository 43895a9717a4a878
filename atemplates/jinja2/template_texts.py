"""The text of a template, kept in its code: what it is compiled from once more to be sent."""

from __future__ import annotations

import threading

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension


class _Noted(threading.local):
    """What this thread parses."""

    text: str | None = None
    """The text that was parsed last, until code is written."""
    again: str | None = None
    """The text that is parsed once more."""


_noted = _Noted()


class TextExtension(Extension):
    """Notes what is parsed, after all other extensions have changed it."""

    priority = 2000

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Note a template's text; return it as it is."""
        if _noted.again is not None:
            source = _noted.again
        _noted.text = source
        return source


def noted_text() -> str | None:
    """Return the text that this thread has parsed last, until `parsed_text` has given it."""
    return _noted.text


def parsed_text() -> str | None:
    """Return the text that this thread has parsed last, once."""
    text, _noted.text = _noted.text, None
    return text


def parsed_again(
    environment: jinja2.Environment, text: str, name: str | None, filename: str | None
) -> nodes.Template:
    """Parse a text that was noted: what extensions make of a text, they have made of it."""
    _noted.again = text
    try:
        return environment.parse(text, name, filename)
    finally:
        _noted.again = None
