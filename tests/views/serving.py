"""A site with a few views, asked through Django's handlers: by WSGI in a thread, by ASGI on a loop."""

from __future__ import annotations

import gzip
import itertools
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType
from typing import Any

import pytest
from asgiref.sync import SyncToAsync
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext

from tests.engines.conftest import in_memory
from tests.engines.loaders import where
from tests.rendering import run_async

LIBRARIES = {"noting": "tests.views.noting_tags"}
token = re.compile(r"\b[A-Za-z0-9]{64}\b")


def template_settings(templates: dict[str, str], **options: Any) -> list[dict[str, Any]]:
    """``TEMPLATES`` with these in memory beside those of the apps."""
    from django.conf import settings

    # Not those of the demo, which name addresses that are not there.
    errors = {f"{status}.html": f"{status} {{{{ exception }}}}" for status in (400, 403, 404, 500)}
    found = in_memory({**errors, **templates})[0][1][0]
    apps = ["django.template.loaders.app_directories.Loader"]
    loaders = [("django.template.loaders.cached.Loader", [found, *apps])]
    return [
        {
            "BACKEND": "atemplates.engines.django.DjangoTemplates",
            "OPTIONS": {
                "loaders": loaders,
                "libraries": LIBRARIES,
                "inline_tags": ["noting"],
                "context_processors": settings.CONTEXT_PROCESSORS,
                **options,
            },
        }
    ]


def site(*patterns: Any, **handlers: Any) -> ModuleType:
    """A urlconf, for ``ROOT_URLCONF``, with these patterns and error handlers."""
    module = ModuleType("a_site_of_a_test")
    vars(module).update(handlers, urlpatterns=list(patterns))
    return module


class Hops:
    """The calls in a thread that asgiref makes, whoever asks for them."""

    here = threading.local()

    def __init__(self) -> None:
        self.made = 0

    @classmethod
    def number(cls) -> int:
        """Which hop is running in this thread; 0: none."""
        return getattr(cls.here, "number", 0)

    @contextmanager
    def counted(self) -> Iterator[Hops]:
        """Count the hops that are made meanwhile."""
        numbers = itertools.count(1)
        stock = SyncToAsync.thread_handler

        def handler(*args: Any, **kwargs: Any) -> Any:
            outer, self.here.number = self.number(), next(numbers)
            self.made += 1
            try:
                return stock(*args, **kwargs)
            finally:
                self.here.number = outer

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(SyncToAsync, "thread_handler", handler)
            yield self


def place() -> tuple[bool, str, int]:
    """Whether a loop runs here, the name of the thread, and the number of the hop."""
    on_loop, thread = where()
    return on_loop, thread.name, Hops.number()


@dataclass
class Answer:
    """What a client got, and what that took."""

    facts: dict[str, Any]
    """Everything that has to be the same."""
    response: Any = field(repr=False)
    queries: list[str] = field(repr=False)
    hops: int = 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Answer) and self.facts == other.facts


def _facts(response: Any) -> dict[str, Any]:
    content, headers = response.content, dict(response.headers)
    headers.pop("Expires", None)
    if "Age" in headers:
        headers["Age"] = "0"  # of a page out of the cache; it depends on the time
    if headers.get("Content-Encoding") == "gzip":  # Django adds a number of random bytes
        content = gzip.decompress(content)
        headers.pop("Content-Length", None)
    return {
        "status": response.status_code,
        "content": token.sub("TOKEN", content.decode()),
        "headers": {name: token.sub("TOKEN", value) for name, value in headers.items()},
        "cookies": sorted(response.cookies),
        "templates": [template.name for template in response.templates],
        "names": getattr(response, "template_name", None),
        "reason": response.reason_phrase,
    }


class Visitor:
    """A client with its cookies; each address is asked with ``raise_request_exception`` off."""

    def __init__(self, *, on_loop: bool, user: str | None = None, **options: Any) -> None:
        kind = AsyncClient if on_loop else Client
        self.on_loop = on_loop
        self.client = kind(raise_request_exception=False, **options)
        if user is not None:
            user_of_name = get_user_model().objects.get(username=user)
            if on_loop:
                run_async(self.client.aforce_login, user_of_name)
            else:
                self.client.force_login(user_of_name)

    def ask(self, path: str = "/page/", method: str = "get", **options: Any) -> Answer:
        """Ask for a page."""
        hops = Hops()
        with CaptureQueriesContext(connection) as captured, hops.counted():
            call = partial(getattr(self.client, method), path, **options)
            response = run_async(call) if self.on_loop else call()
        # PostgreSQL's cursors have names that count.
        queries = [
            re.sub("_django_curs_\\w+", "cursor", q["sql"]) for q in captured.captured_queries
        ]
        return Answer(_facts(response), response, queries, hops.made)
