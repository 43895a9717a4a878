"""When the parts of a ``{% defer %}`` are rendered, what they may ask, and what leaves meanwhile."""

import asyncio
import re
from time import perf_counter

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from atemplates import aload, batched
from atemplates.testing import LazyAccessError
from tests.event_loop import PATIENCE, turns
from tests.rendering import run_async
from tests.testapp.models import Region

from .deferring import PLACEHOLDER, WAYS, backend, chunks_of, filled

BESIDE = ("awaited", "in order", "out of order")


def timed(source, make=dict, templates=None, way="awaited"):
    """Render three times; return the text and the seconds of the quickest."""
    template = backend(templates).from_string(source)
    times = []
    for _ in range(3):
        start = perf_counter()
        text = run_async(WAYS[way], template, dict(make()))
        times.append(perf_counter() - start)
    return text, min(times)


async def out_of_order_chunks(template, values):
    return await chunks_of(template, values, out_of_order=True)


class Events(dict):
    """Events by name, which are made when they are asked for."""

    def __missing__(self, name):
        self[name] = asyncio.Event()
        return self[name]


# -- times -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", BESIDE)
def test_parts_are_rendered_at_the_same_time(way):
    part = "{% defer %}{% slow 0.15 a %}{% enddefer %}"
    text, seconds = timed(part * 3 + "{% slow 0.15 b %}", way=way)
    assert text == "aaab"
    assert seconds < 0.28


@pytest.mark.parametrize("way", BESIDE)
def test_in_a_loop_and_in_each_other(way):
    source = (
        "{% for x in xs %}{% defer %}{% defer %}{% slow 0.15 a %}{% enddefer %}{% slow 0.15 b %}"
        "{% enddefer %}{% endfor %}"
    )
    text, seconds = timed(source, lambda: {"xs": range(5)}, way=way)
    assert text == "ab" * 5
    assert seconds < 0.28


@pytest.mark.parametrize("way", BESIDE)
@pytest.mark.parametrize(
    "source",
    [
        "{% include 'part.html' %}{% include 'part.html' %}",
        "{% extends 'base.html' %}{% block b %}b{{ block.super }}{% endblock %}",
        "{% include name %}{% include name %}",
    ],
)
def test_where_only_another_template_has_parts(way, source):
    part = "{% defer %}{% slow 0.15 a %}{% enddefer %}"
    templates = {"part.html": part, "base.html": f"{part}{{% block b %}}{part}{{% endblock %}}"}
    text, seconds = timed(source, lambda: {"name": "part.html"}, templates, way)
    assert text in ("aa", "aba")
    assert seconds < 0.28


def test_parts_in_something_that_is_held_back_are_rendered_where_they_stand():
    source = "{% filter upper %}a{% defer %}{% slow 0.01 b %}{% placeholder %}p{% enddefer %}{% endfilter %}"
    template = backend().from_string(source + "{% slow 0.01 c %}")
    chunks = run_async(out_of_order_chunks, template, {})
    assert "".join(chunks) == "ABc"


# -- chunks ----------------------------------------------------------------------------------------


async def follow(template, sets, expected, **options):
    """Read a page; set an event whenever what is expected has come, which is to be all there is.

    Args:
        sets: the names of the events.
        expected: the shapes of what comes before each of them, and after the last.
    """
    events = Events()
    chunks = template.stream_async({"events": events}, **options)
    for name, shape in zip((*sets, None), expected, strict=True):
        text = ""
        async with asyncio.timeout(PATIENCE):
            while shape_of(text) != shape:
                text += await anext(chunks)
                assert shape.startswith(shape_of(text)), shape_of(text)
        if name is not None:
            await turns(20)  # what waits for it has come there
            events[name].set()
            await turns(20)
    assert await anext(chunks, None) is None


def shape_of(text):
    """Leave out of a text what is drawn by lot, and what the script is."""
    text = re.sub(r"<script[^>]*>.*?</script>(?=<template for)", "<script>", text, flags=re.S)
    return re.sub(r'((?:name|for)=")p\w+-', r"\1", text).replace("<!---->", "")


