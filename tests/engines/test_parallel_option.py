"""``OPTIONS["parallel"]``: what a page certainly loads is started together when it begins."""

import asyncio
import threading

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from django.db.models.query import QuerySet

from atemplates.engines.django import DjangoTemplates
from atemplates.engines.jinja2 import Jinja2
from atemplates.runtime.loading import loading_of
from tests.event_loop import PATIENCE, turns
from tests.parallel.connections import eventually
from tests.parallel.showing import Watching, meeting
from tests.rendering import run_async
from tests.testapp.models import Region

from .conftest import in_memory, params

committed = pytest.mark.django_db(transaction=True)

LIBRARIES = {"certain_tags": "tests.tags.certain_tags"}


def backend(templates, parallel=4, **options):
    loaders = in_memory({"page": templates} if isinstance(templates, str) else templates)
    return DjangoTemplates(
        params(loaders=loaders, parallel=parallel, libraries=LIBRARIES, **options)
    )


@pytest.fixture
def regions(transactional_db):
    for name in ("Africa", "Asia"):
        Region.objects.create(name=name)


def querysets(names="abc", **others):
    return {name: Region.objects.order_by("name") for name in names} | others


async def page(templates, values=querysets, meets=1, times=1, **options):
    """Render a page; return its text, and the queries of the last time and who made them.

    Args:
        meets: how many queries wait for each other.
    """
    made = backend(templates, **options)
    for _ in range(times):
        async with Watching(meets) as seen:
            text = await made.get_template("page").render_async(values())
    return text, seen


class TestOption:
    @pytest.mark.parametrize("engine", [DjangoTemplates, Jinja2])
    @pytest.mark.parametrize("value", [0, -1, True, False, "4", None, 2.0, [2], ()])
    def test_what_is_refused(self, engine, value):
        with pytest.raises(ImproperlyConfigured) as caught:
            engine(params("main", parallel=value))
        message = str(caught.value)
        assert f"'main': OPTIONS['parallel'] is {value!r}; expected how many" in message
        assert "a whole number above 0" in message

    @pytest.mark.parametrize("engine", [DjangoTemplates, Jinja2])
    def test_what_is_allowed(self, engine):
        for value in (1, 2, 100):
            assert engine(params(parallel=value)).name == "django"


EACH = "{%% for r in %s %%}{{ r.name }} {%% endfor %%}"
ALL = "".join(EACH % name for name in "abc")


