"""Querysets in templates: right output on the loop, and no more queries than stock makes."""

import threading

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.utils.functional import SimpleLazyObject

from atemplates.jinja2 import state
from atemplates.placement.records import TRUSTED_AFTER
from atemplates.runtime import drivers, hops
from atemplates.runtime.policy import Policy
from tests.testapp.models import Animal, Food, Region

from .conftest import make_backend, queries

pytestmark = pytest.mark.django_db(databases=["default", "other"])


@pytest.fixture(autouse=True)
def filled(zoo):
    return zoo


def context():
    return {
        "qs": Animal.objects.order_by("pk"),
        "nothing": Animal.objects.none(),
        "animals": Animal.objects,
        "values": Food.objects.values("code", "name"),
        "codes": Food.objects.values_list("code", flat=True),
        "union": Food.objects.filter(code="m")
        .order_by()
        .union(Food.objects.filter(code="f").order_by())
        .order_by("code"),
        "raw": Animal.objects.raw("select * from testapp_animal order by id"),
        "page": Paginator(Animal.objects.order_by("pk"), 2).page(1),
        "regions": Region.objects.order_by("pk"),
        "lazy": SimpleLazyObject(lambda: Region.objects.order_by("pk").first()),
        "leo": Animal.objects.defer("story").order_by("pk")[1:2],
    }


CASES = [
    "{% for a in qs %}{{ a.name }},{% endfor %}",
    "{% for a in qs %}{{ loop.index }}{{ a.name }}{{ loop.last }}{{ loop.length }},{% endfor %}",
    "{% for a in qs if a.weight > 1 %}{{ a.name }}{{ loop.index }},{% else %}none{% endfor %}",
    "{% for a in nothing %}x{% else %}none{% endfor %}",
    "{% for a in qs %}{% for b in qs %}{{ b.pk - a.pk }}{% endfor %}{% endfor %}",
    "{% if qs %}yes{% endif %}{% if nothing %}yes{% else %}no{% endif %}",
    "{% if not qs %}x{% elif not nothing %}y{% endif %}",
    "{{ 'some' if qs else 'none' }}{{ (nothing or qs)|length }}",
    "{{ qs and 1 }}{{ nothing or 'n' }}",
    "{{ qs|length }}{{ qs|count }}{{ nothing|length }}",
    "{{ qs.count() }}{{ qs.exists() }}{{ qs.first().name }}{{ qs.last().name }}",
    "{{ animals.count() }}{{ animals.all()|length }}{{ animals.get(name='Leo').weight }}",
    "{{ qs.filter(name='Leo').exists() }}{{ qs.exclude(weight=0)|length }}",
    "{{ qs[0].name }}{{ qs[1].name }}",
    "{{ qs[:2]|length }}{% for a in qs[1:3] %}{{ a.name }}{% endfor %}",
    "{{ qs|first }}{{ (qs|last).name }}{{ nothing|first }}{{ (qs|random).pk > 0 }}",
    "{% for a in qs|sort(attribute='name') %}{{ a.name }},{% endfor %}",
    "{% for a in qs|sort(attribute='weight,name', reverse=true) %}{{ a.name }},{% endfor %}",
    "{{ qs|sum(attribute='weight') }}{{ (qs|max(attribute='weight')).name }}",
    "{{ (qs|min(attribute='weight')).weight }}{{ nothing|sum(attribute='weight') }}",
    "{{ qs|map(attribute='name')|join(', ') }}{{ qs|join(', ', attribute='name') }}",
    "{{ qs|map(attribute='name')|list }}{{ qs|map(attribute='name')|sort|first }}",
    "{{ qs|selectattr('weight')|map(attribute='name')|list }}",
    "{{ qs|rejectattr('weight', 'gt', 2)|map(attribute='name')|list }}",
    "{{ qs|select|list|length }}{{ nothing|select|list|length }}{{ qs|reject|list|length }}",
    "{% for weight, group in qs|groupby('weight') %}{{ weight }}{{ group|length }}{% endfor %}",
    "{{ qs|unique(attribute='weight')|list|length }}",
    "{% for row in qs|batch(3) %}{{ row|length }}{% endfor %}{{ qs|slice(2)|list|length }}",
    "{{ qs|reverse|map(attribute='name')|join }}{{ qs|list|length }}",
    "{{ qs[0] in qs }}{{ 5 in qs }}{{ qs[0] is in qs }}{{ nothing[:1] in [1] }}",
    "{{ qs is iterable }}{{ qs is sequence }}{{ qs is mapping }}{{ qs is defined }}",
    "{{ codes|join }}{{ codes|list }}{{ values|list|tojson }}",
    "{% for row in values %}{{ row.name }}{{ row['code'] }}{% endfor %}",
    "{% for code in codes|sort %}{{ code }}{% endfor %}{{ 'm' in codes }}",
    "{{ union|length }}{% for food in union %}{{ food.code }}{% endfor %}",
    "{% for a in raw %}{{ a.name }}{% endfor %}{{ raw|length }}",
    "{% for a in page %}{{ a.name }}{% endfor %}{{ page.has_next() }}{{ page|length }}",
    "{{ page.paginator.count }}{{ page.paginator.num_pages }}{{ page[0].name }}",
    "{% for a in qs.iterator() %}{{ a.name }}{% endfor %}",
    "{% for a in qs.iterator(chunk_size=2) %}{{ loop.index }}{{ a.name }}{% endfor %}",
    "{% set all = qs %}{{ all|length }}{% for a in all %}{{ a.name }}{% endfor %}",
    "{% with all = qs %}{{ all|length }}{% endwith %}",
    "{% macro m(xs) %}{% for a in xs %}{{ a.name }}{% endfor %}{% endmacro %}{{ m(qs) }}",
    "{{ regions }}{{ regions ~ '' }}{{ regions[:1]|string }}",
    "{{ lazy.name }}{{ lazy }}{{ lazy is none }}{{ lazy.parent }}",
    "{{ qs|default('x', true)|length }}{{ nothing|default('empty', true) }}",
    "{{ qs.values('name')[0].name }}{{ qs.in_bulk()|length }}",
    "{{ leo[0].story }}{{ leo|map(attribute='story')|join }}",
    "{% for a in qs %}{{ a.foods.count() }}{{ a.foods.exists() }}{% endfor %}",
    "{% for a in qs %}{% for f in a.foods.all() %}{{ f.name }}{% endfor %};{% endfor %}",
    "{% for a in qs %}{{ a.foods.all()|length }}{% if a.foods.all() %}y{% endif %}{% endfor %}",
    "{% for a in qs %}{{ a.foods.first() }}{{ a.foods.filter(code='m')|length }}{% endfor %}",
    "{% for a in qs %}{{ a.foods.all()[:1]|list|length }}{% endfor %}",
]


