"""What a plan sees of the page that its text goes to while it is rendered."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from typing import Any, Protocol


class PageSink(Protocol):
    """What the plans of a page write to where its text is not joined at the end."""

    def append(self, text: Any, /) -> None:
        """Write some text."""
        ...

    def extend(self, texts: Iterable[Any], /) -> None:
        """Write several texts."""
        ...


class PartHole(Protocol):
    """The place of a part in the text of a page that is sent."""

    def fill(self, texts: Iterable[Any], /) -> None:
        """Put in what the part has written, unless that is there."""
        ...


class Sending(Protocol):
    """What sends the text of a page while the page is rendered."""

    @property
    def is_awaited(self) -> bool:
        """Whether the first bytes can leave at each wait from now on. Until they have, a plan comes
        back from the request's thread after each step: middleware has to get there first."""
        ...

    @property
    def is_leaving(self) -> bool:
        """Whether the first bytes are about to leave."""
        ...

    def left(self) -> Coroutine[Any, Any, None]:
        """Wait until they have left."""
        ...

    def send(self) -> None:
        """Send what is written: the plan is about to wait. Called on the event loop."""
        ...

    def flush(self) -> Coroutine[Any, Any, None]:
        """Send what is written as a chunk of its own, and give the loop its turn."""
        ...

    def end_shell(self) -> None:
        """Hear that the response may be sent. Any thread may say so."""
        ...

    def enter_thread(self) -> None:
        """Hear that the plan goes on in the request's thread, and send what it writes there."""
        ...

    def leave_thread(self) -> None:
        """Hear that it is back."""
        ...
