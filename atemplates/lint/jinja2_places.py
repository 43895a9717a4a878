"""Where a read stands in a Jinja2 template: the line, column and width of one of its steps.

Jinja2's nodes know their line alone. The template's tokens are looked for in its text, one after
the other; what is in comments and in ``{% raw %}`` is no name there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..analysis.reads import CALLS, Read, ReadStep
from ..relations.paths import ITEM
from .positions import TextPlace, place_at

CLOSING = {"(": ")", "[": "]", "{": "}"}
SKIPPED = frozenset({"whitespace", "data", "comment", "comment_begin", "comment_end"})


class JinjaToken(NamedTuple):
    """A token and where it begins."""

    kind: str
    text: str
    line: int
    offset: int


class JinjaPlaces:
    """Finds places in one template.

    Args:
        environment: whose lexer reads it.
        source: the template's text.
        tree: what was parsed from it, which tells equal names of one line apart; None if it is not
            at hand.
    """

    def __init__(self, environment: Any, source: str, tree: Any = None) -> None:
        # As Jinja2's lexer does, so that offsets are those of the text that is lexed.
        self.source = source.replace("\r\n", "\n").replace("\r", "\n")
        self.tokens = list(_lexed(environment, self.source))
        self._numbers: dict[int, tuple[int, int]] | None = None
        self.tree = tree

    def of(self, read: Read, index: int) -> list[TextPlace]:
        """Return where a step of a read stands.

        Args:
            index: of the step; -1 is the name.
        """
        if not read.name:
            return self._of_unnamed(read, index)
        found = [number for number, _ in self._names(read.name, read.line)]
        ordinal, total = self._number_of(read.token)
        if total == len(found):
            found = found[ordinal : ordinal + 1]
        matched = [each for each in (self._match(one, read.steps, index) for one in found) if each]
        return matched[:1]

    def _names(self, name: str, line: int | None) -> Iterator[tuple[int, JinjaToken]]:
        for number, token in enumerate(self.tokens):
            if token.kind != "name" or token.text != name or (line and token.line != line):
                continue
            before = self.tokens[number - 1].text if number else ""
            if before not in (".", "|", "is"):
                yield number, token

    def _match(self, number: int, steps: tuple[ReadStep, ...], index: int) -> TextPlace | None:
        """Follow the steps through the tokens from a name on, and return the place of one."""
        if index < 0:
            return self._place(number)
        at = number + 1
        for position, step in enumerate(steps[: index + 1]):
            # What is in brackets by itself is followed by one that closes them.
            while step.bit not in CALLS and self._text(at) == ")":
                at += 1
            place, at = self._step(step, at)
            if place is None:
                return None
            if position == index:
                return place
        return None

    def _step(self, step: ReadStep, at: int) -> tuple[TextPlace | None, int]:
        opening = self._text(at)
        if step.bit in CALLS:
            return (self._place(at - 1), self._closed(at)) if opening == "(" else (None, at)
        if opening == "." and self._text(at + 1) == step.bit:
            return self._place(at + 1), at + 2
        if opening == "[":
            text = self._text(at + 1)
            if step.bit == ITEM or text.strip("\"'") == step.bit or text == "-":
                return self._place(at + 1), self._closed(at)
        return None, at

    def _closed(self, at: int) -> int:
        """The number of the token after the bracket that closes the one at a place."""
        depth = 0
        for number in range(at, len(self.tokens)):
            text = self.tokens[number].text
            if self.tokens[number].kind == "operator":
                depth += (text in CLOSING) - (text in CLOSING.values())
            if not depth:
                return number + 1
        return len(self.tokens)

    def _of_unnamed(self, read: Read, index: int) -> list[TextPlace]:
        step = read.steps[index]
        for number, token in enumerate(self.tokens):
            if token.text == "." and token.line == step.line and self._text(number + 1) == step.bit:
                return [self._place(number + 1)]
        return []

    def _text(self, number: int) -> str:
        return self.tokens[number].text if number < len(self.tokens) else ""

    def _place(self, number: int) -> TextPlace:
        token = self.tokens[number]
        return place_at(self.source, token.offset, len(token.text))

    def _number_of(self, node: Any) -> tuple[int, int]:
        """Which one of the equal names of a line a node is, from 0, and how many there are."""
        if self._numbers is None:
            self._numbers = {}
            equal: dict[tuple[str, int], list[Any]] = defaultdict(list)
            for each in _names_of(self.tree):
                equal[each.name, each.lineno].append(each)
            for found in equal.values():
                for number, each in enumerate(found):
                    self._numbers[id(each)] = (number, len(found))
        return self._numbers.get(id(node), (0, 0))


def _names_of(tree: Any) -> Iterator[Any]:
    if tree is None:
        return
    from jinja2 import nodes  # a site without Jinja2 has no trees

    yield from tree.find_all(nodes.Name)


def _lexed(environment: Any, source: str) -> Iterator[JinjaToken]:
    """The tokens of a template with their offsets; text and comments are left out."""
    at = 0
    for line, kind, text in environment.lexer.tokeniter(source, None):
        found = source.find(text, at)
        if found < 0:
            continue
        at = found + len(text)
        if kind not in SKIPPED:
            yield JinjaToken(kind, text, line, found)
