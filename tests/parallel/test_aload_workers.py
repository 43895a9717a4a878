"""The threads that load: how many, what they leave behind, and what is not begun any more."""

import asyncio
import gc
import threading

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection, connections
from django.db.utils import OperationalError

from atemplates import aload
from atemplates.engines.django import DjangoTemplates
from atemplates.parallel import own_connections, workers
from atemplates.testing import record
from tests.parallel.connections import eventually, open_connections
from tests.parallel.showing import SOON, WAYS, Watching, meeting, show
from tests.testapp.models import Region

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "other"])

ways = pytest.mark.parametrize("way", WAYS)
SOURCE = "{% for r in load %}{{ r.name }} {% endfor %}"


def load_threads():
    return [each for each in threading.enumerate() if each.name.startswith("atemplates-load")]


class Held:
    """Functions that do not end before they may."""

    def __init__(self):
        self.go = threading.Event()
        self.begun = []
        self.lock = threading.Lock()

    def function(self, name):
        def held():
            with self.lock:
                self.begun.append(name)
            self.go.wait(SOON)
            return name

        return held

    def wait_for(self, number):
        eventually(lambda: len(self.begun) >= number)


@pytest.fixture
def held():
    made = Held()
    yield made
    made.go.set()


# -- how many --------------------------------------------------------------------------------------


def test_at_most_as_many_as_are_allowed(held, monkeypatch):
    monkeypatch.setattr(workers, "_workers", {})
    loads = [aload(held.function(number)) for number in range(6)]
    held.wait_for(workers.USUAL_WORKERS)
    assert [load._job.progress.value for load in loads] == ["loading"] * 4 + [
        "waiting for a worker"
    ] * 2
    held.go.set()
    assert [load.wait() for load in loads] == list(range(6))


def test_options_say_how_many(held, monkeypatch):
    monkeypatch.setattr(workers, "_workers", {})
    monkeypatch.setattr(workers, "_allowed", [])
    workers.allow(1)
    assert workers.limit() == 4
    workers.allow(2)
    workers.allow(1)
    loads = [aload(held.function(number)) for number in range(3)]
    held.wait_for(2)
    assert [load._job.progress.value for load in loads][-1] == "waiting for a worker"


@ways
def test_what_waits_for_a_worker_is_loaded_by_who_needs_it(way, held, regions, monkeypatch):
    monkeypatch.setattr(workers, "_workers", {})
    busy = [aload(held.function(number)) for number in range(4)]
    held.wait_for(4)
    with meeting() as seen, record() as log:
        shown = show(way, SOURCE, lambda: {"load": aload(Region.objects.all()), "busy": busy})
    assert shown == "World Africa Asia "
    assert (len(seen.queries), seen.elsewhere) == (1, 0)
    assert [event.reason for event in log] == ["all 4 workers were busy"]


def test_the_queue_is_in_order(held, monkeypatch):
    monkeypatch.setattr(workers, "_workers", {})
    monkeypatch.setattr(workers, "_allowed", [])
    monkeypatch.setattr(workers, "USUAL_WORKERS", 1)
    loads = [aload(held.function(number)) for number in range(5)]
    held.wait_for(1)
    held.go.set()
    eventually(lambda: all(load._job.is_done() for load in loads))
    assert held.begun == [0, 1, 2, 3, 4]


def test_what_nobody_has_any_more_is_not_begun(held, monkeypatch):
    monkeypatch.setattr(workers, "_workers", {})
    busy = [aload(held.function(number)) for number in range(4)]
    forgotten, last = aload(held.function("forgotten")), aload(held.function("last"))
    held.wait_for(4)
    del forgotten
    gc.collect()
    held.go.set()
    eventually(last._job.is_done)
    assert last.wait() == "last"
    assert "forgotten" not in held.begun
    assert [load.wait() for load in busy] == [0, 1, 2, 3]


def test_threads_end_when_there_is_nothing_to_do(monkeypatch, regions):
    monkeypatch.setattr(workers, "_workers", {})
    monkeypatch.setattr(workers, "IDLE", 0.05)
    before = set(load_threads())
    with meeting(2):
        loads = [aload(Region.objects.all()), aload(Region.objects.count)]
        made = set(load_threads()) - before
        assert [len(loads[0].wait()), loads[1].wait()] == [3, 3]
    assert len(made) == 2
    assert all(each.daemon for each in made)
    eventually(lambda: not made & set(load_threads()))
    assert aload(Region.objects.count).wait() == 3


def test_a_worker_takes_one_load_after_the_other(monkeypatch, regions):
    monkeypatch.setattr(workers, "_workers", {})
    before = set(load_threads())
    for _ in range(20):
        assert aload(Region.objects.count).wait() == 3
    assert len(set(load_threads()) - before) <= 2