@committed
class TestStarted:
    async def test_three_at_the_same_time(self, regions):
        text, seen = await page(ALL, meets=3)
        assert text == "Africa Asia " * 3
        assert len(seen.queries) == seen.elsewhere == 3

    @pytest.mark.parametrize(
        "templates",
        [
            {"page": "{% include 'a' %}{% include 'b' with rows=b %}{{ c|length }}",
             "a": EACH % "a", "b": EACH % "rows"},
            {"page": "{% extends 'base' %}{% block x %}{{ block.super }}{{ b|length }}{% endblock %}",
             "base": "{% if a %}{% endif %}{% block x %}{{ c|length }}{% endblock %}"},
            {"page": "{% extends base %}{% block x %}{{ block.super }}{{ b|length }}{% endblock %}",
             "base": "{% if a %}{% endif %}{% block x %}{{ c|length }}{% endblock %}"},
        ],
    )  # fmt: skip
    async def test_in_includes_and_parents(self, regions, templates):
        _, seen = await page(templates, lambda: querysets(base="base"), meets=1)
        assert len(seen.queries) == 3
        _, seen = await page(templates, lambda: querysets(base="base"), times=2)
        assert len(seen.queries) == seen.elsewhere == 3

    async def test_all_of_a_parents_blocks_meet(self, regions):
        templates = {
            "page": "{% extends 'base' %}{% block x %}{{ block.super }}{{ b|length }}{% endblock %}",
            "base": "{% if a %}{% endif %}{% block x %}{{ c|length }}{% endblock %}",
        }
        for _ in range(2):
            text, seen = await page(templates, meets=3)
            assert (text, seen.elsewhere) == ("22", 3)

    async def test_the_same_under_two_names_is_loaded_once(self, regions):
        same = Region.objects.all()
        _, seen = await page(
            ALL, lambda: {"a": same, "b": same, "c": Region.objects.all()}, meets=2
        )
        assert len(seen.queries) == seen.elsewhere == 2

    async def test_beside_an_awaitable(self, regions):
        async def when_asked():
            async with asyncio.timeout(PATIENCE):
                while not seen.queries:
                    await turns(1)
            return "asked "

        made = backend("{{ c }}" + EACH % "a")
        async with Watching() as seen:
            values = {"a": Region.objects.order_by("name"), "c": when_asked()}
            text = await made.get_template("page").render_async(values)
        assert (text, seen.elsewhere) == ("asked Africa Asia ", 1)

    async def test_from_dicts(self, regions):
        source = EACH % "d.rows" + EACH % "d.more.rows"
        values = {"rows": Region.objects.all(), "more": {"rows": Region.objects.all()}}
        _, seen = await page(source, lambda: {"d": values}, meets=2)
        assert seen.elsewhere == 2

    async def test_of_context_processors(self, regions, rf):
        made = backend(ALL, context_processors=[f"{__name__}.processor"])
        async with Watching(3) as seen:
            await made.get_template("page").render_async(querysets("ab"), rf.get("/"))
        assert seen.elsewhere == 3


def processor(request):
    return {"c": Region.objects.all()}


class CountingQuerySet(QuerySet):
    def total(self):
        return len(self)

    def __repr__(self):
        return f"{len(self)} regions"


def own_querysets(names="abc"):
    return {name: CountingQuerySet(Region) for name in names}


@committed
class TestNotStarted:
    """Each renders what it does without the option, with as many queries."""

    async def both(self, templates, values=querysets, times=1):
        text, seen = await page(templates, values, times=times, parallel=1)
        assert seen.elsewhere == 0
        again, others = await page(templates, values, times=times, parallel=4)
        assert again == text
        assert sorted(others.queries) == sorted(seen.queries)
        return others.elsewhere

    async def test_one_alone(self, regions):
        assert await self.both(EACH % "a") == 0

    async def test_rows_that_are_there_and_none(self, regions):
        def values():
            return {
                "a": Region.objects.all(),
                "b": Region.objects.none(),
                "c": [Region(name="x")],
            }

        assert await self.both(ALL, values) == 0

    @pytest.mark.parametrize(
        ("source", "elsewhere"),
        [
            ("{% if a %}{% if b %}{% endif %}{% endif %}", 0),
            ("{{ a|first }}{{ b|slice:'1' }}{{ c.count }}{{ c.first }}", 0),
            ("{{ a.count }}{{ a.0 }}{{ a|first }}" + ALL, 3),
            ("{% load certain_tags %}{{ a|own }}" + ALL, 2),
            ("{% load certain_tags %}{% without_context a b %}" + ALL, 0),
            ("{% load certain_tags %}{% if c %}{% without_context a %}{% endif %}" + ALL, 2),
            ("{% load certain_tags %}{% awaited a %}" + ALL, 2),
            ("{% load certain_tags %}{% with d=a %}{{ d|own }}{% endwith %}" + ALL, 2),
            ("{% load certain_tags %}{{ a|default_if_none:''|own }}" + ALL, 2),
            ("{% load certain_tags %}{{ '1'|add:'2'|without:a }}" + ALL, 2),
            ("{% load certain_tags %}{{ a|length|own }}{{ a|own }}" + ALL, 3),
        ],
    )
    async def test_what_others_load_is_left_to_them(self, regions, source, elsewhere):
        assert await self.both(source) == elsewhere

    @pytest.mark.parametrize(
        ("source", "elsewhere"),
        [
            (ALL, 3),
            ("{{ a.total }}" + ALL, 2),
            ("{{ a }}" + ALL, 2),
            ("{{ a.count }}{{ a|length }}" + ALL, 3),
            ("{% if c %}{{ a.total }}{% endif %}" + ALL, 2),
        ],
    )
    async def test_methods_of_a_sites_querysets(self, regions, source, elsewhere):
        assert await self.both(source, own_querysets) == elsewhere

    async def test_what_is_in_what_others_get(self, regions):
        def values():
            found = querysets()
            return {**found, "all": {"x": [found["a"]], "y": (found["b"],)}}

        source = "{% load certain_tags %}{% without_context all %}" + ALL
        assert await self.both(source, values) == 0

    async def test_an_include_that_is_not_loaded_yet(self, regions):
        templates = {"page": EACH % "a" + "{% include 'rest' %}", "rest": EACH % "b" + EACH % "c"}
        assert await self.both(templates) == 0
        assert await self.both(templates, times=2) == 3

    async def test_a_relation_of_an_object(self, regions):
        await sync_to_async(Region.objects.create)(name="Parent")
        source = "{% for r in a %}{% for x in r.parts.all %}{% endfor %}{% endfor %}" + EACH % "b"
        assert await self.both(source) == 2

    def test_in_a_sync_render(self, regions):
        with meeting() as seen:
            text = backend(ALL).get_template("page").render(querysets())
        assert text == "Africa Asia " * 3
        assert (len(seen.queries), seen.elsewhere) == (3, 0)

    def test_in_a_thread(self, regions):
        made = backend(ALL, async_mode="thread")
        with meeting() as seen:
            assert made.get_template("page").render(querysets()) == "Africa Asia " * 3
        assert seen.elsewhere == 0

    async def test_in_a_transaction(self, regions):
        def view():
            with transaction.atomic():
                Region.objects.create(name="Mine")
                return backend(ALL).get_template("page").render(querysets())

        expected = "Africa Asia Mine " * 3
        assert await sync_to_async(view)() == expected


