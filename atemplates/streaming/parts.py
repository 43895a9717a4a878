"""A part of a page made whole, so that nothing in it reaches beyond its own end."""

import re
from html import escape

from .tag_text import WHOLE_TAG
from .tokens import Mode, Token, Tokenizer

# Tags with nothing in them that could end, begin or hide what is around the part.
_USUAL = re.compile(
    r"(?:[^<]++|(?!</?(?:template|script|style|textarea|title|xmp|iframe|noembed|noframes|noscript"
    rf"|plaintext|svg|math)\b){WHOLE_TAG.pattern})*+",
    re.IGNORECASE,
)

_NOSCRIPT = re.compile("<noscript", re.IGNORECASE)
_TARGET = re.compile(r"(?:start|end)(?![A-Za-z0-9_-])")


def whole(part: str, in_place: bool) -> str:
    """Give a part the form in which it can stand between our own marks.

    What a part of a page may hold and would end the marks around it, or make others' marks part of
    it, is changed into what a browser makes of it when the part is all there is:

    * A comment, tag, instruction, script or text area that is not ended ends with the part.
      ``<plaintext>``, which nothing can end, becomes ``<pre>`` with the rest as its text.
    * A template that is not ended ends with the part, and ``</template>`` without a template is
      left out, as a browser does.
    * ``<?end>`` and ``<?start …>`` that do not belong together become comments that mean nothing.
      Those that belong together, as a part inside of this one has them, stay.

    Args:
        part: HTML that a template has written.
        in_place: whether it is read in the middle of a page, where it must also leave no element
            open and close none that it has not opened: end tags are added and left out. Inside of a
            template the browser sees to that.

    Returns:
        The HTML; the part itself where there was nothing to do.
    """
    if not in_place and _USUAL.fullmatch(part):
        return part
    part = _whole(part, in_place, scripting=True)
    if _NOSCRIPT.search(part):
        # Where scripts are switched off, what is in these is no text.
        part = _whole(part, in_place, scripting=False)
    return part


def _whole(part: str, in_place: bool, scripting: bool) -> str:
    reader = Tokenizer(scripting, fragment=True)
    tokens: list[Token] = []
    reader.feed(part, tokens)
    if reader.mode is Mode.PLAIN:
        opened = next(token for token in reversed(tokens) if token.name == "plaintext")
        text = escape(part[opened.end :], quote=False)
        return _whole(f"{part[: opened.begin]}<pre>{text}", in_place, scripting)
    part, ending = reader.ending(part)
    behind: list[Token] = []
    reader.feed(ending, behind)
    tokens += (
        token._replace(begin=token.begin + len(part), end=token.end + len(part)) for token in behind
    )
    part += ending
    changes = [(token, f"<!-- ?{token.name}-->") for token in _unmatched(tokens)]
    for token in tokens:
        if token.kind == "!--?":
            # The polyfill reads these: instructions are comments where it has to be.
            changes.append((token, "<!-- ?"))
        if token.kind == "end of nothing" and (in_place or token.name == "template"):
            changes.append((token, ""))
    pieces: list[str] = []
    at = 0
    for token, text in sorted(changes, key=lambda change: change[0].begin):
        pieces += (part[at : token.begin], text)
        at = token.end
    pieces.append(part[at:])
    left_open = [element.name for element in reader.elements.stack[1:]]
    if in_place or "template" in left_open:
        pieces += (f"</{name}>" for name in reversed(left_open))
        pieces += (f"</{name}>" for name in reader.elements.loose if name)
    return "".join(pieces)


def _unmatched(tokens: list[Token]) -> list[Token]:
    """The ``<?start …>`` and ``<?end>`` that have no other side in the same element."""
    begun: dict[int, list[Token]] = {}
    single: list[Token] = []
    for token in tokens:
        if token.kind != "?":
            continue
        target = _TARGET.match(token.name)
        if target is None:
            continue
        inside = begun.setdefault(id(token.inside), [])
        if target[0] == "start":
            inside.append(token)
        elif inside:
            inside.pop()
        else:
            single.append(token)
    return single + [token for inside in begun.values() for token in inside]
