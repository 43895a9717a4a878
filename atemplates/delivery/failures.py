"""An error in a page whose first bytes have left: told to those who need to know."""

from __future__ import annotations

import logging
from html import escape
from traceback import format_exception
from typing import Any

from django.conf import settings
from django.core.signals import got_request_exception
from django.http import HttpRequest

from ..errors import Location
from ..placement.guard import COMPILED
from ..runtime.drivers import in_request_thread

request_logger = logging.getLogger("django.request")
"""Where Django logs the errors of a request, and mails them from."""
JINJA2_NAMES = frozenset({"__jinja_template__", "__jinja_exception__"})
"""What tells the globals of a frame of a Jinja2 template: as it runs, and as its environment puts
it into a traceback."""


def place_of_error(error: BaseException) -> Location | None:
    """Return the template and the line that an exception was raised in, as far as it is known."""
    located = getattr(error, "location", None)
    if isinstance(located, Location):
        return located
    debug: Any = getattr(error, "template_debug", None)
    if isinstance(debug, dict) and debug.get("name"):
        return Location(str(debug["name"]), debug.get("line"))
    found = None
    trace = error.__traceback__
    while trace is not None:
        scope = trace.tb_frame.f_globals
        is_compiled = str(scope.get("__name__", "")).startswith(COMPILED)
        if is_compiled or not JINJA2_NAMES.isdisjoint(scope):
            found = Location(trace.tb_frame.f_code.co_filename, trace.tb_lineno)
        trace = trace.tb_next
    return found


async def report_failure(error: Exception, request: HttpRequest | None) -> None:
    """Log an error as Django logs one of a view, and send `got_request_exception`.

    The receivers of the signal may do any I/O: they are called in the request's thread.
    """
    place = place_of_error(error)
    request_logger.error(
        "The response was cut, an error after its first bytes: %s%s",
        getattr(request, "path", "?"),
        "" if place is None else f" (in {place})",
        exc_info=error,
        extra={"status_code": 500, "request": request},
    )
    await in_request_thread(got_request_exception.send, sender=None, request=request)


def shown_failure(error: Exception) -> str | None:
    """Return an error as HTML for the end of the page it is in; None without DEBUG."""
    if not settings.DEBUG:
        return None
    place = place_of_error(error)
    where = "" if place is None else f"<p>In {escape(str(place))}.</p>"
    trace = escape("".join(format_exception(error)))
    return (
        "\n<!-- --></script></style></textarea></title></select></table>"
        '<section style="all:initial;display:block;padding:1em;background:#fee;color:#600;'
        'font:14px/1.4 sans-serif;white-space:normal">'
        f"<h1>{escape(type(error).__name__)}: {escape(str(error))}</h1>{where}"
        "<p>The rest of this page could not be rendered. Its first part had left already, so the "
        "response is cut here.</p>"
        f'<pre style="white-space:pre-wrap">{trace}</pre></section>\n'
    )
