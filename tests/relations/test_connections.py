"""Everything runs in the request's thread, transaction and database."""

import threading

import pytest
from asgiref.sync import async_to_sync
from django.db import connection, connections, transaction
from django.http import HttpResponse
from django.test import AsyncClient, Client
from django.urls import path

from atemplates import arender, arender_to_string
from tests.testapp.models import Animal, Food, Note, Place, Region, Species

from .pages import WAYS, compare, render

pytestmark = pytest.mark.django_db(databases=["default", "other"])


def loop(body):
    return f"{{% for r in rows %}}{body};{{% endfor %}}"


# -- using and two databases -----------------------------------------------------------------------


def fill(database):
    """Animals that are in a database with all that hangs on them, under names of its own."""
    region = Region.objects.using(database).create(pk=1001, name=f"{database} region")
    home = Place.objects.using(database).create(pk=1001, name=f"{database} home", region=region)
    kind = Species.everything.using(database).create(pk=1001, name=f"{database} kind")
    mother = Animal.objects.using(database).create(pk=1001, name="M", species=kind, home=home)
    food = Food.objects.using(database).create(code="x", name=f"{database} food")
    for number in range(3):
        animal = Animal(pk=1002 + number, name=f"{number}", story="once")
        animal.species, animal.home, animal.mother = kind, home, mother
        animal.save(using=database)
        animal.foods.add(food)
        if database == "default":  # a generic key's content type is that of this database
            Note.objects.create(about=animal, text=f"{database} note")


@pytest.fixture
def both(db):
    """The same keys in both databases, with different rows behind them."""
    fill("default")
    fill("other")


BODIES = {
    "forward": "{{ r.home.name }}{{ r.home.region.name }}",
    "reverse": "{% for c in r.children.all %}{{ c.name }}{{ c.home.name }}{% endfor %}",
    "many-to-many": "{% for f in r.foods.all %}{{ f.name }}{% endfor %}{{ r.foods.count }}",
    "count": "{{ r.foods.count }}{{ r.children.count }}{{ r.children.exists }}",
    "first": "{{ r.foods.first.name }}",
    "code": "{{ r }}{{ r.label }}{{ r.region_name }}",
}


@pytest.mark.parametrize("database", ["default", "other"])
@pytest.mark.parametrize("name", BODIES)
def test_using(both, name, database):
    pages = compare(loop(BODIES[name]), lambda: {"rows": Animal.objects.using(database)})
    assert ("other" in pages.text) is (database == "other" and name != "count")


@pytest.mark.parametrize("name", BODIES)
def test_rows_of_two_databases_in_one_list(both, name):
    def make():
        rows = [*Animal.objects.using("default"), *Animal.objects.using("other")]
        return {"rows": rows[::2] + rows[1::2]}

    text = compare(loop(BODIES[name]), make).text
    if name != "count":
        assert "default" in text
        assert "other" in text


@pytest.mark.parametrize("database", ["default", "other"])
def test_deferred_fields_come_from_their_own_database(both, database):
    Animal.objects.using("other").update(story="elsewhere")

    def make():
        return {"rows": Animal.objects.using(database).only("name")}

    pages = compare(loop("{{ r.story }}{{ r.home.name }}"), make)
    assert ("elsewhere" in pages.text) is (database == "other")


class Replica:
    """Reads of some models go to another database, wherever the instance is from."""

    def __init__(self, *labels):
        self.labels = labels

    def db_for_read(self, model, **hints):
        return "other" if model._meta.label in self.labels else None

    def allow_relation(self, first, second, **hints):
        return True


@pytest.mark.parametrize(
    "labels", [("testapp.Place",), ("testapp.Food", "testapp.Animal_foods"), ("testapp.Animal",)]
)
@pytest.mark.parametrize("name", BODIES)
def test_a_router_decides_where_a_relation_is_read(both, name, labels, settings):
    Place.objects.using("other").update(name="replica")
    settings.DATABASE_ROUTERS = [Replica(*labels)]
    rows = [*Animal.objects.using("default"), *Animal.objects.using("other")]
    keys = [row.pk for row in rows]

    def make():
        first = Animal.objects.using("default").filter(pk__in=keys)
        return {"rows": [*first, *Animal.objects.using("other").filter(pk__in=keys)]}

    pages = compare(loop(BODIES[name]), make)
    if name == "forward" and "testapp.Place" in labels:
        assert "home" not in pages.text


class ByRow:
    """The router chooses by the row that a query starts from."""

    def db_for_read(self, model, **hints):
        instance = hints.get("instance")
        if type(instance) is Animal and model is not Animal:
            return "other" if instance.name in ("0", "2") else "default"
        return None

    def allow_relation(self, first, second, **hints):
        return True


