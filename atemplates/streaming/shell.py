"""Where the shell of a page ends: what has to be there before its response is sent."""

from __future__ import annotations

import re

HEAD_END = re.compile(r"</head\b|<body\b", re.I)
"""What ends the shell of a whole page: the end tag may be left out."""
LONGEST_END = len("</head ")
BEGINS_PAGE = re.compile(r"\s*(?:<!--.*?-->\s*)*<(?:!doctype\b|html\b|head\b)", re.I | re.S)
"""How a whole page begins: text that begins otherwise is a fragment of one."""


class Shell:
    """Follows the text of a page until its ``<head>`` has ended.

    A fragment has no head: its shell ends with the first text that is not blank.
    """

    def __init__(self) -> None:
        self.has_ended = False
        """Whether the response can be sent at the next wait."""
        self._text = ""

    def follow(self, text: str) -> None:
        """Take notice of more text."""
        if self.has_ended or not text:
            return
        # The end of the head may stand in two pieces of text.
        before = len(self._text)
        self._text += text
        has_head = HEAD_END.search(self._text, max(0, before - LONGEST_END))
        if has_head or (self._text.strip() and not self._may_be_page()):
            self.end()

    def end(self) -> None:
        """End the shell here."""
        self.has_ended = True
        self._text = ""

    def _may_be_page(self) -> bool:
        if BEGINS_PAGE.match(self._text):
            return True
        begun = self._text.lstrip().lower()
        # Too short to tell: a comment that has not ended, or the beginning of a tag.
        return (begun.startswith("<!--") and "-->" not in begun) or any(
            tag.startswith(begun) for tag in ("<!doctype", "<html", "<head", "<!--")
        )
