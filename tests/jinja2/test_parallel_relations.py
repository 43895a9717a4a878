"""Relations and querysets in parts of Jinja2 templates that are rendered at the same time."""

import pytest
from asgiref.sync import sync_to_async

from atemplates import aload
from atemplates.relations.policy import LazyAccessError, reset_warnings
from atemplates.testing import record
from tests.parallel.showing import Watching
from tests.testapp.models import Animal, Region

from .conftest import make_backend, queries
from .test_relations import CASES, TEMPLATES, animals, context

pytestmark = pytest.mark.django_db(databases=["default", "other"])

TEMPLATES = {**TEMPLATES, "list": "{% for a in rows %}{{ a.name }},{% endfor %}"}


@pytest.fixture(autouse=True)
def filled(zoo):
    reset_warnings()
    return zoo


def parallel(source, limit=""):
    head, macro, rest = source.rpartition("{% endmacro %}")
    return f"{head}{macro}{{% parallel {limit} %}}{rest}{{% endparallel %}}"


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("policy", ["batch", "fetch", "warn"])
async def test_as_many_queries_as_without_the_tag(name, policy, recwarn):
    source, _ = CASES[name]
    backend = make_backend(TEMPLATES, relations=policy)
    plain, ours = backend.from_string(source), backend.from_string(parallel(source))
    for way in ("sync", "async", "async"):
        found = []
        for template in (plain, ours):
            values = await sync_to_async(context)()
            async with queries() as made:
                if way == "async":
                    output = await template.render_async(values)
                else:
                    output = await sync_to_async(template.render)(values)
            found.append((output, made))
        assert found[0][0] == found[1][0]
        assert len(found[0][1]) == len(found[1][1]), (way, found)


@pytest.mark.parametrize("limit", ["1", "2"])
async def test_with_a_limit(limit):
    source = (
        "{% for a in animals %}{{ a.species.name }}{% for f in a.foods.all() %}{{ f.name }}"
        "{% endfor %}{% endfor %}"
    )
    backend = make_backend()
    plain, ours = backend.from_string(source), backend.from_string(parallel(source, limit))
    async with queries() as before:
        expected = await plain.render_async({"animals": animals()})
    async with queries() as made:
        assert await ours.render_async({"animals": animals()}) == expected
    assert len(made) == len(before) == 3


async def test_rows_within_rows(render):
    source = (
        "{% parallel %}{% for a in animals %}{{ a.name }}{% parallel %}{{ a.species.name }}"
        "{% for f in a.foods.all() %}{{ f.region.name }}{% endfor %}{% endparallel %}{% endfor %}"
        "{% endparallel %}"
    )
    plain = source.replace("{% parallel %}", "").replace("{% endparallel %}", "")
    expected = await render(plain, {"animals": animals()})
    async with queries() as made:
        assert await render(source, {"animals": animals()}) == expected
    assert len(made) == 4


async def test_parts_share_what_one_of_them_has_loaded(render):
    source = (
        "{% parallel %}{% for a in animals %}{{ a.species.name }}{% endfor %}"
        "{% for a in animals %}{{ a.species.name }}{{ a.mother.name }}{% endfor %}{% endparallel %}"
    )
    async with queries() as made:
        await render(source, {"animals": animals()})
    assert len(made) == 3


async def test_a_strict_policy_names_the_line(render):
    source = (
        "{% parallel %}\n{% for a in animals %}\n{{ a.species.name }}{% endfor %}{% endparallel %}"
    )
    with pytest.raises(LazyAccessError) as caught:
        await render(source, {"animals": animals()}, relations="raise")
    assert caught.value.location.line == 3
    template = make_backend(relations="raise").from_string(source)
    with pytest.raises(LazyAccessError) as caught:
        await sync_to_async(template.render)({"animals": animals()})
    assert caught.value.location.line == 3


async def test_an_observer_is_told_of_one_load(render):
    source = "{% parallel %}{% for a in animals %}{{ a.species.name }}{% endfor %}{% endparallel %}"
    with record() as log:
        await render(source, {"animals": animals()})
    (event,) = [event for event in log if event.kind == "relation"]
    assert (event.line, event.batch) == (1, True)


async def test_nothing_is_left_on_the_instances(render):
    rows = await sync_to_async(lambda: list(Animal.objects.filter(species__hidden=False)))()
    source = (
        "{% parallel %}{% for a in rows %}{{ a }}{{ a.home.name }}{% endfor %}{% endparallel %}"
    )
    await render(source, {"rows": rows})
    for animal in rows:
        mode = getattr(animal._state, "fetch_mode", None)
        assert not type(mode).__module__.startswith("atemplates")


PARTS = {
    "loops": "{% for r in a %}{{ r.name }}{% endfor %}-{% for r in b %}{{ r.name }}{% endfor %}",
    "a loop in an if": "{% if a %}{% for r in a %}{{ r.name }}{% endfor %}{% endif %}{{ b|length }}",
    "includes": "{% with rows = a %}{% include 'list' %}{% endwith %}"
    "{% with rows = b %}{% include 'list' %}{% endwith %}",
    "filters": "{{ a|length }}{{ b|join(', ') }}",
    "methods": "{{ a.count() }}{{ b.first().name }}",
    "methods in an if": "{% if a.exists() %}x{% endif %}{% if b.last() %}y{% endif %}",
    "macros": "{{ m(a) }}{{ m(b) }}",
}
MACRO = "{% macro m(rows) %}{{ rows|length }}{% endmacro %}"


def regions():
    return {"a": Region.objects.order_by("pk"), "b": Region.objects.order_by("-name", "pk")}


@pytest.mark.django_db(transaction=True, databases=["default", "other"])
@pytest.mark.parametrize("name", PARTS)
async def test_querysets_of_parts_load_beside_each_other(name):
    backend = make_backend(TEMPLATES)
    plain = backend.from_string(MACRO + PARTS[name])
    expected = await sync_to_async(plain.render)(regions())
    template = backend.from_string(MACRO + parallel(PARTS[name]))
    for _ in range(2):
        async with Watching() as seen:
            assert await template.render_async(regions()) == expected
        assert len(seen.queries) == seen.elsewhere == 2, seen.queries


@pytest.mark.parametrize("name", PARTS)
async def test_in_a_transaction_they_load_in_the_requests_thread(name):
    backend = make_backend(TEMPLATES)
    plain = backend.from_string(MACRO + PARTS[name])
    template = backend.from_string(MACRO + parallel(PARTS[name]))
    await sync_to_async(lambda: Region.objects.create(name="uncommitted"))()
    expected = await sync_to_async(plain.render)(regions())
    for _ in range(2):
        async with queries() as made:
            assert await template.render_async(regions()) == expected
        assert len(made) == 2


@pytest.mark.django_db(transaction=True, databases=["default", "other"])
async def test_a_load_of_the_context_is_shared_by_parts(render):
    source = parallel("{% for r in a %}{{ r.name }}{% endfor %}{{ a|length }}{{ n }}{{ n + 1 }}")
    values = {"a": aload(Region.objects.order_by("pk")), "n": aload(Region.objects.count)}
    names = [r async for r in Region.objects.order_by("pk").values_list("name", flat=True)]
    found = await render(source, values)
    assert found == f"{''.join(names)}{len(names)}{len(names)}{len(names) + 1}"
