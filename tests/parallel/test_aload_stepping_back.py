"""Where a load may not leave the request's thread: it is made there when it is needed, and says why."""

import logging
import threading
from contextlib import contextmanager

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.http import HttpResponse
from django.test import AsyncClient, Client
from django.urls import path

from atemplates import aload, arender
from atemplates.parallel.permission import reason_to_stay, replaced_methods
from atemplates.testing import record
from tests.parallel.showing import WAYS, Watching, meeting, show
from tests.testapp.models import Region

# A function may ask any of the databases: all of them have to be free.
pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "other"])

ways = pytest.mark.parametrize("way", WAYS)
SOURCE = "{% for r in load %}{{ r.name }} {% endfor %}"


def reasons(log):
    return [event.reason for event in log if event.kind == "load"]


def stays(way, make, reason, text="World Africa Asia "):
    """Render a page whose load has to stay, and compare it with the page without one."""
    with meeting() as seen, record() as log:
        assert show(way, SOURCE, make) == text
    assert seen.elsewhere == 0
    assert len(seen.queries) == 1
    assert reasons(log) == [reason]


# -- transactions ----------------------------------------------------------------------------------


@ways
@pytest.mark.django_db
def test_in_the_transaction_of_a_test(way, db):
    Region.objects.create(name="World")
    assert show(way, SOURCE, lambda: {"load": aload(Region.objects)}) == "World "


async def async_view(request):
    begun = transaction.atomic()
    await sync_to_async(begun.__enter__)()
    try:
        await Region.objects.acreate(name="uncommitted")
        async with Watching() as seen:
            context = {"load": aload(Region.objects.all()), "count": aload(Region.objects.count)}
            response = await arender(request, "regions.html", context)
        response["Elsewhere"] = seen.elsewhere
    finally:
        await sync_to_async(transaction.set_rollback)(True)
        await sync_to_async(begun.__exit__)(None, None, None)
    return response


def sync_view(request):
    Region.objects.create(name="uncommitted")
    with meeting() as seen:
        context = {"load": aload(Region.objects.all()), "count": aload(Region.objects.count)}
        response = async_to_sync(arender)(request, "regions.html", context)
    response["Elsewhere"] = seen.elsewhere
    response["Atomic"] = str(connection.in_atomic_block)
    return response


def free_view(request):
    with meeting(2) as seen:
        context = {"load": aload(Region.objects.all()), "count": aload(Region.objects.count)}
        response = async_to_sync(arender)(request, "regions.html", context)
    response["Elsewhere"] = seen.elsewhere
    return response


async def free_async_view(request):
    async with Watching(2) as seen:
        context = {"load": aload(Region.objects.all()), "count": aload(Region.objects.count)}
        response = await arender(request, "regions.html", context)
    response["Elsewhere"] = seen.elsewhere
    return response


def text_view(request):
    return HttpResponse("text")


urlpatterns = [
    path("async/", async_view),
    path("sync/", sync_view),
    path("free/", transaction.non_atomic_requests(free_view)),
    path("free-async/", free_async_view),
]


@pytest.fixture
def site(settings):
    settings.ROOT_URLCONF = __name__
    loaders = [("django.template.loaders.locmem.Loader", {"regions.html": SOURCE + "{{ count }}"})]
    settings.TEMPLATES = [
        {
            "BACKEND": "atemplates.engines.django.DjangoTemplates",
            "OPTIONS": {"loaders": loaders},
        }
    ]


@pytest.fixture
def atomic_requests():
    default = connections["default"].settings_dict
    before = default["ATOMIC_REQUESTS"]
    default["ATOMIC_REQUESTS"] = True
    yield
    default["ATOMIC_REQUESTS"] = before


@pytest.mark.usefixtures("site")
class TestInViews:
    async def test_atomic_in_an_async_view(self):
        response = await AsyncClient().get("/async/")
        assert response.content.decode() == "uncommitted 1"
        assert response["Elsewhere"] == "0"
        assert await Region.objects.acount() == 0

    @pytest.mark.usefixtures("atomic_requests")
    def test_atomic_requests_under_wsgi(self):
        response = Client().get("/sync/")
        assert response.content.decode() == "uncommitted 1"
        assert (response["Atomic"], response["Elsewhere"]) == ("True", "0")

    @pytest.mark.usefixtures("atomic_requests")
    async def test_atomic_requests_under_asgi(self):
        response = await AsyncClient().get("/sync/")
        assert response.content.decode() == "uncommitted 1"
        assert (response["Atomic"], response["Elsewhere"]) == ("True", "0")

    def test_without_a_transaction_under_wsgi(self, regions):
        response = Client().get("/free/")
        assert response.content.decode() == "World Africa Asia 3"
        assert response["Elsewhere"] == "2"

    @pytest.mark.parametrize("url", ["/free/", "/free-async/"])
    async def test_without_a_transaction_under_asgi(self, url, transactional_db):
        await Region.objects.acreate(name="World")
        response = await AsyncClient().get(url)
        assert response.content.decode() == "World 1"
        assert response["Elsewhere"] == "2"


