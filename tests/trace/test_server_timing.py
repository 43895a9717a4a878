"""The middleware, and the header ``Server-Timing``: who gets it, and what it says."""

import re

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import render
from django.test import AsyncClient, Client
from django.urls import path

from atemplates import arender, astream
from atemplates.trace.records import RenderTrace
from atemplates.trace.server_timing import header_value

TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
METRIC = re.compile(rf'{TOKEN};dur=\d+\.\d\d(;desc="([^"\\]|\\.)*")?')


async def async_page(request):
    return await arender(request, "page.html", {"x": 1})


def sync_page(request):
    return render(request, "page.html", {"x": 1})


async def streamed(request):
    return await astream(request, "page.html", {"x": 1})


def no_template(request):
    return HttpResponse("plain")


SEEN = []


def traced_page(request):
    SEEN.append(request.atemplates_trace)
    return render(request, "page.html", {"x": 1})


urlpatterns = [
    path("async/", async_page),
    path("sync/", sync_page),
    path("stream/", streamed),
    path("none/", no_template),
    path("traced/", traced_page),
]


@pytest.fixture(autouse=True)
def site(sites, settings):
    sites({"page.html": "<p>{{ x }}</p>"})
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "atemplates.trace.server_timing.ServerTimingMiddleware",
    ]


async def answer(client, address):
    found = client.get(address)
    return await found if isinstance(client, AsyncClient) else found


def metrics(response):
    header = response["Server-Timing"]
    parts = re.split(r", (?=[a-z])", header)
    assert all(METRIC.fullmatch(part) for part in parts), header
    return [part.partition(";")[0] for part in parts]


@pytest.mark.parametrize("address", ["/async/", "/sync/", "/stream/"])
@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_everybody_sees_it_where_debug_is_on(settings, kind, address):
    from tests.rendering import run_async

    settings.DEBUG = True
    client = kind()
    response = run_async(client.get, address) if kind is AsyncClient else client.get(address)
    found = metrics(response)
    assert found[0] == "templates"
    assert "computing" in found
    assert found[-1] == "render-1"
    assert 'desc="page.html' in response["Server-Timing"]
    assert "Cookie" not in response.get("Vary", "")


@pytest.mark.django_db(databases=["default", "other"])
@pytest.mark.parametrize("address", ["/async/", "/sync/"])
def test_without_debug_only_staff_sees_it(address):
    assert "Server-Timing" not in Client().get(address)
    user = User.objects.create_user("someone", password="x")
    staff = User.objects.create_user("staff", password="x", is_staff=True)
    for who, sees in ((user, False), (staff, True)):
        client = Client()
        client.force_login(who)
        response = client.get(address)
        assert ("Server-Timing" in response) is sees
        if sees:
            assert "render-1" in metrics(response)
            assert "Cookie" in response["Vary"]


@pytest.mark.django_db(transaction=True, databases=["default", "other"])
async def test_staff_sees_it_under_asgi():
    staff = await User.objects.acreate(username="staff", is_staff=True)
    client = AsyncClient()
    await client.aforce_login(staff)
    response = await client.get("/async/")
    assert "render-1" in metrics(response)
    assert "Server-Timing" not in await AsyncClient().get("/async/")


def test_a_visitor_without_a_session_costs_nothing(django_assert_num_queries, db):
    with django_assert_num_queries(0):
        response = Client().get("/sync/")
    assert "Vary" not in response


def test_an_answer_without_a_template_has_none(settings):
    settings.DEBUG = True
    assert "Server-Timing" not in Client().get("/none/")


def test_the_request_has_its_trace(settings):
    settings.MIDDLEWARE = ["atemplates.trace.middleware.TraceMiddleware"]
    SEEN.clear()
    Client().get("/traced/")
    (found,) = SEEN
    assert [each.name for each in found] == ["page.html"]


def test_what_is_there_already_is_kept(settings):
    from atemplates.trace.server_timing import add_timings

    response = HttpResponse()
    response["Server-Timing"] = "db;dur=5"
    add_timings(response, [a_render("x.html")])
    assert response["Server-Timing"].startswith("db;dur=5, templates;dur=")


def a_render(name):
    made = RenderTrace(name, "", "django", "", "async", True, 0.0)
    made.ms = 1.5
    return made


@pytest.mark.parametrize(
    "name", ['a"b\\c.html', "ä\r\nSet-Cookie: x=1", "\x00", "n" * 500, "a, b;c"]
)
def test_any_name_of_a_template_is_a_legal_header(name):
    value = header_value([a_render(name)])
    assert HttpResponse(headers={"Server-Timing": value})["Server-Timing"] == value
    assert value.isascii()
    last = re.split(r", (?=render-)", value)[-1]
    assert METRIC.fullmatch(last), last
    assert len(value) < 400


def test_many_renders_have_an_end():
    value = header_value([a_render(f"{n}.html") for n in range(100)])
    assert 'desc="100 renders"' in value
    assert "render-10;" in value
    assert "render-11;" not in value
