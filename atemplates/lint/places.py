"""Where a read stands in a Django template: the line, column and width of one of its steps.

Django's nodes know their line alone. The template is lexed once more, with positions; what stands
in comments and in ``{% verbatim %}`` is text there, and so never taken for an expression.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.template.base import DebugLexer, Node, Token, TokenType

from ..analysis.reads import Read
from .positions import TextPlace, place_at

WORDS = re.compile(
    r"""
    (?P<text> "[^"\\]*(?:\\.[^"\\]*)*" | '[^'\\]*(?:\\.[^'\\]*)*' )
    | (?P<name> (?<![\w.]) [^\W\d]\w* (?: \.[\w-]+ )* )
    """,
    re.VERBOSE,
)
"""Texts in quotes, and names with the lookups after them."""
CLAUSES = frozenset({"elif"})
"""Tags whose expressions belong to the tag that they are a part of."""


class PlacedToken(NamedTuple):
    """A tag or variable, and where its contents begin."""

    token: Token
    start: int


class DjangoPlaces:
    """Finds places in one template.

    Args:
        source: the template's text.
        nodelist: what was parsed from it, which tells equal tags of one line apart; None if it is
            not at hand.
    """

    def __init__(self, source: str, nodelist: Any = None) -> None:
        self.source = source
        self.nodelist = nodelist
        self._tokens: list[PlacedToken] | None = None
        self._numbers: dict[int, int] | None = None

    @property
    def tokens(self) -> list[PlacedToken]:
        """The tags and variables of the template, in order."""
        if self._tokens is None:
            self._tokens = list(_lexed(self.source))
        return self._tokens

    def of(self, read: Read, index: int) -> list[TextPlace]:
        """Return where a step of a read stands: each time that the same tag has it.

        Args:
            index: of the step; -1 is the name.
        """
        parts = read.text.split(".")
        part = index + len(parts) - len(read.steps)
        if part < 0:
            return []
        before = sum(len(each) + 1 for each in parts[:part])
        for each in self._candidates(read.token):
            offsets = list(_occurrences(each, read.text))
            if offsets:
                width = len(parts[part])
                return [place_at(self.source, offset + before, width) for offset in offsets]
        return []

    def _candidates(self, token: Any) -> Iterator[PlacedToken]:
        """The tag that a node was made of, and the clauses that belong to it."""
        if token is None:
            return
        equal = [number for number, each in enumerate(self.tokens) if _same(each.token, token)]
        if not equal:
            return
        number = equal[0]
        if len(equal) > 1:
            number = equal[min(self._number_of(token), len(equal) - 1)]
        yield self.tokens[number]
        yield from self._clauses(number)

    def _clauses(self, number: int) -> Iterator[PlacedToken]:
        """The clauses of the tag at a place in the list, up to its end."""
        name = _tag(self.tokens[number].token)
        depth = 0
        for each in self.tokens[number + 1 :]:
            found = _tag(each.token)
            if found == name:
                depth += 1
            elif found == f"end{name}":
                if not depth:
                    return
                depth -= 1
            elif found in CLAUSES and not depth:
                yield each

    def _number_of(self, token: Token) -> int:
        """Which one of the equal tags of a line a token is, from 0."""
        if self._numbers is None:
            self._numbers = {}
            counted: dict[tuple[Any, ...], int] = {}
            for each in _tokens_of(self.nodelist or ()):
                key = _key(each)
                self._numbers[id(each)] = counted.get(key, 0)
                counted[key] = counted.get(key, 0) + 1
        return self._numbers.get(id(token), 0)


def _lexed(source: str) -> Iterator[PlacedToken]:
    is_comment = False
    for token in DebugLexer(source).tokenize():
        if token.token_type not in (TokenType.VAR, TokenType.BLOCK):
            continue
        tag = _tag(token)
        if is_comment or tag == "comment":
            is_comment = tag != "endcomment"
            continue
        start, end = token.position or (0, 0)
        yield PlacedToken(token, source.index(token.contents, start, end) if start < end else start)


def _tag(token: Token) -> str:
    """The name of a tag; nothing for a variable."""
    if token.token_type != TokenType.BLOCK:
        return ""
    return token.contents.split(maxsplit=1)[0] if token.contents else ""


def _same(one: Token, other: Token) -> bool:
    return _key(one) == _key(other)


def _key(token: Token) -> tuple[TokenType, int | None, str]:
    return token.token_type, token.lineno, token.contents


def _occurrences(placed: PlacedToken, text: str) -> Iterator[int]:
    """Where a name with its lookups stands in a tag as one that is read, as offsets."""
    contents = placed.token.contents
    begins = 0
    tag = _tag(placed.token)
    if tag:
        begins = len(tag)
    if tag == "for" and " in " in contents:
        begins = contents.rindex(" in ") + len(" in ")
    for found in WORDS.finditer(contents, begins):
        if found["name"] == text and not _is_set(contents, *found.span()):
            yield placed.start + found.start()


def _is_set(contents: str, start: int, end: int) -> bool:
    """Whether a name is one that the tag sets, or that of an argument or filter."""
    after = contents[end : end + 2]
    before = contents[:start].rstrip()
    return (
        contents[start - 1 : start] == "|"
        or (after[:1] == "=" and after != "==")
        or re.search(r"(?:^|\s)as\Z", before) is not None
    )


def _tokens_of(nodes: Any) -> Iterator[Token]:
    """The tokens that nodes were made of, and those inside of them, in the template's order."""
    for node in nodes:
        if not isinstance(node, Node):
            continue
        token = getattr(node, "token", None)
        if token is not None:
            yield token
        lists = [getattr(node, name, None) for name in node.child_nodelists]
        for branch in getattr(node, "conditions_nodelists", ()):
            lists.append(branch[1])
        seen: set[int] = set()
        for each in lists:
            if each is not None and id(each) not in seen:
                seen.add(id(each))
                yield from _tokens_of(each)