TWO = (
    "a{% defer %}{% ready one b %}{% placeholder %}1{% enddefer %}c"
    "{% defer %}{% ready two d %}{% placeholder %}2{% enddefer %}e"
)


def shape(text):
    """Leave out of a text what is drawn by lot, and scripts."""
    names = {}
    text = re.sub(r"<script[^>]*>.*?</script>(?=<template for)", "<script>", text, flags=re.S)
    text = text.replace("<!---->", "")
    return re.sub(
        r'(?<=name=")[\w-]+|(?<=for=")[\w-]+',
        lambda found: names.setdefault(found[0].partition("-")[2], found[0].partition("-")[2]),
        text,
    )


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (["one", "two"], ["a", "bc", "de"]),
        (["two", "one"], ["a", "", "bcde"]),
    ],
)
def test_in_order_a_part_leaves_when_those_before_it_have(order, expected):
    template = backend().from_string(TWO)
    for _ in range(2):
        run_async(follow, template, order, expected)


@pytest.mark.parametrize("order", [["one", "two"], ["two", "one"]])
def test_out_of_order_a_part_leaves_when_it_is_ready(order):
    page = 'a<?start name="1">1<?end>c<?start name="2">2<?end>e'
    fills = {
        "one": '<template for="1">b</template>',
        "two": '<template for="2">d</template>',
    }
    first, second = (fills[name] for name in order)
    template = backend().from_string(TWO)
    for _ in range(2):
        run_async(follow_out_of_order, template, order, [page, "<script>" + first, second])


async def follow_out_of_order(template, sets, expected):
    await follow(template, sets, expected, out_of_order=True)


def test_the_placeholder_of_an_inner_part_follows_with_the_outer_one():
    template = backend().from_string(
        "x{% defer %}a{% defer %}{% ready inner b %}{% placeholder %}2{% enddefer %}"
        "{% ready outer c %}{% placeholder %}1{% enddefer %}d"
    )
    page = 'x<?start name="1">1<?end>d'
    outer_first = [
        page,
        '<script><template for="1">a<?start name="2">2<?end>c</template>',
        '<template for="2">b</template>',
    ]
    inner_first = [page, "", '<script><template for="1">abc</template>']
    for _ in range(2):
        run_async(follow_out_of_order, template, ["outer", "inner"], outer_first)
        run_async(follow_out_of_order, template, ["inner", "outer"], inner_first)


def test_a_part_that_waits_for_nothing_may_stand_in_its_place_already():
    template = backend().from_string("a{% defer %}b{% placeholder %}1{% enddefer %}c")
    text = "".join(run_async(out_of_order_chunks, template, {}))
    assert filled(text) == "abc"


def test_names_are_of_one_page():
    template = backend().from_string(TWO)

    async def read():
        events = Events()
        events["one"].set()
        events["two"].set()
        return "".join(await chunks_of(template, {"events": events}, out_of_order=True))

    first, second = (set(PLACEHOLDER.findall(run_async(read))) for _ in range(2))
    assert {name for name, _ in first}.isdisjoint(name for name, _ in second)


# -- queries ---------------------------------------------------------------------------------------


@pytest.fixture
def regions(transactional_db):
    world = Region.objects.create(name="World")
    for number in range(3):
        Region.objects.create(name=f"r{number}", parent=world)


def shown_in_every_way(source, make, templates=None, expected=None, **options):
    template = backend(templates, **options).from_string(source)
    text = expected if expected is not None else template.render(dict(make()))
    for _ in range(4):  # it learns where to begin
        for way in WAYS.values():
            assert run_async(way, template, dict(make())) == text
    return text


