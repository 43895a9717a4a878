"""What goes wrong in the database, in a router or in a model: the original error, and no traces."""

from contextlib import contextmanager

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Func
from django.template import TemplateSyntaxError

from tests.testapp.models import Animal, Food, Place, Species

from .pages import WAYS, compare, render

pytestmark = [
    pytest.mark.django_db(databases=["default", "other"]),
    pytest.mark.usefixtures("zoo"),
]


def loop(body):
    return f"one\n{{% for r in rows %}}\n{body};{{% endfor %}}"


@contextmanager
def savepoint():
    """PostgreSQL goes on with a transaction after an error only from a savepoint."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@contextmanager
def refusing(table, after=0):
    """The database refuses what is asked of a table, from some query on."""
    left = [after]

    def refuse(execute, sql, params, many, context):
        if f'FROM "{table}"' in sql:
            left[0] -= 1
            if left[0] < 0:
                return execute("SELECT no_such_column FROM testapp_animal", (), many, context)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        yield


def line_of(error):
    """The template's line in the traceback."""
    trace, lines = error.__traceback__, []
    while trace is not None:
        if trace.tb_frame.f_code.co_name == "template":
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    return lines


# -- the database ----------------------------------------------------------------------------------


QUERYSETS = {
    "for": "{% for x in qs %}{% endfor %}",
    "if": "{% if qs %}{% endif %}",
    "length": "{{ qs|length }}",
    "count": "{{ qs.count }}",
    "first": "{{ qs.first }}",
    "index": "{{ qs.0 }}",
    "slice": "{% for x in qs|slice:':2' %}{% endfor %}",
    "iterator": "{% for x in qs.iterator %}{% endfor %}",
    "in": "{{ qs|join:'' }}",
    "output": "{{ qs }}",
    "with": "{% with a=qs %}{{ a|length }}{% endwith %}",
    "regroup": "{% regroup qs by name as g %}{{ g|length }}",
    "include": "{% include 'part' %}",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", QUERYSETS)
def test_a_bad_sql_function(name, way):
    def make():
        return {"qs": Animal.objects.filter(pk=Func(F("weight"), function="no_such_function"))}

    source = "one\ntwo\n" + QUERYSETS[name]
    others = {"part": "{% for x in qs %}{% endfor %}"}
    with savepoint():
        stock = render(source, make, others=others, debug=True)
    values = make()
    with savepoint():
        run = render(source, values, way, others=others, debug=True)
    assert isinstance(stock.error, DatabaseError)
    assert type(run.error) is type(stock.error)
    assert str(run.error) == str(stock.error)
    assert run.error.template_debug["line"] == stock.error.template_debug["line"]
    assert 3 in line_of(run.error)
    assert values["qs"]._result_cache is None
    assert Animal.objects.count() == 7


RELATIONS = {
    "forward": ("{{ r.home.name }}", "testapp_place", Animal.objects),
    "beyond": ("{{ r.home.region.name }}", "testapp_region", Animal.objects),
    "one-to-one, back": ("{{ r.passport.number }}", "testapp_passport", Animal.objects),
    "many": ("{% for f in r.foods.all %}{{ f.name }}{% endfor %}", "testapp_food", Animal.objects),
    "many, if": ("{% if r.children.all %}x{% endif %}", "testapp_animal", Animal.objects),
    "many, length": ("{{ r.children.all|length }}", "testapp_animal", Animal.objects),
    "count": ("{{ r.visits.count }}", "testapp_visit", Animal.objects),
    "exists": ("{{ r.visits.exists }}", "testapp_visit", Animal.objects),
    "first": ("{{ r.foods.first.name }}", "testapp_food", Animal.objects),
    "deferred": ("{{ r.story }}", "testapp_animal", Animal.objects.only("name")),
    "key": ("{{ r.home.name }}", "testapp_animal", Animal.objects.only("name")),
    "code": ("{{ r.region_name }}", "testapp_region", Animal.objects),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("policy", ["batch", "fetch"])
@pytest.mark.parametrize("name", RELATIONS)
def test_a_load_that_the_database_refuses(name, policy, way):
    body, table, queryset = RELATIONS[name]
    source = loop(body)
    rows = list(queryset.all())
    with savepoint(), refusing(table):
        stock = render(source, {"rows": list(rows)}, debug=True)
    rows = list(queryset.all())
    with savepoint(), refusing(table):
        run = render(source, {"rows": rows}, way, policy, debug=True)
    assert isinstance(stock.error, DatabaseError)
    assert type(run.error) is type(stock.error)
    assert "no_such_column" in str(run.error)
    assert run.error.template_debug["line"] == stock.error.template_debug["line"] == 3
    assert 3 in line_of(run.error)
    # The same rows, when the database is itself again.
    fresh = render(source, {"rows": list(queryset.all())})
    assert render(source, {"rows": rows}).text == fresh.text
    assert render(source, {"rows": rows}, way, policy).text == fresh.text


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["forward", "many", "count", "deferred"])
def test_a_load_that_is_refused_half_way(name, way):
    """The first chunk comes, the second does not: what has come is right."""
    body, table, queryset = RELATIONS[name]
    lion = Species.everything.get(name="lion")
    homes = Place.objects.bulk_create(Place(name=f"home {n}") for n in range(600))
    Animal.objects.bulk_create(Animal(name="a", species=lion, home=home) for home in homes)
    rows = list(queryset.all())
    with savepoint(), refusing(table, after=1):
        run = render(loop(body), {"rows": rows}, way)
    assert isinstance(run.error, DatabaseError)
    fresh = render(loop(body), {"rows": list(queryset.all())})
    assert render(loop(body), {"rows": rows}, way).text == fresh.text


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "body", ["{% if r.home.name == 'x' %}{% endif %}", "{% if r.foods.count > 1 %}{% endif %}"]
)
def test_a_condition_takes_a_refused_load_for_false_as_stock_django(body, way):
    """``{% if %}`` swallows it there; the transaction is what it is afterwards."""
    rows = list(Animal.objects.all())
    with savepoint(), refusing("testapp_place"), refusing("testapp_animal_foods"):
        stock = render(loop(body), {"rows": list(rows)[:1]})
    with savepoint(), refusing("testapp_place"), refusing("testapp_animal_foods"):
        run = render(loop(body), {"rows": rows[:1]}, way)
    assert (run.text, type(run.error)) == (stock.text, type(stock.error))


