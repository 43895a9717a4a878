"""A template sees what its view wrote, committed or not: both use the request's thread."""

import asyncio

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth.models import Group
from django.db import connection, connections, transaction
from django.http import HttpResponse
from django.test import AsyncClient, Client
from django.urls import path

from atemplates import arender, arender_to_string

SOURCE = "{% for group in groups %}{{ group.name }} {% endfor %}{{ groups.count }}"


def names_seen_elsewhere():
    """What a connection of another thread sees."""
    try:
        return [group.name for group in Group.objects.all()]
    finally:
        connection.close()


async def async_view(request):
    begun = transaction.atomic()
    await sync_to_async(begun.__enter__)()
    try:
        await Group.objects.acreate(name="uncommitted")
        response = await arender(request, "groups.html", {"groups": Group.objects.all()})
        response["Elsewhere"] = await sync_to_async(names_seen_elsewhere, thread_sensitive=False)()
    finally:
        await sync_to_async(transaction.set_rollback)(True)
        await sync_to_async(begun.__exit__)(None, None, None)
    return response


@transaction.atomic
def sync_view(request):
    Group.objects.create(name="uncommitted")
    response = async_to_sync(arender)(request, "groups.html", {"groups": Group.objects.all()})
    transaction.set_rollback(True)
    return response


def sync_string_view(request):
    with transaction.atomic():
        Group.objects.create(name="uncommitted")
        html = async_to_sync(arender_to_string)("groups.html", {"groups": Group.objects.all()})
        transaction.set_rollback(True)
    return HttpResponse(html)


urlpatterns = [
    path("async/", async_view),
    path("sync/", sync_view),
    path("string/", sync_string_view),
]


@pytest.fixture
def site(settings, async_mode):
    settings.ROOT_URLCONF = __name__
    settings.TEMPLATES = [
        {
            "BACKEND": "atemplates.engines.django.DjangoTemplates",
            "OPTIONS": {
                "async_mode": async_mode,
                "loaders": [("django.template.loaders.locmem.Loader", {"groups.html": SOURCE})],
            },
        }
    ]


@pytest.mark.django_db
async def test_the_transaction_of_the_test_is_seen(make_backend):
    await Group.objects.acreate(name="readers")
    template = make_backend().from_string(SOURCE)
    assert await template.render_async({"groups": Group.objects.all()}) == "readers 1"


@pytest.mark.django_db(databases=["default", "other"])
async def test_the_other_database_is_asked_through_using(make_backend):
    await Group.objects.using("other").acreate(name="elsewhere")
    template = make_backend().from_string(SOURCE)
    context = {"groups": Group.objects.using("other")}
    assert await template.render_async(context) == "elsewhere 1"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("site")
class TestUncommitted:
    async def test_in_an_async_view(self):
        response = await AsyncClient().get("/async/")
        assert response.content.decode() == "uncommitted 1"
        assert response["Elsewhere"] == "[]"
        assert await Group.objects.acount() == 0

    @pytest.mark.parametrize("url", ["/sync/", "/string/"])
    async def test_in_a_sync_view_under_asgi(self, url):
        response = await AsyncClient().get(url)
        assert response.content.decode() == "uncommitted 1"
        assert await Group.objects.acount() == 0

    @pytest.mark.parametrize("url", ["/sync/", "/string/"])
    def test_in_a_sync_view_under_wsgi(self, url):
        assert Client().get(url).content.decode() == "uncommitted 1"
        assert Group.objects.count() == 0

    def test_in_an_async_view_under_wsgi(self):
        assert Client().get("/async/").content.decode() == "uncommitted 1"

    def test_on_a_loop_of_its_own(self):
        """As under an ASGI server: no test's thread waits for the sync work."""

        async def page():
            try:
                return await AsyncClient().get("/async/")
            finally:
                await sync_to_async(connections.close_all)()

        response = asyncio.run(page())
        assert response.content.decode() == "uncommitted 1"
        assert response["Elsewhere"] == "[]"


@pytest.mark.django_db(transaction=True)
async def test_a_query_that_fails_leaves_the_connection_usable(make_backend):
    template = make_backend().from_string(SOURCE)
    broken = Group.objects.extra(where=["no_such_column = 1"])
    with pytest.raises(Exception, match="no_such_column"):
        await template.render_async({"groups": broken})
    await Group.objects.acreate(name="after")
    assert await template.render_async({"groups": Group.objects.all()}) == "after 1"
