"""Escaping with Django's bytes (``html.escape``) at the price of a scan.

Most strings hold nothing to escape. markupsafe's C function tells so by returning the very
object it was given; where it changes anything, it writes quotes in another way than the standard
library's ``html.escape``, which Django uses.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape as escape_in_python

from markupsafe import escape as markup_escape

_special = re.compile("[&<>\"']").search


def scan_in_python(text: str) -> str:
    """Return ``text`` itself if it holds nothing to escape, else the escaped text."""
    return text if _special(text) is None else escape_in_python(text)


scan: Callable[[str], str]
markup_escaped: Callable[[str], str]
"""Escapes an exact ``str`` with markupsafe's bytes, without making it a ``Markup``."""
try:
    # A private name of markupsafe; tests/runtime/test_escaping.py guards what is expected of it.
    from markupsafe._speedups import _escape_inner as scan
except ImportError:
    scan = scan_in_python
    markup_escaped = markup_escape
else:
    markup_escaped = scan


def as_django_quotes(escaped: str) -> str:
    """Return what `scan` made of a text, with quotes as Django writes them."""
    # Such an entity of the text itself begins with "&amp;" by now.
    return escaped.replace("&#34;", "&quot;").replace("&#39;", "&#x27;")


def escape(text: str) -> str:
    """Escape an exact ``str`` for HTML, byte for byte as ``django.utils.html.escape``."""
    found = scan(text)
    return as_django_quotes(found) if found is not text and "&#3" in found else found


def escape_quotes(text: str) -> str:
    """Do the same for a text of many quotes, such as that of a list."""
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    if '"' in text:
        text = text.replace('"', "&quot;")
    return text.replace("'", "&#x27;")
