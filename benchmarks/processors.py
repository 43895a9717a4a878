"""Context processors of a site's own."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def shop(request: HttpRequest) -> dict[str, Any]:
    """Give what stands on every page."""
    return {"shop": "The <Shop>", "debug": settings.DEBUG, "language": settings.LANGUAGE_CODE}


def menu(request: HttpRequest) -> dict[str, Any]:
    """Give the menu, with what is open in it."""
    names = ("home", "articles", "account", "about")
    return {"menu": [{"name": name, "open": name in request.path} for name in names]}


def basket(request: HttpRequest) -> dict[str, Any]:
    """Read a cookie."""
    found = request.COOKIES.get("basket", "")
    return {"basket": found.split(",") if found else [], "is_ajax": "ajax" in request.GET}
