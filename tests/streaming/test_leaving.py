"""A page that nobody reads to its end leaves nothing behind, wherever its reader leaves it."""

import asyncio
import gc
import random
import threading
import time

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.template import Context
from django.utils import timezone, translation

from atemplates.engines.django import DjangoTemplates
from atemplates.engines.streaming import chunks_of
from tests.engines.conftest import in_memory
from tests.event_loop import PATIENCE, turns
from tests.property.library import build_library
from tests.rendering import MAIN, new_engine


class Source:
    """What a page waits for; it notes what began and what ended."""

    def __init__(self):
        self.begun, self.ended = [], []
        self.in_thread, self.release = threading.Event(), threading.Event()

    async def _waiting(self, name, number):
        self.begun.append(name)
        try:
            await turns(number)
            return "w"
        finally:
            self.ended.append(name)

    async def w(self):
        return await self._waiting("w", 5)

    async def never(self):
        return await self._waiting("never", 10**9)

    async def rows(self):
        self.begun.append("rows")
        try:
            yield 1
            await turns(10**9)
        finally:
            self.ended.append("rows")

    def in_a_query(self):
        Group.objects.count()
        self.begun.append("query")
        self.in_thread.set()
        assert self.release.wait(PATIENCE)
        self.ended.append("query")
        return "q"


POINTS = {
    "before the first chunk": ("a{{ o.w }}b", 0),
    "between chunks": ("a{{ o.w }}b{{ o.w }}c", 1),
    "while it waits": ("a{{ o.never }}b", 1),
    "while it waits for a value of the context": ("a{{ value }}b{{ other }}", 1),
    "while it reads rows": ("a{% for row in rows %}{{ row }}{% endfor %}", 1),
    "inside a capture": ("a{% filter upper %}b{{ o.never }}{% endfilter %}", 1),
    "inside a tag of others": ("a{% upper %}b{{ o.never }}{% endupper %}", 1),
    "inside a tag of others that awaits": (
        "a{% later_upper %}b{{ o.never }}{% endlater_upper %}",
        1,
    ),
    "in another language": (
        "{% load i18n tz %}a{% language 'de' %}{% timezone 'Asia/Tokyo' %}b{{ o.never }}"
        "{% endtimezone %}{% endlanguage %}",
        1,
    ),
    "in a part": (
        "{% load atemplates %}a{{ o.w }}{% parallel %}{% block x %}{{ o.never }}{% endblock %}"
        "{% block y %}{{ o.never }}{% endblock %}{% endparallel %}",
        1,
    ),
    "with parts that are deferred": (
        "{% load atemplates %}a{% defer %}{{ o.never }}{% enddefer %}b{{ o.never }}",
        1,
    ),
    "in a query": ("a{{ o.in_a_query }}b", 1),
    "after the last": ("a{{ o.w }}b", 2),
}


async def leave_by_closing(chunks):
    await chunks.aclose()


async def leave_by_closing_soon(chunks):
    chunks.close()


async def leave_by_cancelling(chunks):
    reading = asyncio.ensure_future(anext(chunks, None))
    await turns(3)
    reading.cancel()
    await asyncio.wait([reading])


async def leave_by_forgetting(chunks):
    """The test forgets the iterator."""


WAYS = {
    "closed": leave_by_closing,
    "closed soon": leave_by_closing_soon,
    "cancelled": leave_by_cancelling,
    "forgotten": leave_by_forgetting,
}


@pytest.fixture(autouse=True)
def nothing_uncollected():
    """What is left is seen: a coroutine that nobody awaited is an error when it is collected."""
    yield
    gc.collect()


@pytest.fixture
def no_thread_left():
    """No thread is begun that does not end."""
    threads = threading.active_count()
    yield
    assert threading.active_count() <= threads


async def until(holds):
    """Wait until a function gives something true."""
    given_up = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < given_up, asyncio.all_tasks()
        await asyncio.sleep(0.001)


async def ended(before):
    """Wait until there are no tasks but those there were."""
    await until(lambda: not asyncio.all_tasks() - before)


