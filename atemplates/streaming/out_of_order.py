"""Parts of a page that follow when they are ready, with a placeholder in their place until then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from . import fills
from .positions import Position
from .sink import Hole, Sink


def no_nonce() -> str | None:
    """Say that scripts need no nonce."""
    return None


class OutOfOrder:
    """Takes the text of a page out of its sink: placeholders in the places of parts that are not
    ready, and what is for them afterwards, wherever the page has a place for it.

    A part that is ready before its place is reached stands there. So does one whose place takes no
    placeholder, in an attribute, say: the page waits for it.
    """

    def __init__(self) -> None:
        self.nonce: Callable[[], str | None] = no_nonce
        """Gives the nonce of the script that puts parts in their places."""
        self._position: Position | None = None
        self._sent: list[str] = []
        """What was sent before the first part: it is read again when there is one."""
        self._end = ""
        """The end of the page, from its ``</body>`` on: parts are sent before it."""
        self._ready: list[Hole] = []
        self._has_script = False

    def take(self, sink: Sink) -> str:
        """Take out what can be sent now."""
        texts: list[str] = []
        while sink:
            index = _first_hole(sink) if sink.has_holes else len(sink)
            text = "".join(sink[:index])
            del sink[:index]
            self._write(text, texts)
            if not sink or type(sink[0]) is not Hole:
                break
            hole = sink[0]
            if hole.sink is not None:
                sink[:1] = hole.sink
                continue
            if not hole.name:
                break
            markup = fills.placeholder(hole.name, hole.waiting)
            if self._end or not self._page().takes_placeholder(markup):
                break
            del sink[0]
            hole.is_sent = True
            self._write(markup, texts)
        if self._ready and self._page().takes_elements:
            self._fill(texts)
        return "".join(texts)

    def ready(self, hole: Hole) -> None:
        """Note that a part is ready whose placeholder was sent."""
        self._ready.append(hole)

    def rest(self, sink: Sink) -> str:
        """Take out all that is left: all parts are ready."""
        texts = [self.take(sink)]
        if self._ready:
            self._fill(texts)
        texts.append(self._end)
        return "".join(texts)

    def _page(self) -> Position:
        if self._position is None:
            self._position = Position()
            self._position.feed("".join(self._sent))
            self._sent.clear()
        return self._position

    def _write(self, text: str, texts: list[str]) -> None:
        if self._end:
            self._end += text
        elif self._position is None:
            self._sent.append(text)
            texts.append(text)
        else:
            text, self._end = self._position.split_before_end(text)
            self._position.feed(text)
            texts.append(text)

    def _fill(self, texts: list[str]) -> None:
        ready, self._ready = self._ready, []
        for hole in ready:
            text = _filling(hole.sink)
            if text is None:
                self._ready.append(hole)
                continue
            if not self._has_script:
                self._has_script = True
                text = fills.polyfill(self.nonce()) + fills.fill_part(hole.name, text)
            else:
                text = fills.fill_part(hole.name, text)
            self._page().feed(text)
            texts.append(text)


def _first_hole(sink: Sink) -> int:
    for index, item in enumerate(sink):
        if type(item) is Hole:
            return index
    return len(sink)


def _filling(sink: Sink | None) -> str | None:
    """Return the text of a part, with placeholders for those in it that are not ready.

    Returns:
        None where one of these has a place that takes no placeholder: the part waits for it.
    """
    pieces = list(_flat(sink))
    open_holes = [piece for piece in pieces if type(piece) is Hole]
    if open_holes:
        position = Position(in_part=True)
        for index, piece in enumerate(pieces):
            if type(piece) is Hole:
                markup = fills.placeholder(piece.name, piece.waiting) if piece.name else ""
                if not markup or not position.takes_placeholder(markup):
                    return None
                pieces[index] = markup
            position.feed(pieces[index])
    for hole in open_holes:
        hole.is_sent = True
    return "".join(pieces)


def _flat(sink: Sink | None) -> Iterator[Any]:
    """What a part has written, and the parts in it that are ready; holes of the others."""
    for item in sink or ():
        if type(item) is Hole and item.sink is not None:
            yield from _flat(item.sink)
        else:
            yield item
