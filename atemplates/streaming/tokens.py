"""HTML that arrives in pieces, cut into tags, comments and text as a browser's tokenizer does.

The states are those of the HTML standard, chapter "Tokenization", as far as they decide where a
construct ends. Each character is looked at a fixed number of times, however the text is cut.
"""

import re
from enum import Enum, auto
from typing import NamedTuple

from .elements import RAW, TABLE_CONTEXT, Element, OpenElements
from .tag_text import SPACE, WHOLE_TAG, TagInPieces

_SCRIPT = {
    "script": re.compile(r"<!--|</script(?=[\t\n\f\r />])", re.IGNORECASE),
    "escaped": re.compile(r"-->|</?script(?=[\t\n\f\r />])", re.IGNORECASE),
    "escaped twice": re.compile(r"-->|</script(?=[\t\n\f\r />])", re.IGNORECASE),
}
_RAW_END = {name: re.compile(rf"</{name}(?=[{SPACE}/>])", re.IGNORECASE) for name in RAW}
_COMMENT_END = re.compile(r"--!?>")
_COMMENT_BEGUN = re.compile(r"-(?:-!?)?\Z")
_FOR = re.compile(r'[\t\n\f\r ]for="([A-Za-z0-9_-]+)"')
_NAMED = re.compile(r'start[\t\n\f\r ]+name="([^"]*)"[\t\n\f\r ]*\??\Z')


class Mode(Enum):
    """What the next character belongs to."""

    DATA = auto()
    TAG = auto()
    COMMENT_OPEN = auto()
    COMMENT = auto()
    DECLARATION = auto()
    """A doctype, a comment of a wrong form, or an end tag without a name."""
    INSTRUCTION = auto()
    CDATA = auto()
    RAW = auto()
    """The text of a script, a text area and the like."""
    PLAIN = auto()
    """What follows ``<plaintext>``, which nothing ends."""


class Token(NamedTuple):
    """What a reader of parts and pages may want to change, or to cut them at.

    Attributes:
        kind: ``"?"`` for a processing instruction, ``"!--?"`` for the beginning of a comment that
            looks like one, ``"end of nothing"`` for an end tag that ends no element (those of the
            body and the document among them), ``"start"`` and ``"end"`` for ``<plaintext>``.
        name: of the tag in lower case, or what stands between ``<?`` and ``>``.
        begin: where it begins in the text, negative where it began in an earlier one.
        end: the place behind it.
        inside: the element that is the current one after it.
    """

    kind: str
    name: str
    begin: int
    end: int
    inside: Element