def load(source):
    engine = new_engine({MAIN: source})
    engine.template_builtins.append(build_library(False))
    return engine.get_template(MAIN)


def values_for(source):
    return {
        "o": source,
        "rows": source.rows(),
        "value": source.never(),
        "other": source.never(),
    }


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize(("text", "number"), POINTS.values(), ids=POINTS)
async def test_nothing_is_left(text, number, way, db, no_thread_left):
    before = asyncio.all_tasks()
    template = load(text)
    for _ in range(2):  # it is compiled the first time
        source = Source()
        values = values_for(source)
        with translation.override("fr"), timezone.override("Europe/Paris"):
            chunks = chunks_of(template, Context(values), values)
            for _ in range(number):
                assert await anext(chunks)
            if "in_a_query" in text:
                await asyncio.to_thread(source.in_thread.wait, PATIENCE)
                asyncio.get_running_loop().call_later(0.01, source.release.set)
            await way(chunks)
            del chunks
            gc.collect()
            await ended(before)
            assert translation.get_language() == "fr"
            assert timezone.get_current_timezone_name() == "Europe/Paris"
        assert sorted(source.begun) == sorted(source.ended)
        assert await sync_to_async(Group.objects.count)() == 0


async def test_a_page_that_was_closed_is_at_its_end():
    source = Source()
    chunks = chunks_of(load("a{{ o.w }}b"), Context({"o": source}), None)
    assert await anext(chunks) == "a"
    await chunks.aclose()
    await chunks.aclose()
    assert await anext(chunks, "nothing") == "nothing"
    assert source.begun == source.ended


async def test_a_reader_that_is_cancelled_ends_the_page():
    source, template = Source(), load("a{{ o.never }}b")
    before = asyncio.all_tasks()

    async def read():
        async for _ in chunks_of(template, Context({"o": source}), None):
            pass

    reading = asyncio.ensure_future(read())
    await until(lambda: source.begun)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await ended(before)
    assert source.ended == ["never"]


@pytest.mark.parametrize("is_read", [False, True])
def test_a_loop_that_ends_takes_its_pages_along(is_read):
    source = Source()
    kept = []

    async def main():
        kept.append(chunks_of(load("a{{ o.never }}b"), Context({"o": source}), None))
        if is_read:
            assert await anext(kept[0]) == "a"

    asyncio.run(main())
    kept.clear()
    gc.collect()
    assert source.begun == source.ended == (["never"] if is_read else [])


def test_a_page_that_is_never_read():
    """Where there is no loop, either: what it was to wait for is closed."""
    backend = DjangoTemplates(
        {"NAME": "d", "DIRS": [], "APP_DIRS": False, "OPTIONS": {"loaders": in_memory({"page": "{{ x }}"})}}
    )  # fmt: skip
    value = Source().w()
    chunks = backend.get_template("page").stream_async({"x": value})
    del chunks
    gc.collect()
    with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
        value.send(None)


async def test_a_thousand_pages_at_a_time_do_not_mix():
    template = load(
        "{% load i18n l10n %}{% language l %}{{ n }}:{{ o.w }}{% filter upper %}{{ l }}{{ o.w }}"
        "{% endfilter %}{% for x in n %}{{ x }}{{ o.w }}{% endfor %}{{ price|localize }}"
        "{% get_current_language as now %}{{ now }}{% endlanguage %}"
    )
    languages = ["de", "en", "fr", "pl"]
    dice = random.Random(7)

    async def read(number):
        language = languages[number % 4]
        text = ""
        with translation.override(languages[number % 3]):
            values = {"l": language, "n": f"{number:04}", "o": Source(), "price": 1.5}
            async for chunk in chunks_of(template, Context(values), None):
                text += chunk
                await turns(dice.randrange(4))
                assert translation.get_language() == languages[number % 3]
        comma = "." if language == "en" else ","
        digits = "w".join(f"{number:04}")
        assert text == f"{number:04}:w{language.upper()}W{digits}w1{comma}5{language}"

    before = asyncio.all_tasks()
    await asyncio.gather(*map(read, range(1000)))
    await ended(before)
