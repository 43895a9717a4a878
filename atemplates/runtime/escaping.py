"""Escaping with Django's bytes (``html.escape``) at the price of a scan.

Most strings hold nothing to escape. markupsafe's C function tells so by returning the very
object it was given; where it changes anything, the standard library's ``html.escape``, which
Django uses, makes the output.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape as html_escape

from markupsafe import escape as markup_escape

_special = re.compile("[&<>\"']").search


def scan_in_python(text: str) -> str:
    """Return ``text`` itself if it holds nothing to escape, else something else."""
    return text if _special(text) is None else ""


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


def escape(text: str) -> str:
    """Escape an exact ``str`` for HTML, byte for byte as ``django.utils.html.escape``."""
    return text if scan(text) is text else html_escape(text)
