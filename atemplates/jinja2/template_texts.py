"""The text of a template, kept in its code: what it is compiled from once more to be sent."""

from __future__ import annotations

import threading

from jinja2.ext import Extension


class _Noted(threading.local):
    """The text that this thread has parsed last, until code is written."""

    text: str | None = None


_noted = _Noted()


class TextExtension(Extension):
    """Notes what is parsed, before any other extension changes it."""

    priority = -1_000_000

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Note a template's text; return it as it is."""
        _noted.text = source
        return source


def parsed_text() -> str | None:
    """Return the text that this thread has parsed last, once."""
    text, _noted.text = _noted.text, None
    return text
