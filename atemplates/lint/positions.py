"""Offsets in a text as lines and columns, for every way of ending a line."""

from __future__ import annotations

from typing import NamedTuple


class TextPlace(NamedTuple):
    """Where something stands in a template."""

    line: int
    """From 1."""
    column: int
    """In characters, from 1."""
    width: int
    """How many characters it has."""


def place_at(source: str, offset: int, width: int) -> TextPlace:
    """Return the place of an offset; lines end with ``\\n``, as Django and Jinja2 count them."""
    begins = source.rfind("\n", 0, offset) + 1
    return TextPlace(source.count("\n", 0, offset) + 1, offset - begins + 1, max(1, width))
