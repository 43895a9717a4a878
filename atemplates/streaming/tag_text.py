"""The text of a tag: where it ends, in one piece or in several."""

import re

SPACE = "\t\n\f\r "
# A whole tag. Where the text ends inside of one this matches nothing: `TagInPieces` takes over.
_NAME = rf"</?([A-Za-z][^{SPACE}/>]*+)"
_VALUE = rf"""(?:"[^"]*+"|'[^']*+'|[^{SPACE}>"'][^{SPACE}>]*+|(?=>))"""
_EQUALS = rf"[{SPACE}]*+="
_ATTRIBUTE = rf"[^{SPACE}/>][^{SPACE}/>=]*+(?:{_EQUALS}[{SPACE}]*+{_VALUE}|(?!{_EQUALS}))"
WHOLE_TAG = re.compile(rf"{_NAME}((?:[{SPACE}/]++|{_ATTRIBUTE})*+)>")
_IN_TAG = re.compile(rf"[{SPACE}/]++|{_ATTRIBUTE}")


def is_self_closing(attributes: str) -> bool:
    """Whether the slash at a tag's end is one, and not the end of a value that has no quotes.

    Args:
        attributes: what stands between the tag's name and its ``>``.
    """
    if not attributes.endswith("/") or attributes == "/":
        return attributes == "/"
    *_, last = _IN_TAG.findall(attributes)
    return str(last).endswith("/") and last[0] in f"{SPACE}/"


class TagInPieces:
    """Where in a tag the text has ended.

    Attributes:
        part: one of the tokenizer's states from "tag name" to "after attribute value", in short.
    """

    _PARTS = {
        "name": re.compile(rf"[^{SPACE}/>]*+"),
        "before": re.compile(rf"[{SPACE}/]*+"),
        "attribute": re.compile(rf"[^{SPACE}/>=]*+"),
        "after": re.compile(rf"[{SPACE}]*+"),
        "value": re.compile(rf"[{SPACE}]*+"),
        '"': re.compile(r'[^"]*+'),
        "'": re.compile(r"[^']*+"),
        "unquoted": re.compile(rf"[^{SPACE}>]*+"),
    }

    def __init__(self) -> None:
        self.part = "name"

    def feed(self, text: str, position: int) -> int:
        """Read on. Returns the place behind the tag, or 0 where it has not ended."""
        while True:
            part = self.part
            matched = self._PARTS[part].match(text, position)
            assert matched is not None
            position = matched.end()
            if position == len(text):
                return 0
            character = text[position]
            if part in "\"'":
                position += 1
                self.part = "before"
            elif character == ">" and part != "after":
                return position + 1
            elif part == "before":
                position += 1
                self.part = "attribute"
            elif part == "value":
                if character in "\"'":
                    position += 1
                self.part = character if character in "\"'" else "unquoted"
            elif part in ("attribute", "after") and character == "=":
                position += 1
                self.part = "value"
            elif part == "attribute" and character != "/":
                self.part = "after"
            else:
                self.part = "before"
