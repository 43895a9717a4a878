"""Error handlers for ``handler404`` and its siblings, sync for Django and awaitable for async code.

Django calls these handlers from a thread, where they are its own. Awaited on the event loop they
render the same template with the same context there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseForbidden,
    HttpResponseNotFound,
    HttpResponseServerError,
)
from django.template import TemplateDoesNotExist
from django.views import defaults as stock
from django.views.decorators.csrf import requires_csrf_token

from ..runtime.drivers import in_request_thread
from ..runtime.hybrid import call_hybrid
from ..shortcuts import arender_to_string


def _handler(in_thread: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a handler that calls Django's in a thread, and is awaited on the event loop."""

    def decorate(on_loop: Callable[..., Any]) -> Callable[..., Any]:
        with_token = requires_csrf_token(on_loop)

        async def respond(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if settings.CSRF_USE_SESSIONS and hasattr(request, "session"):
                # The decorator reads the session where it runs.
                await in_request_thread(request.session.has_key, "")
            try:
                return await with_token(request, *args, **kwargs)  # type: ignore[no-any-return]
            except TemplateDoesNotExist:
                # Django's page for a site without that template, or the error that it raises.
                return await in_request_thread(in_thread, request, *args, **kwargs)

        @wraps(on_loop)
        def handler(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            return call_hybrid(in_thread, respond, describe, request, *args, **kwargs)

        def describe() -> str:
            return (
                f"{on_loop.__name__}() was called on the event loop, where it has to be awaited. "
                f"Write `await {on_loop.__name__}(request, ...)`."
            )

        return handler

    return decorate


@_handler(stock.page_not_found)
async def page_not_found(
    request: HttpRequest,
    exception: Exception,
    template_name: str = stock.ERROR_404_TEMPLATE_NAME,
) -> HttpResponse:
    """Respond with 404 and the page ``404.html``, which gets ``request_path`` and ``exception``.

    ``exception`` is the message it was raised with, or the name of its class.
    """
    message = exception.args[0] if getattr(exception, "args", ()) else None
    context = {
        "request_path": quote(request.path),
        "exception": message if isinstance(message, str) else type(exception).__name__,
    }
    return HttpResponseNotFound(await arender_to_string(template_name, context, request))


@_handler(stock.server_error)
async def server_error(
    request: HttpRequest, template_name: str = stock.ERROR_500_TEMPLATE_NAME
) -> HttpResponse:
    """Respond with 500 and the page ``500.html``, which gets no context and no request."""
    return HttpResponseServerError(await arender_to_string(template_name))


@_handler(stock.bad_request)
async def bad_request(
    request: HttpRequest,
    exception: Exception,
    template_name: str = stock.ERROR_400_TEMPLATE_NAME,
) -> HttpResponse:
    """Respond with 400 and the page ``400.html``, which gets nothing of the exception."""
    return HttpResponseBadRequest(await arender_to_string(template_name, None, request))


@_handler(stock.permission_denied)
async def permission_denied(
    request: HttpRequest,
    exception: Exception,
    template_name: str = stock.ERROR_403_TEMPLATE_NAME,
) -> HttpResponse:
    """Respond with 403 and the page ``403.html``, which gets ``exception``, its message."""
    context = {"exception": str(exception)}
    return HttpResponseForbidden(await arender_to_string(template_name, context, request))