QUERIES = {
    "beside each other": (
        "{% for r in xs.all %}{{ r.name }}{% endfor %}{% defer %}{% for r in xs.all %}{{ r.name }}"
        "{% endfor %}{% placeholder %}1{% enddefer %}{% defer %}{{ xs.count }}{% placeholder %}2"
        "{% enddefer %}{% for r in xs.all reversed %}{{ r.name }}{% endfor %}"
    ),
    "the same rows": (
        "{% for r in xs %}{{ r.name }}{% endfor %}{% defer %}{% for r in xs %}{{ r.name }}"
        "{% endfor %}{% placeholder %}1{% enddefer %}{% for r in xs %}{{ r.name }}{% endfor %}"
    ),
    "in the rows of a loop": (
        "{% for r in xs.all %}{% defer %}{{ r.parts.count }}{{ r.parent.name }}{% placeholder %}1"
        "{% enddefer %}{% endfor %}"
    ),
    "in each other": (
        "{% for r in xs.all %}{% defer %}{{ r.name }}{% defer %}{% for p in r.parts.all %}{{ p.name }}"
        "{% endfor %}{% placeholder %}2{% enddefer %}{% placeholder %}1{% enddefer %}{% endfor %}"
    ),
    "in a placeholder": (
        "{% defer %}{% slow 0.01 a %}{% placeholder %}{{ xs.count }}{% enddefer %}{{ xs.count }}"
    ),
    "in an error": (
        "{% defer %}{% slow_fail 0.01 a %}{% error %}{{ xs.count }}{% enddefer %}{{ xs.count }}"
    ),
    "between waits": (
        "{% defer %}{% slow 0.01 a %}{{ xs.count }}{% slow 0.01 a %}{{ xs.first.name }}"
        "{% placeholder %}1{% enddefer %}{{ xs.count }}{% slow 0.01 a %}{{ xs.last.name }}"
    ),
}


@pytest.mark.parametrize("name", QUERIES)
def test_parts_that_query(name, regions):
    shown_in_every_way(QUERIES[name], lambda: {"xs": Region.objects.all()})


@pytest.mark.parametrize("name", QUERIES)
def test_parts_that_query_where_no_thread_is_the_views(name, regions):
    """On a loop that nobody has given a thread, as under ``asyncio.run``."""
    template = backend().from_string(QUERIES[name])
    values = {"xs": Region.objects.all()}
    text = template.render(values)

    async def render():
        try:
            for _ in range(3):
                for way in WAYS.values():
                    assert await way(template, {"xs": Region.objects.all()}) == text
        finally:
            await sync_to_async(connections.close_all)()

    if connection.vendor != "sqlite" or not connection.is_in_memory_db():
        asyncio.run(render())


def test_relations_are_loaded_for_all_rows_together(regions):
    source = "{% for r in xs %}{% defer %}{{ r.parent.name }}{% placeholder %}1{% enddefer %}{% endfor %}"
    template = backend().from_string(source)

    def count():
        xs = Region.objects.exclude(parent=None)
        with CaptureQueriesContext(connection) as queries:
            run_async(WAYS["out of order"], template, {"xs": xs})
        return len(queries)

    assert [count() for _ in range(3)][-1] == 2


def test_relations_that_must_not_be_loaded_fail_the_page(regions):
    source = (
        "{% for r in xs %}{% defer %}\n{{ r.parent.name }}{% placeholder %}1{% error %}2{% enddefer %}"
        "{% endfor %}"
    )
    template = backend(relations="raise").from_string(source)

    def make():
        return {"xs": Region.objects.exclude(parent=None)}

    for _ in range(3):
        with pytest.raises(LazyAccessError, match="parent") as caught:
            template.render(make())
        assert caught.value.location.line == 2
        for way in WAYS.values():
            with pytest.raises(LazyAccessError, match="parent") as caught:
                run_async(way, template, make())
            assert caught.value.location.line == 2


def test_aload(regions):
    shown_in_every_way(
        "{{ a }}{% defer %}{{ a }}{% for r in b %}{{ r.name }}{% endfor %}{% placeholder %}1{% enddefer %}"
        "{% for r in b %}{{ r.name }}{% endfor %}",
        lambda: {"a": aload(Region.objects.count), "b": aload(Region.objects.all())},
        expected="44Worldr0r1r2Worldr0r1r2",
    )