@pytest.mark.parametrize("name", BODIES)
def test_a_router_that_chooses_by_the_row(both, name, settings):
    rows = [*Animal.objects.using("default")]
    settings.DATABASE_ROUTERS = [ByRow()]
    keys = [row.pk for row in rows]
    pages = compare(
        loop(BODIES[name]),
        lambda: {"rows": [*Animal.objects.using("default").filter(pk__in=keys)]},
    )
    if name == "forward":
        assert "other home" in pages.text
        assert "default home" in pages.text


# -- the thread and the transaction ----------------------------------------------------------------


@pytest.mark.parametrize("policy", ["batch", "fetch"])
def test_every_load_runs_in_the_requests_thread(zoo, policy):
    source = loop(
        "{{ r.home.name }}{{ r.foods.count }}{% for c in r.children.all %}{{ c.name }}{% endfor %}"
        "{{ r.label }}{{ r.foods.first }}"
    )
    threads = set()

    def note(execute, sql, params, many, context):
        threads.add(threading.get_ident())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        run = render(source, {"rows": Animal.objects.all()}, "async", policy)
    assert run.result()
    # Sync work of this loop comes to the thread that waits for it: the test's.
    assert threads == {threading.get_ident()}


SOURCE = loop(
    "{{ r.name }} at {{ r.home.name }} eats {{ r.foods.count }}: {{ r.foods.all|join:', ' }}"
)


def make_rows():
    kind = Species.everything.create(name="kind")
    home = Place.objects.create(name="uncommitted home")
    food = Food.objects.create(code="u", name="uncommitted food")
    for number in range(2):
        Animal.objects.create(name=f"a{number}", species=kind, home=home).foods.add(food)


def sync_view(request):
    make_rows()
    response = async_to_sync(arender)(request, "rows.html", {"rows": Animal.objects.all()})
    response["Atomic"] = str(connection.in_atomic_block)
    return response


def failing_view(request):
    make_rows()
    html = async_to_sync(arender_to_string)("rows.html", {"rows": Animal.objects.all()})
    assert "uncommitted" in html
    raise ValueError("after the page")


def page_view(request):
    with transaction.atomic():
        make_rows()
        html = async_to_sync(arender_to_string)("rows.html", {"rows": Animal.objects.all()})
        transaction.set_rollback(True)
    return HttpResponse(html)


urlpatterns = [
    path("sync/", sync_view),
    path("failing/", failing_view),
    path("page/", page_view),
]
EXPECTED = "".join(f"a{n} at uncommitted home eats 1: uncommitted food;" for n in range(2))


@pytest.fixture
def site(settings):
    settings.ROOT_URLCONF = __name__
    loaders = [("django.template.loaders.locmem.Loader", {"rows.html": SOURCE})]
    settings.TEMPLATES = [
        {
            "BACKEND": "atemplates.engines.django.DjangoTemplates",
            "OPTIONS": {"loaders": loaders},
        }
    ]
    # What ATOMIC_REQUESTS in a site's DATABASES gives; the handler reads it from here.
    default = connections["default"].settings_dict
    before = default["ATOMIC_REQUESTS"]
    default["ATOMIC_REQUESTS"] = True
    yield
    default["ATOMIC_REQUESTS"] = before


@pytest.mark.django_db(transaction=True, databases=["default", "other"])
@pytest.mark.usefixtures("site")
class TestAtomicRequests:
    def test_under_wsgi(self):
        response = Client().get("/sync/")
        assert response.content.decode() == EXPECTED
        assert response["Atomic"] == "True"
        assert Animal.objects.count() == 2

    def test_a_view_that_fails_leaves_nothing(self):
        with pytest.raises(ValueError, match="after the page"):
            Client().get("/failing/")
        assert not Animal.objects.exists()

    @pytest.mark.parametrize("url", ["/sync/", "/page/"])
    async def test_under_asgi(self, url):
        response = await AsyncClient().get(url)
        assert response.content.decode() == EXPECTED
        assert await Animal.objects.acount() == (2 if url == "/sync/" else 0)


@pytest.mark.parametrize("way", WAYS)
def test_the_transaction_of_the_test_is_seen_by_every_load(zoo, way):
    with transaction.atomic():
        Place.objects.update(name="changed")
        run = render(loop("{{ r.home.name }}"), {"rows": Animal.objects.all()}, way)
        transaction.set_rollback(True)
    assert "changed" in run.result()
    again = render(loop("{{ r.home.name }}"), {"rows": Animal.objects.all()}, way)
    assert "changed" not in again.result()