@pytest.mark.parametrize("way", WAYS)
def test_an_error_under_raise_leaves_nothing(way):
    with savepoint(), refusing("testapp_animal"):
        run = render(loop("{{ r.home.name }}"), {"rows": Animal.objects.all()}, way, "raise")
    assert isinstance(run.error, DatabaseError)
    assert Animal.objects.exists()


# -- routers ---------------------------------------------------------------------------------------


class Denying:
    """A router that denies some model, or one row of it."""

    def __init__(self, label, pk=None):
        self.label = label
        self.pk = pk

    def db_for_read(self, model, **hints):
        instance = hints.get("instance")
        if model._meta.label != self.label:
            return None
        if self.pk is None or (instance is not None and instance.pk == self.pk):
            raise PermissionError(f"nobody reads {self.label}")
        return None


ROUTED = [
    "{{ r.home.name }}",
    "{{ r.home.region.name }}",
    "{{ r.foods.all|length }}",
    "{% for f in r.foods.all %}{{ f.name }}{% endfor %}",
    "{{ r.foods.count }}",
    "{{ r.foods.first }}",
    "{{ r.home_id }}",
]


@pytest.mark.parametrize("policy", ["batch", "fetch"])
@pytest.mark.parametrize("body", ROUTED)
@pytest.mark.parametrize("label", ["testapp.Place", "testapp.Food", "testapp.Region"])
def test_a_router_that_denies(label, body, policy, settings):
    rows = list(Animal.objects.all())
    settings.DATABASE_ROUTERS = ["tests.testapp.routers.ArchiveRouter", Denying(label)]
    compare(loop(body), lambda: {"rows": list(rows)}, policy, may_raise=True)
    settings.DATABASE_ROUTERS = ["tests.testapp.routers.ArchiveRouter"]
    compare(loop(body), lambda: {"rows": rows}, policy)


