"""A cancelled hop: nothing is left running, and the task can go on calling sync code."""

import asyncio
import inspect
import re
import threading

import asgiref.sync
import pytest
from asgiref.sync import ThreadSensitiveContext, async_to_sync, sync_to_async
from django.utils import translation

from atemplates.engines.django import DjangoTemplates
from atemplates.engines.jinja2 import Jinja2
from atemplates.runtime import hops
from atemplates.runtime.drivers import wait_for
from tests.event_loop import PATIENCE, turns

AROUND = {
    "django": "{% load stopping %}{% around %}{{ o.NAME }}{% endaround %}",
    "jinja2": "{% call around() %}{{ o.NAME() }}{% endcall %}",
}
"""A block of a third party: it renders its contents in the thread, and blocks where they wait."""


def backend(engine, **options):
    common = {"NAME": engine, "DIRS": [], "APP_DIRS": False}
    if engine == "jinja2":
        made = Jinja2({**common, "OPTIONS": options})
        made.env.globals["around"] = made.async_env.globals["around"] = lambda caller: caller()
        return made
    libraries = {"stopping": "tests.stopping_tags"}
    return DjangoTemplates({**common, "OPTIONS": {"libraries": libraries, **options}})


class Values:
    """What a page shows, and how far that got. An `Event` says when the client leaves."""

    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.reached, self.never = asyncio.Event(), asyncio.Event()
        self.go, self.over = threading.Event(), threading.Event()
        self.open = 0

    async def quick(self):
        """With a query, say: asgiref's thread has run a `sync_to_async` after this."""
        await sync_to_async(threading.get_ident)()
        return "quick"

    async def endless(self):
        self.open += 1
        self.reached.set()
        try:
            await self.never.wait()
        finally:
            await turns(3)
            self.open -= 1

    def held(self):
        """Hold the thread until the test lets it go."""
        self.open += 1
        self.loop.call_soon_threadsafe(self.reached.set)
        assert self.go.wait(PATIENCE)
        self.open -= 1
        return "held"

    def busy(self):
        """Do so in another language, which nobody is to see."""
        with translation.override("de"):
            return self.held()

    async def stuck(self):
        return await sync_to_async(self.held)()

    async def left(self):
        """Be done before the thread is."""
        self.beside = asyncio.ensure_future(sync_to_async(self.busy)())
        await self.reached.wait()
        await turns(1)
        return "left"

    async def bridged(self):
        """Code of others that goes from the loop to the thread and back, twice."""

        def there():
            async_to_sync(self.quick)()
            try:
                async_to_sync(self.endless)()
            finally:
                self.over.set()

        await sync_to_async(there)()


CONTENTS = {
    "a value": ["endless"],
    "a value after one with a query": ["quick", "endless"],
    "a query": ["stuck"],
    "a query after another": ["quick", "stuck"],
    "sync code": ["busy"],
    "sync code before a value": ["busy", "endless"],
    "sync code before a query": ["busy", "quick"],
    "sync code that a value has left behind": ["left"],
    "sync code left behind, before a value": ["left", "endless"],
}


def source(engine, names):
    head, value, tail = re.split(r"(\{\{.*?\}\})", AROUND[engine])
    return head + "".join(value.replace("NAME", name) for name in names) + tail


async def cancel(render, values, times=1):
    """Cancel a request while it renders; return how its task ended and what it did after that."""
    done = []

    async def request():
        translation.activate("en")
        thread = await sync_to_async(threading.get_ident)()
        try:
            await render(values)
        finally:
            done.append(await sync_to_async(threading.get_ident)() == thread)
            done.append(translation.get_language())

    task = asyncio.ensure_future(request())
    reached = asyncio.ensure_future(values.reached.wait())
    await asyncio.wait({task, reached}, return_when="FIRST_COMPLETED", timeout=PATIENCE)
    assert reached.done()
    assert not task.done(), task
    await turns(3)
    for _ in range(times):
        task.cancel()
        await turns(4)
    values.go.set()
    await asyncio.wait({task}, timeout=PATIENCE)
    hung = not task.done()
    values.never.set()  # so that a thread that waits does not outlive a failure
    await asyncio.wait({task}, timeout=PATIENCE)
    assert not hung, "the render waits for what nobody cancelled"
    if hasattr(values, "beside"):
        await asyncio.wait({values.beside})
    return task, done