@pytest.mark.django_db
class TestInATestsTransaction:
    async def test_it_sees_the_tests_rows(self):
        await sync_to_async(Region.objects.create)(name="Mine")
        text, seen = await page(ALL)
        assert text == "Mine " * 3
        assert (len(seen.queries), seen.elsewhere) == (3, 0)


@pytest.mark.parametrize("way", ["option", "tag"])
def test_what_a_failed_page_has_begun_to_load_no_later_page_shows(way, regions):
    """Somebody may keep a queryset for longer than a request."""
    kept, other = Region.objects.all(), Region.objects.order_by("-name")
    body = "{% for r in kept %}{{ r.name }}{% endfor %}{% for r in other %}{{ r.name }}{% endfor %}"
    if way == "tag":
        body = "{% load atemplates %}{% parallel %}{{ f }}" + body + "{% endparallel %}"
    template = backend({}, parallel=1 if way == "tag" else 4).from_string("{{ g }}" + body)
    begun, go = threading.Semaphore(0), threading.Event()

    def hold(execute, *args):
        begun.release()
        go.wait(PATIENCE)
        return execute(*args)

    async def fail():
        await asyncio.to_thread(begun.acquire)
        await asyncio.to_thread(begun.acquire)
        raise ValueError("wrong")

    failing = {"f": fail()} if way == "tag" else {"g": fail()}
    with connection.execute_wrapper(hold):
        with pytest.raises(ValueError, match="wrong"):
            run_async(template.render_async, {**failing, "kept": kept, "other": other})
        go.set()
    eventually(lambda: not any(each._job.progress.value == "loading" for each in loads_of(kept)))
    Region.objects.create(name="New")
    shown = run_async(template.render_async, {"kept": kept, "other": other})
    assert shown.count("New") == 2


def loads_of(queryset):
    found = loading_of(queryset)
    return [] if found is None else [found]
