"""HTML as people write it, read without Python's parser: well-formed tags, names of entities.

What is no simple tag (comments, declarations, scripts, stray or unquoted signs) is left to the
parser, whose releases differ in it.
"""

from __future__ import annotations

import re
from typing import Any

from django.template import defaultfilters
from django.utils.safestring import SafeString

from .fast_path import FastPath
from .text_filters import TEXT_TYPES, text_of

UNPARSED = (
    "script|style|textarea|title|xmp|iframe|noembed|noframes|noscript|plaintext|svg|math|template"
)
"""Elements whose content a parser may read in another way."""

_name = "[a-zA-Z][a-zA-Z0-9]*"
_attribute = rf"""[ \n]+{_name}(?:-{_name})*(?:="[^"<>]*"|='[^'<>]*')?"""
start_tag = rf"<(?!(?:{UNPARSED})\b)({_name})(?:{_attribute})*( ?/)?>"
"""A simple start tag. Its groups: the name, and what closes it in itself."""
end_tag = rf"</(?!(?:{UNPARSED})\b)({_name})>"
"""A simple end tag. Its group is the name."""

_remove_tags = re.compile(f"{start_tag}|{end_tag}", re.IGNORECASE | re.ASCII).sub
_no_entity = re.compile("&(?![a-zA-Z][a-zA-Z0-9]*;|#[0-9]+;|#[xX][0-9a-fA-F]+;|[^a-zA-Z#])").search


def striptags(value: Any) -> str | None:
    """The filter ``striptags``; None when that is left to Django."""
    text = text_of(value)
    if "<" not in text:
        return text
    if "&" in text and _no_entity(text) is not None:
        return None
    text = _remove_tags("", text)
    if "<" in text:
        return None
    return SafeString(text) if type(value) is SafeString else text


HTML_PATHS = {
    defaultfilters.striptags: FastPath(striptags, TEXT_TYPES),
}
