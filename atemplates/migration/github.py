"""Annotations of GitHub's workflow log: what it shows at the lines of a pull request."""

from __future__ import annotations

import unicodedata
from urllib.parse import quote

from ..problems import CONTROLS, relative


def workflow_command(
    level: str,
    file: str,
    line: int | None,
    text: str,
    *,
    column: int | None = None,
    width: int = 1,
    title: str = "",
) -> str:
    """Return the command that GitHub shows at a line of a pull request.

    Args:
        level: ``"error"``, ``"warning"`` or ``"notice"``.
        column: in characters, from 1; None for the whole line.
        width: how many characters are meant.
        title: what stands above the text.
    """
    properties = {"file": relative(file) if file else "", "line": "" if line is None else str(line)}
    if column is not None and line is not None:
        properties |= {"col": str(column), "endColumn": str(column + width - 1)}
    properties["title"] = title
    named = ",".join(f"{name}={_property(value)}" for name, value in properties.items() if value)
    return f"::{level} {named}::{_data(text)}" if named else f"::{level}::{_data(text)}"


def _data(text: str) -> str:
    """Escape as GitHub reads it, and other control characters the same way."""
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    if escaped.isprintable():
        return escaped
    return "".join(
        quote(char) if unicodedata.category(char) in CONTROLS else char for char in escaped
    )


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
