"""Puts the facts of a page into its footer and into response headers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template import engines
from django.utils.decorators import sync_and_async_middleware

from atemplates import TemplateStream

from .facts import PageFacts, current_facts

# Templates write this comment where the sentence belongs.
PLACEHOLDER = b"<!-- page facts -->"

GetResponse = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


@sync_and_async_middleware
def page_facts(get_response: GetResponse) -> GetResponse:
    """Count what happens between here and the view, and report it."""
    if iscoroutinefunction(get_response):

        async def amiddleware(request: HttpRequest) -> HttpResponseBase:
            token = current_facts.set(facts := PageFacts())
            try:
                return report(facts, request, await get_response(request))
            finally:
                current_facts.reset(token)

        return amiddleware

    def middleware(request: HttpRequest) -> HttpResponseBase:
        token = current_facts.set(facts := PageFacts())
        try:
            return report(facts, request, get_response(request))
        finally:
            current_facts.reset(token)

    return middleware


def report(facts: PageFacts, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Add the facts to a response, and to its page if that has a place for them."""
    if facts.engine and not facts.mode:
        view = getattr(request.resolver_match, "func", None)
        # A sync view, such as the admin's, renders with render() whatever the engine could do.
        facts.mode = engines[facts.engine].async_mode if iscoroutinefunction(view) else "sync"
    if isinstance(response, TemplateStream):
        response.streaming_content = with_sentence(facts, response)
    elif isinstance(response, HttpResponse) and PLACEHOLDER in response.content:
        response.content = response.content.replace(PLACEHOLDER, facts.sentence().encode())
    for name, value in facts.headers().items():
        response[name] = value
    return response


def with_sentence(
    facts: PageFacts, response: TemplateStream
) -> Iterable[bytes] | AsyncIterator[bytes]:
    """Put the facts into a page that is sent while it is rendered, as they are when it gets there.

    A text of a template is in one chunk.
    """
    content = response.streaming_content
    if not response.is_async:
        return (put_sentence(facts, chunk) for chunk in content)

    async def chunks() -> AsyncIterator[bytes]:
        async for chunk in content:
            yield put_sentence(facts, chunk)

    return chunks()


def put_sentence(facts: PageFacts, chunk: bytes) -> bytes:
    """Put the facts into a piece of a page that has a place for them."""
    if PLACEHOLDER not in chunk:
        return chunk
    return chunk.replace(PLACEHOLDER, facts.sentence().encode())
