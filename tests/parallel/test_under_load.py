"""Many requests with parts and loads at the same time, some of them cancelled: nothing is left."""

import asyncio
import random
import time

import pytest
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.db import connection, connections
from django.db.models.expressions import RawSQL

from atemplates import aload, batched
from atemplates.engines.django import DjangoTemplates
from tests.testapp.models import Region

pytestmark = pytest.mark.django_db(transaction=True)

BODY = (
    "{% for r in a %}{{ r.name }}{{ r.parent.name }}{% endfor %}"
    "{% for r in rows %}{{ r.name }}{% if r.number == 2 %}{{ r.count }}{% endif %}{% endfor %}"
    "{{ b|length }}{{ c.count }}{% for r in load %}{{ r.name }}{% endfor %}{{ counted }}"
    "{% for r in a %}{% for p in r.parts.all %}{{ p.name }}{% endfor %}{% endfor %}"
)


@batched
async def names(keys):
    await asyncio.sleep(0.002)
    return {key: f"n{key}" for key in keys}


class Row:
    def __init__(self, number):
        self.number = number

    async def name(self):
        return await names(self.number)

    def count(self):
        return Region.objects.count()


def slow():
    queryset = Region.objects.all()
    if connection.vendor == "postgresql":
        queryset = queryset.annotate(z=RawSQL("pg_sleep(%s)::text", [random.random() * 0.01]))
    return queryset


def make():
    return {
        "a": slow(),
        "b": slow(),
        "c": Region.objects.all(),
        "d": slow(),
        "load": aload(slow()),
        "counted": aload(Region.objects.count),
        "rows": [Row(number) for number in range(6)],
    }


def page(limit, parallel):
    options = {"parallel": parallel}
    backend = DjangoTemplates({"NAME": "d", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})
    source = f"{{% load atemplates %}}{{% parallel {limit} %}}{BODY}{{% endparallel %}}{{{{ d|length }}}}"
    return backend.from_string(source)


@pytest.mark.parametrize("parallel", [1, 2, 4])
def test_requests_of_which_some_are_cancelled(parallel):
    chance = random.Random(parallel)
    world = Region.objects.create(name="World")
    for number in range(4):
        Region.objects.create(name=f"r{number}", parent=world)
    pages = [page(limit, parallel) for limit in ("", "2", "1")]

    async def view(template):
        return await template.render_async(make())

    async def request(template, cancelled):
        async with ThreadSensitiveContext():
            task = asyncio.ensure_future(view(template))
            if cancelled:
                await asyncio.sleep(chance.random() * 0.05)
                task.cancel()
            try:
                return await task
            except asyncio.CancelledError:
                return None
            finally:
                await sync_to_async(connections.close_all)()

    async def serve():
        before = asyncio.all_tasks()
        shown = await asyncio.gather(
            *[request(chance.choice(pages), chance.random() < 0.4) for _ in range(50)]
        )
        await asyncio.sleep(0.1)
        assert asyncio.all_tasks() == before
        return shown

    shown = set(asyncio.run(serve())) - {None}
    assert shown == {pages[0].render(make())}
    assert sessions_go()


def sessions_go():
    """Whether soon no session of the server is in use but ours."""
    if connection.vendor != "postgresql":
        return True
    for _ in range(100):
        if sessions() == 0:
            return True
        time.sleep(0.05)
    return False


def sessions():
    if connection.pool is not None:
        stats = connection.pool.get_stats()
        return stats["pool_size"] - stats["pool_available"] - 1
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from pg_stat_activity where datname = current_database() "
            "and pid <> pg_backend_pid()"
        )
        return cursor.fetchone()[0]
