"""A page that is sent piece by piece, behind each of Django's middlewares and others, and what the test
clients see of it."""

import asyncio
import threading

import httpx
import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_finished
from django.db import close_old_connections
from django.urls import path
from django.views.decorators.cache import cache_page
from django.views.decorators.gzip import gzip_page

from atemplates import astream
from tests.engines.conftest import in_memory
from tests.event_loop import PATIENCE
from tests.server import serve

SECONDS = 10
HEAD = "<html><head></head><body>"
TEMPLATES = {
    "page": HEAD + "{{ title }}{{ slow }}</body></html>",
    "late": HEAD + "{{ slow }}{% include 'part' %}",
    "part": "part of {{ title }}",
    "thread": HEAD + "{{ in_thread }}!",
    "rows": HEAD + "{% for group in groups %}{{ group.name }}{{ in_thread }}{% endfor %}!",
    "head": "<html><head>{% for group in groups %}{{ group.name }}{% endfor %}</head>{{ in_thread }}!",
    "defer": HEAD
    + "{% load atemplates %}{% defer %}{{ in_thread }}{% placeholder %}wait{% enddefer %}!",
}
WHOLE = HEAD + "titleslow</body></html>"


class Gate:
    """Data that a page waits for until the test lets it go on, on the loop or in the thread."""

    def __init__(self):
        self.open = threading.Event()

    async def on_loop(self):
        return await asyncio.to_thread(self.in_thread)

    def in_thread(self):
        assert self.open.wait(SECONDS), "nothing has left that the test could read"
        return "slow"


async def page(request, name="page"):
    page.gate.request = request
    context = {
        "title": "title",
        "slow": page.gate.on_loop(),
        "in_thread": page.gate.in_thread,
        "groups": Group.objects.order_by("name"),
    }
    return await astream(request, name, context, using=page.using)


urlpatterns = [
    path("", page),
    path("cached/", cache_page(60)(page)),
    path("gzip/", gzip_page(page)),
    path("<name>/", page),
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]


@pytest.fixture
def site(settings):
    """Install the site; return what takes a list of middlewares."""
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = MIDDLEWARE
    settings.TEMPLATES = [
        {
            "BACKEND": "atemplates.engines.django.DjangoTemplates",
            "OPTIONS": {"loaders": in_memory(TEMPLATES)},
        }
    ]
    page.gate, page.using = Gate(), None
    cache.clear()

    def behind(*middleware):
        settings.MIDDLEWARE = middleware

    yield behind
    page.gate.open.set()
    cache.clear()


async def in_pieces(response):
    """Read a response: the first piece, which is there while the page waits, and all others."""
    chunks = aiter(response)
    assert not page.gate.open.is_set()
    first = await anext(chunks)
    page.gate.open.set()
    return first, b"".join([chunk async for chunk in chunks])


async def assert_sent(response):
    first, rest = await in_pieces(response)
    assert first.decode() == HEAD + "title"
    assert (first + rest).decode() == WHOLE


# -- over a socket ---------------------------------------------------------------------------------


@pytest.fixture
def connections_are_closed(connections_stay_open):
    """Each response closes the connections of its thread, as on any server."""
    request_finished.connect(close_old_connections)
    yield
    request_finished.disconnect(close_old_connections)


@pytest.mark.parametrize("name", ["page", "thread", "rows", "head", "defer"])
@pytest.mark.django_db(transaction=True)
def test_headers_leave_while_the_page_waits(site, connections_are_closed, name):
    """Middleware is called in the request's thread, where the data of some pages comes from."""
    Group.objects.create(name="readers")
    with (
        serve(ASGIHandler()) as address,
        httpx.Client(base_url=address, trust_env=False, timeout=PATIENCE) as client,
    ):
        for _ in range(3):  # what a page has learned of its code may change where that runs
            page.gate.open.clear()
            with client.stream("GET", f"/{name}/") as response:
                assert response.status_code == 200
                assert response.headers["X-Frame-Options"] == "DENY"
                pieces = response.iter_text()
                text = next(pieces)
                assert text.startswith("<html><head>")
                assert not page.gate.open.is_set()
                page.gate.open.set()
                text += "".join(pieces)
            assert "slow" in text
            assert "readers" in text or name not in ("rows", "head")
