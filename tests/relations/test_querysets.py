"""Semantics 8 to 10: querysets in templates, on the event loop and off it, as in stock Django."""

import django
import pytest
from asgiref.sync import sync_to_async
from django.core.paginator import Paginator
from django.db import models
from django.db.models import Prefetch

from atemplates.placement.python_code import SOMEBODYS
from atemplates.runtime.waits import Kind
from tests.testapp.models import Animal, Egg, Food, Region, Species

from .pages import WAYS, compare, render

pytestmark = [
    pytest.mark.django_db(databases=["default", "other"]),
    pytest.mark.usefixtures("zoo"),
]


def animals():
    """Rows whose ``__str__`` needs nothing further."""
    return {
        "qs": Food.objects.all(),
        "none": Food.objects.none(),
        "empty": Region.objects.filter(pk=0),
    }


PAGES = {
    "for": ("{% for x in qs %}{{ x.name }};{% endfor %}", 1),
    "for reversed": ("{% for x in qs reversed %}{{ forloop.counter }}{{ x.name }};{% endfor %}", 1),
    "for twice": ("{% for x in qs %}{{ x }}{% endfor %}{% for x in qs %}{{ x }}{% endfor %}", 1),
    "for nested": ("{% for x in qs %}{% for y in qs %}{{ y.code }}{% endfor %};{% endfor %}", 1),
    "for empty": ("{% for x in empty %}x{% empty %}nothing{% endfor %}", 1),
    "for none": ("{% for x in none %}x{% empty %}nothing{% endfor %}", 0),
    "for index": ("{% for x in qs %}{{ forloop.revcounter }}{% endfor %}", 1),
    "if": ("{% if qs %}yes{% else %}no{% endif %}", 1),
    "if not": ("{% if not empty %}yes{% else %}no{% endif %}", 1),
    "if and": ("{% if qs and empty %}yes{% else %}no{% endif %}", 2),
    "if or": ("{% if empty or qs %}yes{% else %}no{% endif %}", 2),
    "if, then for": ("{% if qs %}{% for x in qs %}{{ x }}{% endfor %}{% endif %}", 1),
    "if ==": ("{% if qs.count == 3 %}three{% endif %}", 1),
    "if in": ("{% if qs.first in qs %}in{% endif %}{% if 1 in qs %}out{% endif %}", 2),
    "if not in": ("{% if 1 not in qs %}out{% endif %}", 1),
    "length": ("{{ qs|length }}", 1),
    "length, then for": ("{{ qs|length }}{% for x in qs %}{{ x }}{% endfor %}", 1),
    "count": ("{{ qs.count }}", 1),
    "exists": ("{{ qs.exists }}{{ empty.exists }}", 2),
    "first": ("{{ qs.first.name }}", 1),
    "last": ("{{ qs.last.name }}", 1),
    "first of none": ("[{{ empty.first.name }}]", 1),
    "index": ("{{ qs.0.name }}{{ qs.1.name }}", 2),
    "index out of range": ("[{{ qs.99.name }}]", 1),
    "first filter": ("{{ qs|first }}", 1),
    "slice": ("{% for x in qs|slice:':2' %}{{ x.name }};{% endfor %}", 1),
    "slice, length": ("{{ qs|slice:'1:'|length }}", 1),
    "join": ("{{ qs|join:', ' }}", 1),
    "dictsort": ("{% for x in qs|dictsort:'code' %}{{ x }}{% endfor %}", 1),
    "dictsortreversed": ("{% for x in qs|dictsortreversed:'name' %}{{ x }}{% endfor %}", 1),
    "default": ("{{ empty|default:'nothing' }}", 1),
    "yesno": ("{{ qs|yesno:'some,none' }}{{ empty|yesno:'some,none' }}", 2),
    "pluralize": ("{{ qs.count }} food{{ qs|pluralize }}", 2),
    "with": ("{% with a=qs %}{{ a|length }}{% for x in a %}{{ x }}{% endfor %}{% endwith %}", 1),
    "with a part": ("{% with a=qs.first %}{{ a.name }}{{ a.code }}{% endwith %}", 1),
    "regroup": (
        "{% regroup qs by region as groups %}{% for g in groups %}{{ g.list|length }}{% endfor %}",
        2,
    ),
    "iterator": ("{% for x in qs.iterator %}{{ x.name }};{% endfor %}", 1),
    "output": ("{{ qs }}", 1),
    "output of none": ("{{ none }}", 0),
    "reverse": ("{% for x in qs.reverse %}{{ x }}{% endfor %}", 1),
    "distinct": ("{% for x in qs.distinct %}{{ x }}{% endfor %}", 1),
    "widthratio": ("{% widthratio qs.count 6 100 %}", 1),
    "firstof": ("{% firstof empty.first qs.first %}", 2),
    "include": ("{% include 'row.html' with row=qs.first %}", 1),
    "cycle": ("{% for x in qs %}{% cycle 'a' x.name %}{% endfor %}", 1),
    "ifchanged": (
        "{% for x in qs %}{% ifchanged x.region_id %}{{ x }}{% endifchanged %}{% endfor %}",
        1,
    ),
    "blocktranslate": (
        "{% load i18n %}{% blocktranslate count n=qs.count %}one{% plural %}{{ n }} foods"
        "{% endblocktranslate %}",
        1,
    ),
}