# -- what they leave behind ------------------------------------------------------------------------


def test_connections_are_closed_when_it_is_done(regions):
    connection.ensure_connection()
    before = open_connections()
    for _ in range(50):
        loads = [aload(Region.objects.all()), aload(Region.objects.count)]
        assert [len(loads[0].wait()), loads[1].wait()] == [3, 3]
        with pytest.raises(Exception, match="no_such"):
            aload(Region.objects.extra(where=["no_such = 1"])).wait()
    assert eventually(lambda: open_connections() <= before)


async def test_a_thousand_requests_leave_nothing(regions):
    options = {"NAME": "d", "DIRS": [], "APP_DIRS": False, "OPTIONS": {}}
    page = DjangoTemplates(options).from_string(SOURCE + "{{ n }}")
    await sync_to_async(lambda: connection.ensure_connection())()
    before = await sync_to_async(open_connections)()
    tasks, threads = asyncio.all_tasks(), set(load_threads())

    async def request():
        return await page.render_async(
            {"load": aload(Region.objects.all()), "n": aload(Region.objects.count)}
        )

    for _ in range(20):
        shown = await asyncio.gather(*[request() for _ in range(50)])
        assert set(shown) == {"World Africa Asia 3"}
    assert asyncio.all_tasks() == tasks
    assert len(set(load_threads()) - threads) <= workers.USUAL_WORKERS

    def count():
        return eventually(lambda: open_connections() <= before)

    assert await sync_to_async(count)()


@pytest.mark.parametrize(("age", "opened"), [(0, 3), (60, 1), (None, 1)])
def test_conn_max_age_is_how_long_a_worker_keeps_its_connection(age, opened, regions, monkeypatch):
    """It keeps it no longer than it waits for the next load."""
    if connections["default"].settings_dict["OPTIONS"].get("pool"):
        pytest.skip("a pool has all of them")
    monkeypatch.setitem(connections["default"].settings_dict, "CONN_MAX_AGE", age)
    monkeypatch.setattr(workers, "_workers", {})
    monkeypatch.setattr(workers, "IDLE", 0.2)
    connection.ensure_connection()
    before, made = open_connections(), []
    kind = own_connections._own_class(type(connections["default"]))
    connect = kind.connect
    monkeypatch.setattr(kind, "connect", lambda self: (made.append(self), connect(self)))
    for _ in range(3):
        assert aload(Region.objects.count).wait() == 3
        eventually(lambda: workers.workers_of("default")._idle)
    assert len(made) == opened
    assert eventually(lambda: open_connections() <= before)


def test_two_loads_in_a_row_use_one_connection(held, regions, monkeypatch):
    monkeypatch.setattr(workers, "_workers", {})
    monkeypatch.setattr(workers, "USUAL_WORKERS", 1)
    made = []
    kind = own_connections._own_class(type(connections["default"]))
    connect = kind.connect
    monkeypatch.setattr(kind, "connect", lambda self: (made.append(self), connect(self)))
    loads = [aload(held.function("first"))]
    held.wait_for(1)
    loads += [aload(Region.objects.count) for _ in range(3)]
    held.go.set()
    eventually(lambda: all(load._job.is_done() for load in loads))
    assert [load.wait() for load in loads] == ["first", 3, 3, 3]
    assert len(made) == 1


def test_a_function_may_ask_several_databases(regions):
    Region.objects.using("other").count()
    before = open_connections()
    with record() as log:
        load = aload(lambda: (Region.objects.count(), Region.objects.using("other").count()))
        assert load.wait() == (3, 0)
    assert [event.reason for event in log] == [""]
    assert eventually(lambda: open_connections() <= before)


def test_a_transaction_that_a_function_leaves_open_ends(regions):
    def careless():
        connections["default"].set_autocommit(False)
        Region.objects.create(name="never committed")

    aload(careless).wait()
    assert Region.objects.count() == 3


# -- who watches -----------------------------------------------------------------------------------


def test_wrappers_see_the_queries_of_workers_and_only_then(regions):
    with meeting() as seen:
        assert aload(Region.objects.count).wait() == 3
    assert (len(seen.queries), seen.elsewhere) == (1, 1)
    assert aload(Region.objects.count).wait() == 3
    assert len(seen.queries) == 1


def test_a_wrapper_that_forbids_queries_forbids_them_there_too(regions):
    def forbid(*args):
        raise RuntimeError("no queries here")

    with connection.execute_wrapper(forbid):
        load = aload(Region.objects.all())
        with pytest.raises(RuntimeError, match="no queries here"):
            load.wait()


@pytest.mark.usefixtures("regions")
def test_with_debug_the_queries_are_in_the_log(settings):
    settings.DEBUG = True
    connection.queries_log.clear()
    aload(Region.objects.all()).wait()
    aload(Region.objects.count).wait()
    assert len(connection.queries) == 2
    assert "time" in connection.queries[0]