@pytest.mark.parametrize("body", ROUTED)
def test_a_router_that_denies_one_row_spoils_no_other(body, settings):
    def make():
        return {"rows": list(Animal.objects.exclude(name="Leo"))}

    leo = Animal.objects.get(name="Leo")
    for label in ("testapp.Place", "testapp.Food"):
        settings.DATABASE_ROUTERS = [
            "tests.testapp.routers.ArchiveRouter",
            Denying(label, pk=leo.pk),
        ]
        shown = compare(loop(body), make)
        assert shown.stock.error is None
        source = loop("{% if r.name != 'Leo' %}" + body + "{% endif %}")
        compare(source, lambda: {"rows": list(Animal.objects.all())})
        compare(loop(body), lambda: {"rows": list(Animal.objects.all())}, may_raise=True)


# -- models ----------------------------------------------------------------------------------------


class Difficult(Animal):
    """A model that raises for every name that it does not know."""

    class Meta:
        proxy = True
        app_label = "testapp"

    def __getattr__(self, name):
        raise LookupError(f"no {name} here")


Animal._meta.apps.all_models["testapp"].pop("difficult")
Animal._meta.apps.clear_cache()


@pytest.mark.parametrize("policy", ["batch", "fetch"])
@pytest.mark.parametrize(
    "body",
    [
        "{{ r.name }}",
        "{{ r.home.name }}",
        "{{ r.home.region.name }}{{ r.mother.name }}",
        "{% for f in r.foods.all %}{{ f.name }}{% endfor %}",
        "{{ r.foods.count }}{% if r.foods.exists %}x{% endif %}",
        "{{ r.passport.number }}",
        "{{ r.nothing }}",
        "{{ r.children.all|length }}",
        "{{ r.label }}",
    ],
)
def test_a_model_whose_getattr_raises(body, policy):
    compare(loop(body), lambda: {"rows": list(Difficult.objects.all())}, policy, may_raise=True)


@pytest.mark.parametrize("way", WAYS)
def test_a_manager_that_raises(way):
    class Odd(type(Food.objects)):
        def get_queryset(self):
            raise LookupError("no tenant")

    manager = Odd()
    manager.model = Food
    for source in ("{{ m.count }}", "{{ m.all }}", "{% for x in m.all %}{% endfor %}"):
        stock = render(source, {"m": manager})
        run = render(source, {"m": manager}, way)
        assert type(run.error) is type(stock.error) is LookupError


def test_a_template_that_is_broken_is_reported_before_any_query():
    with pytest.raises(TemplateSyntaxError):
        render("{% for r in rows %}", {"rows": Animal.objects.all()}, "async")


# -- the connection --------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True, databases=["default", "other"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "body", ["{{ r.home.name }}", "{{ r.foods.all|length }}", "{{ r.foods.count }}"]
)
def test_a_connection_that_was_closed(body, way):
    rows = list(Animal.objects.all())

    def lost(way):
        connection.ensure_connection()
        connection.connection.close()
        try:
            return render(loop(body), {"rows": rows}, way)
        finally:
            connection.close()  # what Django does with an unusable one after the request

    stock, run = lost("stock"), lost(way)
    assert isinstance(stock.error, DatabaseError) or stock.error is not None
    assert type(run.error) is type(stock.error)
    assert str(run.error) == str(stock.error)
    compare(loop(body), lambda: {"rows": rows})
