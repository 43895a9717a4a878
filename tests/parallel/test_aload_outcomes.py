"""What a load gives, to whom, and how often: results, errors, one load for several who wait."""

import asyncio
import gc
import threading
import weakref

import pytest
from asgiref.sync import async_to_sync
from django.core.exceptions import ObjectDoesNotExist
from django.db import connection
from django.db.utils import DatabaseError
from django.utils import timezone, translation
from django.utils.connection import ConnectionDoesNotExist

import atemplates
from atemplates import aload, arender_to_string
from atemplates.parallel.loads import start_together
from atemplates.runtime import loading
from atemplates.testing import record
from tests.parallel.showing import SOON, WAYS, Watching, meeting, show
from tests.testapp.models import Place, Region

# A function may ask any of the databases: all of them have to be free.
pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "other"])

ways = pytest.mark.parametrize("way", WAYS)
SOURCE = "{% for r in load %}{{ r.name }} {% endfor %}"


def run(make, *, times=1):
    async def view():
        load = make()
        return [await load for _ in range(times)]

    return async_to_sync(view)()[-1]


# -- sources ---------------------------------------------------------------------------------------


def test_a_queryset_gets_the_rows(regions):
    queryset = Region.objects.all()
    assert run(lambda: aload(queryset)) is queryset
    assert loading.loading_of(queryset) is None
    with meeting() as seen:
        assert [r.name for r in queryset] == ["World", "Africa", "Asia"]
        assert len(queryset) == queryset.count() == 3
    assert seen.queries == []


def test_with_using_a_copy_gets_them(regions):
    queryset = Region.objects.all()
    found = run(lambda: aload(queryset, using="other"))
    assert list(found) == []
    assert found.db == "other"
    assert queryset._result_cache is None


def test_a_manager(regions):
    assert [r.name for r in run(lambda: aload(Region.objects))] == ["World", "Africa", "Asia"]
    assert [r.name for r in run(lambda: aload(regions.parts))] == ["Africa", "Asia"]
    assert [r.name for r in run(lambda: aload(regions.parts.all))] == ["Africa", "Asia"]


def test_prefetches_and_joins_are_loaded_with_it(regions):
    queryset = Region.objects.select_related("parent").prefetch_related("parts")
    with meeting() as seen:
        found = run(lambda: aload(queryset))
    assert (len(seen.queries), seen.elsewhere) == (2, 2)
    assert found._prefetch_done
    with meeting() as seen:
        shown = [(r.parent and r.parent.name, [p.name for p in r.parts.all()]) for r in found]
    assert shown == [(None, ["Africa", "Asia"]), ("World", []), ("World", [])]
    assert seen.queries == []


def test_other_rows_than_instances(regions):
    names = Region.objects.values_list("name", flat=True)
    assert list(run(lambda: aload(names.all()))) == ["World", "Africa", "Asia"]
    assert list(run(lambda: aload(names[1:2]))) == ["Africa"]
    assert list(run(lambda: aload(names.none()))) == []
    regions = Region.objects.order_by()
    both = regions.filter(name="Asia").union(regions.filter(name="Africa"))
    assert sorted(r.name for r in run(lambda: aload(both))) == ["Africa", "Asia"]


@ways
def test_a_raw_queryset(way, regions):
    sql = "SELECT * FROM testapp_region ORDER BY id"

    def make():
        return {"load": aload(Region.objects.raw(sql).prefetch_related("parts"))}

    with meeting() as seen:
        assert show(way, SOURCE, make) == "World Africa Asia "
    assert seen.elsewhere == len(seen.queries) == 2


def test_a_raw_queryset_gets_the_rows(regions):
    raw = Region.objects.raw("SELECT * FROM testapp_region ORDER BY id")
    assert run(lambda: aload(raw)) is raw
    with meeting() as seen:
        assert [r.name for r in raw] == ["World", "Africa", "Asia"]
        assert raw.columns == ["id", "name", "parent_id"]
    assert seen.queries == []


def test_what_has_its_rows_is_done(regions):
    queryset = Region.objects.all()
    len(queryset)
    with meeting() as seen, record() as log:
        assert run(lambda: aload(queryset)) is queryset
        assert (
            show("django-sync", SOURCE, lambda: {"load": aload(queryset)}) == "World Africa Asia "
        )
    assert seen.queries == log == []


def test_functions(regions):
    class Report:
        def __call__(self):
            return Region.objects.count()

    from functools import partial

    assert run(lambda: aload(Region.objects.all().exists)) is True
    assert run(lambda: aload(partial(Region.objects.filter(parent=regions).first))).name == "Africa"
    assert run(lambda: aload(Report())) == 3
    assert run(lambda: aload(lambda: [1, Region.objects.get(name="Asia").pk]))[0] == 1
    assert run(lambda: aload(lambda: None)) is None


def test_a_load_of_a_load_is_that_load(regions):
    load = aload(Region.objects.all())
    assert aload(load) is load


async def coroutine_function():
    return 1


async def generator_function():
    yield 1


