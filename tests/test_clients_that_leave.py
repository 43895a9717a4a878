"""Many requests through Django's ASGI handler, of which some clients leave in the midst of a page.

Where they leave is drawn by lot, from a seed; when the handler hears of it is up to the machine. What
is asked afterwards holds in any order of events.
"""

import asyncio
import logging
import os
import random
import threading
import time
from concurrent.futures import Future

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.core.handlers.asgi import ASGIHandler
from django.db import connection
from django.urls import path

from atemplates import arender
from tests.engines.conftest import in_memory
from tests.event_loop import PATIENCE, turns
from tests.server import serve

CONNECTIONS = 8
AT_A_TIME = 2 * CONNECTIONS
TEMPLATE = (
    "{% load stopping %}{{ visit.number }}{% for group in groups %} {{ group.name }}{% endfor %}"
    "{{ visit.on_the_loop }}{% around %}{{ visit.with_a_query }}"
    "{% for group in visit.in_the_thread %} {{ group.name }}{% endfor %}"
    "{{ visit.in_the_block }}{% endaround %}{{ visit.at_the_end }}"
)
TEXT = "{} readers loop query readers block end"
POINTS = ["on_the_loop", "with_a_query", "in_the_thread", "in_the_block", "at_the_end"]


class Visit:
    """One request: what its page shows, and the point at which its client leaves, if it does."""

    def __init__(self, number, dice=None):
        self.number = number
        self.leaves_at = dice and dice.choice([None, *POINTS])
        self.turns = dice and dice.randrange(6)
        self.stays_open = dice is not None and dice.random() < 0.5
        """Whether the page then waits for what never comes: it only ends when it is cancelled."""
        self.left = Future()
        """Done when the client is to leave."""
        self.after = None
        """What sync code gave to the view after the page, however that ended."""
        self.never = None

    def give_up(self):
        """Let the page end, so that a failure is a failure and no test that hangs."""
        if self.never is not None:
            self.loop.call_soon_threadsafe(self.never.set)

    def pass_by(self, point):
        if self.leaves_at == point:
            self.left.set_result(None)
        return self.leaves_at == point

    async def wait_at(self, point):
        self.loop, self.never = asyncio.get_running_loop(), asyncio.Event()
        if self.pass_by(point):
            await turns(self.turns)
            if self.stays_open:
                await self.never.wait()

    async def on_the_loop(self):
        await self.wait_at("on_the_loop")
        return " loop"

    async def with_a_query(self):
        await Group.objects.acount()
        await self.wait_at("with_a_query")
        return " query"

    def in_the_thread(self):
        self.pass_by("in_the_thread")
        return Group.objects.order_by("name")

    async def in_the_block(self):
        await self.wait_at("in_the_block")
        return " block"

    def at_the_end(self):
        self.pass_by("at_the_end")
        Group.objects.count()
        return " end"


VISITS = {}


async def page(request, number):
    visit = VISITS[number]
    try:
        groups = Group.objects.order_by("name")
        return await arender(request, "page", {"visit": visit, "groups": groups})
    finally:
        try:
            visit.after = await sync_to_async(lambda: "works")()
        except asyncio.CancelledError:
            visit.after = "works"  # The handler heard of the client after the page was done.
            raise


urlpatterns = [path("<int:number>/", page)]


@pytest.fixture
def site(settings, transactional_db):
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = []
    settings.TEMPLATES = [
        {
            "BACKEND": "atemplates.engines.django.DjangoTemplates",
            "OPTIONS": {
                "loaders": in_memory({"page": TEMPLATE}),
                "libraries": {"stopping": "tests.stopping_tags"},
            },
        }
    ]
    Group.objects.create(name="readers")
    connection.close()
    return ASGIHandler()


class Direct:
    """Visits that call the ASGI handler, without a server in between."""

    def __init__(self, handler):
        self.handler = handler

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exception):
        pass

    async def get(self, visit):
        """Make a visit; return the page's text, or None when there is none."""
        messages = [{"type": "http.request", "body": b""}]
        sent = []

        async def receive():
            if messages:
                return messages.pop()
            await asyncio.wrap_future(visit.left)
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "path": f"/{visit.number}/",
            "query_string": b"",
            "headers": [(b"host", b"localhost")],
        }
        await self.handler(scope, receive, send)
        if not sent:
            return None
        assert sent[0]["status"] == 200
        return b"".join(message["body"] for message in sent[1:]).decode()


