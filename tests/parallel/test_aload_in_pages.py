"""Loads beside everything else that a page holds: tags of others, parts, other sources, reports."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.db import transaction

from atemplates import aload
from atemplates.engines.django import DjangoTemplates
from atemplates.errors import RenderBlocked
from atemplates.migration.recorder import Recorder
from atemplates.relations.events import Event
from atemplates.testing import Log, record
from tests.event_loop import turns
from tests.parallel.showing import SOON, WAYS, Watching, meeting, show
from tests.rendering import run_async
from tests.testapp.models import Region

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "other"])

LIBRARIES = {"load_tags": "tests.parallel.load_tags"}


def shown(source, make, way="async", **options):
    """Render with Django's language and our tags, and a library of others."""
    options = {"libraries": LIBRARIES, **options}
    backend = DjangoTemplates({"NAME": "d", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})
    page = backend.from_string("{% load load_tags atemplates %}" + source)
    if way == "sync":
        return page.render(make())

    async def view():
        return await page.render_async(make())

    return run_async(view)


# -- code that cannot await ------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["sync", "async"])
@pytest.mark.parametrize("times", [1, 2])
def test_a_tag_of_others_gets_the_rows(way, times, regions):
    with meeting() as seen:
        text = shown("{% names %}|" * times, lambda: {"load": aload(Region.objects.all())}, way)
    assert text == "World,Africa,Asia|" * times
    assert (len(seen.queries), seen.elsewhere) == (1, 1)


@pytest.mark.parametrize("way", ["sync", "async"])
def test_a_tag_of_others_gets_the_queryset_where_it_stepped_back(way, regions):
    source = "{% names %}{% for r in load %}{{ r.id }}{% endfor %}"
    expected = shown(source, lambda: {"load": Region.objects.all()}, way)
    with transaction.atomic(), meeting() as seen:
        assert shown(source, lambda: {"load": aload(Region.objects.all())}, way) == expected
    assert (len(seen.queries), seen.elsewhere) == (1, 0)


@pytest.mark.parametrize("way", ["sync", "async"])
def test_a_tag_of_others_that_does_not_look_makes_no_query(way, regions):
    with transaction.atomic(), meeting() as seen:
        assert shown("{% quiet %}", lambda: {"load": aload(Region.objects.all())}, way) == "quiet"
    assert seen.queries == []


# -- parts, loops, includes ------------------------------------------------------------------------


def test_two_parts_need_the_same_load(regions):
    part = "{% for r in load %}{{ r.name }}{% endfor %}"
    source = f"{{% parallel %}}{part}{part}{{{{ load|length }}}}{{% endparallel %}}"
    with meeting() as seen:
        text = shown(source, lambda: {"load": aload(Region.objects.all())})
    assert text == "WorldAfricaAsia" * 2 + "3"
    assert len(seen.queries) == 1


def test_two_parts_need_the_same_load_that_stepped_back(regions):
    part = "{% for r in load %}{{ r.name }}{% endfor %}"
    source = f"{{% parallel %}}{part}{part}{{{{ n }}}}{{% endparallel %}}"
    with transaction.atomic(), meeting() as seen:
        text = shown(
            source,
            lambda: {"load": aload(Region.objects.all()), "n": aload(Region.objects.count)},
        )
    assert text == "WorldAfricaAsia" * 2 + "3"
    assert (len(seen.queries), seen.elsewhere) == (2, 0)


@pytest.mark.parametrize("way", WAYS)
def test_loads_in_lists_and_dicts(way, regions):
    source = "{% for p in panels %}{{ p.title }}{% for r in p.rows %}{{ r.name }}{% endfor %}{% endfor %}"

    def make():
        rows = Region.objects.filter(parent=None)
        return {"panels": [{"title": each, "rows": aload(rows.all())} for each in ("a", "b")]}

    with meeting(2) as seen:
        assert show(way, source, make) == "aWorldbWorld"
    assert seen.elsewhere == 2


@pytest.mark.parametrize("way", WAYS)
def test_relations_of_the_rows_are_loaded_for_all_of_them(way, regions):
    source = "{% for r in load %}{{ r.parent.name }}{% endfor %}"
    with meeting() as before:
        expected = show(way, source, lambda: {"load": Region.objects.exclude(parent=None)})
    with meeting() as seen:
        found = show(way, source, lambda: {"load": aload(Region.objects.exclude(parent=None))})
    assert found == expected == "WorldWorld"
    assert len(seen.queries) == len(before.queries) == 2


# -- sources that only `async for` reads -----------------------------------------------------------


