"""What the tests of streams of events share: templates of both engines, and events by hand."""

import asyncio
import threading
from contextlib import aclosing

import jinja2
import pytest
from django.core.signals import request_finished
from django.db import close_old_connections

from tests.delivery.event_stream import Reader
from tests.engines.conftest import in_memory
from tests.event_loop import PATIENCE

TEMPLATES = {
    "row": "<p>\n{{ name }}\r\n</p>",
    "path": "{{ request.path }} {{ name }}",
    "other": "other {{ name }}",
    "groups": "{% for group in groups %}{{ group.name }} {% endfor %}",
    "fails": "one\n{{ name.boom }}",
}


@pytest.fixture
def engines(settings):
    settings.MIDDLEWARE = []
    settings.TEMPLATES = [
        {
            "BACKEND": "atemplates.engines.django.DjangoTemplates",
            "OPTIONS": {
                "loaders": in_memory(TEMPLATES),
                "context_processors": ["django.template.context_processors.request"],
                "builtins": ["django.templatetags.i18n"],
            },
        },
        {
            "BACKEND": "atemplates.engines.jinja2.Jinja2",
            "OPTIONS": {"loader": jinja2.DictLoader(TEMPLATES)},
        },
        {
            "NAME": "stock",
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {"loaders": in_memory(TEMPLATES)},
        },
    ]


@pytest.fixture(autouse=True)
def connections_stay_open():
    """Have no response close the connections of a test, as Django's test client has it."""
    request_finished.disconnect(close_old_connections)
    yield
    request_finished.connect(close_old_connections)


class Events:
    """An iterable of events that a test gives one by one, from any thread, and watches.

    Attributes:
        asked: how often an event was asked for.
        how: what has ended the iterable, by its name.
    """

    def __init__(self):
        self.begun, self.ended = threading.Event(), threading.Event()
        self.waiting = []
        self.asked = 0
        self.how = None
        self.loop = self.bell = None

    def put(self, *items):
        """Give the next event; an exception is raised, and None ends the stream."""
        self.waiting += items
        if self.bell is not None:
            self.loop.call_soon_threadsafe(self.bell.set)

    async def __aiter__(self):
        self.loop, self.bell = asyncio.get_running_loop(), asyncio.Event()
        self.begun.set()
        try:
            while True:
                self.asked += 1
                while not self.waiting:
                    self.bell.clear()
                    await self.bell.wait()
                item = self.waiting.pop(0)
                if item is None:
                    return
                if isinstance(item, BaseException):
                    raise item
                yield item
        except BaseException as error:
            self.how = type(error).__name__
            raise
        finally:
            await asyncio.sleep(0)  # what is awaited while closing is awaited
            self.ended.set()

    def running(self):
        """Return the tasks of the loop that have to do with streams of events."""
        return [
            task
            for task in asyncio.all_tasks(self.loop)
            if "_make" in repr(task.get_coro()) or "anext" in repr(task.get_coro())
        ]


@pytest.fixture
def feed():
    return Events()


async def messages_of(response, number=None):
    """Read a response until there are ``number`` messages, or to its end; then close it."""
    reader = Reader()
    async with asyncio.timeout(PATIENCE), aclosing(aiter(response)) as content:
        async for chunk in content:
            reader.feed(chunk)
            if number is not None and len(reader.messages) >= number:
                break
    return reader.messages


async def these(*items):
    for item in items:
        yield item


async def until(holds):
    """Wait until something holds that other tasks or threads bring about."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110  # there is nothing to wait for but time
            await asyncio.sleep(0.001)
