"""A template of the Django backend, rendered into a feed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from django.template import TemplateDoesNotExist
from django.template.base import Template
from django.template.context import Context

from ..compiler.cached_loader import has_cached_loader
from ..compiler.mentions import LOADED, load_references, mentions_of, words_of_page
from ..placement.routes import route_of
from ..runtime.drivers import in_request_thread
from ..runtime.tracing import tracing_of
from ..streaming.deferred import DeferredParts
from ..streaming.feed import Feed
from ..streaming.out_of_order import OutOfOrder
from ..streaming.sink import Sink
from ..streaming.stream import TemplateChunks
from .base import discard_awaitables
from .native import NativeRender


def chunks_of(
    template: Template,
    context: Context,
    values: dict[str, Any] | None,
    relations: str | None = None,
    on_missing: Callable[[TemplateDoesNotExist], object] = bool,
    out_of_order: bool = False,
) -> TemplateChunks:
    """Return the chunks of a page.

    Arguments as for `NativeRender`, and:

    Args:
        on_missing: is given the error when a template is missing, to raise another one.
        out_of_order: whether what stands in ``{% defer %}`` follows when it is ready.
    """

    async def render(feed: Feed) -> None:
        try:
            await _render_into(template, context, values, relations, feed)
        except TemplateDoesNotExist as error:
            on_missing(error)
            raise

    order = OutOfOrder() if out_of_order else None
    return TemplateChunks(render, partial(discard_awaitables, values or {}), order)


def only_chunk(
    render: Callable[[], Awaitable[str]], values: dict[str, Any] | None
) -> TemplateChunks:
    """Return a page as its only chunk, where nothing can be sent while it is rendered."""

    async def render_whole(feed: Feed) -> None:
        feed.sink.append(await render())

    return TemplateChunks(render_whole, partial(discard_awaitables, values or {}))


async def _render_into(
    template: Template,
    context: Context,
    values: dict[str, Any] | None,
    relations: str | None,
    feed: Feed,
) -> None:
    render = NativeRender(template, context, values, relations, on_loop=True)
    state = render.state
    state.sending = feed
    tracing = tracing_of(state.told)
    if tracing is not None:
        tracing.sends(feed)
    deferred = DeferredParts(
        feed.part_ready, feed.before_part, out_of_order=feed.out_of_order is not None
    )
    await write_page(render, feed.sink, deferred, feed.send)


PAGE_WORDS = "atemplates_page_words"
"""Where the node list of a template keeps the words of its page. Threads may race for it: they find
the same."""


async def page_words(template: Template) -> frozenset[str] | None:
    """Return all words that the templates of a page mention; None where some are not known."""
    held = template.nodelist.__dict__
    if PAGE_WORDS in held:
        return held[PAGE_WORDS]  # type: ignore[no-any-return]
    engine = template.engine
    is_cached = has_cached_loader(engine)
    if is_cached and LOADED not in held and mentions_of(template).references:
        await in_request_thread(load_references, engine, template)
        held[LOADED] = True
    words = words_of_page(engine, template)
    if is_cached:
        setattr(template.nodelist, PAGE_WORDS, words)
    return words


async def write_parts(render: NativeRender) -> str:
    """Render a page whose deferred parts are rendered at the same time; return its text."""
    sink = Sink()
    await write_page(render, sink, DeferredParts())
    return sink.take()


async def write_page(
    render: NativeRender,
    sink: Sink,
    deferred: DeferredParts,
    on_written: Callable[[], object] = bool,
) -> None:
    """Render a page into a sink, with the parts of it that are rendered beside it.

    Args:
        on_written: is called when nothing but these parts is missing.
    """
    state = render.state
    state.write_to(sink)
    state.deferred = deferred
    try:
        route = route_of(render.template)
        is_awaited = state.sending is not None and state.sending.is_awaited
        begins_in_thread = state.begins_in_thread = not is_awaited and route.begins_in_thread()
        state.lesson = not begins_in_thread and route.is_lesson()
        try:
            sink.append(await state.arun(render.plan(), state))
            if not begins_in_thread:
                route.note(state.went, state.learning)
            on_written()
            await deferred.end()
        finally:
            await deferred.leave()
            if state.shared is not None:
                await state.shared.leave()
    except BaseException as error:
        render.end(error)
        raise
    render.end()
