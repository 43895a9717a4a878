"""Middleware that traces the renders of each request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from ..runtime.hops import iscoroutinefunction, markcoroutinefunction
from .blocks import Trace, trace

REQUEST_ATTRIBUTE = "atemplates_trace"
"""The attribute of a request that holds the `Trace` of its renders."""


class TraceMiddleware:
    """Traces the renders of each request: ``request.atemplates_trace`` is their `Trace`.

    It is there for views and for middleware that stands before this one, when the response comes
    back. A page that is streamed goes on after that, and so does its trace. Sync and async.

    A subclass may decide with `wants` which requests are traced, and do something with what was
    found in `traced` or `atraced`.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        """Answer a request; a coroutine where what stands behind is one."""
        if self.is_async:
            return self.acall(request)
        if not self.wants(request):
            return self.get_response(request)
        with trace() as found:
            setattr(request, REQUEST_ATTRIBUTE, found)
            response = self.get_response(request)
        self.traced(request, response, found)
        return response

    async def acall(self, request: HttpRequest) -> Any:
        """Answer a request on the event loop."""
        if not self.wants(request):
            return await self.get_response(request)
        with trace() as found:
            setattr(request, REQUEST_ATTRIBUTE, found)
            response = await self.get_response(request)
        await self.atraced(request, response, found)
        return response

    def wants(self, request: HttpRequest) -> bool:
        """Whether a request is traced. It may not query: it is called on the event loop, too."""
        return True

    def traced(self, request: HttpRequest, response: HttpResponseBase, found: Trace) -> None:
        """Do something with what was found, before the response goes on to other middleware."""

    async def atraced(self, request: HttpRequest, response: HttpResponseBase, found: Trace) -> None:
        """Do the same on the event loop."""
        self.traced(request, response, found)
