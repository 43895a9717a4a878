"""Many renders at a time do not mix, and a cancelled one leaves nothing behind."""

import asyncio
import datetime
import gc
import threading

import pytest
from django.test import RequestFactory
from django.utils import timezone, translation

from tests.event_loop import PATIENCE, turns

PAGE = (
    "{% extends 'base' %}{% block body %}"
    "{% for x in rows %}{% cycle 'a' 'b' as c silent %}{{ x }}{{ c }}"
    "{% if x == number %}!{% endif %}"
    "{% include 'part' with n=x %}{% endfor %}{{ awaited }}{{ from_processor }}{% endblock %}"
)
TEMPLATES = {
    "base": "<{{ number }}>{% block body %}{% endblock %}</{{ number }}>",
    "page": PAGE,
    "part": "({{ n }}/{{ number }})",
}


async def async_processor(request):
    await turns(int(request.GET["n"]) % 3)
    return {"from_processor": f"@{request.GET['n']}"}


async def slowly(value, number):
    """The value, after more turns of the loop for some numbers than for others."""
    await turns(number * 7 % 11)
    return value


def context(number):
    rows = slowly([number, number + 1], number)
    return {"number": number, "rows": rows, "awaited": slowly(f"#{number}", number + 1)}


def expected(number):
    rows = "".join(
        f"{x}{c}{'!' if x == number else ''}({x}/{number})"
        for x, c in zip([number, number + 1], "ab", strict=True)
    )
    return f"<{number}>{rows}#{number}@{number}</{number}>"


async def test_1000_renders_do_not_mix(make_backend):
    backend = make_backend(TEMPLATES, context_processors=[f"{__name__}.async_processor"])
    template = await backend.aget_template("page")
    outputs = await asyncio.gather(
        *(
            template.render_async(context(n), RequestFactory().get("/", {"n": n}))
            for n in range(1000)
        )
    )
    assert outputs == [expected(n) for n in range(1000)]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_each_render_keeps_its_own_language_and_time_zone(make_backend):
    source = "{{ date|date:'F' }} {{ moment|date:'H' }} {{ wait }} {{ date|date:'F' }}"
    template = make_backend().from_string(source)
    moment = datetime.datetime(2024, 5, 1, 12, tzinfo=datetime.UTC)

    async def one(number, language, zone):
        values = {"date": moment.date(), "moment": moment, "wait": slowly(language, number)}
        with translation.override(language), timezone.override(zone):
            return await template.render_async(values)

    kinds = [("de", "UTC", "Mai 12 de Mai"), ("fr", "Asia/Tokyo", "mai 21 fr mai")] * 50
    outputs = await asyncio.gather(
        *(one(number, language, zone) for number, (language, zone, _) in enumerate(kinds))
    )
    assert outputs == [output for *_, output in kinds]


async def test_renders_in_other_loops_of_other_threads(make_backend):
    template = make_backend(TEMPLATES).get_template("page")
    outputs = {}

    def elsewhere(number):
        outputs[number] = asyncio.run(template.render_async(context(number)))

    threads = [threading.Thread(target=elsewhere, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    await asyncio.to_thread(lambda: [thread.join() for thread in threads])
    assert outputs == {n: expected(n).replace(f"@{n}", "") for n in range(4)}


class TestCancelled:
    """The client is gone, or a time-out has passed."""

    @pytest.fixture(autouse=True)
    async def nothing_is_left(self):
        yield
        gc.collect()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    async def cancel_when(self, coroutine, started):
        task = asyncio.ensure_future(coroutine)
        async with asyncio.timeout(PATIENCE):
            await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def test_while_awaitables_of_the_context_are_awaited(self, make_backend):
        started, ended = asyncio.Event(), []

        async def forever(name):
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                ended.append(name)

        template = make_backend().from_string("{{ a }}{{ b }}")
        values = {"a": forever("a"), "b": forever("b")}
        await self.cancel_when(template.render_async(values), started)
        assert sorted(ended) == ["a", "b"]

    async def test_while_an_async_context_processor_runs(self, make_backend, request_):
        template = make_backend(context_processors=[f"{__name__}.endless"]).from_string("x")
        endless.started, endless.ended = asyncio.Event(), False
        await self.cancel_when(template.render_async({}, request_), endless.started)
        assert endless.ended

    async def test_before_it_began(self, make_backend):
        ran = []

        async def value():
            ran.append(True)

        coroutine = value()
        task = asyncio.ensure_future(
            make_backend().from_string("{{ a }}").render_async({"a": coroutine})
        )
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        coroutine.close()  # never given to the engine: the task had not started
        assert not ran

    async def test_a_time_out(self, make_backend):
        template = make_backend().from_string("{{ a }}")
        limit = asyncio.timeout(None)

        async def never():
            limit.reschedule(0)  # Its time has come while this waits.
            await asyncio.Event().wait()

        with pytest.raises(TimeoutError):
            async with limit:
                await template.render_async({"a": never()})

    async def test_the_backend_goes_on_working(self, make_backend):
        backend = make_backend(TEMPLATES)
        template = await backend.aget_template("page")
        for wait in range(1, 13):
            task = asyncio.ensure_future(template.render_async(context(1)))
            await turns(wait)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass
        gc.collect()
        assert await template.render_async(context(5)) == expected(5).replace("@5", "")


async def endless(request):
    endless.started.set()
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0)
        endless.ended = True