async def in_a_context(function, *args):
    """Call as Django's ASGI handler does: with a thread for the request."""
    async with ThreadSensitiveContext():
        return await function(*args)


async def without(function, *args):
    return await function(*args)


def check(way, render, times=1):
    """Cancel a render on a loop of its own, and look at what is left."""

    async def main():
        values = Values()
        task, done = await way(cancel, render, values, times)
        if not task.cancelled():
            task.result()
        assert done == [True, "en"]
        assert task.cancelled()
        assert values.open == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def renders(engine, names, **options):
    template = backend(engine, **options).from_string(source(engine, names))
    return lambda values: template.render_async({"o": values})


@pytest.mark.parametrize("way", [in_a_context, without])
@pytest.mark.parametrize("contents", CONTENTS)
@pytest.mark.parametrize("engine", AROUND)
def test_the_task_goes_on_after_it(engine, contents, way):
    check(way, renders(engine, CONTENTS[contents]))


@pytest.mark.parametrize("way", [in_a_context, without])
@pytest.mark.parametrize("contents", [each for each in CONTENTS if "sync code" in each])
def test_cancelled_again_while_the_thread_is_busy(contents, way):
    check(way, renders("django", CONTENTS[contents]), times=3)


@pytest.mark.parametrize("way", [in_a_context, without])
@pytest.mark.parametrize("contents", CONTENTS)
def test_a_whole_page_in_the_thread(contents, way):
    """The old way: stock Django renders, in one hop."""
    names = CONTENTS[contents]
    template = backend("django", async_mode="thread").from_string(source("django", names))

    class Blocking:
        """Stock Django does not await: what waits is in the page's sync code."""

        def __init__(self, values):
            self.values = values

        def __getattr__(self, name):
            found = getattr(self.values, name)
            return (lambda: wait_for(found())) if inspect.iscoroutinefunction(found) else found

    check(way, lambda values: template.render_async({"o": Blocking(values)}))


@pytest.mark.parametrize("way", [in_a_context, without])
def test_awaitables_of_others_that_leave_the_loop(way):
    template = backend("django").from_string("{{ o.bridged }}")

    async def render(values):
        try:
            await template.render_async({"o": values})
        finally:
            values.never.set()  # This thread is theirs: they left it behind, waiting.
            assert await asyncio.to_thread(values.over.wait, PATIENCE)

    check(way, render)


@pytest.mark.parametrize("way", [in_a_context, without])
def test_the_thread_ends_between_asgiref_and_us(way, monkeypatch):
    """asgiref takes the variables over in the midst of the call, which then ends before we look."""
    values_of_test = []
    ended = threading.Event()
    restore, copy = asgiref.sync._restore_context, hops.copy_context

    def restore_and_let_go(context):
        restore(context)
        values = values_of_test[0]
        on_loop = threading.get_ident() == values.thread
        if on_loop and values.reached.is_set() and not values.go.is_set():
            values.go.set()
            assert ended.wait(PATIENCE)

    def noting():
        if values_of_test[0].reached.is_set():
            ended.set()
        return copy()

    template = backend("django").from_string(source("django", ["left"]))

    async def render(values):
        values.thread = threading.get_ident()
        values_of_test.append(values)
        with monkeypatch.context() as patch:
            patch.setattr(asgiref.sync, "_restore_context", restore_and_let_go)
            patch.setattr(hops, "copy_context", noting)
            await template.render_async({"o": values})

    check(way, render)


async def test_a_time_out_in_the_thread():
    values = Values()
    template = backend("django").from_string(source("django", ["quick", "endless"]))
    limit = asyncio.timeout(None)

    async def never():
        limit.reschedule(0)
        await asyncio.Event().wait()

    values.endless = never
    with pytest.raises(TimeoutError):
        async with limit:
            await template.render_async({"o": values})
    assert await sync_to_async(lambda: "works")() == "works"
