"""What an editor points at: a name with lookups, a filter, a tag, or a text in quotes."""

from __future__ import annotations

import re
from dataclasses import dataclass

TAG = re.compile(r"\{\{.*?(?:\}\}|\Z)|\{%.*?(?:%\}|\Z)|\{#.*?(?:#\}|\Z)", re.DOTALL)
TOKEN = re.compile(
    r"""(?P<quoted>"[^"\n]*"?|'[^'\n]*'?)"""
    r"""|(?P<filter>\|\s*\w+)"""
    r"""|(?P<chain>[^\W\d]\w*(?:\(\)|\.\w*|\[\d+\]|\[(?P<key>["'])[^"'\]]*(?P=key)\])*)"""
)
STEP = re.compile(r"\(\)|\.(?P<name>\w*)|\[(?P<key>[^\]]*)\]")
LINE_ENDS = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Pointed:
    """What is pointed at, and where it stands."""

    kind: str
    """``"chain"``, ``"filter"``, ``"tag"`` or ``"quoted"``."""
    text: str
    """The name of a filter or tag, or the text in quotes; of a chain the step that is meant."""
    line: int
    column: int
    """In characters, from 1."""
    first_line: int
    """Where the tag around it begins, and where it ends."""
    last_line: int
    bits: tuple[str, ...] = ()
    """Of a chain: the name that it begins with and the lookups up to the one that is meant."""
    tag: str = ""
    """The tag around it: ``"include"``; empty in ``{{ … }}``."""

    @property
    def width(self) -> int:
        """How many characters it has."""
        return max(len(self.text), 1)


def pointed_at(source: str, line: int, column: int) -> Pointed | None:
    """Return what stands at a place, or None where there is nothing of the template's language.

    Args:
        line: from 1.
        column: in characters, from 1; right behind a word counts as in it.
    """
    offset = offset_of(source, line, column)
    around = next((tag for tag in TAG.finditer(source) if tag.start() < offset <= tag.end()), None)
    if around is None or around[0].startswith("{#"):
        return None
    inner = around.start() + 2
    first_line = line_at(source, around.start())
    last_line = line_at(source, around.end())
    name = ""
    for token in TOKEN.finditer(source, inner, around.end()):
        is_tag = around[0].startswith("{%") and not name and token["chain"] is not None
        if is_tag:
            name = token["chain"]
        if not token.start() <= offset <= token.end():
            continue
        kind, text, start = "chain", token[0], token.start()
        bits: tuple[str, ...] = ()
        if is_tag:
            kind = "tag"
        elif token["filter"] is not None:
            text = token[0].lstrip("| \t\r\n")
            kind, start = "filter", token.end() - len(text)
        elif token["quoted"] is not None:
            kind, text, start = "quoted", token[0].strip("\"'"), token.start() + 1
        else:
            bits, start = _bits_until(token[0], token.start(), offset)
            text = bits[-1]
        at_line, at_column = place_at_offset(source, start)
        return Pointed(
            kind, text, at_line, at_column, first_line, last_line, bits, "" if is_tag else name
        )
    return None


def _bits_until(chain: str, start: int, offset: int) -> tuple[tuple[str, ...], int]:
    """The name and the lookups of a chain up to a place, and where the last of them begins."""
    first = re.match(r"\w+", chain)
    assert first is not None
    bits, begins = [first[0]], start
    for step in STEP.finditer(chain, first.end()):
        named = step["name"] if step["name"] is not None else step["key"]
        if named is None:
            continue
        if offset <= start + step.start():
            break
        at = step.start("name") if step["name"] is not None else step.start("key")
        text = named.strip("\"'")
        bits.append(text)
        begins = start + at + (len(named) - len(named.lstrip("\"'")))
    return tuple(bits), begins


def offset_of(source: str, line: int, column: int) -> int:
    """Return the index of a place in a text."""
    ends = [0, *(each.end() for each in LINE_ENDS.finditer(source))]
    return ends[min(line, len(ends)) - 1] + column - 1


def line_at(source: str, offset: int) -> int:
    """Return the line of an index, from 1."""
    return 1 + sum(1 for _ in LINE_ENDS.finditer(source, 0, offset))


def place_at_offset(source: str, offset: int) -> tuple[int, int]:
    """Return the line and column of an index, from 1."""
    before = LINE_ENDS.split(source[:offset])
    return len(before), len(before[-1]) + 1