@pytest.mark.parametrize("source", CASES)
async def test_same_output_and_no_more_queries(source):
    backend = make_backend()
    template = backend.from_string(source)
    stock = backend.env.from_string(source)
    async with queries() as by_stock:
        expected = await sync_to_async(lambda: stock.render(context()))()
    async with queries() as on_loop:
        assert await template.render_async(await sync_to_async(context)()) == expected
    async with queries() as in_thread:
        assert await sync_to_async(lambda: template.render(context()))() == expected
    assert len(on_loop) <= len(by_stock), on_loop
    assert len(in_thread) <= len(by_stock), in_thread


def test_without_any_loop():
    backend = make_backend()
    for source in CASES:
        stock = backend.env.from_string(source).render(context())
        assert backend.from_string(source).render(context()) == stock, source


EVALUATED = [
    "{% for a in qs %}{{ a.name }}{% endfor %}",
    "{% if qs %}{{ qs|length }}{% endif %}{{ qs[0].name }}{{ qs.count() }}{{ qs.exists() }}",
    "{{ qs|sort(attribute='name')|map(attribute='name')|join }}{{ qs|first }}{{ qs[0] in qs }}",
    "{% for a in qs %}{% for f in a.foods.all() %}{{ f.name }}{% endfor %}{% endfor %}",
    "{% for a in qs %}{{ a.foods.count() }}{{ a.foods.exists() }}{{ a.foods.all()|length }}"
    "{% endfor %}",
    "{% for a in qs %}{{ a.meals|length }}{{ a.species_id }}{{ a.mother.name }}{% endfor %}",
]


