"""SARIF 2.1.0 (an OASIS standard): a log of one run, and the locations in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..problems import relative

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif_log(
    rules: Mapping[str, str],
    results: list[dict[str, Any]],
    notifications: list[dict[str, Any]],
    *,
    is_successful: bool,
    version: str = "",
) -> str:
    """Return the log of one run.

    Args:
        rules: a rule's name -> what it says, in one sentence.
        notifications: what is said of the run itself.
        is_successful: whether all could be looked at.
        version: of this package.
    """
    driver: dict[str, Any] = {
        "name": "atemplates",
        "rules": [
            {"id": name, "shortDescription": {"text": text}, "fullDescription": {"text": text}}
            for name, text in rules.items()
        ],
    }
    if version:
        driver["version"] = version
    run = {
        "tool": {"driver": driver},
        "results": results,
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": is_successful,
                "toolExecutionNotifications": notifications,
            }
        ],
    }
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def location(
    file: str,
    line: int | None,
    text: str = "",
    *,
    column: int | None = None,
    width: int = 1,
) -> dict[str, Any]:
    """A location with what stands there; nothing for a template that has no name.

    Args:
        column: in characters, from 1; None for the whole line.
        width: how many characters are meant.
    """
    if not file:
        return {}
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(file)}}
    if line is not None and line > 0:
        place["region"] = {"startLine": line}
        if column is not None:
            place["region"] |= {"startColumn": column, "endColumn": column + width}
    found: dict[str, Any] = {"physicalLocation": place}
    if text:
        found["message"] = {"text": text}
    return found


def _uri(file: str) -> str:
    """A path from the current folder as a relative address, any other one with ``file:``.

    A name is bytes to the file system; those that are no text are kept.
    """
    path = relative(file)
    try:
        if Path(path).is_absolute():
            return Path(path).as_uri()
        return quote(path.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:  # half a character, as a damaged recording may name it
        return quote(path.encode("utf-8", "replace"))


def distinct_locations(locations: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The locations that there are, each once: the standard wants them unique."""
    found: list[dict[str, Any]] = []
    for each in locations:
        if each and each not in found:
            found.append(each)
    return found
