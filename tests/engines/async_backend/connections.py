"""Which task reads the querysets of django-async-backend, on which connection, and what is left."""

import asyncio
import threading

import pytest
from asgiref.sync import sync_to_async
from django_async_backend.db import async_connections
from django_async_backend.db.transaction import async_atomic

from atemplates import aload
from tests.testapp.models import Region

from .showing import ENGINES, WAYS, awaited, django_template, jinja2_template, ours, shown

OWN = 1
"""How many sessions there are when nobody reads: the one that counts them."""

OTHERS_TASK = "An async connection can only be used by the task that first used it"

AROUND = {
    "django": "{{ a|length }}{% load stopping %}{% around %}{% for x in b %}{{ x.name }}{% endfor %}"
    "{{ nobody.count }}{{ names|join:'' }}{% endaround %}{{ pairs|length }}",
    "jinja2": "{{ a|length }}{% call around() %}{% for x in b %}{{ x.name }}{% endfor %}"
    "{{ nobody.count() }}{{ names|join }}{% endcall %}{{ pairs|length }}",
}
"""Blocks of a third party, which render their contents in the request's thread."""


def template_around(engine):
    if engine == "django":
        libraries = {"stopping": "tests.stopping_tags"}
        return django_template(AROUND[engine], libraries=libraries)
    return jinja2_template(AROUND[engine])


def context_around():
    return {**ours(), "around": lambda caller: caller()}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("engine", ENGINES)
def test_what_a_block_of_others_holds_is_read_by_the_pages_own_task(engine, way):
    template = template_around(engine)
    for _ in range(3):
        found = shown(template, context_around(), way)
        assert found == "3AfricaSavanna0WorldAfricaSavanna3"


@pytest.mark.parametrize("engine", ENGINES)
def test_it_is_read_in_the_transaction_of_the_view(engine):
    template = template_around(engine)

    async def page():
        async with async_atomic():
            await Region.async_objects.acreate(name="uncommitted")
            output = await template.render_async(context_around())
            async_connections["default"].set_rollback(True)
        return output, await Region.async_objects.acount()

    expected = "4AfricaSavannauncommitted0WorldAfricaSavannauncommitted4"
    assert awaited(page) == (expected, 3)


def test_requests_at_the_same_time_have_a_connection_each(sessions):
    template = django_template(
        "{% for x in a %}{{ x.name }}{% endfor %}{{ b|length }}{{ a.count }}"
    )

    async def request():
        assert await Region.async_objects.acount() == 3
        try:
            return await template.render_async(ours())
        finally:
            await async_connections.close_all()

    async def requests():
        return await asyncio.gather(*(request() for _ in range(10)))

    assert set(awaited(requests)) == {"WorldAfricaSavanna23"}
    assert sessions(OWN) == OWN


USED = {
    "django": "{{ a|length }}{{ b|length }}{{ a.count }}",
    "jinja2": "{{ a|length }}{{ b|length }}",
}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_sync_render_leaves_no_connection(engine, sessions):
    template = ENGINES[engine][0](USED[engine])
    for _ in range(10):
        assert template.render(ours()).startswith("32")
    assert sessions(OWN) == OWN


@pytest.mark.parametrize("engine", ENGINES)
def test_a_sync_render_in_a_thread_of_a_request(engine, sessions):
    template = ENGINES[engine][0](USED[engine])

    async def page():
        assert await Region.async_objects.acount() == 3
        output = await sync_to_async(template.render)(ours())
        assert await sync_to_async(sessions)(OWN + 1) == OWN + 1
        assert await Region.async_objects.acount() == 3
        return output

    assert awaited(page).startswith("32")


def test_a_sync_render_in_a_thread_does_not_read_outside_a_transaction():
    template = django_template("{{ a|length }}")

    async def page():
        async with async_atomic():
            await Region.async_objects.acreate(name="uncommitted")
            try:
                return await sync_to_async(template.render)(ours())
            finally:
                async_connections["default"].set_rollback(True)

    with pytest.raises(RuntimeError, match=OTHERS_TASK):
        awaited(page)


