"""Where in a template's line some words stand."""

from __future__ import annotations

import re


def place_of_words(source: str, line: int | None, *words: str) -> tuple[int | None, int]:
    """Return the column of the last of some words in a line, and how many characters it has.

    Args:
        source: the template's text.
        line: from 1.
        words: each is looked for after the one before it; a text in quotes is found in either kind.

    Returns:
        The column, from 1, or None if the words do not all stand in the line; and the width.
    """
    lines = re.split(r"\r\n|\r|\n", source)
    if line is None or not 0 < line <= len(lines):
        return None, 1
    start, found = 0, None
    for word in words:
        found = re.compile(_pattern(word)).search(lines[line - 1], start)
        if found is None:
            return None, 1
        start = found.end()
    if found is None:
        return None, 1
    text = found["word"] if "word" in found.groupdict() else found[0]
    begins = found.start("word") if "word" in found.groupdict() else found.start()
    return begins + 1, max(1, len(text))


def _pattern(word: str) -> str:
    if len(word) > 1 and word[0] == word[-1] == "'":
        return rf"(?P<quote>['\"])(?P<word>{re.escape(word[1:-1])})(?P=quote)"
    before = r"(?<!\w)" if word[:1].isalnum() or word[:1] == "_" else ""
    after = r"(?!\w)" if word[-1:].isalnum() or word[-1:] == "_" else ""
    return f"{before}{re.escape(word)}{after}"
