"""Querysets of parts that are rendered at the same time load on connections of their own."""

import asyncio

import pytest
from django.db import connection, transaction
from django.db.models import Count

from atemplates import aload
from atemplates.engines.django import DjangoTemplates
from atemplates.testing import record
from tests.parallel.showing import Watching, meeting
from tests.rendering import run_async
from tests.testapp.models import Region

pytestmark = pytest.mark.django_db(transaction=True)

INCLUDED = {"list.html": "{% for r in rows %}{{ r.name }},{% endfor %}"}


def page(body, parallel=True, **own):
    loaders = [("django.template.loaders.locmem.Loader", INCLUDED)]
    options = {"loaders": [("django.template.loaders.cached.Loader", loaders)], **own}
    backend = DjangoTemplates({"NAME": "d", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})
    if parallel:
        body = f"{{% parallel %}}{body}{{% endparallel %}}"
    return backend.from_string("{% load atemplates %}" + body)


def values():
    return {
        "a": Region.objects.all(),
        "b": Region.objects.order_by("-name"),
        "c": Region.objects.filter(parent=None),
    }


PARTS = {
    "loops": "{% for r in a %}{{ r.name }}{% endfor %}-{% for r in b %}{{ r.name }}{% endfor %}",
    "a loop in an if": "{% if a %}{% for r in a %}{{ r.name }}{% endfor %}{% endif %}{{ b|length }}",
    "includes": "{% include 'list.html' with rows=a %}{% include 'list.html' with rows=b %}",
    "filters": "{{ a|length }}{{ b|join:', ' }}",
    "methods": "{{ a.count }}{{ b.first.name }}",
    "methods in an if": "{% if a.exists %}x{% endif %}{% if b.last %}y{% endif %}",
    "with": "{% with x=a %}{{ x|length }}{% endwith %}{% with x=b.count %}{{ x }}{% endwith %}",
    "regroup": (
        "{% with x=a %}{% regroup x by name as g %}{{ g|length }}{% endwith %}{{ b|length }}"
    ),
    "spaceless": "{% spaceless %}<b> {{ a|length }} </b>{% endspaceless %}{{ b|length }}",
}


@pytest.mark.parametrize("name", PARTS)
def test_two_parts_query_at_the_same_time(name, regions):
    """Each query waits for the other: a page that makes one after the other does not end."""
    body = PARTS[name]
    expected = page(body, parallel=False).render(values())
    template = page(body)
    for _ in range(2):
        with meeting(2) as seen:
            assert run_async(template.render_async, values()) == expected
        assert seen.elsewhere == 2


APART = (
    "{% for r in a %}{{ r.name }}{{ r.parent.name }}{% endfor %}{{ b.count }}"
    "{% for r in c %}{% for p in r.parts.all %}{{ p.name }}{% endfor %}{{ r.parts.count }}{% endfor %}",
    "{% include 'list.html' with rows=a %}{% if b %}{% for r in b|slice:':2' %}{{ r }}{% endfor %}"
    "{{ b.count }}{% endif %}{{ c.first.name }}",
    "{% for r in b|slice:':2' %}{{ r.name }}{% endfor %}{% if a %}{{ a|length }}{% endif %}",
)


@pytest.mark.parametrize("body", APART)
def test_the_number_of_queries_is_that_of_the_sequential_page(body, regions):
    for _ in range(2):
        with meeting() as before:
            expected = run_async(page(body, parallel=False).render_async, values())
        with meeting() as seen:
            assert run_async(page(body).render_async, values()) == expected
        assert len(seen.queries) == len(before.queries)


def test_one_queryset_in_two_parts_is_loaded_once(regions):
    body = "{% for r in a %}{{ r.name }}{% endfor %}{{ a|length }}{% include 'list.html' with rows=a %}"
    expected = page(body, parallel=False).render(values())
    for make in (values, lambda: {"a": aload(Region.objects.all())}):
        with meeting() as seen:
            assert run_async(page(body).render_async, make()) == expected
        assert len(seen.queries) == 1