def test_a_sync_render_elsewhere():
    """As a WSGI server's thread renders it, where no loop runs anywhere."""
    template = django_template("{{ a|length }}{% for x in b %}{{ x.name }}{% endfor %}")
    found = []
    thread = threading.Thread(target=lambda: found.append(template.render(ours())))
    thread.start()
    thread.join()
    assert found == ["3AfricaSavanna"]


def test_a_render_that_is_cancelled_in_a_block_of_others_can_close_its_connection(sessions):
    template = template_around("django")

    async def request():
        try:
            async with asyncio.timeout(0.2):
                await Region.async_objects.acount()
                slow = Region.async_objects.extra(select={"s": "pg_sleep(5)::text"})
                await template.render_async({**ours(), "b": slow})
        finally:
            await async_connections.close_all()

    with pytest.raises(TimeoutError):
        awaited(request)
    assert sessions(OWN) == OWN


BESIDE = {
    "coroutines": "{{ x }}{{ y }}{{ a|length }}",
    "parts": "{% load atemplates %}{% parallel %}{{ a|length }}{{ b.count }}{% for x in a %}"
    "{{ x.name }}{{ b|length }}{{ b.count }}{% endfor %}{% endparallel %}{{ b|length }}",
    "loads": "{{ l|length }}{% for x in l %}{{ x.name }}{% endfor %}{{ a|length }}",
}
"""What is awaited beside the page's own task, on connections of its own."""


def context_beside():
    rows = Region.async_objects
    return {**ours(), "x": rows.acount(), "y": rows.filter(pk=1).acount(), "l": aload(rows.all())}


@pytest.mark.parametrize("used", [False, True])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("coroutines", "313"),
        ("parts", "32World22Africa22Savanna222"),
        ("loads", "3WorldAfricaSavanna3"),
    ],
)
def test_what_is_awaited_beside_the_page_has_connections_of_its_own(name, expected, used, sessions):
    template = django_template(BESIDE[name])

    async def page():
        if used:
            assert await Region.async_objects.acount() == 3
        output = await template.render_async(context_beside())
        assert await Region.async_objects.acount() == 3
        return output

    for _ in range(3):
        assert awaited(page) == expected
    assert sessions(OWN) == OWN


def test_a_load_in_a_transaction_is_read_by_its_task():
    template = django_template("{{ l|length }}")

    async def page():
        async with async_atomic():
            await Region.async_objects.acreate(name="uncommitted")
            output = await template.render_async({"l": aload(Region.async_objects.all())})
            async_connections["default"].set_rollback(True)
        return output

    assert awaited(page) == "4"


@pytest.mark.parametrize(
    ("name", "expected"), [("coroutines", "414"), ("parts", "43World33Africa33Savanna33new333")]
)
def test_in_a_transaction_nothing_leaves_the_task(name, expected):
    """Others would not see it: what is awaited at the same time elsewhere is awaited in turn."""
    template = django_template(BESIDE[name])

    async def page():
        async with async_atomic():
            await Region.async_objects.acreate(name="new")
            output = await template.render_async(context_beside())
            async_connections["default"].set_rollback(True)
        return output

    for _ in range(2):
        assert awaited(page) == expected


def test_in_a_transaction_parts_of_jinja2_stay_in_the_task():
    source = "{% parallel %}{{ a|length }}{% for x in b %}{{ x.name }}{% endfor %}{{ b.count() }}{% endparallel %}"
    template = jinja2_template(source)

    async def page():
        async with async_atomic():
            await Region.async_objects.acreate(name="new")
            output = await template.render_async(ours())
            async_connections["default"].set_rollback(True)
        return output

    for _ in range(2):
        assert awaited(page).startswith("4")
