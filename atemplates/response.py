"""``TemplateResponse`` and ``SimpleTemplateResponse`` of Django with an async ``render()``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from django.template import response as stock

from .runtime.drivers import in_request_thread, on_event_loop, wait_for
from .runtime.hops import iscoroutinefunction
from .runtime.types import is_awaitable
from .shortcuts import aget_template, arender_loaded, aselect_template

Callback = Callable[[Any], Any]
"""Called with the rendered response; what it returns takes the response's place, unless it is None.
It may be a coroutine function."""


class SimpleTemplateResponse(stock.SimpleTemplateResponse):
    """Django's response of the same name, which renders where it is asked to.

    Where an event loop is running, `render` is a coroutine function: Django's handler awaits it,
    and the template is loaded and rendered on the loop. Elsewhere (under WSGI, in a test of a sync
    view) it renders in its thread, as Django's does. Arguments, attributes, pickling and
    ``ContentNotRenderedError`` are Django's.

    What a subclass overrides may be sync, and is then called in the request's thread;
    ``resolve_template`` and ``resolve_context`` may be coroutine functions as well.
    """

    template_name: Any
    context_data: Any
    using: str | None
    _request: Any
    _post_render_callbacks: list[Callback]
    _is_rendered: bool
    _lock: asyncio.Lock | None = None
    """Held by the first of several renders at the same time."""

    rendering_attrs: list[str] = [*stock.SimpleTemplateResponse.rendering_attrs, "_lock"]

    @property
    def rendered_content(self) -> Any:
        """Render the template from sync code, without making it the response's content.

        Raises:
            RenderBlocked: something needs I/O and a loop is running in this thread.
        """
        template = _value(self.resolve_template(self.template_name))
        context = _value(self.resolve_context(self.context_data))
        return template.render(context, self._request)

    @property
    def render(self) -> Callable[[], Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """What renders the content, once, and calls the callbacks.

        ``response.render()`` in a thread, ``await response.render()`` on the event loop. Both give
        the response, or what a callback has put in its place.
        """
        return self._arender if on_event_loop() else self._render_in_thread

    def _render_in_thread(self) -> Any:
        response: Any = self
        if not self._is_rendered:
            self.content = self.rendered_content
            for callback in self._post_render_callbacks:
                response = _next(_value(callback(response)), response)
        return response

    async def _arender(self) -> Any:
        if self._is_rendered:
            return self
        if self._lock is None:
            self._lock = asyncio.Lock()
        async with self._lock:
            if self._is_rendered:
                return self
            self.content = await self._arendered_content()
        self._lock = None
        return await _acall_in_turn(self._post_render_callbacks, self)

    async def _arendered_content(self) -> Any:
        kind = type(self)
        if kind.rendered_content is not SimpleTemplateResponse.rendered_content:
            return await in_request_thread(getattr, self, "rendered_content")
        name = self.template_name
        if kind.resolve_template is not stock.SimpleTemplateResponse.resolve_template:
            template = await _acall(self.resolve_template, name)
        elif isinstance(name, (list, tuple)):
            template = await aselect_template(name, using=self.using)
        elif isinstance(name, str):
            template = await aget_template(name, using=self.using)
        else:
            template = name
        context: Any = self.context_data
        if kind.resolve_context is not stock.SimpleTemplateResponse.resolve_context:
            context = await _acall(self.resolve_context, context)
        return await arender_loaded(template, context, self._request)

    def add_post_render_callback(self, callback: Callback) -> Any:
        """Have ``callback`` called when the response is rendered, or now if it is.

        Args:
            callback: called with the response. Sync ones run in the request's thread when the
                response is rendered on the event loop.

        Returns:
            Where the response is rendered and ``callback`` is a coroutine function: on a running
            event loop a task, which can be awaited; elsewhere it has ended. Otherwise None.
        """
        if not (self._is_rendered and iscoroutinefunction(callback)):
            super().add_post_render_callback(callback)
        elif on_event_loop():
            return asyncio.ensure_future(callback(self))
        else:
            wait_for(callback(self))
        return None


class TemplateResponse(SimpleTemplateResponse, stock.TemplateResponse):
    """`SimpleTemplateResponse` that knows the request, for context processors.

    A subclass of ``django.template.response.TemplateResponse`` with the same arguments.
    """

    rendering_attrs = [*SimpleTemplateResponse.rendering_attrs, "_request"]


def _value(result: Any) -> Any:
    """What sync code gets of a method or callback that may be a coroutine function."""
    return wait_for(result) if is_awaitable(result) else result


def _next(result: Any, response: Any) -> Any:
    return response if result is None else result


async def _acall(function: Callable[..., Any], *args: Any) -> Any:
    """Await a coroutine function; call another one in the request's thread."""
    if iscoroutinefunction(function):
        return await function(*args)
    return await in_request_thread(function, *args)


async def _acall_in_turn(callbacks: list[Callback], response: Any) -> Any:
    """Call the callbacks one after the other; sync ones in a row take one hop."""
    waiting = list(callbacks)
    while waiting:
        if iscoroutinefunction(waiting[0]):
            response = _next(await waiting.pop(0)(response), response)
        else:
            response = await in_request_thread(_call_sync, waiting, response)
    return response


def _call_sync(waiting: list[Callback], response: Any) -> Any:
    while waiting and not iscoroutinefunction(waiting[0]):
        response = _next(_value(waiting.pop(0)(response)), response)
    return response