@pytest.mark.parametrize("source", EVALUATED)
@pytest.mark.parametrize("relations", ["batch", "fetch", "warn", "raise"])
async def test_loaded_rows_cost_no_query_and_no_thread(source, relations, monkeypatch):
    # That a model's `__str__` asks for nothing has been learned.
    monkeypatch.setattr(state, "PLACEMENT", Policy(trusted_after=0))
    template = make_backend(relations=relations).from_string(source)

    def load():
        rows = (
            Animal.objects.select_related("mother")
            .prefetch_related("foods", Prefetch("foods", to_attr="meals"))
            .order_by("pk")
        )
        rows = rows.exclude(species__hidden=True)
        len(rows)
        return rows

    rows = await sync_to_async(load)()
    stock = template.backend.env.from_string(source)
    expected = await sync_to_async(lambda: stock.render(qs=rows))()
    made_hops = []

    class Noted(hops.Hop):
        def __init__(self, *args, **kwargs):
            made_hops.append(args)
            super().__init__(*args, **kwargs)

    real = drivers.in_request_thread
    monkeypatch.setattr(drivers, "Hop", Noted)
    monkeypatch.setattr(
        drivers, "in_request_thread", lambda *args, **kwargs: made_hops.append(args) or real(*args)
    )
    async with queries() as made:
        assert await template.render_async({"qs": rows}) == expected
    assert made == []
    assert made_hops == []


async def test_the_result_cache_is_filled():
    rows = Animal.objects.order_by("pk")
    await make_backend().from_string("{{ qs|length }}").render_async({"qs": rows})
    async with queries() as made:
        assert [animal.name async for animal in rows][:1] == ["Mara"]
    assert made == []


async def test_json():
    """Stock Jinja2 says that a queryset cannot be serialized."""
    template = make_backend().from_string("{{ values|tojson }}{{ codes|tojson }}")
    expected = '[{"code": "f", "name": "fish"}, {"code": "m", "name": "meat"}, '
    expected += '{"code": "n", "name": "nuts"}]["f", "m", "n"]'
    assert await template.render_async(await sync_to_async(context)()) == expected
    assert await sync_to_async(lambda: template.render(context()))() == expected


async def test_a_querysets_own_async_methods_are_used():
    from django.db.models import QuerySet

    used = []

    class OwnQuerySet(QuerySet):
        async def acount(self):
            used.append("acount")
            return 42

        async def __aiter__(self):
            used.append("aiter")
            for name in ("x", "y"):
                yield name

    rows = OwnQuerySet(Animal)
    template = make_backend().from_string("{{ qs.count() }}{% for x in qs %}{{ x }}{% endfor %}")
    assert await template.render_async({"qs": rows}) == "42xy"
    assert used == ["acount", "aiter"]


async def test_a_manager_that_asks_the_database_for_its_queryset():
    from tests.relations.test_querysets import TenantManager

    manager = TenantManager()
    manager.model = Food
    backend = make_backend()
    source = "{{ m.count() }}{{ m.exists() }}{{ m.first().name }}{{ m.all()|length }}"
    expected = await sync_to_async(backend.env.from_string(source).render)({"m": manager})
    assert await backend.from_string(source).render_async({"m": manager}) == expected


