"""A template of the Django backend, rendered into a feed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from django.template import TemplateDoesNotExist
from django.template.base import Template
from django.template.context import Context

from ..placement.routes import route_of
from ..streaming.feed import Feed
from ..streaming.stream import TemplateChunks
from .base import discard_awaitables
from .native import NativeRender


def chunks_of(
    template: Template,
    context: Context,
    values: dict[str, Any] | None,
    relations: str | None = None,
    on_missing: Callable[[TemplateDoesNotExist], object] = bool,
) -> TemplateChunks:
    """Return the chunks of a page.

    Arguments as for `NativeRender`, and:

    Args:
        on_missing: is given the error when a template is missing, to raise another one.
    """

    async def render(feed: Feed) -> None:
        try:
            await _render(template, context, values, relations, feed)
        except TemplateDoesNotExist as error:
            on_missing(error)
            raise

    return TemplateChunks(render, partial(discard_awaitables, values or {}))


def only_chunk(
    render: Callable[[], Awaitable[str]], values: dict[str, Any] | None
) -> TemplateChunks:
    """Return a page as its only chunk, where nothing can be sent while it is rendered."""

    async def render_whole(feed: Feed) -> None:
        feed.sink.append(await render())

    return TemplateChunks(render_whole, partial(discard_awaitables, values or {}))


async def _render(
    template: Template,
    context: Context,
    values: dict[str, Any] | None,
    relations: str | None,
    feed: Feed,
) -> None:
    render = NativeRender(template, context, values, relations, on_loop=True)
    state = render.state
    state.write_to(feed.sink)
    state.sending = feed
    try:
        route = route_of(template)
        begins_in_thread = state.begins_in_thread = route.begins_in_thread()
        state.lesson = not begins_in_thread and route.is_lesson()
        try:
            feed.sink.append(await state.arun(render.plan(), state))
        finally:
            if state.shared is not None:
                await state.shared.leave()
        if not begins_in_thread:
            route.note(state.went, state.learning)
    except BaseException as error:
        render.end(error)
        raise
    render.end()