@pytest.mark.parametrize(
    ("make", "hint"),
    [
        (lambda: coroutine_function, "Call it and put the awaitable into the context"),
        (coroutine_function, "put it into the context as it is"),
        (lambda: generator_function, "Call it"),
        (lambda: Region, r"Did you mean Region\.objects\?"),
        (lambda: Region.objects.iterator(), "give the queryset that it was made from"),
        (lambda: 7, "a QuerySet, a manager, a raw queryset, or a function"),
        (lambda: [1], "not \\[1\\]"),
        (lambda: None, "not None"),
    ],
)
def test_anything_else_is_refused(make, hint):
    with pytest.raises(TypeError, match=hint):
        aload(make())


def test_a_function_that_gives_an_awaitable(regions):
    with pytest.raises(TypeError, match=r"gave an awaitable.* put it into the context"):
        run(lambda: aload(lambda: coroutine_function()))


def test_a_database_that_is_not_there():
    with pytest.raises(ConnectionDoesNotExist, match=r"using='nowhere'.*'default', 'other'"):
        aload(Region.objects.all(), using="nowhere")


def test_it_is_public():
    assert "aload" in atemplates.__all__


def test_its_text_asks_nothing(regions):
    with meeting() as seen:
        go = threading.Event()
        load = aload(lambda: go.wait(SOON))
        assert "loading" in repr(load)
        go.set()
        load.wait()
        assert "loaded" in repr(load)
    assert seen.queries == []


# -- once ------------------------------------------------------------------------------------------


async def test_two_tasks_await_one_load(regions):
    queryset = Region.objects.all()
    async with Watching() as seen:
        load = aload(queryset)

        async def rows():
            return [r.name for r in await load]

        assert await asyncio.gather(rows(), rows()) == [["World", "Africa", "Asia"]] * 2
    assert len(seen.queries) == 1


async def test_two_loads_of_one_queryset(regions):
    queryset = Region.objects.all()
    async with Watching() as seen:
        first, second = aload(queryset), aload(queryset)
        assert await first is queryset
        assert await second is queryset
        assert await aload(queryset) is queryset
    assert len(seen.queries) == 1


async def test_two_loads_of_one_queryset_from_one_database(regions):
    queryset = Region.objects.all()
    async with Watching() as seen:
        first, second = aload(queryset, using="default"), aload(queryset, using="default")
        assert await first is await second
        assert await aload(queryset, using="default") is await first
    assert len(seen.queries) == 1


def test_two_threads_wait_for_one_load(regions):
    found = []
    with meeting(2) as seen:
        load = aload(Region.objects.all())
        threads = [threading.Thread(target=lambda: found.append(load.wait())) for _ in range(2)]
        for thread in threads:
            thread.start()
        seen.barrier.wait(SOON)
        for thread in threads:
            thread.join(SOON)
    assert found[0] is found[1]
    assert len(seen.queries) == 1


@ways
def test_the_template_loops_over_the_queryset_itself(way, regions):
    def make():
        queryset = Region.objects.all()
        return {"load": aload(queryset), "rows": queryset}

    with meeting() as seen:
        assert show(way, "{% for r in rows %}{{ r.name }}{% endfor %}", make) == "WorldAfricaAsia"
        both = "{% if rows %}y{% endif %}" + SOURCE
        assert show(way, both, make) == "yWorld Africa Asia "
    assert len(seen.queries) == seen.elsewhere == 2


@ways
def test_querysets_that_are_started_together(way, regions):
    source = "{% for r in a %}{{ r.name }}{% endfor %}{% for r in b %}{{ r.name }}{% endfor %}"

    def make():
        context = {"a": Region.objects.all(), "b": Place.objects.all(), "c": 3, "d": "text"}
        start_together(context.values())
        return context

    with meeting(2) as seen, record() as log:
        assert show(way, source, make) == "WorldAfricaAsia"
    assert len(seen.queries) == seen.elsewhere == 2
    loads = [event for event in log if event.kind == "load"]
    assert sorted((event.model, event.rows) for event in loads) == [
        ("testapp.Place", 0),
        ("testapp.Region", 3),
    ]


@ways
def test_rows_arrive_at_the_queryset_when_they_are_needed(way, regions):
    """A count before that makes the same query as on a page without loads."""
    counted = "{{ a.count() }}" if way.startswith("jinja2") else "{{ a.count }}"

    def make():
        queryset = Region.objects.all()
        start_together([queryset])
        return {"a": queryset}

    with meeting() as seen:
        assert show(way, counted + "{% for r in a %}{{ r.name }}{% endfor %}", make).startswith("3")
    assert (len(seen.queries), seen.elsewhere) == (2, 1)


def test_nothing_is_kept_of_a_queryset_that_nobody_has(regions):
    queryset = Region.objects.all()
    start_together([queryset])
    gone = weakref.ref(queryset)
    before = len(loading._loading)
    del queryset
    gc.collect()
    assert gone() is None
    assert len(loading._loading) < before


async def test_nothing_is_kept_on_the_loop_either(regions):
    queryset = Region.objects.all()
    load = aload(queryset)
    await load
    gone = weakref.ref(queryset)
    del queryset, load
    gc.collect()
    assert gone() is None


