"""What the engines know about every request."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from .facts import note_engine


def rendered_by_django(request: HttpRequest) -> dict[str, Any]:
    """Note for the footer that a Django template renders the page."""
    note_engine("django")
    return {}


def rendered_by_stock(request: HttpRequest) -> dict[str, Any]:
    """Note for the footer that Django's own engine renders the page."""
    note_engine("stock", "thread")
    return {}


def rendered_by_parallel(request: HttpRequest) -> dict[str, Any]:
    """Note for the footer that the engine renders the page whose queries begin together."""
    note_engine("parallel", "native")
    return {}


def rendered_by_jinja2(request: HttpRequest) -> dict[str, Any]:
    """Note for the footer that a Jinja2 template renders the page."""
    note_engine("jinja2")
    return {}


async def reader(request: HttpRequest) -> dict[str, Any]:
    """Whoever is signed in, as ``user``, loaded without blocking the event loop."""
    return {"user": await request.auser()}
