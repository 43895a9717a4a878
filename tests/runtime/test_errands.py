"""What a thread needs awaited for a page is awaited by the page's own task."""

import asyncio
import contextvars

import pytest
from asgiref.sync import sync_to_async

from atemplates.runtime import hops
from atemplates.runtime.drivers import wait_for
from atemplates.runtime.errands import Errands
from atemplates.runtime.hops import from_thread, in_request_thread
from tests.event_loop import turns
from tests.runtime.test_hops import AROUND, backend


@pytest.fixture(autouse=True)
def async_backend(monkeypatch):
    """Do as where a site uses an async database backend."""
    monkeypatch.setattr(hops, "has_async_backend", lambda: True)
    monkeypatch.setattr(
        hops, "await_apart", lambda function, *args, **kwargs: function(*args, **kwargs)
    )


number = contextvars.ContextVar("number", default=0)


class Owned:
    """As a connection of an async database backend: it belongs to the task that first used it."""

    def __init__(self):
        self.task = None

    async def value(self):
        await asyncio.sleep(0)
        current = asyncio.current_task()
        self.task = self.task or current
        assert self.task is current, "another task's"
        return "mine"

    NAME = value

    async def __aiter__(self):
        yield await self.value()


@pytest.mark.parametrize("engine", AROUND)
async def test_a_block_of_others_awaits_in_the_task_that_renders(engine):
    owned = Owned()
    assert await owned.value() == "mine"
    template = backend(engine).from_string(AROUND[engine])
    for _ in range(3):
        assert await template.render_async({"o": owned}) == "mine"
    assert await owned.value() == "mine"


@pytest.mark.parametrize("way", ["first", "last"])
async def test_rows_and_awaitables_of_a_page_have_one_owner(way):
    part = "{% load stopping %}{% around %}{% for x in o %}{{ x }}{% endfor %}{{ o.value }}{% endaround %}"
    source = "{{ o.value }}" + part if way == "last" else part + "{{ o.value }}"
    template = backend("django").from_string(source)
    assert await template.render_async({"o": Owned()}) == "mine" * 3


async def test_one_errand_may_lead_to_another():
    owned = Owned()

    def in_thread():
        return from_thread(outer)

    async def outer():
        await owned.value()
        # The thread that waits for this runs it, and has the task run a further errand.
        return await sync_to_async(lambda: from_thread(owned.value))()

    assert await owned.value() == "mine"
    async with asyncio.timeout(20):
        assert await in_request_thread(in_thread) == "mine"


async def test_a_hop_in_an_errand_has_errands_of_its_own():
    owned = Owned()

    async def outer():
        return await in_request_thread(lambda: from_thread(owned.value))

    assert await owned.value() == "mine"
    async with asyncio.timeout(20):
        assert await in_request_thread(lambda: from_thread(outer)) == "mine"


async def test_awaiting_together_leads_to_errands_too():
    found = []

    async def one(name):
        await sync_to_async(lambda: found.append(from_thread(turns, 1)))()
        return name

    async def both():
        return await asyncio.gather(one("a"), one("b"))

    async with asyncio.timeout(20):
        assert await in_request_thread(lambda: from_thread(both)) == ["a", "b"]
    assert len(found) == 2


async def test_what_it_raises_is_raised_in_the_thread():
    async def broken():
        raise LookupError("no such row")

    def in_thread():
        with pytest.raises(LookupError, match="no such row"):
            from_thread(broken)
        with pytest.raises(asyncio.CancelledError):
            from_thread(cancelled)
        return "went on"

    async def cancelled():
        raise asyncio.CancelledError

    assert await in_request_thread(in_thread) == "went on"


async def test_context_variables_are_those_of_the_thread():
    async def add():
        number.set(number.get() + 1)
        await asyncio.sleep(0)
        return number.get()

    def in_thread():
        number.set(10)
        first = from_thread(add)
        return first, number.get(), from_thread(add)

    number.set(1)
    assert await in_request_thread(in_thread) == (11, 11, 12)
    assert number.get() == 12  # as `sync_to_async` leaves it
    assert await sync_to_async(lambda: "the thread can be used")() == "the thread can be used"


async def test_a_timeout_of_the_errand_is_its_own():
    async def late():
        try:
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()
        except TimeoutError:
            return "late"

    assert await in_request_thread(lambda: from_thread(late)) == "late"
    assert asyncio.current_task().cancelling() == 0


async def test_a_timeout_of_the_task_stops_the_errand():
    unwound = []

    async def endless():
        try:
            await asyncio.Event().wait()
        finally:
            unwound.append("errand")

    def in_thread():
        try:
            wait_for(endless())
        finally:
            unwound.append("thread")

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await in_request_thread(in_thread)
    assert unwound == ["errand", "thread"]
    assert asyncio.current_task().cancelling() == 0
    assert await sync_to_async(lambda: "usable")() == "usable"


async def test_an_errand_that_swallows_the_cancellation_does_not_keep_the_task():
    async def stubborn():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "stayed"

    task = asyncio.ensure_future(in_request_thread(lambda: from_thread(stubborn)))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 20)


async def test_attending_waits_as_awaiting_does():
    """Also for a task: it is cancelled with whoever waits for it."""
    inner = asyncio.ensure_future(asyncio.Event().wait())

    async def waiting():
        await asyncio.sleep(0)
        await inner

    task = asyncio.ensure_future(Errands().attend(waiting()))
    await turns(3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert inner.cancelled()


async def test_what_is_asked_for_while_nothing_is_stuck_is_run_when_it_is():
    errands = Errands()
    asked = asyncio.ensure_future(errands.ask(asyncio.sleep, 0, "done"))
    await turns(1)

    async def waiting():
        return await asked

    assert await errands.attend(waiting()) == "done"
