"""Async views through ``arender`` over a real socket: uvicorn, ASGI, and back."""

import asyncio
import socket
import threading

import httpx
import jinja2
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.core.handlers.asgi import ASGIHandler
from django.db import transaction
from django.urls import path

from atemplates import arender
from tests.engines.conftest import ASYNC_MODES, in_memory
from tests.event_loop import PATIENCE
from tests.server import serve

TEMPLATE = "{{ request.path }} {{ later }}{% for group in groups %} {{ group.name }}{% endfor %}"
"""The same in both template languages."""


async def give(value):
    await asyncio.sleep(0)
    return value


async def page(request, using):
    context = {
        "later": give(request.GET.get("n", "awaited")),
        "groups": Group.objects.order_by("name"),
    }
    return await arender(request, "page", context, using=using)


async def uncommitted(request):
    """Write, render, and take back: the page has to see the row all the same."""
    begun = transaction.atomic()
    await sync_to_async(begun.__enter__)()
    try:
        await Group.objects.acreate(name="uncommitted")
        return await page(request, "django")
    finally:
        await sync_to_async(transaction.set_rollback)(True)
        await sync_to_async(begun.__exit__)(None, None, None)


class Slow:
    """A page whose awaitables never come, and what happened to them."""

    def __init__(self):
        self.started, self.ended = threading.Event(), threading.Event()
        self.left = None

    async def __call__(self, request):
        try:
            context = {"later": self.forever(), "groups": self.forever()}
            return await arender(request, "page", context)
        finally:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            self.left = [task for task in others if "forever" in repr(task)]
            self.ended.set()

    async def forever(self):
        self.started.set()
        await asyncio.Event().wait()


async def slow(request):
    return await slow.view(request)


urlpatterns = [
    path("django/", page, {"using": "django"}),
    path("jinja2/", page, {"using": "jinja2"}),
    path("uncommitted/", uncommitted),
    path("slow/", slow),
]


def visitor(client, address):
    """Return a client that waits for as long as a busy machine takes."""
    return client(base_url=address, trust_env=False, timeout=PATIENCE)


@pytest.fixture(params=ASYNC_MODES)
def site(request, settings, transactional_db):
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = []
    processor = "django.template.context_processors.request"
    settings.TEMPLATES = [
        {
            "BACKEND": "atemplates.engines.django.DjangoTemplates",
            "OPTIONS": {
                "async_mode": request.param,
                "loaders": in_memory({"page": TEMPLATE}),
                "context_processors": [processor],
            },
        },
        {
            "BACKEND": "atemplates.engines.jinja2.Jinja2",
            "OPTIONS": {"loader": jinja2.DictLoader({"page": TEMPLATE})},
        },
    ]
    Group.objects.create(name="readers")
    with serve(ASGIHandler()) as address, visitor(httpx.Client, address) as client:
        yield client


@pytest.mark.parametrize("engine", ["django", "jinja2"])
def test_a_page(site, engine):
    response = site.get(f"/{engine}/")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.text == f"/{engine}/ awaited readers"


def test_the_views_transaction_is_seen(site):
    assert site.get("/uncommitted/").text == "/uncommitted/ awaited readers uncommitted"
    assert site.get("/django/").text == "/django/ awaited readers"


async def test_many_pages_at_the_same_time_do_not_mix(site):
    async with visitor(httpx.AsyncClient, site.base_url) as client:
        paths = [(f"/{engine}/", n) for n in range(20) for engine in ("django", "jinja2")]
        responses = await asyncio.gather(*(client.get(path, params={"n": n}) for path, n in paths))
    assert [each.text for each in responses] == [f"{path} {n} readers" for path, n in paths]


def test_a_client_that_goes_away_leaves_nothing_running(site):
    slow.view = Slow()
    address = (site.base_url.host, site.base_url.port)
    with socket.create_connection(address) as connection:
        connection.sendall(b"GET /slow/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert slow.view.started.wait(PATIENCE)
    assert slow.view.ended.wait(PATIENCE), "the render went on after the client had gone"
    assert slow.view.left == []
    assert site.get("/django/").status_code == 200