class Uvicorn:
    """Visits over a socket that uvicorn serves."""

    def __init__(self, handler):
        self.server = serve(handler)

    async def __aenter__(self):
        address = await asyncio.to_thread(self.server.__enter__)
        self.client = httpx.AsyncClient(base_url=address, trust_env=False, timeout=PATIENCE)
        return self

    async def __aexit__(self, *exception):
        await self.client.aclose()
        await asyncio.to_thread(self.server.__exit__, None, None, None)

    async def get(self, visit):
        """Make a visit; return the page's text, or None when the client left before it came."""
        response = asyncio.ensure_future(self.client.get(f"/{visit.number}/"))
        left = asyncio.wrap_future(visit.left)
        await asyncio.wait({response, left}, return_when="FIRST_COMPLETED")
        if not response.done():
            response.cancel()
            await asyncio.wait({response})
            return None
        assert response.result().status_code == 200
        return response.result().text


async def go(client, visits):
    """Make visits, some at a time; each page that comes is the right one."""
    VISITS.update({visit.number: visit for visit in visits})
    room = asyncio.Semaphore(AT_A_TIME)

    async def make(visit):
        async with room:
            text = await client.get(visit)
        if text is not None or visit.leaves_at is None:
            assert text == TEXT.format(visit.number)

    tasks = [asyncio.ensure_future(make(visit)) for visit in visits]
    _, pending = await asyncio.wait(tasks, timeout=PATIENCE)
    for visit in visits:
        visit.give_up()
    if pending:
        await asyncio.wait(tasks, timeout=PATIENCE)
    assert not pending, f"{len(pending)} visits did not end"
    for task in tasks:
        task.result()


async def until(holds, what):
    """Wait until something holds that a server does on its own."""
    given_up = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < given_up, what()
        await asyncio.sleep(0.01)


async def visit_and_leave(site, way, number, look=lambda: None):
    """Have ``number`` visits, some of which end early; then 50 more, which all get their page."""
    VISITS.clear()
    dice = random.Random(number)
    threads = set(threading.enumerate())

    def still_there():
        """The requests' threads: asgiref makes one for each, and ends it with the request."""
        new = set(threading.enumerate()) - threads
        return [thread for thread in new if thread.name.startswith("ThreadPoolExecutor")]

    async with way(site) as client:
        visits = [Visit(each, dice) for each in range(number)]
        await go(client, visits)
        await until(lambda: not still_there(), still_there)
        assert [each.number for each in visits if each.after != "works"] == []
        look()
        more = [Visit(number + each) for each in range(50)]
        await go(client, more)
        await until(lambda: not still_there(), still_there)
        assert {each.after for each in more} == {"works"}
        look()


@pytest.mark.parametrize("way", [Direct, Uvicorn])
async def test_the_next_requests_are_right(site, way, caplog):
    caplog.set_level(logging.ERROR)
    await visit_and_leave(site, way, 60)
    assert caplog.messages == []


@pytest.fixture
def pool(site, monkeypatch):
    """psycopg's pool with a few connections, none of which anybody holds."""
    connection.close_pool()
    size = {"min_size": CONNECTIONS, "max_size": CONNECTIONS, "timeout": PATIENCE}
    options = {**connection.settings_dict["OPTIONS"], "pool": size}
    # The connections of all threads share these settings.
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", options)
    yield connection.pool
    connection.close()
    connection.close_pool()


@pytest.mark.skipif(os.environ.get("DATABASE_POOL") != "1", reason="DATABASE_POOL=1 is not set")
@pytest.mark.parametrize("way", [Direct, Uvicorn])
async def test_every_connection_is_back_in_the_pool(site, way, pool, caplog):
    caplog.set_level(logging.ERROR)

    def look():
        pool.wait(PATIENCE)
        stats = pool.get_stats()
        assert stats.get("requests_waiting", 0) == 0
        assert stats["pool_size"] == stats["pool_available"] == CONNECTIONS

    await visit_and_leave(site, way, 300, look)
    assert caplog.messages == []
