"""Where in a page the sender stands: whether what belongs elsewhere may be sent right here."""

import re

from .elements import Element
from .tokens import Mode, Token, Tokenizer

_MAY_END = re.compile(r"</(?:body|html)", re.IGNORECASE)
_ENDS = ("body", "html")
# A select is emptied of all but options by browsers of some years ago.
_TAKES_NO_TEMPLATE = ("template", "select")


class Position:
    """Follows the HTML of a page as it is sent, in any pieces.

    It reads as a browser with scripting does: what is in a ``<noscript>`` is text. Where the tags
    of a page do not fit together, it knows what a browser makes of the usual cases; in the others
    the answers are the careful ones (False).

    Args:
        in_part: whether it follows a part that is sent as a fill, not a page: there is no body to
            wait for, and a table may be around it.
    """

    def __init__(self, in_part: bool = False) -> None:
        self._tokenizer = Tokenizer(fragment=in_part)

    def feed(self, text: str) -> None:
        """Take what is sent next, fills and placeholders among it."""
        self._tokenizer.feed(text)

    @property
    def takes_elements(self) -> bool:
        """Whether a ``<template>`` or ``<script>`` sent now is one, and changes no other element.

        False inside a tag, a comment, the text of a script, style, text area, title and the like,
        in SVG and MathML, a template, a select, a frameset, and before the body has begun.
        """
        return self._is_in_body(_TAKES_NO_TEMPLATE)

    def reaches(self, name: str) -> bool:
        """Whether a fill that is sent now finds its placeholder without the script.

        The standard looks for it in the element that the fill is in, or in the whole page where
        that is the body. False also where no placeholder of that name was sent, and where the fill
        would be text.
        """
        elements = self._tokenizer.elements
        inside: Element | None = self._tokenizer.placeholders.get(name)
        if inside is None or elements.loose or not self.takes_elements:
            return False
        if len(elements.stack) == 1:
            return True
        while inside is not None and inside is not elements.current:
            inside = inside.parent
        return inside is not None

    def takes_placeholder(self, markup: str) -> bool:
        """Whether a placeholder sent now can be replaced later by what is for it.

        Where it is False, the part has to be waited for and sent in its place.

        Args:
            markup: the whole placeholder, as `atemplates.streaming.fills.placeholder` gives it.

        Returns:
            False where `takes_elements` is (a select is fine), and where the browser would not
            leave it in one piece: a tag in it ends the paragraph that it stands in, or opens a
            ``<tbody>`` that was left out around it.
        """
        before = self._tokenizer.elements
        if before.loose or not self._is_in_body(("template",)):
            return False
        tokenizer = self._tokenizer.copy()
        after = tokenizer.elements
        after.lowest, after.fostered = len(after.stack), False
        tokenizer.feed(markup)
        return (
            tokenizer.between_tokens
            and not (after.loose or after.unknown)
            and not after.fostered
            and after.lowest == len(after.stack) == len(before.stack)
        )

    def split_before_end(self, text: str) -> tuple[str, str]:
        """Cut what is to be sent next where the body ends.

        Args:
            text: what follows what was fed; it is not fed by this.

        Returns:
            What comes before the last ``</body>`` (or, without one, before ``</html>``) and the
            rest, which is empty where there is neither. End tags inside of a script, a comment or
            an attribute are none.
        """
        if not _MAY_END.search(text):
            return text, ""
        tokens: list[Token] = []
        self._tokenizer.copy().feed(text, tokens)
        for name in _ENDS:
            begins = [
                token.begin
                for token in tokens
                if token.name == name and token.kind == "end of nothing" and token.begin >= 0
            ]
            if begins:
                return text[: begins[-1]], text[begins[-1] :]
        return text, ""

    def _is_in_body(self, never_in: tuple[str, ...]) -> bool:
        elements = self._tokenizer.elements
        return (
            self._tokenizer.mode is Mode.DATA
            and self._tokenizer.between_tokens
            and elements.in_body
            and not elements.unknown
            and not any(element.foreign or element.name in never_in for element in elements.stack)
        )
