"""Server-sent events as text: what `text/event-stream` of the HTML standard says a stream is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LINE_END = re.compile(r"\r\n|\r|\n")
"""What ends a line of an event stream. Nothing else does, whatever Python or Unicode calls one."""
HEARTBEAT = ": \n\n"
"""A comment, which no client sees."""


@dataclass(frozen=True, slots=True)
class SseEvent:
    """One event of a stream, and more about it than the variables of its template.

    Args:
        context: the variables of the template.
        event: the event's name, which ``addEventListener()`` and ``sse-swap`` ask for. None: that
            of the stream, or ``message``.
        id: what the client sends as ``Last-Event-ID`` when it connects again.
        retry: after how many milliseconds the client connects again, from now on.
        template_name: the template of this event; None: that of the stream.
        data: text to send as it is; no template is rendered.

    Raises:
        ValueError: a field holds a line's end, ``id`` a NULL, or ``retry`` is negative; or there
            are both ``data`` and a template's context or name.
        TypeError: a field is of another type.
    """

    context: Mapping[str, Any] | None = None
    event: str | None = None
    id: str | int | None = None
    retry: int | None = None
    template_name: str | None = None
    data: str | None = None

    def __post_init__(self) -> None:
        check_event_name(self.event)
        check_retry(self.retry)
        if self.id is not None:
            if not isinstance(self.id, (str, int)) or isinstance(self.id, bool):
                raise TypeError(f"The id of an event must be a str or an int, not {self.id!r}.")
            if re.search(r"[\0\r\n]", str(self.id)):
                raise ValueError(
                    "The id of an event must hold no NULL and no line end: clients would ignore "
                    f"it, or take what follows for another field. It is {self.id!r}."
                )
        if self.data is not None:
            if not isinstance(self.data, str):
                raise TypeError(f"The data of an event must be a str, not {self.data!r}.")
            if self.context is not None or self.template_name is not None:
                raise ValueError(
                    "An event has either data, which is sent as it is, or the context and the "
                    "name of a template that makes its data."
                )


def check_event_name(name: Any) -> None:
    """Raise if an event cannot be called ``name``."""
    if name is None:
        return
    if not isinstance(name, str):
        raise TypeError(f"The name of an event must be a str, not {name!r}.")
    if LINE_END.search(name):
        raise ValueError(
            "The name of an event must hold no line end: clients would take what follows for "
            f"another field. It is {name!r}."
        )


def check_retry(retry: Any) -> None:
    """Raise if ``retry`` is not a number of milliseconds."""
    if retry is None:
        return
    if not isinstance(retry, int) or isinstance(retry, bool):
        raise TypeError(f"retry must be a whole number of milliseconds, not {retry!r}.")
    if retry < 0:
        raise ValueError(f"retry must be a number of milliseconds from 0, not {retry!r}.")


def opening_text(retry: int | None) -> str:
    """Return what a stream begins with, so that its client knows at once that it is connected."""
    return HEARTBEAT if retry is None else f": \nretry: {retry}\n\n"


def event_text(event: SseEvent, data: str, name: str | None = None) -> str:
    """Return an event as it is sent.

    Args:
        event: the event.
        data: its data, of any number of lines.
        name: its name, where it has none of its own.
    """
    name = name if event.event is None else event.event
    lines = [] if name is None else [f"event: {name}"]
    if event.id is not None:
        lines.append(f"id: {event.id}")
    if event.retry is not None:
        lines.append(f"retry: {event.retry}")
    lines += [f"data: {line}" for line in LINE_END.split(data)]
    return "\n".join(lines) + "\n\n"
