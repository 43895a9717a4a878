"""A page that is sent piece by piece, behind each of Django's middlewares and others, and what the test
clients see of it."""

import asyncio
import gc
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import django
import httpx
import jinja2
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished
from django.db import close_old_connections
from django.http import HttpResponse
from django.test import AsyncClient, Client, RequestFactory, SimpleTestCase
from django.urls import path
from django.utils import text as django_text
from django.utils import translation
from django.utils.decorators import async_only_middleware, sync_only_middleware
from django.views.decorators.cache import cache_page
from django.views.decorators.gzip import gzip_page

from atemplates import astream
from atemplates.errors import LateWrite
from tests.engines.conftest import in_memory
from tests.event_loop import PATIENCE, turns
from tests.server import serve

SECONDS = 10
HEAD = "<html><head></head><body>"
TEMPLATES = {
    "page": HEAD + "{{ title }}{{ slow }}</body></html>",
    "late": HEAD + "{{ slow }}{% include 'part' %}",
    "language": HEAD
    + "{% load i18n %}{% get_current_language as l %}{{ l }} {{ slow }} "
    + "{% get_current_language as l %}{{ l }}",
    "part": "part of {{ title }}",
    "thread": HEAD + "{{ in_thread }}!",
    "rows": HEAD + "{% for group in groups %}{{ group.name }}{{ in_thread }}{% endfor %}!",
    "head": "<html><head>{% for group in groups %}{{ group.name }}{% endfor %}</head>{{ in_thread }}!",
    "defer": HEAD
    + "{% load atemplates %}{% defer %}{{ in_thread }}{% placeholder %}wait{% enddefer %}!",
}
JINJA2_TEMPLATES = {
    name: source.replace("in_thread }}", "in_thread() }}")
    for name, source in TEMPLATES.items()
    if "{% load" not in source
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
        },
        {
            "BACKEND": "atemplates.engines.jinja2.Jinja2",
            "OPTIONS": {"loader": jinja2.DictLoader(JINJA2_TEMPLATES)},
        },
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


# -- one by one ------------------------------------------------------------------------------------


async def test_behind_all_of_djangos(site, db):
    response = await AsyncClient().get("/")
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["Content-Language"] == "en"
    assert not response.has_header("Content-Length")
    await assert_sent(response)


SENDS_PIECES = django.VERSION < (6,) or "flush" in django_text.acompress_sequence.__code__.co_names
"""Whether Django's compression keeps nothing back: that of 6.0 waits for much text."""


@pytest.mark.parametrize("path", ["/", "/gzip/"])
async def test_gzip(site, path):
    """What the page waits with can be read: each piece is compressed by itself."""
    if not SENDS_PIECES:
        page.gate.open.set()
    site(*["django.middleware.gzip.GZipMiddleware"] * (path == "/"))
    response = await AsyncClient().get(path, headers={"Accept-Encoding": "gzip"})
    assert response.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in response.headers["Vary"]
    unzip = zlib.decompressobj(31)
    text = b""
    async for piece in response:
        text += unzip.decompress(piece)
        if unzip.eof:  # Django 5.2 compresses each piece as a file of its own
            unzip = zlib.decompressobj(31)
        if text.decode() == HEAD + "title":
            page.gate.open.set()
    assert text.decode() == WHOLE


async def test_gzip_that_is_not_accepted(site):
    site("django.middleware.gzip.GZipMiddleware")
    response = await AsyncClient().get("/")
    assert not response.has_header("Content-Encoding")
    await assert_sent(response)


async def test_conditional_get_makes_no_etag(site):
    site("django.middleware.http.ConditionalGetMiddleware")
    response = await AsyncClient().get("/", headers={"If-None-Match": "*"})
    assert response.status_code == 200
    assert not response.has_header("ETag")
    await assert_sent(response)


def page_tasks():
    return [task for task in asyncio.all_tasks() if "_run" in repr(task.get_coro())]