class TestPython:
    """Code of the site that queries, called from a template."""

    async def test_functions_filters_tests_and_operators(self):
        backend = make_backend(autoescape=False)
        backend.env.filters["names"] = lambda rows: ",".join(row.name for row in rows)
        backend.env.tests["many"] = lambda rows: len(rows) > 2

        class Odd:
            def __eq__(self, other):
                return Animal.objects.count() == other

            __hash__ = None

            def __add__(self, other):
                return Animal.objects.count() + other

            def __len__(self):
                return Animal.objects.count()

            def __contains__(self, name):
                return Animal.objects.filter(name=name).exists()

            def __neg__(self):
                return -Animal.objects.count()

            def __str__(self):
                return Animal.objects.get(name="Leo").name

            def __getitem__(self, key):
                return Animal.objects.get(name=key).weight

            @property
            def names(self):
                return [animal.name for animal in Animal.objects.all()]

            def __html__(self):
                return f"<{self}>"

        values = {"qs": Animal.objects.order_by("pk"), "odd": Odd(), "f": Animal.objects.count}
        source = (
            "{{ qs|names }} {{ qs is many }} {{ f() }} {{ odd == 7 }} {{ odd + 1 }} "
            "{{ odd|length }}{% if odd %}yes{% endif %} {{ 'Leo' in odd }}{{ 'x' in odd }} "
            "{{ -odd }} {{ odd }}"
            " {{ odd ~ '!' }} {{ odd.Leo }} {{ odd.names|length }}{{ [odd]|join }}{{ odd|string }}"
        )
        stock = backend.env.from_string(source)
        expected = await sync_to_async(lambda: stock.render(values))()
        template = backend.from_string(source)
        values["qs"] = Animal.objects.order_by("pk")
        assert await template.render_async(values) == expected
        assert await sync_to_async(template.render)(values) == expected

    async def test_functions_run_once_in_the_requests_thread(self):
        calls = []

        def before():
            calls.append(("before", threading.current_thread()))
            return 1

        def query():
            calls.append(("query", threading.current_thread()))
            return Animal.objects.count()

        source = "{{ before() + query() }}"
        template = make_backend().from_string(source)
        await template.render_async({"before": before, "query": query})
        loop = threading.current_thread()
        assert [(name, thread is loop) for name, thread in calls] == [
            ("before", False),
            ("query", False),
        ]

    async def test_code_that_has_earned_the_loop_is_repeated_once_when_it_queries(self):
        calls, queries = [], []

        def asking():
            calls.append(threading.current_thread())
            return Animal.objects.count() if queries else "quiet"

        template = make_backend().from_string("{{ asking() }}")
        loop, total = threading.current_thread(), await Animal.objects.acount()
        for _ in range(TRUSTED_AFTER + 1):
            assert await template.render_async({"asking": asking}) == "quiet"
        assert [thread is loop for thread in calls] == [*[False] * TRUSTED_AFTER, True]
        queries.append(True)
        calls.clear()
        for _ in range(2):
            assert await template.render_async({"asking": asking}) == str(total)
        assert [thread is loop for thread in calls] == [True, False, False]

    async def test_a_filter_that_uses_up_an_iterator_runs_once(self):
        backend = make_backend()

        def greedy(rows, other):
            list(other)
            return Animal.objects.count()

        backend.env.filters["greedy"] = greedy
        template = backend.from_string("\n{{ [1]|greedy(it) }}")
        total = await Animal.objects.acount()
        assert await template.render_async({"it": iter([1])}) == f"\n{total}"

    async def test_a_macro_given_to_a_python_function(self):
        template = make_backend(autoescape=True).from_string(
            "{% macro m(x) %}<b>{{ x }}</b>{% endmacro %}{{ twice(m) }}"
            "{% call twice() %}<i>{{ 1 }}</i>{% endcall %}"
        )

        def twice(*args, caller=None):
            function = caller or args[0]
            return function(*([] if caller else ["<"])) * 2

        expected = "<b>&lt;</b>" * 2 + "<i>1</i>" * 2
        assert await template.render_async({"twice": twice}) == expected
        assert await sync_to_async(template.render)({"twice": twice}) == expected

    async def test_a_macro_that_waits_given_to_a_sync_function(self):
        source = "{% macro m() %}{% for a in qs %}{{ a.name }}{% endfor %}{% endmacro %}{{ f(m) }}"
        template = make_backend().from_string(source)
        values = {"qs": Animal.objects.order_by("pk")[:1], "f": lambda macro: str(macro())}
        assert await template.render_async(values) == "Mara"

        async def waiting(macro):
            return f"({await macro()})"

        values = {"qs": Animal.objects.order_by("pk")[:1], "f": waiting}
        assert await template.render_async(values) == "(Mara)"


async def test_render_on_the_loop_says_what_to_write():
    template = make_backend().from_string("x\n{{ qs|length }}")
    with pytest.raises(SynchronousOnlyOperation, match=r"await arender") as caught:
        template.render({"qs": Animal.objects.all()})
    assert "testapp.Animal" in str(caught.value)
    assert "line 2" in str(caught.value)


async def test_a_database_error_is_the_original_one():
    from django.db import DatabaseError, transaction

    template = make_backend().from_string("a\n\n{% for x in qs %}{% endfor %}")
    bad = Animal.objects.extra(where=["no_such_column = 1"])
    # PostgreSQL goes on with a transaction after an error only from a savepoint.
    savepoint = transaction.atomic()
    await sync_to_async(savepoint.__enter__)()
    with pytest.raises(DatabaseError, match="no_such_column") as caught:
        await template.render_async({"qs": bad})
    await sync_to_async(transaction.set_rollback)(True)
    await sync_to_async(savepoint.__exit__)(None, None, None)
    assert 3 in [entry.lineno + 1 for entry in caught.traceback if "template" in entry.name]
    assert await Animal.objects.acount() == 7