# -- errors ----------------------------------------------------------------------------------------


@ways
def test_an_error_is_the_same_as_without_a_load(way, regions):
    broken = Region.objects.extra(where=["no_such_column = 1"])
    with pytest.raises(DatabaseError) as expected:
        show(way, SOURCE, lambda: {"load": broken.all()})
    with pytest.raises(DatabaseError) as found:
        show(way, SOURCE, lambda: {"load": aload(broken.all())})
    assert type(found.value) is type(expected.value)
    assert str(found.value) == str(expected.value)
    assert show(way, SOURCE, lambda: {"load": aload(Region.objects)}) == "World Africa Asia "


async def test_an_error_surfaces_each_time(regions):
    def missing():
        calls.append(1)
        raise ObjectDoesNotExist("nothing there")

    calls = []
    load = aload(missing)
    for _ in range(3):
        with pytest.raises(ObjectDoesNotExist, match="nothing there") as found:
            await load
        assert len(found.traceback) < 20
    assert calls == [1]
    assert found.traceback[-1].name == "missing"


async def test_an_error_that_nobody_asks_for(regions, recwarn):
    def fail():
        done.set()
        raise ValueError("nobody wants to know")

    done = threading.Event()
    load = aload(fail)
    await asyncio.to_thread(done.wait, SOON)
    del load
    gc.collect()
    assert not recwarn.list


@ways
@pytest.mark.parametrize("kind", [StopIteration, KeyError, SystemExit])
def test_odd_exceptions_are_those_of_the_page_without_loads(way, kind, regions):
    def odd():
        raise kind("odd")

    expected = (kind, RuntimeError) if kind is StopIteration else kind
    with pytest.raises(expected):
        show(way, "{{ load }}", lambda: {"load": aload(odd)})
    assert show(way, SOURCE, lambda: {"load": aload(Region.objects)}) == "World Africa Asia "


# -- context variables -----------------------------------------------------------------------------


@ways
def test_language_and_zone_are_those_of_the_caller(way, regions):
    def seen():
        where.append(threading.current_thread().name)
        return f"{translation.get_language()} {timezone.get_current_timezone_name()}"

    where = []
    with translation.override("de"), timezone.override("Asia/Tokyo"):
        assert show(way, "{{ load }}", lambda: {"load": aload(seen)}) == "de Asia/Tokyo"
    assert where[0].startswith("atemplates-load-default")


async def test_what_a_function_sets_does_not_leak(regions):
    with translation.override("de"):
        await aload(lambda: translation.activate("fr"))
        assert translation.get_language() == "de"
        assert await aload(translation.get_language) == "de"


# -- where it stands in a page ---------------------------------------------------------------------


@ways
def test_it_is_waited_for_where_it_is_needed(way, regions):
    """What stands before it in the page is made meanwhile, and the request's thread helps."""
    together = threading.Barrier(2)
    source = "{{ here() }}{{ load }}" if way.startswith("jinja2") else "{{ here }}{{ load }}"

    def make():
        load = aload(lambda: together.wait(SOON) * 0 + 1)
        return {"load": load, "here": lambda: together.wait(SOON) * 0 + 2}

    assert show(way, source, make) == "21"


@ways
def test_coroutines_are_awaited_beside_it(way, regions):
    begun = threading.Event()

    async def other():
        begun.set()
        return "other"

    def make():
        return {"load": aload(lambda: begun.wait(SOON)), "other": other()}

    assert show(way, "{{ other }} {{ load }}", make) == "other True"


async def test_through_the_shortcuts(regions, settings):
    loaders = [("django.template.loaders.locmem.Loader", {"regions.html": SOURCE})]
    for name in ("atemplates.engines", "django.template.backends"):
        settings.TEMPLATES = [
            {"BACKEND": f"{name}.django.DjangoTemplates", "OPTIONS": {"loaders": loaders}}
        ]
        context = {"load": aload(Region.objects.all()), "unused": aload(Region.objects.count)}
        assert await arender_to_string("regions.html", context) == "World Africa Asia "


@pytest.mark.parametrize("way", ["django-sync", "django-async"])
def test_in_thread_mode(way, regions):
    from atemplates.engines.django import DjangoTemplates

    options = {"async_mode": "thread"}
    backend = DjangoTemplates({"NAME": "d", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})
    page = backend.from_string(SOURCE)
    if way == "django-sync":
        assert page.render({"load": aload(Region.objects)}) == "World Africa Asia "
    else:

        async def view():
            return await page.render_async({"load": aload(Region.objects)})

        assert async_to_sync(view)() == "World Africa Asia "


def test_the_log_of_queries_is_complete(regions, django_assert_num_queries):
    for way in WAYS:
        with django_assert_num_queries(2) as captured:
            show(
                way,
                SOURCE + "{{ n }}",
                lambda: {"load": aload(Region.objects.all()), "n": aload(Region.objects.count)},
            )
        assert any("COUNT" in query["sql"] for query in captured.captured_queries)
    assert connection.force_debug_cursor is False
