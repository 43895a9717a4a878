"""``atemplates.testing.read_stream``: the content of any response, and what its rest has rendered."""

import asyncio

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpResponse, StreamingHttpResponse
from django.test import AsyncClient, AsyncRequestFactory, Client, SimpleTestCase
from django.test.utils import ContextList
from django.urls import path

from atemplates import astream
from atemplates.testing import read_stream
from tests.engines.conftest import in_memory

TEMPLATES = {
    "page": (
        "<html><head></head><body>{{ shell }}{{ later }}{% include 'late' with x=1 %}"
        "{% defer %}{{ later }}{% include 'part' with y=2 %}{% placeholder %}…{% enddefer %}"
    ),
    "late": "[{{ x }}ü]",
    "part": "({{ y }})",
    "broken": "<html><head></head><body>{{ later }}{% include 'late' with x=1 %}{{ fails }}",
}


async def later():
    await asyncio.sleep(0.01)
    return "later"


def fails():
    raise ValueError("late")


async def page(request, name):
    values = {"shell": "shell", "later": later(), "fails": fails}
    return await astream(request, name, values, out_of_order="in-order" not in request.GET)


async def whole(request):
    return HttpResponse("whole ü")


def sync_stream(request):
    return StreamingHttpResponse(["a", "ü"])


urlpatterns = [path("whole/", whole), path("sync/", sync_stream), path("<str:name>/", page)]


@pytest.fixture
def arf():
    return AsyncRequestFactory()


@pytest.fixture(autouse=True)
def site(settings):
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = []
    settings.TEMPLATES = [
        {
            "BACKEND": "atemplates.engines.django.DjangoTemplates",
            "OPTIONS": {
                "loaders": in_memory(TEMPLATES),
                "builtins": ["atemplates.templatetags.atemplates"],
            },
        }
    ]


def names(response):
    return sorted({template.name for template in response.templates})


@pytest.mark.parametrize("address", ["/page/", "/page/?in-order"])
async def test_what_is_rendered_while_it_is_read_is_known(address):
    response = await AsyncClient().get(address)
    assert names(response) == ["page"]
    text = await read_stream(response)
    for piece in ("shell", "later[1ü]", "later(2)"):
        assert piece in text
    assert names(response) == ["late", "page", "part"]
    case = SimpleTestCase()
    case.assertTemplateUsed(response, "late")
    case.assertTemplateUsed(response, "part")
    case.assertTemplateNotUsed(response, "broken")
    assert isinstance(response.context, ContextList)
    assert (response.context["shell"], response.context["x"], response.context["y"]) == (
        "shell",
        1,
        2,
    )


@pytest.mark.parametrize("address", ["/page/", "/page/?in-order"])
def test_of_the_sync_client_it_is_complete(address):
    response = Client().get(address)
    assert names(response) == ["late", "page", "part"]
    text = async_to_sync(read_stream)(response)
    assert text == "<html><head></head><body>shelllater[1ü]later(2)"
    assert names(response) == ["late", "page", "part"]
    assert response.context["x"] == 1


async def test_responses_that_are_no_templates():
    for address, text in (("/whole/", "whole ü"), ("/sync/", "aü")):
        response = await AsyncClient().get(address)
        assert await read_stream(response) == text
        assert response.templates == []
        assert response.context is None


def test_a_sync_stream_of_the_sync_client():
    assert async_to_sync(read_stream)(Client().get("/sync/")) == "aü"


async def test_a_response_of_a_view_alone(arf):
    response = await page(arf.get("/"), "page")
    assert "later(2)" in await read_stream(response)
    assert names(response) == ["late", "part"]


async def test_an_error_is_raised_and_what_was_rendered_is_known():
    response = await AsyncClient().get("/broken/")
    with pytest.raises(ValueError, match="late"):
        await read_stream(response)
    assert names(response) == ["broken", "late"]


async def test_nobody_listens_afterwards():
    response = await AsyncClient().get("/page/")
    await read_stream(response)
    before = list(response.templates)
    other = await AsyncClient().get("/page/")
    await read_stream(other)
    assert response.templates == before