def test_rows_that_each_query(regions):
    body = "{% for r in a %}{{ r.mine.count }}{% for p in r.mine %}{{ p.name }}{% endfor %};{% endfor %}"

    class Row:
        def __init__(self, region):
            self.mine = Region.objects.filter(parent=region)

    def make():
        return {"a": [Row(regions), Row(None), Row(regions)]}

    with meeting() as before:
        expected = page(body, parallel=False).render(make())
    with meeting() as seen:
        assert run_async(page(body).render_async, make()) == expected
    assert len(seen.queries) == len(before.queries)
    assert seen.elsewhere == len(seen.queries)


def test_an_empty_queryset_asks_nobody(regions):
    with meeting() as seen:
        run_async(
            page("{% for r in a %}{{ r }}{% endfor %}{{ b|length }}").render_async,
            {"a": Region.objects.none(), "b": Region.objects.none()},
        )
    assert seen.queries == []


def test_in_a_transaction_parts_load_in_the_requests_thread(regions):
    body = PARTS["loops"]
    with transaction.atomic():
        Region.objects.create(name="uncommitted")
        expected = page(body, parallel=False).render(values())
        assert "uncommitted" in expected
        with meeting() as seen, record() as log:
            assert run_async(page(body).render_async, values()) == expected
        transaction.set_rollback(True)
    assert (len(seen.queries), seen.elsewhere) == (2, 0)
    reasons = {event.reason for event in log if event.kind == "load"}
    assert reasons == {"a transaction is open on 'default'"}


@pytest.mark.django_db(transaction=False)
def test_in_a_test_case(db):
    Region.objects.create(name="of the test")
    template = page("{% for r in a %}{{ r.name }}{% endfor %}{{ b.count }}")
    with meeting() as seen:
        assert run_async(template.render_async, values()) == "of the test1"
    assert (len(seen.queries), seen.elsewhere) == (2, 0)


def test_an_error_of_a_query_surfaces_at_its_line(regions):
    broken = Region.objects.annotate(n=Count("parts")).extra(where=["no_such_column = 1"])
    template = page("{{ a|length }}\n{% for r in broken %}{{ r }}{% endfor %}", debug=True)
    for _ in range(2):
        with pytest.raises(Exception, match="no_such_column") as caught:
            run_async(template.render_async, {**values(), "broken": broken.all()})
        assert caught.value.template_debug["line"] == 2
        assert type(caught.value).__name__ in ("OperationalError", "ProgrammingError")


def test_a_sync_render_makes_no_load(regions):
    with meeting() as seen, record() as log:
        page(PARTS["loops"]).render(values())
    assert (len(seen.queries), seen.elsewhere) == (2, 0)
    assert not [event for event in log if event.kind == "load"]


async def test_without_the_tag_nothing_leaves_the_requests_thread(regions):
    async with Watching() as seen:
        await page(PARTS["loops"], parallel=False).render_async(values())
    assert (len(seen.queries), seen.elsewhere) == (2, 0)
    assert connection.alias == "default"


class Source:
    """Rows that only ``async for`` gives."""

    def __init__(self, rows):
        self.rows = rows
        self.read = 0

    async def __aiter__(self):
        self.read += 1
        for row in self.rows:
            await asyncio.sleep(0)
            yield row


@pytest.mark.django_db(transaction=False)
@pytest.mark.parametrize("loops", [2, 5])
def test_an_async_source_in_several_parts_is_read_once(loops):
    source = Source("abc")
    body = "{% for x in s %}{{ x }}{% endfor %}" * loops
    assert (
        run_async(page(body + "{{ s|length }}").render_async, {"s": source}) == "abc" * loops + "3"
    )
    assert source.read == 1


@pytest.mark.django_db(transaction=False)
def test_an_async_source_that_fails_fails_in_each_part():
    class Failing:
        async def __aiter__(self):
            await asyncio.sleep(0.01)
            raise ValueError("broken")
            yield

    with pytest.raises(ValueError, match="broken"):
        run_async(page("{% for x in s %}{% endfor %}" * 3).render_async, {"s": Failing()})
