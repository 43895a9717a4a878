"""Ask a view through Django's handlers, WSGI or ASGI, and say all that came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from asgiref.sync import async_to_sync
from django.db import connection, transaction
from django.test import AsyncClient, Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import path

from .site import Asked


@dataclass
class Outcome:
    """What a request gave; the order of the fields is that of what a difference is told by."""

    error: str = ""
    status: int = 0
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    queries: list[str] = field(default_factory=list)


def ask(view: Callable[..., Any], asked: Asked, *, asgi: bool) -> Outcome:
    """Make a request of a view and take back what it changed in the database."""
    urls = type("Urls", (), {"urlpatterns": [path("page/", view, asked.kwargs)]})
    with override_settings(ROOT_URLCONF=urls), transaction.atomic():
        outcome = Outcome()
        with CaptureQueriesContext(connection) as captured:
            try:
                response = send(asked, asgi=asgi)
            except Exception as error:
                outcome.error = f"{type(error).__name__}: {error}"
            else:
                outcome.status = response.status_code
                outcome.content = response.content
                outcome.headers = dict(response.items())
                for context in response.context or ():
                    outcome.keys |= (
                        {*context.flatten()} if hasattr(context, "flatten") else {*context}
                    )
        outcome.queries = [each["sql"] for each in captured.captured_queries]
        transaction.set_rollback(True)
    return outcome


def send(asked: Asked, *, asgi: bool) -> Any:
    if asgi:
        return async_to_sync(getattr(AsyncClient(), asked.method))("/page/", asked.data)
    return getattr(Client(), asked.method)("/page/", asked.data)


def without_savepoints(queries: list[str]) -> list[str]:
    """Queries without savepoints, whose names hold the thread."""
    return [each for each in queries if "SAVEPOINT" not in each]
