"""``sse``: the shortcut that answers a request with a stream of rendered events."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping
from contextvars import copy_context
from inspect import isasyncgenfunction, iscoroutine
from typing import Any

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, StreamingHttpResponse

from ..runtime.drivers import in_request_thread, on_event_loop
from ..runtime.hops import thread_of_task
from ..shortcuts import aget_template, arender_loaded, aselect_template
from .event_chunks import Encode, EventChunks
from .event_format import (
    HEARTBEAT,
    SseEvent,
    check_event_name,
    check_retry,
    event_text,
    opening_text,
)
from .failures import report_failure

HEADERS: dict[str, str] = {
    # A proxy that compresses may hold events back until it has enough of them.
    "Cache-Control": "no-cache, no-transform",
    # nginx sends on what it gets.
    "X-Accel-Buffering": "no",
}
if django.VERSION[:2] == (6, 0):
    # Its GZipMiddleware holds text back until there is enough of it, and leaves what is encoded.
    HEADERS["Content-Encoding"] = "identity"
NEEDS_ASGI = (
    "Server-sent events need an ASGI server: under WSGI a stream that does not end would hold a "
    "worker for ever. Serve this address with ASGI (get_asgi_application()); in tests ask it with "
    "AsyncClient or AsyncRequestFactory."
)


def sse(
    request: HttpRequest | None,
    template_name: Any,
    events: AsyncIterable[Mapping[str, Any] | SseEvent],
    *,
    using: str | None = None,
    event: str | None = None,
    retry: int | None = None,
    heartbeat: float | None = 15.0,
    headers: Mapping[str, str] | None = None,
) -> EventStream:
    """Answer a request with server-sent events, each of them a rendered template.

    The iterable is asked for an event when the one before is sent. It is closed when its client
    goes away. Its code and the templates run with the context variables of the caller.

    Args:
        request: the current request; context processors receive it.
        template_name: the template of each event, such as ``"row.html"`` or (with partials)
            ``"row.html#card"``; a list of names of which the first found is used; or a template
            that `aget_template` gave, so that a missing one is an error of the view.
        events: gives the context of the template for each event, or an `SseEvent`.
        using: the alias of the engine to load with; by default every engine is tried in turn.
        event: the name of events that have none of their own. None: ``message``.
        retry: after how many milliseconds a client that has lost the stream connects again.
        heartbeat: after how many seconds without an event a comment is sent, by which proxies keep
            the connection and the server notices that a client has gone. None: never.
        headers: further headers of the response, in place of those of the same name.

    Raises:
        ImproperlyConfigured: the request came by WSGI.
        TypeError: ``events`` is not an asynchronous iterable, or an argument is of another type.
        ValueError: ``event``, ``retry`` or ``heartbeat`` cannot be sent.
    """
    check_event_name(event)
    check_retry(retry)
    check_heartbeat(heartbeat)
    check_iterable(events)
    driven_by_thread = thread_of_task() is not None
    if isinstance(request, WSGIRequest) and (driven_by_thread or not on_event_loop()):
        raise ImproperlyConfigured(NEEDS_ASGI)

    async def begin() -> Encode:
        return _Encoder(await _loaded(template_name, using), request, using, event)

    chunks = EventChunks(
        events,
        begin,
        opening_text(retry).encode(),
        (HEARTBEAT.encode(), heartbeat),
        # A thread that drives this task, for a sync middleware, has ended when the stream begins.
        copy_context() if on_event_loop() and not driven_by_thread else None,
    )
    return EventStream(chunks, request, headers={**HEADERS, **(headers or {})})


def check_heartbeat(seconds: Any) -> None:
    """Raise if there can be no heartbeat every ``seconds``."""
    if seconds is None:
        return
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool):
        raise TypeError(f"heartbeat must be a number of seconds, or None, not {seconds!r}.")
    if not seconds > 0:
        raise ValueError(f"heartbeat must be more than 0 seconds, or None, not {seconds!r}.")


def check_iterable(events: Any) -> None:
    """Raise if ``async for`` cannot go over ``events``."""
    if hasattr(events, "__aiter__"):
        return
    found = f"a {type(events).__name__}"
    if isasyncgenfunction(events):
        found = f"a function; call it: {events.__name__}()"
    elif iscoroutine(events):
        found = f"a coroutine: {events.__qualname__}() awaits, but has no yield"
        events.close()
    raise TypeError(
        "sse() takes its events from an asynchronous iterable, such as what an `async def` "
        f"with a `yield` gives when it is called. It got {found}."
    )


async def _loaded(template: Any, using: str | None) -> Any:
    if isinstance(template, (list, tuple)):
        return await aselect_template(template, using=using)
    if hasattr(template, "render"):
        return template
    return await aget_template(template, using=using)


class _Encoder:
    """Makes of what the iterable of a stream gives the bytes that are sent."""

    def __init__(
        self, template: Any, request: HttpRequest | None, using: str | None, name: str | None
    ) -> None:
        self.template = template
        self.request = request
        self.using = using
        self.name = name
        self.others: dict[str, Any] = {}
        """The templates of events that have one of their own."""

    async def __call__(self, item: Any) -> bytes:
        event = item if isinstance(item, SseEvent) else SseEvent(_context(item))
        data = event.data
        if data is None:
            template = await self._template_of(event)
            data = await arender_loaded(template, event.context, self.request)
        return event_text(event, data, self.name).encode()

    async def _template_of(self, event: SseEvent) -> Any:
        name = event.template_name
        if name is None:
            return self.template
        if name not in self.others:
            self.others[name] = await _loaded(name, self.using)
        return self.others[name]


def _context(item: Any) -> Mapping[str, Any]:
    if isinstance(item, Mapping):
        return item
    raise TypeError(
        "The iterable of sse() gives for each event a dict, the context of the template, or an "
        f"SseEvent. It gave a {type(item).__name__}: {item!r}."
    )


class EventStream(StreamingHttpResponse):
    """A response that sends events for as long as there are some, and somebody listens.

    What `sse` returns. For ``HEAD`` it has no content.

    Args:
        chunks: what is sent.
        request: the request that is answered.
        headers: the headers of the response, other than its content type.
    """

    def __init__(
        self, chunks: EventChunks, request: HttpRequest | None, headers: Mapping[str, str]
    ) -> None:
        self._chunks = chunks
        self._request = request
        is_head = request is not None and request.method == "HEAD"
        super().__init__(
            () if is_head else chunks,
            content_type="text/event-stream; charset=utf-8",
            headers=dict(headers),
        )

    def __iter__(self) -> Any:
        """Refuse: a sync server would wait for the last event before it sends the first.

        Raises:
            ImproperlyConfigured: always.
        """
        raise ImproperlyConfigured(NEEDS_ASGI)

    async def __aiter__(self) -> AsyncIterator[Any]:
        """Give the content piece by piece, as bytes; close the iterable of events at the end.

        Django's own method takes a `TypeError` of the content for a sync iterator.
        """
        content: Any = self.streaming_content
        aclose: Callable[[], Awaitable[Any]] | None = getattr(content, "aclose", None)
        try:
            try:
                if self.is_async:
                    async for chunk in content:
                        yield chunk
                else:
                    for chunk in content:
                        yield chunk
            finally:
                if aclose is not None:
                    await aclose()
                await self._chunks.aclose()
        except Exception as error:
            await report_failure(error, self._request)
            # Django's handler closes the response only when all of it was sent.
            await in_request_thread(self.close)
            raise

    def close(self) -> None:
        """Close the response, once: its events, soon, and the request."""
        if not self.closed:
            super().close()
