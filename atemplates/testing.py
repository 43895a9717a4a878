"""For the tests of a site: what its templates load, rendering under another policy, and streams."""

from __future__ import annotations

from copy import copy
from typing import Any

from .relations.events import Event
from .relations.observed_block import ObservedBlock
from .relations.policy import (
    LazyAccessError,
    LazyAccessWarning,
    relations,
    reset_warnings,
)
from .runtime.drivers import in_request_thread

__all__ = [
    "Event",
    "LazyAccessError",
    "LazyAccessWarning",
    "Log",
    "read_stream",
    "record",
    "relations",
    "reset_warnings",
]


class Log(list[Event]):
    """The events of the renders inside a `record` block, in order."""

    @property
    def lazy(self) -> list[Event]:
        """The events that the view could have spared: relations, deferred fields, counts."""
        return [event for event in self if event.is_lazy]

    def __str__(self) -> str:
        return "\n".join(map(str, self)) or "nothing was loaded"


class record(ObservedBlock[Log]):
    """Record the events of every render inside the block; for ``with`` and ``async with``.

    Renders in other tasks and threads count when they were begun from inside the block.
    """

    def __init__(self) -> None:
        self.log = Log()
        super().__init__(self.log, self.log.append)


async def read_stream(response: Any) -> str:
    """Read the content of a response that a test client gave, streamed or not.

    What is rendered meanwhile is added to ``response.templates`` and ``response.context``, so that
    ``assertTemplateUsed`` finds it. A stream is read once.

    Args:
        response: what Django's ``AsyncClient`` or ``Client`` returned, or a view.

    Raises:
        Exception: what the page has raised after its first bytes.
    """
    # django.test is for tests, and this module is imported by the plugin of any project.
    from django.test.signals import template_rendered
    from django.test.utils import ContextList

    templates: list[Any] = []
    contexts: list[Any] = []

    def note(template: Any, context: Any, **kwargs: Any) -> None:
        templates.append(template)
        contexts.append(copy(context))

    template_rendered.connect(note)
    try:
        content = await _content_of(response)
    finally:
        template_rendered.disconnect(note)
        known = getattr(response, "context", None)
        if known is not None:
            contexts[:0] = known if isinstance(known, ContextList) else [known]
        response.templates = [*getattr(response, "templates", ()), *templates]
        response.context = (
            ContextList(contexts) if len(contexts) > 1 else next(iter(contexts), None)
        )
    return content.decode(response.charset)


async def _content_of(response: Any) -> bytes:
    if not response.streaming:
        content: bytes = response.content
        return content
    if response.is_async:
        return b"".join([part async for part in response])
    return await in_request_thread(lambda: b"".join(response))