class Tokenizer:
    """Follows HTML that comes in any pieces, and the elements that it leaves open.

    Attributes:
        elements: what is open.
        mode: what the next character belongs to.
        raw: in `Mode.RAW`, the element whose text it is.
        placeholders: the names of placeholders, each with the element that it stands in.
    """

    def __init__(self, scripting: bool = True, fragment: bool = False) -> None:
        self.elements = OpenElements(scripting, fragment)
        self.mode = Mode.DATA
        self.raw = ""
        self.placeholders: dict[str, Element] = {}
        # What has been read of a construct that is not complete: a few characters at most, ...
        self._pending = ""
        # ... or the text of a tag or an instruction, in pieces.
        self._read: list[str] = []
        self._tag = TagInPieces()
        self._script = "script"

    def copy(self) -> "Tokenizer":
        """Another that has read the same, to try on it what some text would do."""
        twin = Tokenizer()
        twin.elements = self.elements.copy()
        twin.mode, twin.raw, twin.placeholders = self.mode, self.raw, self.placeholders.copy()
        twin._pending, twin._read, twin._script = self._pending, self._read.copy(), self._script
        twin._tag.part = self._tag.part
        return twin

    @property
    def between_tokens(self) -> bool:
        """Whether a tag that came next would be a tag."""
        return self.mode is Mode.DATA and not self._pending

    def ending(self, text: str) -> tuple[str, str]:
        """What ends a text that has been read, all of it in one piece, inside of something.

        Returns:
            The text, less what a browser leaves out where a document ends like this, and what is to
            be added to it. `feed` takes the latter.
        """
        unread, self._pending = self._pending, ""
        if self.mode is Mode.TAG:
            self.mode = Mode.DATA
            return text[: len(text) - sum(map(len, self._read))], ""
        if self.mode is Mode.DATA:
            before = text[: len(text) - len(unread)]
            return before, unread.replace("<", "&lt;") if unread in ("<", "</") else ""
        self._pending = unread
        if self.mode is Mode.RAW:
            return text, f"</{self.raw}>" * (2 if self._script == "escaped twice" else 1)
        if self.mode is Mode.CDATA:
            return text, "]]>"
        if self.mode in (Mode.COMMENT, Mode.COMMENT_OPEN):
            return text, "-->"
        return text, ">"

    def feed(self, text: str, tokens: list[Token] | None = None) -> None:
        """Read on.

        Args:
            text: what follows what was read before.
            tokens: takes those that end in this text.
        """
        ahead = len(self._pending)
        if ahead:
            text, self._pending = self._pending + text, ""
        position, length = 0, len(text)
        while position < length:
            if self.mode is Mode.DATA:
                position = self._data(text, position, tokens, ahead)
            elif self.mode is Mode.TAG:
                position = self._in_tag(text, position, tokens, ahead)
            elif self.mode is Mode.INSTRUCTION:
                position = self._in_instruction(text, position, tokens, ahead)
            elif self.mode is Mode.DECLARATION:
                position = self._until(text, position, ">", 0)
            elif self.mode is Mode.CDATA:
                position = self._until(text, position, "]]>", 2)
            elif self.mode is Mode.PLAIN:
                position = length
            elif self.mode is Mode.RAW:
                position = self._raw(text, position)
            else:
                position = self._comment(text, position, tokens, ahead)

    def _data(self, text: str, position: int, tokens: list[Token] | None, ahead: int) -> int:
        """Read text and tags."""
        elements = self.elements
        while True:
            begin = text.find("<", position)
            text_matters = not elements.in_body or elements.stack[-1].name in TABLE_CONTEXT
            if text_matters and text[position : begin if begin >= 0 else None].strip(SPACE):
                elements.text()
            if begin < 0:
                return len(text)
            matched = WHOLE_TAG.match(text, begin)
            if matched is None:
                return self._no_whole_tag(text, begin)
            self._take_tag(matched, begin - ahead, tokens)
            position = matched.end()
            if self.mode is not Mode.DATA:
                return position

    def _no_whole_tag(self, text: str, begin: int) -> int:
        """Read what a ``<`` begins that is no tag, or one that has not ended."""
        follows = text[begin + 1 : begin + 9]
        if follows[:1].isalpha() and follows[:1].isascii():
            self.mode, self._tag.part, self._read = Mode.TAG, "name", ["<"]
            return begin + 1
        if follows[:1] == "/" and follows[1:2].isalpha() and follows[1:2].isascii():
            self.mode, self._tag.part, self._read = Mode.TAG, "name", ["</"]
            return begin + 2
        if follows[:1] == "?":
            self.mode, self._read = Mode.INSTRUCTION, []
            return begin + 2
        if follows[:3] == "!--":
            self.mode = Mode.COMMENT_OPEN
            return begin + 4
        if follows[:8] == "![CDATA[" and self.elements.current.foreign:
            self.mode = Mode.CDATA
            return begin + 9
        if begin + 1 + len(follows) == len(text) and (
            follows == "/" or "!--".startswith(follows) or "![CDATA[".startswith(follows)
        ):
            self._pending = text[begin:]
            return len(text)
        if follows[:2] == "/>":
            return begin + 3
        if follows[:1] in ("/", "!"):
            self.mode = Mode.DECLARATION
            return begin + 2
        self.elements.text()
        return begin + 1

    def _in_tag(self, text: str, position: int, tokens: list[Token] | None, ahead: int) -> int:
        end = self._tag.feed(text, position)
        self._read.append(text[position : end or None])
        if not end:
            return len(text)
        tag = "".join(self._read)
        matched = WHOLE_TAG.fullmatch(tag)
        assert matched is not None, tag
        self.mode, self._read = Mode.DATA, []
        self._take_tag(matched, end - len(tag) - ahead, tokens)
        return end

    def _take_tag(self, matched: re.Match[str], begin: int, tokens: list[Token] | None) -> None:
        name = matched[1].lower()
        kind = "start"
        if matched.string[matched.start() + 1] == "/":
            kind = "end" if self.elements.end(name) else "end of nothing"
        elif self.elements.start(name, matched[2]):
            self.mode = Mode.PLAIN if name == "plaintext" else Mode.RAW
            self.raw, self._script = name, "script"
        elif name == "template":
            named = _FOR.search(matched[2])
            placed = self.placeholders.get(named[1]) if named else None
            # What is in a fill is where its placeholder is.
            if placed is not None and self.elements.current.name == name:
                self.elements.current.parent = placed
        if tokens is not None and (kind == "end of nothing" or name == "plaintext"):
            end = begin + len(matched[0])
            tokens.append(Token(kind, name, begin, end, self.elements.current))

    def _in_instruction(
        self, text: str, position: int, tokens: list[Token] | None, ahead: int
    ) -> int:
        end = text.find(">", position)
        self._read.append(text[position : end if end >= 0 else None])
        if end < 0:
            return len(text)
        instruction = "".join(self._read)
        self.mode, self._read = Mode.DATA, []
        named = _NAMED.match(instruction)
        if named:
            self.placeholders[named[1]] = self.elements.current
        if tokens is not None:
            begin = end - len(instruction) - 2 - ahead
            end_here = end + 1 - ahead
            tokens.append(Token("?", instruction, begin, end_here, self.elements.current))
        return end + 1

    def _until(self, text: str, position: int, closing: str, keep: int) -> int:
        end = text.find(closing, position)
        if end < 0:
            # Part of what ends it may be here already.
            while keep and not text.endswith(closing[:keep]):
                keep -= 1
            self._pending = text[max(position, len(text) - keep) :] if keep else ""
            return len(text)
        self.mode = Mode.DATA
        return end + len(closing)

    def _comment(self, text: str, position: int, tokens: list[Token] | None, ahead: int) -> int:
        if self.mode is Mode.COMMENT_OPEN:
            if text[position] == "?" and tokens is not None:
                begin = position - 4 - ahead
                tokens.append(Token("!--?", "", begin, begin + 5, self.elements.current))
            if text[position] == ">":
                self.mode = Mode.DATA
                return position + 1
            if text.startswith("->", position):
                self.mode = Mode.DATA
                return position + 2
            if text[position:] == "-":
                self._pending = "-"
                return len(text)
            self.mode = Mode.COMMENT
        end = _COMMENT_END.search(text, position)
        if end is not None:
            self.mode = Mode.DATA
            return end.end()
        begun = _COMMENT_BEGUN.search(text, max(position, len(text) - 3))
        self._pending = begun[0] if begun else ""
        return len(text)

    def _raw(self, text: str, position: int) -> int:
        closing = _SCRIPT[self._script] if self.raw == "script" else _RAW_END[self.raw]
        found = closing.search(text, position)
        if found is None:
            # Where a tag's name has come, what follows it says whether it is that tag.
            self._pending = text[max(position, len(text) - len(self.raw) - 2) :]
            return len(text)
        if self.raw != "script":
            self.mode = Mode.DATA
            return found.start()
        what = found[0].lower()
        if what == "<!--":
            self._script = "escaped"
            return found.end() - 2
        if what == "-->":
            self._script = "script"
        elif what == "<script":
            self._script = "escaped twice"
        elif self._script == "escaped twice":
            self._script = "escaped"
        else:
            self.mode = Mode.DATA
            return found.start()
        return found.end()
