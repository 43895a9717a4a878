"""``astream``: the shortcut that answers with a page which is sent while it is rendered."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import copy_context
from functools import partial
from inspect import isawaitable
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest

from ..runtime.hops import thread_of_task
from ..shortcuts import aget_template, arender_loaded, aselect_template
from .guarded import begin_rendering
from .header_values import (
    load_messages,
    mentions,
    messages_hold_shell,
    nonces_of,
    prepare_request,
)
from .late_writes import guard_request
from .response import TemplateStream


async def astream(
    request: HttpRequest | None,
    template_name: str | list[str] | tuple[str, ...],
    context: Mapping[str, Any] | None = None,
    content_type: str | None = None,
    status: int | None = None,
    using: str | None = None,
    *,
    out_of_order: bool = True,
) -> TemplateStream:
    """Render a template to a response whose first bytes leave before slow data is there.

    What is written so far leaves whenever the template has to wait. Before this returns, the shell
    of the page is rendered: up to the first wait behind its ``<head>``, the first ``{% flush %}``
    or the first ``{% defer %}``. An error until there is the view's own, and gets Django's error
    page; a later one cuts the response.

    The page is complete before the response is made for those that ``complete_for`` of
    ``OPTIONS["stream"]`` names, under WSGI, and for templates of a backend that cannot stream.
    For ``HEAD`` no more than its shell is rendered.

    Args:
        request: the current request; context processors receive it.
        template_name: a template's name, or a list of names of which the first found is used.
        context: the template's variables, never changed. Awaitables in it begin together, and each
            is awaited where the template comes to it.
        content_type: the response's MIME type, by default ``text/html``.
        status: the response's status code, by default 200.
        using: the alias of the engine to load with; by default every engine is tried in turn.
        out_of_order: whether what stands in ``{% defer %}`` follows when it is ready, with its
            placeholder in its place until then. False: the page is sent in its order.

    Raises:
        TemplateDoesNotExist: with the whole chain of what each engine tried.
        TypeError: when ``template_name`` is neither a string nor a list of strings.
        Exception: what the template raises in its shell.
    """
    template: Any
    if isinstance(template_name, (list, tuple)):
        template = await aselect_template(template_name, using=using)
    else:
        template = await aget_template(template_name, using=using)
    stream_async = getattr(template, "stream_async", None)
    if stream_async is None or await _is_complete(template, request):
        text = await arender_loaded(template, context, request)
        return TemplateStream([text], request, content_type=content_type, status=status)
    page_words = getattr(template, "page_words", None)
    words = None if page_words is None else await page_words()
    await load_messages(request, words)
    chunks = stream_async(context, request, out_of_order=out_of_order)
    if request is not None:
        prepare_request(request, words)
        if out_of_order and mentions(words, DEFER_WORDS):
            nonce_of(request)
        chunks.context = copy_context()
        chunks.context.run(begin_rendering, request)
        chunks.feed.has_left = False
        chunks.feed.is_held = partial(messages_hold_shell, request, words)
        if chunks.out_of_order is not None:
            chunks.out_of_order.nonce = partial(nonce_of, request)
    await chunks.shell()
    if request is not None and not chunks.feed.has_ended:
        if request.method == "HEAD":  # nobody is sent the rest
            await chunks.aclose()
            return TemplateStream([], request, content_type=content_type, status=status)
        guard_request(request)
    return TemplateStream(chunks, request, content_type=content_type, status=status)


DEFER_WORDS = frozenset({"enddefer"})
"""What a template mentions whose parts may need a script to get to their places."""


def nonce_of(request: HttpRequest) -> str | None:
    """Return the nonce that scripts of a request's page need, made if it has not been; None where
    they need none."""
    return next((str(nonce) for nonce in nonces_of(request)), None)


async def _is_complete(template: Any, request: HttpRequest | None) -> bool:
    if is_under_wsgi(request):
        return True
    asked = template.backend.complete_for(request)
    return bool(await asked if isawaitable(asked) else asked)


def is_under_wsgi(request: HttpRequest | None) -> bool:
    """Whether the loop ends with the view: nothing can be rendered after that."""
    return isinstance(request, WSGIRequest) and thread_of_task() is not None
