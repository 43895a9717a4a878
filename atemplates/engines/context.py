"""Contexts whose context processors may be coroutine functions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any

from django.http import HttpRequest
from django.template.base import Template
from django.template.context import Context, make_context
from django.template.context import RequestContext as StockRequestContext

from ..compiler.templates import OUR_BINDINGS
from ..runtime.drivers import wait_for
from ..runtime.types import is_awaitable


class RequestContext(StockRequestContext):
    """Django's ``RequestContext``, except that async context processors are awaited."""

    _processors: tuple[Any, ...]
    _processors_index: int

    @contextmanager
    def bind_template(self, template: Template) -> Iterator[None]:
        """Bind as Django does: run every processor, in order, in the thread that renders."""
        if self.template is not None:
            raise RuntimeError("Context is already bound to a template")
        self.template = template
        updates: dict[str, Any] = {}
        for processor in (*template.engine.template_context_processors, *self._processors):
            result = processor(self.request)
            if is_awaitable(result):
                result = wait_for(result)
            merge_processor_result(updates, processor, result)
        self.dicts[self._processors_index] = updates
        try:
            yield
        finally:
            self.template = None
            self.dicts[self._processors_index] = {}


OUR_BINDINGS.add(RequestContext.bind_template)


def merge_processor_result(updates: dict[str, Any], processor: Any, result: Any) -> None:
    """Merge what a context processor returned into ``updates``.

    Raises:
        TypeError: the result is not a dictionary (with Django's own message).
    """
    try:
        updates.update(result)
    except TypeError as error:
        name = getattr(processor, "__qualname__", repr(processor))
        raise TypeError(f"Context processor {name} didn't return a dictionary.") from error


def build_context(
    context: dict[str, Any] | None, request: HttpRequest | None, *, autoescape: bool
) -> Context:
    """Make the context of one render, as ``django.template.context.make_context`` does.

    What a template sets (``{% url ... as name %}``) stays out of ``context``, with a request
    and without; Django's own writes into it when there is no request.

    Raises:
        TypeError: ``context`` is neither a dict nor None.
    """
    if not (context is None or isinstance(context, dict)):
        return make_context(context, request, autoescape=autoescape)  # raises, with Django's words
    if request is None:
        own = context.copy() if type(context) is dict else copy(context)
        return Context(own, autoescape=autoescape)
    made = RequestContext(request, autoescape=autoescape)
    if context:
        made.push(context)
    return made