async def nothing_runs():
    """Wait until nothing is left of a page whose response nobody holds."""
    page.gate.request = None
    await sync_to_async(int)()  # the thread of the requests remembers its last call
    await turns(3)
    gc.collect()
    await turns(20)
    assert page_tasks() == []


async def test_a_page_that_the_client_has(site, settings):
    """Its response is thrown away, and with it what was to be rendered."""
    site("django.middleware.http.ConditionalGetMiddleware", f"{__name__}.with_etag")
    response = await AsyncClient().get("/", headers={"If-None-Match": '"a"'})
    assert response.status_code == 304
    await nothing_runs()


@async_only_middleware
def with_etag(get_response):
    async def middleware(request):
        response = await get_response(request)
        assert page_tasks()
        response.headers["ETag"] = '"a"'
        return response

    return middleware


async def test_a_head_request(site):
    response = await AsyncClient().head("/")
    assert response.status_code == 200
    del response
    await nothing_runs()


async def test_a_slash_that_is_missing(site):
    response = await AsyncClient().get("/gzip")
    assert response.status_code == 301
    assert response.url == "/gzip/"


@pytest.mark.parametrize("way", ["view", "site"])
async def test_a_cache_keeps_no_page_that_is_sent(site, way):
    """Whether it is the view's or the site's: each request renders the page."""
    site(
        *["django.middleware.cache.UpdateCacheMiddleware"] * (way == "site"),
        *["django.middleware.cache.FetchFromCacheMiddleware"] * (way == "site"),
    )
    for _ in range(2):
        page.gate.open.clear()
        response = await AsyncClient().get("/cached/" if way == "view" else "/")
        await assert_sent(response)


