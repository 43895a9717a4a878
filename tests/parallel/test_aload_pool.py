"""A pool of psycopg's: a worker takes a connection only if one is idle, so that nothing waits for
itself."""

import asyncio

import pytest
from asgiref.sync import ThreadSensitiveContext, async_to_sync, sync_to_async
from django.db import connection, connections
from django.db.models.expressions import RawSQL

from atemplates import aload
from atemplates.engines.django import DjangoTemplates
from atemplates.testing import record
from tests.parallel.connections import eventually, open_connections
from tests.parallel.showing import meeting
from tests.testapp.models import Region

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL has pools"),
]

PAGE = (
    "{% for r in a %}{{ r.name }}{% endfor %}{{ b }}{{ c }}{% for r in d %}{{ r.id }}{% endfor %}"
)


def slow(seconds=0.02):
    return Region.objects.annotate(slept=RawSQL(f"pg_sleep({seconds})::text", ()))


@pytest.fixture
def pool(regions):
    """A pool of two connections, both idle but for what the test takes."""
    wrapper = connections["default"]
    wrapper.close()
    before = wrapper.settings_dict["OPTIONS"]
    if wrapper.pool is not None:
        wrapper.close_pool()
    wrapper.settings_dict["OPTIONS"] = {
        **before,
        "pool": {"min_size": 2, "max_size": 2, "timeout": 30},
    }
    wrapper.pool.open()
    wrapper.pool.wait(10)
    yield wrapper.pool
    wrapper.close()
    wrapper.close_pool()
    wrapper.settings_dict["OPTIONS"] = before


def idle(pool):
    return pool.get_stats()["pool_available"]


def test_an_idle_one_is_taken_and_given_back(pool):
    with meeting(2) as seen, record() as log:
        loads = [aload(Region.objects.all()), aload(Region.objects.count)]
        assert [len(loads[0].wait()), loads[1].wait()] == [3, 3]
    assert seen.elsewhere == 2
    assert [event.reason for event in log] == ["", ""]
    assert eventually(lambda: idle(pool) == 2)


def test_without_an_idle_one_it_steps_back(pool):
    connection.ensure_connection()
    other = pool.getconn()
    try:
        with record() as log:
            assert len(aload(Region.objects.all()).wait()) == 3
            assert aload(Region.objects.count).wait() == 3
            assert aload(lambda: Region.objects.count(), using="default").wait() == 3
    finally:
        pool.putconn(other)
    reason = "the pool of 'default' had no idle connection"
    assert [event.reason for event in log] == [reason] * 3
    connection.close()
    assert eventually(lambda: idle(pool) == 2)


def context():
    return {
        "a": aload(slow()),
        "b": aload(slow().count),
        "c": aload(lambda: Region.objects.count(), using="default"),
        "d": aload(Region.objects.all()),
    }


async def test_fifty_requests_with_four_loads_each_finish(pool):
    options = {"NAME": "d", "DIRS": [], "APP_DIRS": False, "OPTIONS": {}}
    page = DjangoTemplates(options).from_string(PAGE)
    ids = await sync_to_async(lambda: "".join(str(r.id) for r in Region.objects.all()))()
    await sync_to_async(lambda: connection.close())()

    async def request():
        async with ThreadSensitiveContext():  # a thread of its own, as under an ASGI server
            try:
                return await page.render_async(context())
            finally:
                await sync_to_async(connections.close_all)()

    def run():
        async def fifty():
            return await asyncio.gather(*[request() for _ in range(50)])

        return asyncio.run(asyncio.wait_for(fifty(), 60))

    shown = await asyncio.to_thread(run)
    assert set(shown) == {f"WorldAfricaAsia33{ids}"}
    assert eventually(lambda: idle(pool) == 2)


async def test_requests_of_threads_finish(pool):
    """As under WSGI: each thread holds a connection while it waits for its loads."""
    options = {"NAME": "d", "DIRS": [], "APP_DIRS": False, "OPTIONS": {}}
    page = DjangoTemplates(options).from_string(PAGE)
    await sync_to_async(lambda: connection.close())()

    def request():
        try:
            Region.objects.count()
            return page.render(context())
        finally:
            connections.close_all()

    shown = await asyncio.wait_for(
        asyncio.gather(*[asyncio.to_thread(request) for _ in range(50)]), 60
    )
    assert len(set(shown)) == 1
    assert eventually(lambda: idle(pool) == 2)


def test_the_server_has_as_many_as_before(regions):
    """Without a pool each worker opens one, and closes it."""
    if connections["default"].pool is not None:
        pytest.skip("there is a pool")
    connection.ensure_connection()
    before = open_connections()

    async def view():
        return await asyncio.gather(*[aload(slow()) for _ in range(8)])

    assert len(async_to_sync(view)()) == 8
    assert eventually(lambda: open_connections() == before)