def test_what_parts_ask_of_batched_functions_is_asked_together():
    calls = []

    @batched
    async def load(keys):
        calls.append(list(keys))
        await asyncio.sleep(0.01)
        return {key: f"n{key}" for key in keys}

    class Row:
        def __init__(self, number):
            self.number = number

        async def name(self):
            return await load(self.number)

    source = (
        "{% for r in rows %}{% defer %}{{ r.name }}{% placeholder %}p{% enddefer %}{% endfor %}"
    )
    template = backend().from_string(source)
    for way in BESIDE:
        for _ in range(2):
            calls.clear()
            rows = [Row(number) for number in range(4)]
            assert run_async(WAYS[way], template, {"rows": rows}) == "n0n1n2n3"
        assert calls == [[0, 1, 2, 3]], way


# -- awaitables ------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", BESIDE)
@pytest.mark.parametrize(
    "source",
    [
        "{{ a }}{% defer %}{{ a }}{% placeholder %}p{% enddefer %}",
        "{% defer %}{{ a }}{% placeholder %}p{% enddefer %}{{ a }}",
        "{% defer %}{{ a }}{% placeholder %}p{% enddefer %}{% defer %}{{ a }}{% enddefer %}",
        "{% defer %}{% if a %}{{ a }}{% endif %}{% placeholder %}p{% enddefer %}{{ b }}{{ a }}",
        "{% defer %}{% include 'inc.html' %}{% placeholder %}p{% enddefer %}{% include 'inc.html' %}",
        "{% for x in 'ab' %}{% defer %}{{ a }}{% placeholder %}p{% enddefer %}{% endfor %}",
        "{% defer timeout=a %}{{ b }}{% enddefer %}{{ a }}",
    ],
)
def test_an_awaitable_is_awaited_once(way, source):
    begun = []

    async def once():
        begun.append(1)
        await asyncio.sleep(0.01)
        return 7

    template = backend({"inc.html": "{{ a }}"}).from_string(source)
    for _ in range(2):
        begun.clear()
        text = run_async(WAYS[way], template, {"a": once(), "b": ""})
        assert set(text) == {"7"}
        assert begun == [1]


@pytest.mark.parametrize("way", BESIDE)
def test_awaitables_of_parts_and_page_begin_together(way):
    async def later():
        await asyncio.sleep(0.15)
        return 1

    source = "{% defer %}{{ a }}{% enddefer %}{{ b }}{% defer %}{{ c }}{% enddefer %}"
    text, seconds = timed(source, lambda: {"a": later(), "b": later(), "c": later()}, way=way)
    assert text == "111"
    assert seconds < 0.28


# -- in the thread ---------------------------------------------------------------------------------


@pytest.mark.parametrize("way", BESIDE)
def test_parts_begin_while_the_page_is_in_the_thread(way):
    source = (
        "{% blocks 0.001 x %}{% defer %}{% slow 0.15 a %}{% placeholder %}p{% enddefer %}"
        "{% blocks 0.15 y %}"
    )
    text, seconds = timed(source, way=way)
    assert text == "xay"
    assert seconds < 0.28


def test_what_is_written_in_the_thread_leaves_meanwhile():
    template = backend().from_string(
        "{% blocks 0.001 x %}{% defer %}{% slow 0.05 a %}{% placeholder %}p{% enddefer %}c"
        "{% blocks 0.2 end-of-page %}"
    )

    async def read():
        times, start = {}, perf_counter()
        async for chunk in template.stream_async({}, out_of_order=True):
            for part in ("?start", "<template", "end-of-page"):
                if part in chunk:
                    times.setdefault(part, perf_counter() - start)
        return times

    run_async(read)
    times = run_async(read)
    assert times["?start"] < 0.1
    assert times["<template"] < 0.18
    assert times["end-of-page"] > 0.19