async def test_https(site, settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 10
    site("django.middleware.security.SecurityMiddleware")
    assert (await AsyncClient().get("/")).status_code == 301
    response = await AsyncClient().get("/", secure=True)
    assert response.headers["Strict-Transport-Security"] == "max-age=10"
    await assert_sent(response)


async def test_the_language_of_the_request(site):
    """Also in what is rendered when middleware has left that language."""
    site("django.middleware.locale.LocaleMiddleware", f"{__name__}.in_french")
    response = await AsyncClient().get("/language/", headers={"Accept-Language": "de"})
    assert response.headers["Content-Language"] == "de"
    assert "Accept-Language" in response.headers["Vary"]
    first, rest = await in_pieces(response)
    assert first.decode() == HEAD + "de "
    assert rest.decode() == "slow de"


@async_only_middleware
def in_french(get_response):
    async def middleware(request):
        response = await get_response(request)
        with translation.override("fr"):
            await turns(3)
        return response

    return middleware


async def test_the_session_cookie(site, db, settings):
    settings.SESSION_SAVE_EVERY_REQUEST = True
    site("django.contrib.sessions.middleware.SessionMiddleware", f"{__name__}.with_session")
    response = await AsyncClient().get("/")
    assert settings.SESSION_COOKIE_NAME in response.cookies
    await assert_sent(response)


@async_only_middleware
def with_session(get_response):
    async def middleware(request):
        await request.session.aset("known", 1)
        response = await get_response(request)
        await request.session.aset("later", 2)
        return response

    return middleware


# -- middleware of others --------------------------------------------------------------------------


@sync_only_middleware
def sync_middleware(get_response):
    """Has the view run for a thread that waits for it."""

    def middleware(request):
        response = get_response(request)
        response.headers["X-Sync"] = "yes"
        response.set_cookie("sync", "yes")
        return response

    return middleware


@async_only_middleware
def shouting(get_response):
    """Changes each piece of the content."""

    async def middleware(request):
        response = await get_response(request)
        content = response.streaming_content

        async def shouted():
            async for piece in content:
                yield piece.upper()

        response.streaming_content = shouted()
        return response

    return middleware


@async_only_middleware
def whole(get_response):
    """Needs all of the content, and answers with another response."""

    async def middleware(request):
        response = await get_response(request)
        page.gate.open.set()
        text = b"".join([piece async for piece in response])
        return HttpResponse(text.upper())

    return middleware


@async_only_middleware
def telling(get_response):
    """Reads all of the content before it sets a header."""

    async def middleware(request):
        response = await get_response(request)
        page.gate.open.set()
        text = b"".join([piece async for piece in response])
        response.headers["X-Length"] = str(len(text))

    return middleware


async def test_a_sync_middleware(site):
    site(f"{__name__}.sync_middleware")
    response = await AsyncClient().get("/")
    assert response.headers["X-Sync"] == "yes"
    assert response.cookies["sync"].value == "yes"
    await assert_sent(response)


async def test_a_middleware_that_changes_each_piece(site):
    site(f"{__name__}.shouting")
    first, rest = await in_pieces(await AsyncClient().get("/"))
    assert first.decode() == (HEAD + "title").upper()
    assert (first + rest).decode() == WHOLE.upper()


async def test_a_middleware_that_needs_all(site):
    site(f"{__name__}.whole")
    response = await AsyncClient().get("/")
    assert response.content.decode() == WHOLE.upper()


async def test_a_header_that_is_set_when_the_content_is_read(site):
    site(f"{__name__}.telling")
    with pytest.raises(LateWrite, match="X-Length"):
        await AsyncClient().get("/")


# -- the test clients ------------------------------------------------------------------------------


async def test_the_async_client(site):
    site()
    response = await AsyncClient().get("/")
    assert response.streaming
    assert response.is_async
    assert response.context["title"] == "title"
    assert [template.name for template in response.templates] == ["page"]
    SimpleTestCase().assertTemplateUsed(response, "page")
    await assert_sent(response)


def test_the_sync_client_gets_the_page_whole(site):
    """It answers as WSGI does, whose loop ends with the view."""
    site()
    page.gate.open.set()
    response = Client().get("/late/")
    assert response.context["title"] == "title"
    SimpleTestCase().assertTemplateUsed(response, "late")
    SimpleTestCase().assertTemplateUsed(response, "part")
    assert response.getvalue().decode() == HEAD + "slowpart of title"


def test_under_wsgi(site, db):
    page.gate.open.set()
    environ = RequestFactory().get("/").environ
    started = []
    content = WSGIHandler()(environ, lambda *args: started.append(args))
    assert b"".join(content).decode() == WHOLE
    content.close()
    ((status, headers),) = started
    assert status == "200 OK"
    assert ("X-Frame-Options", "DENY") in headers


# -- over a socket ---------------------------------------------------------------------------------


@pytest.fixture
def connections_are_closed(connections_stay_open):
    """Each response closes the connections of its thread, as on any server."""
    request_finished.connect(close_old_connections)
    yield
    request_finished.disconnect(close_old_connections)


@pytest.mark.parametrize("way", ["django", "jinja2", "sync middleware"])
@pytest.mark.parametrize("name", ["page", "thread", "rows", "head", "defer"])
@pytest.mark.django_db(transaction=True)
def test_headers_leave_while_the_page_waits(site, connections_are_closed, name, way):
    """Middleware is called in the request's thread, where the data of some pages comes from.

    A sync middleware has the view run for a thread that waits for it, and ends before the page.
    """
    Group.objects.create(name="readers")
    if way == "jinja2":
        if name not in JINJA2_TEMPLATES:
            pytest.skip("a tag of Django templates")
        page.using = "jinja2"
    if way == "sync middleware":
        site(*MIDDLEWARE, f"{__name__}.sync_middleware")
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


# -- django-debug-toolbar --------------------------------------------------------------------------


@pytest.mark.processes
def test_the_debug_toolbar(tmp_path):
    """It leaves a streamed page as it is, and shows itself in one that is whole."""
    pytest.importorskip("debug_toolbar")
    done = subprocess.run(
        [sys.executable, "-m", "tests.delivery.toolbar_site", str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]
