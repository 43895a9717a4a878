"""One page, shown by every engine from a thread and from the event loop; and queries that meet."""

import threading
from contextlib import ExitStack, contextmanager

import jinja2
from asgiref.sync import sync_to_async
from django.db import connection

from atemplates.engines.django import DjangoTemplates
from atemplates.engines.jinja2 import Jinja2
from tests.rendering import run_async

SOON = 15.0
"""Seconds after which a test gives up waiting for what never comes; one that passes never waits."""

WAYS = ("django-sync", "django-async", "django-stream", "jinja2-sync", "jinja2-async")


def environment(**options):
    return jinja2.Environment(**options)


def template(way, source):
    if way.startswith("django"):
        params = {"NAME": "django", "DIRS": [], "APP_DIRS": False, "OPTIONS": {}}
        return DjangoTemplates(params).from_string(source)
    options = {"environment": f"{__name__}.environment"}
    params = {"NAME": "jinja2", "DIRS": [], "APP_DIRS": False, "OPTIONS": options}
    return Jinja2(params).from_string(source)


def show(way, source, make):
    """Render a page whose context is made where its view would run."""
    page = template(way, source)
    if way.endswith("sync") and not way.endswith("-async"):
        return page.render(make())

    async def view():
        if way.endswith("stream"):
            return "".join([chunk async for chunk in page.stream_async(make())])
        return await page.render_async(make())

    return run_async(view)


class Meeting:
    """Sees queries; each waits until as many others are under way."""

    def __init__(self, number=1):
        self.barrier = threading.Barrier(number)
        self.queries = []
        self.threads = []

    def __call__(self, execute, sql, params, many, context):
        self.queries.append(sql)
        self.threads.append(threading.current_thread())
        self.barrier.wait(SOON)
        return execute(sql, params, many, context)

    @property
    def elsewhere(self):
        """How many queries were made by workers."""
        return sum(thread.name.startswith("atemplates-load") for thread in self.threads)


@contextmanager
def meeting(number=1):
    """Let queries meet that this thread's connection makes, or a worker in its place."""
    seen = Meeting(number)
    with connection.execute_wrapper(seen):
        yield seen


class Watching:
    """The same for a task, whose connection is that of its request's thread."""

    def __init__(self, number=1):
        self.number = number
        self.stack = ExitStack()

    async def __aenter__(self):
        return await sync_to_async(self.stack.enter_context)(meeting(self.number))

    async def __aexit__(self, *details):
        await sync_to_async(self.stack.close)()