# -- a connection that cannot be had ---------------------------------------------------------------


@ways
def test_one_that_cannot_be_opened_is_not_needed(way, regions, monkeypatch):
    """The request's thread has one; what its connection cannot open fails there as ever."""
    here = threading.current_thread()
    connect = type(connections["default"]).get_new_connection

    def refused(self, params):
        if threading.current_thread() is not here:
            raise OperationalError("too many clients")
        return connect(self, params)

    monkeypatch.setattr(type(connections["default"]), "get_new_connection", refused)
    calls = []

    def function():
        calls.append(threading.current_thread())
        return Region.objects.count()

    def careful():
        try:
            return Region.objects.count()
        except OperationalError:
            return "no answer"

    assert aload(careful).wait() == 3
    with record() as log:
        made = lambda: {"load": aload(Region.objects.all()), "n": aload(function)}  # noqa: E731
        assert show(way, SOURCE + "{{ n }}", made) == "World Africa Asia 3"
    reason = "no connection to 'default' could be opened: too many clients"
    assert [event.reason for event in log if event.kind == "load"] == [reason] * 2
    assert len(calls) == 2
    assert calls[-1] is here


def test_a_query_that_fails_is_not_made_again(regions):
    def broken():
        calls.append(1)
        with connection.cursor() as cursor:
            cursor.execute("SELECT no_such FROM testapp_region")

    calls = []
    with pytest.raises(OperationalError if connection.vendor == "sqlite" else Exception):
        aload(broken).wait()
    assert calls == [1]


def test_no_thread_can_be_started(regions, monkeypatch):
    monkeypatch.setattr(workers, "_workers", {})

    def refuse(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with record() as log:
        assert len(aload(Region.objects.all()).wait()) == 3
    assert "can't start new thread" in log[0].reason


def test_a_connection_that_cannot_be_closed_is_let_go(regions, monkeypatch, caplog):
    def fail(self):
        kept.append(self)
        raise OperationalError("gone already")

    kept = []
    monkeypatch.setattr(workers, "_workers", {})
    kind = own_connections._own_class(type(connections["default"]))
    monkeypatch.setattr(kind, "close_if_unusable_or_obsolete", fail)
    assert aload(Region.objects.count).wait() == 3
    monkeypatch.undo()
    assert "could not be closed" in caplog.text
    assert aload(Region.objects.count).wait() == 3
    kept[0].inc_thread_sharing()
    kept[0].close()


# -- cancelling ------------------------------------------------------------------------------------


async def test_a_cancelled_task_gets_its_cancellation(held):
    load = aload(held.function("slow"))
    task = asyncio.ensure_future(waiting(load))
    await asyncio.to_thread(held.wait_for, 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    held.go.set()
    assert await load == "slow"
    assert held.begun == ["slow"]


async def waiting(load):
    return await load


async def test_a_load_of_a_cancelled_task_is_not_begun_any_more(held, monkeypatch):
    monkeypatch.setattr(workers, "_workers", {})
    made = []

    async def request():
        made.extend(aload(held.function(number)) for number in range(6))
        await made[0]

    task = asyncio.ensure_future(request())
    await asyncio.to_thread(held.wait_for, 4)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    held.go.set()
    assert await asyncio.gather(*made[:4]) == [0, 1, 2, 3]
    assert sorted(held.begun) == [0, 1, 2, 3]
    assert await made[4] == 4  # somebody needs it after all


async def test_a_render_that_is_cancelled_leaves_nothing(held, regions):
    options = {"NAME": "d", "DIRS": [], "APP_DIRS": False, "OPTIONS": {}}
    page = DjangoTemplates(options).from_string("{% for r in other %}{% endfor %}{{ load }}")
    tasks = asyncio.all_tasks()

    async def request():
        context = {"load": aload(held.function("slow")), "other": Region.objects.all()}
        await page.render_async(context)

    task = asyncio.ensure_future(request())
    await asyncio.to_thread(held.wait_for, 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == tasks
    held.go.set()
    async with Watching() as seen:
        assert await aload(Region.objects.count) == 3
    assert len(seen.queries) == 1


async def test_a_task_that_is_cancelled_at_once(held):
    async def request():
        return aload(held.function("never"))

    task = asyncio.ensure_future(request())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert held.begun == []


def test_a_task_that_asks_for_many_loads_keeps_none_of_them(regions):
    async def view():
        for _ in range(30):
            await aload(Region.objects.count)
        from atemplates.parallel.departures import _departures

        return _departures[asyncio.current_task()]

    departure = async_to_sync(view)()
    assert len(departure._begun) <= 2
    assert not departure._calls
