"""The header ``Server-Timing``: what templates took, shown by a browser's network panel.

Timings reveal what a site does with a request (whether a name exists, say), so only those get them
who may know: everybody where DEBUG is on, and members of staff.
"""

from __future__ import annotations

from collections.abc import Iterable
from time import time
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from .blocks import Trace
from .middleware import TraceMiddleware
from .records import RenderTrace

HEADER = "Server-Timing"
MOST_RENDERS = 10
"""How many renders have an entry of their own: servers and proxies limit the length of headers."""
LONGEST_NAME = 80


class ServerTimingMiddleware(TraceMiddleware):
    """Traces the renders of each request, and adds ``Server-Timing`` for DEBUG and for staff.

    Put it behind ``AuthenticationMiddleware`` in ``MIDDLEWARE``. Of a page that is streamed the
    header has what is known when it leaves.
    """

    def wants(self, request: HttpRequest) -> bool:
        """Whether somebody may see the timings: with DEBUG off, a request with a session."""
        return bool(settings.DEBUG) or (
            settings.SESSION_COOKIE_NAME in request.COOKIES and hasattr(request, "user")
        )

    def traced(self, request: HttpRequest, response: HttpResponseBase, found: Trace) -> None:
        """Add the header, if the user may see it."""
        if found.renders and (settings.DEBUG or is_staff(getattr(request, "user", None))):
            add_timings(response, found.renders)

    async def atraced(self, request: HttpRequest, response: HttpResponseBase, found: Trace) -> None:
        """Do the same on the event loop, where the user is awaited."""
        if not found.renders:
            return
        if settings.DEBUG or is_staff(await request.auser()):
            add_timings(response, found.renders)


def is_staff(user: Any) -> bool:
    """Whether a user is an active member of staff."""
    return bool(getattr(user, "is_active", False) and getattr(user, "is_staff", False))


def add_timings(response: HttpResponseBase, renders: Iterable[RenderTrace]) -> None:
    """Add the header to a response. Caches are told that it is not the same for everybody."""
    value = header_value(list(renders))
    before = response.get(HEADER)
    response[HEADER] = f"{before}, {value}" if before else value
    if not settings.DEBUG:
        patch_vary_headers(response, ("Cookie",))


def header_value(renders: list[RenderTrace]) -> str:
    """Return the metrics: sums of all renders, and the time of each.

    Names are tokens (RFC 9110), durations milliseconds, descriptions quoted strings.
    """
    outermost = [render for render in renders if render.parent not in renders]
    metrics = [metric("templates", sum(map(milliseconds_of, outermost)), counted_renders(renders))]
    for name, records in (
        ("waits", [each for render in renders for each in render.waits]),
        ("queries", [each for render in renders for each in render.queries]),
        ("hops", [each for render in renders for each in render.hops]),
    ):
        if records:
            total = sum(float(each.ms) for each in records)
            metrics.append(metric(name, total, str(len(records))))
    metrics.append(metric("computing", sum(render.computing_ms for render in renders)))
    for number, render in enumerate(renders[:MOST_RENDERS], 1):
        known = render.title if render.is_done else f"{render.title} (goes on)"
        metrics.append(metric(f"render-{number}", milliseconds_of(render), known))
    return ", ".join(metrics)


def counted_renders(renders: list[RenderTrace]) -> str:
    """Say how many renders there were."""
    return f"{len(renders)} render{'' if len(renders) == 1 else 's'}"


def milliseconds_of(render: RenderTrace) -> float:
    """Return the milliseconds of a render; of one that goes on: until now."""
    return (time() - render.start) * 1000 if render.ms is None else render.ms


def metric(name: str, milliseconds: float, description: str = "") -> str:
    """Return one metric; the name has to be a token."""
    said = f";desc={quoted(description)}" if description else ""
    return f"{name};dur={max(milliseconds, 0.0):.2f}{said}"


def quoted(text: str) -> str:
    """Return a text as a quoted string of a header: visible ASCII, its quotes escaped.

    A template's name may be any text; what is not visible ASCII is replaced.
    """
    text = text if len(text) <= LONGEST_NAME else f"...{text[-LONGEST_NAME:]}"
    seen = "".join(each if " " <= each <= "~" else "?" for each in text)
    return '"' + seen.replace("\\", "\\\\").replace('"', '\\"') + '"'