class Numbers:
    """Rows that arrive; kept, where it keeps them."""

    def __init__(self, keeps, together=None, fails=False):
        self.keeps = keeps
        self.together = together
        """What is full when all that are read at the same time have begun."""
        self.fails = fails
        self._result_cache = None
        self.read = 0

    async def acount(self):
        return 3

    async def __aiter__(self):
        self.read += 1
        if self.together is not None:
            await asyncio.wait_for(self.together.wait(), SOON)
        if self.fails:
            raise ValueError("no rows")
        rows = [1, 2, 3]
        if self.keeps:
            self._result_cache = rows
        for row in rows:
            yield row


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("keeps", [True, False])
def test_an_async_source(way, keeps):
    made = []

    def make():
        made.append(Numbers(keeps))
        return {"load": aload(made[0])}

    source = "{% for n in load %}{{ n }}{% endfor %}{{ load|length }}{% for n in load %}{{ n }}{% endfor %}"
    with record() as log:
        assert show(way, source, make) == "1233123"
    assert made[0].read == 1
    assert [(event.kind, event.rows, event.reason) for event in log if event.kind == "load"] == [
        ("load", 3, "")
    ]


@pytest.mark.parametrize("way", ["django-async", "jinja2-async"])
def test_async_sources_are_read_at_the_same_time(way):
    def make():
        together = asyncio.Barrier(2)
        return {"a": aload(Numbers(True, together)), "b": aload(Numbers(False, together))}

    assert show(way, "{{ a|length }}{{ b|length }}", make) == "33"


async def test_an_async_source_that_fails(recwarn):
    load = aload(Numbers(True, fails=True))
    for _ in range(2):
        with pytest.raises(ValueError, match="no rows"):
            await load
    aload(Numbers(True, fails=True))
    await turns(10)
    assert not recwarn.list


async def test_an_async_source_of_a_cancelled_task_is_not_read_on():
    made = []

    async def request():
        made.append(aload(Numbers(True, together=asyncio.Barrier(2))))  # waits for another one
        await made[0]

    before = asyncio.all_tasks()
    task = asyncio.ensure_future(request())
    await turns(10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await turns(10)
    assert asyncio.all_tasks() == before


# -- who hears of it -------------------------------------------------------------------------------


def load_event(**own):
    return Event("", None, "aload(x)", "", (), "load", **own)


def test_a_load_is_no_lazy_access():
    event = load_event(model="testapp.Region", rows=3, milliseconds=2)
    assert not event.is_lazy
    assert Log([event]).lazy == []
    assert str(event) == "aload(x) - load (testapp.Region, 3 rows, 2.0 ms, in parallel)"
    back = load_event(reason="a transaction is open")
    assert str(back).endswith("(0 rows, 0.0 ms, in the request's thread: a transaction is open)")


def test_a_recording_leaves_loads_out(tmp_path):
    recorder = Recorder(tmp_path / "seen.jsonl")
    recorder.observe(load_event())
    recorder.observe(Event("a.html", 1, "x.y", "x", ("y",), "relation"))
    recorder.close()
    lines = [json.loads(line) for line in (tmp_path / "seen.jsonl").read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["relation"]


async def test_events_say_what_was_loaded_and_where(regions):
    async with Watching(), record() as log:
        await aload(Region.objects.all())
        await aload(Region.objects.count)
    assert [(e.kind, e.expression, e.model, e.rows, e.reason) for e in log] == [
        ("load", "aload(testapp.Region)", "testapp.Region", 3, ""),
        ("load", "aload(QuerySet.count)", "testapp.Region", 0, ""),
    ]


# -- the edges -------------------------------------------------------------------------------------


async def test_a_plain_render_on_a_running_loop_says_what_to_do(regions):
    options = {"NAME": "d", "DIRS": [], "APP_DIRS": False, "OPTIONS": {}}
    page = DjangoTemplates(options).from_string("{{ load|length }}")
    load = aload(Region.objects.all())
    with pytest.raises(RenderBlocked, match=r"aload\(testapp\.Region\)"):
        page.render({"load": load})
    assert await page.render_async({"load": load}) == "3"


PROGRAM = """
import threading
import django
from django.conf import settings
settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "%s"}})
django.setup()
from atemplates import aload
begun = threading.Event()
def slow():
    begun.set()
    threading.Event().wait(60)
load = aload(slow)
assert begun.wait(10)
print("over")
"""


@pytest.mark.processes
def test_a_process_ends_while_something_loads(tmp_path):
    program = PROGRAM % (tmp_path / "db.sqlite3")
    environment = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    command = [sys.executable, "-W", "error", "-c", program]
    root = Path(__file__).parent.parent.parent
    done = subprocess.run(
        command, env=environment, cwd=root, capture_output=True, text=True, check=False, timeout=30
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "over\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_has_workers_of_its_own(regions):
    assert aload(lambda: 1).wait() == 1  # there is a worker, which the child does not have
    child = os.fork()
    if child == 0:
        load = aload(lambda: threading.current_thread().name)
        os._exit(0 if load.wait().startswith("atemplates-load") else 1)
    assert os.waitpid(child, 0)[1] == 0
