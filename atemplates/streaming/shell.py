"""Where the shell of a page ends: what has to be there before its response is sent."""

from __future__ import annotations

import re

HEAD_END = re.compile(r"</head[\s/>]|<body[\s/>]", re.I)
"""What ends the shell of a whole page: the end tag may be left out."""
LONGEST_END = len("</head>")
BEFORE_PAGE = re.compile(r"\s*(?:<!--.*?-->\s*)*", re.S)
BEGINS_PAGE = re.compile(r"<(?:!doctype|html|head)[\s/>]", re.I)
"""How a whole page begins: text that begins otherwise is a fragment of one."""
LONGEST_BEGIN = len("<!doctype ")


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
        before = len(self._text)
        self._text += text
        opening = BEFORE_PAGE.match(self._text)
        assert opening is not None
        if BEGINS_PAGE.match(self._text, opening.end()):
            # The end of the head may stand in two pieces of text.
            if HEAD_END.search(self._text, max(opening.end(), before - LONGEST_END)):
                self.end()
        elif not may_begin_page(self._text[opening.end() : opening.end() + LONGEST_BEGIN]):
            self.end()

    def end(self) -> None:
        """End the shell here."""
        self.has_ended = True
        self._text = ""


def may_begin_page(text: str) -> bool:
    """Whether text is too short to tell: the beginning of a tag, or of a comment."""
    begun = text.lower()
    return begun.startswith("<!--") or any(
        tag.startswith(begun) for tag in ("<!doctype", "<html", "<head", "<!--")
    )
