"""The footing of every other async test: its queries are made in the test's own transaction."""

import asyncio
import threading

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.db import connection, transaction


@pytest.fixture
def test_thread():
    return threading.current_thread()


@pytest.fixture
async def loop_of_fixture():
    return asyncio.get_running_loop()


async def test_sync_work_runs_in_the_thread_of_the_test(test_thread):
    assert await sync_to_async(threading.current_thread)() is test_thread
    assert threading.current_thread() is not test_thread


async def test_fixtures_and_test_share_the_loop(loop_of_fixture):
    assert asyncio.get_running_loop() is loop_of_fixture


async def test_sync_work_of_tasks_runs_in_the_thread_of_the_test(test_thread):
    threads = await asyncio.gather(*(sync_to_async(threading.current_thread)() for _ in range(5)))
    assert set(threads) == {test_thread}


@pytest.mark.django_db
class TestTransaction:
    @pytest.fixture
    def group(self, db):
        return Group.objects.create(name="readers")

    async def test_query_sees_what_a_fixture_wrote(self, group):
        assert [each.name async for each in Group.objects.all()] == ["readers"]
        assert await sync_to_async(lambda: connection.in_atomic_block)()

    # Twice the same: the second fails if the first one's row was committed.
    @pytest.mark.parametrize("time", [1, 2])
    async def test_rows_are_rolled_back(self, time):
        await Group.objects.acreate(name="writers")
        assert await Group.objects.acount() == 1


@pytest.mark.django_db(databases=["default", "other"])
async def test_two_databases_are_kept_apart():
    await Group.objects.using("other").acreate(name="elsewhere")
    assert await Group.objects.acount() == 0
    assert await Group.objects.using("other").acount() == 1


@pytest.mark.django_db(transaction=True)
async def test_another_thread_sees_committed_rows():
    await Group.objects.acreate(name="committed")

    def names_and_close():
        try:
            with transaction.atomic():
                return [group.name for group in Group.objects.all()]
        finally:
            connection.close()

    assert await sync_to_async(names_and_close, thread_sensitive=False)() == ["committed"]