@ways
def test_one_that_began_before_the_transaction_goes_on(way, regions):
    with meeting(2) as seen:
        first, second = aload(Region.objects.all()), aload(Region.objects.count)
    with transaction.atomic():
        assert show(way, SOURCE + "{{ n }}", lambda: {"load": first, "n": second}).endswith("3")
    assert seen.elsewhere == 2


# -- the others ------------------------------------------------------------------------------------


@ways
def test_with_autocommit_off(way, regions):
    transaction.set_autocommit(False)
    try:
        Region.objects.create(name="uncommitted")
        stays(
            way,
            lambda: {"load": aload(Region.objects.all())},
            "autocommit is off on 'default', so that a transaction may be open",
            "World Africa Asia uncommitted ",
        )
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)


@pytest.mark.parametrize("make", [lambda qs: qs, lambda qs: qs.first])
def test_select_for_update(make, regions):
    if not connection.features.has_select_for_update:
        pytest.skip("it has none, and ignores it")
    with pytest.raises(transaction.TransactionManagementError):
        async_to_sync(awaited)(lambda: make(Region.objects.select_for_update()))


async def awaited(make):
    return await aload(make())


def test_select_for_update_says_why(regions):
    with record() as log:
        load = aload(Region.objects.select_for_update())
        with transaction.atomic():
            assert show("django-sync", SOURCE, lambda: {"load": load}) == "World Africa Asia "
    assert reasons(log) == [
        "select_for_update() locks rows for the transaction of the request's thread"
    ]


@contextmanager
def database(**settings):
    """A database more, of this thread's."""
    everything = {"default": {}, "more": {"ENGINE": "django.db.backends.sqlite3", **settings}}
    connections.settings["more"] = connections.configure_settings(everything)["more"]
    try:
        yield "more"
    finally:
        connections["more"].close()
        del connections.settings["more"]
        del connections["more"]


@pytest.mark.parametrize("name", [":memory:", "file:m?mode=memory&cache=shared"])
def test_an_sqlite_database_in_memory(name):
    with database(NAME=name) as alias:
        reason = reason_to_stay(alias)
        assert reason == "'more' is an SQLite database in memory"

        with record() as log:
            assert async_to_sync(using_more)(threading.get_ident) == threading.get_ident()
        assert reasons(log) == [reason]


async def using_more(function):
    return await aload(function, using="more")


def test_a_function_asks_any_database_unless_it_says_which(regions):
    """Of each it could see something that is not committed."""
    with transaction.atomic(using="other"), record() as log:
        assert async_to_sync(awaited)(lambda: lambda: Region.objects.count()) == 3
        assert async_to_sync(awaited)(lambda: Region.objects.count) == 3
        assert async_to_sync(on_default)(lambda: Region.objects.count()) == 3
    assert reasons(log) == ["a transaction is open on 'other'", "", ""]


async def on_default(function):
    return await aload(function, using=DEFAULT_DB_ALIAS)


@ways
def test_methods_that_were_replaced(way, regions, monkeypatch):
    assert replaced_methods(connection) == []
    cursor = connections["default"].cursor
    monkeypatch.setattr(connections["default"], "cursor", lambda *args: cursor(*args))
    stays(
        way,
        lambda: {"load": aload(Region.objects.all())},
        "cursor of the connection 'default' was replaced in this thread",
    )


@ways
def test_a_connection_with_settings_of_its_own(way, regions, monkeypatch):
    own = {**connection.settings_dict, "CONN_MAX_AGE": 7}
    monkeypatch.setattr(connections["default"], "settings_dict", own)
    stays(
        way,
        lambda: {"load": aload(Region.objects.all())},
        "the connection 'default' of this thread has settings of its own",
    )


@ways
def test_a_backend_of_another_package(way, regions, monkeypatch):
    monkeypatch.setattr(
        connections["default"], "__class__", type("Wrapper", (type(connections["default"]),), {})
    )
    stays(
        way,
        lambda: {"load": aload(Region.objects.all())},
        f"'default' has a backend that is not Django's own ({__name__}): whether it has a "
        "connection to spare, and what its connections were told, cannot be asked",
    )


def test_a_router_that_fails_fails_where_the_rows_are_needed(regions, settings):
    class Router:
        def db_for_read(self, model, **hints):
            raise ValueError("no database today")

    settings.DATABASE_ROUTERS = [Router()]
    load = aload(Region.objects.all())
    assert show("django-sync", "{% if no %}{{ load }}{% endif %}", lambda: {"load": load}) == ""
    with pytest.raises(ValueError, match="no database today"):
        show("django-sync", SOURCE, lambda: {"load": load})


@ways
def test_where_it_is_not_used_there_is_no_query(way, regions):
    source = "{% if no %}{% for r in load %}{{ r }}{% endfor %}{{ count }}{% endif %}"
    with transaction.atomic(), meeting() as seen, record() as log:
        made = lambda: {"load": aload(Region.objects), "count": aload(Region.objects.count)}  # noqa: E731
        assert show(way, source, made) == ""
    assert seen.queries == []
    assert reasons(log) == []


def test_it_is_noted_in_the_log(regions, caplog):
    with caplog.at_level(logging.DEBUG, "atemplates"), transaction.atomic():
        aload(Region.objects.all())
    assert caplog.messages == [
        "aload(testapp.Region) loads in the request's thread, when it is needed: "
        "a transaction is open on 'default'."
    ]