@pytest.mark.parametrize(("source", "queries"), PAGES.values(), ids=PAGES)
def test_a_queryset_is_as_in_stock_django(source, queries):
    pages = compare(source, animals, others={"row.html": "{{ row.name }}"})
    assert pages.text
    assert pages.queries[0] >= queries
    assert max(pages.queries[1:]) == queries


def test_a_page_without_a_query_takes_no_hop():
    assert (
        compare("{% for x in none %}x{% endfor %}{{ none|length }}", animals).async_.queries == []
    )


KINDS = {
    "values": (lambda: Food.objects.values("code", "name"), "{{ x.code }}{{ x.name }}"),
    "values_list": (lambda: Food.objects.values_list("code", "name"), "{{ x.0 }}{{ x.1 }}"),
    "flat": (lambda: Food.objects.values_list("name", flat=True), "{{ x }}"),
    "named": (lambda: Food.objects.values_list("name", named=True), "{{ x.name }}"),
    "union": (
        lambda: (
            Food.objects.order_by().filter(code="m").union(Food.objects.order_by().filter(code="n"))
        ),
        "{{ x.name }}",
    ),
    "sliced": (lambda: Food.objects.all()[1:3], "{{ x.name }}"),
    "raw": (lambda: Food.objects.raw("SELECT * FROM testapp_food ORDER BY code"), "{{ x.name }}"),
    "iterator": (lambda: Food.objects.iterator(), "{{ x.name }}"),
    "annotated": (
        lambda: Food.objects.annotate(n=models.Count("animals")).order_by("code"),
        "{{ x.name }}{{ x.n }}",
    ),
    "manager": (lambda: Food.objects.all, "{{ x.name }}"),
    "list": (lambda: list(Food.objects.all()), "{{ x.name }}"),
    "dict of lists": (lambda: {"a": list(Food.objects.all())}.items(), "{{ x.0 }}"),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_queryset_can_be_looped_over(name):
    make, cell = KINDS[name]
    source = f"{{% for x in qs %}}{cell};{{% empty %}}nothing{{% endfor %}}"
    pages = compare(source, lambda: {"qs": make()})
    assert "nothing" not in pages.text
    loaded_before = name in ("list", "dict of lists")
    assert pages.queries == ((0, 0, 0) if loaded_before else (1, 1, 1))


@pytest.mark.parametrize("name", ["values", "values_list", "union", "sliced", "annotated"])
@pytest.mark.parametrize(
    "source",
    [
        "{{ qs|length }}",
        "{% if qs %}yes{% endif %}",
        "{{ qs.count }}",
        "{{ qs.0 }}",
        "{{ qs|first }}",
        "{{ qs.exists }}",
        "{% for x in qs|slice:':1' %}{{ x }}{% endfor %}",
    ],
)
def test_every_kind_of_queryset_can_be_asked(name, source):
    compare(source, lambda: {"qs": KINDS[name][0]()})


def test_a_manager_in_the_context():
    source = (
        "{{ m.count }}{% if m.exists %}x{% endif %}{{ m.first }}{{ m.all.0 }}"
        "{% for a in m.all %}{{ a }}{% endfor %}{% if m %}m{% endif %}"
    )
    pages = compare(source, lambda: {"m": Food.objects})
    assert pages.queries == (5, 5, 5)


def test_a_related_manager():
    source = (
        "{{ a.foods.count }}{% for f in a.foods.all %}{{ f }}{% endfor %}{{ a.foods.first }}"
        "{{ a.foods.all|slice:':2'|join:'-' }}{{ a.foods.all.0 }}{{ a.foods.exists }}"
        "{{ a.foods.all|length }}{{ a.foods }}"
    )
    pages = compare(source, lambda: {"a": Animal.objects.get(name="Leo")})
    # Rows that have been loaded are read again.
    assert max(pages.queries[1:]) < pages.queries[0]


@pytest.mark.parametrize("size", [2, 3])
def test_the_pages_of_a_paginator(size):
    source = (
        "{% for x in page %}{{ x }};{% endfor %}{{ page.number }}/{{ page.paginator.num_pages }}"
        "{% if page.has_next %}more{% endif %}{{ page.object_list|length }}{{ page|length }}"
    )

    def make():
        return {"page": Paginator(Food.objects.all(), size).get_page(1)}

    pages = compare(source, make)
    assert pages.queries[1] == pages.queries[2] == pages.queries[0]


# -- what has its rows -----------------------------------------------------------------------------


def evaluated(queryset):
    len(queryset)
    return queryset


EVALUATED = "\n".join(
    [
        "{% for x in qs %}{{ x.name }}{% endfor %}",
        "{% for x in qs reversed %}{{ x.name }}{% endfor %}",
        "{% if qs %}yes{% endif %}",
        "{{ qs|length }}{{ qs.count }}{{ qs.exists }}{{ qs.0.name }}{{ qs|first }}",
        "{% for x in qs|slice:':2' %}{{ x.name }}{% endfor %}",
        "{% with a=qs %}{{ a|join:',' }}{% endwith %}",
        "{% for x in qs|dictsort:'name' %}{{ x }}{% endfor %}",
        "{% if 1 in qs %}{% endif %}{{ qs }}",
    ]
)


def test_an_evaluated_queryset_takes_no_query_and_no_hop():
    """Once the models' own code is trusted. What may run any code of the rows never is."""
    pages = compare(EVALUATED, lambda: {"qs": evaluated(Food.objects.all())}, trusting=True)
    assert pages.queries == (0, 0, 0)
    assert [(wait.args[0], wait.args[1].__name__) for wait in pages.async_.waits] == [
        (SOMEBODYS, "join"),
        (SOMEBODYS, "dictsort"),
    ]


PREFETCHED = "\n".join(
    [
        "{% for a in animals %}",
        "{{ a.foods.count }}{{ a.foods.exists }}{{ a.foods.all|length }}{{ a.foods.all.0.name }}",
        "{% for f in a.foods.all %}{{ f.name }}{% endfor %}",
        "{% for f in a.foods.all|slice:':2' %}{{ f.name }}{% endfor %}",
        "{% if a.foods.all %}some{% endif %}{{ a.foods.first.name }}",
        "{% with all=a.foods.all %}{{ all|length }}{{ all.count }}{% endwith %}",
        "{{ a.children.all|length }}{{ a.notes.all|length }}{{ a.egg_set.count }}",
        "{% endfor %}",
    ]
)
LOOKUPS = ("foods", "children", "notes", "egg_set")


def test_a_prefetched_manager_takes_no_query_and_no_hop():
    def make():
        return {"animals": evaluated(Animal.objects.prefetch_related(*LOOKUPS))}

    pages = compare(PREFETCHED, make, trusting=True)
    assert pages.queries == (0, 0, 0)
    assert pages.async_.hops == 0
    assert compare(PREFETCHED, make, "raise").queries == (0, 0, 0)


def test_a_queryset_that_prefetches_is_evaluated_in_one_hop():
    def make():
        return {"animals": Animal.objects.prefetch_related(*LOOKUPS)}

    pages = compare(PREFETCHED, make, trusting=True)
    assert pages.queries == (5, 5, 5)
    assert [wait.kind for wait in pages.async_.waits] == [Kind.ROWS]


def test_a_users_own_prefetch_is_what_is_shown():
    brown = Prefetch("egg_set", Egg.everything.filter(colour="blue"))
    source = "{% for a in animals %}{% for e in a.egg_set.all %}{{ e }}{% endfor %};{% endfor %}"
    pages = compare(source, lambda: {"animals": Animal.objects.prefetch_related(brown)})
    assert "blue" in pages.text
    assert pages.queries == (2, 2, 2)


def test_a_prefetch_to_an_attribute_leaves_the_relation_alone():
    blue = Prefetch("egg_set", Egg.everything.filter(colour="blue"), to_attr="blue")
    source = (
        "{% for a in animals %}{% for e in a.blue %}{{ e }}{% endfor %}/"
        "{% for e in a.egg_set.all %}{{ e }}{% endfor %};{% endfor %}"
    )
    pages = compare(source, lambda: {"animals": Animal.objects.prefetch_related(blue)})
    assert "blue/white" in pages.text
    assert pages.queries[1:] == (3, 3)


# -- async methods ---------------------------------------------------------------------------------


class RemoteQuerySet(models.QuerySet):
    """Rows that come from somewhere else, through methods that are async by nature."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.calls = []

    def _clone(self):
        copy = super()._clone()
        copy.calls = self.calls
        return copy

    async def __aiter__(self):
        self.calls.append("__aiter__")
        for name in ("one", "two"):
            yield Region(name=name)

    async def acount(self):
        self.calls.append("acount")
        return 2

    async def aexists(self):
        self.calls.append("aexists")
        return True

    async def afirst(self):
        self.calls.append("afirst")
        return Region(name="one")

    async def aiterator(self, chunk_size=2000):
        self.calls.append("aiterator")
        async for row in self:
            yield row

    async def atitle(self):
        self.calls.append("atitle")
        return "Regions"

    def title(self):
        raise AssertionError("the async twin is there")


@pytest.mark.parametrize(
    ("source", "text", "calls"),
    [
        ("{% for x in qs %}{{ x.name }}{% endfor %}", "onetwo", ["__aiter__"]),
        ("{% for x in qs %}{{ x }}{% endfor %}{{ qs|length }}", "onetwo2", ["__aiter__"]),
        ("{% if qs %}yes{% endif %}", "yes", ["__aiter__"]),
        ("{{ qs|length }}", "2", ["__aiter__"]),
        ("{{ qs.count }}", "2", ["acount"]),
        ("{% if qs.exists %}yes{% endif %}", "yes", ["aexists"]),
        ("{{ qs.first.name }}", "one", ["afirst"]),
        ("{{ qs.title }}", "Regions", ["atitle"]),
        (
            "{% for x in qs.iterator %}{{ x.name }}{% endfor %}",
            "onetwo",
            ["aiterator", "__aiter__"],
        ),
    ],
)
@pytest.mark.parametrize("observed", [False, True])
def test_a_queryset_that_is_async_by_nature_is_asked_in_its_own_way(source, text, calls, observed):
    queryset = RemoteQuerySet(Region)
    run = render(source, {"qs": queryset}, "async", observed=observed)
    assert run.result() == text
    assert queryset.calls == calls
    assert run.queries == []
    assert len(run.events) == observed


def test_a_manager_gives_the_twins_of_its_queryset():
    class Remote(Region):
        objects = RemoteQuerySet.as_manager()

        class Meta:
            proxy = True
            app_label = "testapp"

    try:
        assert render("{{ m.count }}", {"m": Remote.objects}, "async").result() == "2"
        assert render("{{ m.title }}", {"m": Remote.objects}, "async").result() == "Regions"
        first = render("{{ m.first.name }}{{ m.exists }}", {"m": Remote.objects}, "async")
        assert first.result() == "oneTrue"
        assert first.queries == []
        assert render("{{ m.all.count }}", {"m": Remote.objects}, "async").result() == "2"
    finally:
        django.apps.apps.all_models["testapp"].pop("remote")
        django.apps.apps.clear_cache()


def test_a_twin_is_found_by_its_name_not_by_a_list():
    class WithSum(models.QuerySet):
        def total(self):
            return self.aggregate(total=models.Sum("weight"))["total"]

        async def atotal(self):
            return await sync_to_async(self.total)()

    run = render("{{ qs.total }}", {"qs": WithSum(Animal)}, "async")
    assert run.result() == render("{{ qs.total }}", {"qs": WithSum(Animal)}).text
    assert [wait.kind for wait in run.waits] == [Kind.AWAIT]


def test_what_alters_data_is_not_called_through_its_twin():
    source = "[{{ qs.delete }}{{ m.create }}]"
    pages = compare(source, lambda: {"qs": Egg.everything.all(), "m": Egg.everything})
    assert pages.text == "[]"
    assert Egg.everything.exists()


@pytest.mark.parametrize(
    "source", ["{{ qs.get.name }}", "{{ qs.earliest }}", "{{ qs.frobnicate }}"]
)
def test_what_raises_raises_the_same(source):
    compare(source, lambda: {"qs": Species.everything.all()}, may_raise=True)


def test_each_way_of_waiting_is_one_hop():
    run = render("{{ qs.0.name }}{{ qs.count }}{% if qs %}x{% endif %}", animals, "async")
    assert run.hops == 3
    # Django's own acount() would be a hop as well, and could not be one with the others.
    assert [wait.kind for wait in run.waits] == [Kind.CALL, Kind.CALL, Kind.ROWS]


@pytest.mark.parametrize("way", WAYS)
def test_no_query_beyond_the_rows_that_are_asked_for(way):
    run = render("{% for x in qs|slice:':1' %}{{ x.name }}{% endfor %}", animals, way)
    assert len(run.queries) == 1
    assert "LIMIT 1" in run.queries[0]


class TenantManager(models.Manager):
    """A manager that asks the database what its queryset is to be."""

    def get_queryset(self):
        return super().get_queryset().filter(region_id__in=[r.pk for r in Region.objects.all()])


@pytest.mark.parametrize("policy", ["fetch", "batch"])
@pytest.mark.parametrize(
    "source", ["{{ m.count }}{{ m.exists }}", "{{ m.first.name }}", "{{ m.all|length }}"]
)
def test_a_manager_that_asks_the_database_for_its_queryset(source, policy):
    manager = TenantManager()
    manager.model = Food
    compare(source, lambda: {"m": manager}, policy)
