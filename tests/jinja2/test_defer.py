"""``{% defer %}`` in Jinja2 templates: one meaning in all ways to render a page."""

import asyncio
import logging
import time

import jinja2
import jinja2.nativetypes
import pytest
from asgiref.sync import sync_to_async

from atemplates.engines.jinja2.plans import use_plans
from atemplates.jinja2.defer import DeferExtension

from .conftest import make_backend
from .test_streaming import Gates, joined, read


async def wait(value="w"):
    await asyncio.sleep(0.001)
    return value


async def until(chunks, text):
    """Read chunks until a text has come."""
    found = ""
    while text not in found:
        found += await anext(chunks)
    return found


def boom():
    raise ZeroDivisionError("boom")


def value(value="w"):
    return value


async def in_all_ways(source, expected, templates=None, context=None, **options):
    """Render sync, async (twice: the second time parts are known of), and streamed in order."""
    backend = make_backend(templates, **options)
    template = backend.from_string(source)
    context = {"boom": boom, **(context or {})}
    sync = await sync_to_async(template.render)({**context, "wait": value})
    on_loop = {**context, "wait": wait}
    found = [sync]
    for _ in range(2):
        found.append(await template.render_async(on_loop))
        found.append(await joined(template.stream_async(on_loop)))
    generated = await sync_to_async(
        lambda: "".join(template.template.generate(**{**context, "wait": value}))
    )()
    assert [*found, generated] == [expected] * 6


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1{% defer %}2{{ wait(3) }}{% enddefer %}4", "1234"),
        ("1{% defer timeout=2 %}2{% placeholder %}p{% error %}e{% enddefer %}4", "124"),
        ("1{% defer timeout=t %}2{{ wait() }}{% placeholder %}p{% enddefer %}4", "12w4"),
        # What the page sets later is not seen, and what is set inside ends there.
        (
            "{% set x = 1 %}{% defer %}{{ wait() }}{{ x }}{% set x = 3 %}{{ x }}{% enddefer %}{% set x = 2 %}{{ x }}",
            "w132",
        ),
        (
            "{% for i in [1, 2, 3] %}{% defer %}{{ wait(i) }}{{ i }}{{ loop.index }}{{ loop.last }}{% enddefer %};{% endfor %}",
            "111False;222False;333True;",
        ),
        (
            "{% for i in rows() %}{% defer %}{{ wait(i) }}{{ loop.length }}{{ loop.nextitem }}{{ loop.previtem }}{% enddefer %};{% endfor %}",
            "1223;".replace("1223;", "122;221;"),
        ),
        (
            "{% macro m(a) %}<{{ a }}{{ x }}>{% endmacro %}{% set x = 1 %}{% defer %}{{ wait() }}{{ m(2) }}{% enddefer %}{% set x = 3 %}{{ m(4) }}",
            "w<21><43>",
        ),
        (
            "{% macro m(a) %}[{% defer %}{{ wait(a) }}{% enddefer %}]{% endmacro %}{{ m(1) }}{{ m(2) }}",
            "[1][2]",
        ),
        (
            "{% macro m() %}[{{ caller() }}]{% endmacro %}{% for i in [1, 2] %}{% call m() %}{% defer %}{{ wait(i) }}{{ i }}{% enddefer %}{% endcall %}{% endfor %}",
            "[11][22]",
        ),
        (
            "{% filter upper %}{% defer %}{{ wait('a') }}{% defer %}b{{ wait('c') }}{% enddefer %}{% enddefer %}d{% endfilter %}",
            "ABCD",
        ),
        ("{% set s %}{% defer %}{{ wait('a') }}{% enddefer %}{% endset %}{{ s }}", "a"),
        (
            "{% defer %}{{ wait(1) }}{% defer %}{{ wait(2) }}{% placeholder %}p{% enddefer %}3{% enddefer %}4",
            "1234",
        ),
        ("{% defer %}{% include 'inner' %}{% enddefer %}{% include 'inner' %}", "[w][w]"),
        ("{% for i in [1, 2] %}{% include 'row' %}{% endfor %}", "11;22;"),
        (
            "{% extends 'base' %}{% block b %}{{ super() }}{% defer %}{{ wait() }}{{ super() }}{{ self.c() }}{% enddefer %}{% endblock %}",
            "<BwBC|C>",
        ),
        ("{% extends 'base' %}{% defer %}never{% enddefer %}", "<B|C>"),
        (
            "{% parallel %}{% defer %}{{ wait(1) }}{% enddefer %}{{ wait(2) }}{% endparallel %}{% defer %}{% parallel %}{{ wait(3) }}{{ wait(4) }}{% endparallel %}{% enddefer %}",
            "1234",
        ),
        (
            "{% autoescape true %}{% defer %}{{ wait('<') }}{% enddefer %}{% endautoescape %}{{ '<' }}",
            "&lt;&lt;",
        ),
        ("{% with y = 1 %}{% defer %}{{ wait(y) }}{% enddefer %}{% endwith %}", "1"),
        (
            "{% for x in [[1, [2]]] recursive %}{% if x is iterable %}{% defer %}({{ wait() }}{{ loop(x) }}){% enddefer %}{% else %}{{ x }}{% endif %}{% endfor %}",
            "(w1(w2))",
        ),
        # Errors
        ("1{% defer %}2{{ boom() }}{% placeholder %}p{% enddefer %}3", "1p3"),
        (
            "1{% defer %}2{{ wait() }}{{ boom() }}{% placeholder %}p{% error %}e{% enddefer %}3",
            "1e3",
        ),
        ("1{% defer %}2{{ wait() }}{{ boom() }}{% enddefer %}3", "13"),
        (
            "1{% defer %}{% defer %}{{ wait() }}{{ boom() }}{% error %}{{ wait(2) }}{% enddefer %}{% enddefer %}3",
            "123",
        ),
        ("1{% defer %}{{ boom() }}{% error %}{{ error }}{% enddefer %}3", "13"),
    ],
)
async def test_in_all_ways(source, expected):
    templates = {
        "inner": "[{{ wait() }}]",
        "row": "{% defer %}{{ wait(i) }}{{ i }}{% enddefer %};",
        "base": "<{% block b %}B{% endblock %}|{% block c %}C{% endblock %}>",
    }

    def rows():
        return iter([1, 2])

    await in_all_ways(source, expected, templates, {"t": 3, "rows": rows})


async def test_an_error_is_seen_where_the_site_debugs(settings):
    settings.DEBUG = True
    await in_all_ways("{% defer %}{{ boom() }}{% error %}{{ error }}{% enddefer %}", "boom")
    await in_all_ways(
        "{% set error = 1 %}{% defer %}{{ boom() }}{% error %}{{ error }}{% enddefer %}{{ error }}",
        "boom1",
    )


async def test_an_error_of_the_page_stays_its_own():
    source = "{% set error = 1 %}{% defer %}{{ boom() }}{% error %}{{ error }}{% enddefer %}"
    await in_all_ways(source, "1")
    await in_all_ways(
        "{% defer %}{{ boom() }}{% error %}{{ error }}{% enddefer %}", "2", context={"error": 2}
    )


async def test_failures_are_logged_with_their_place(caplog):
    backend = make_backend({"page": "\n{% defer %}{{ boom() }}{% enddefer %}"})
    template = await backend.aget_template("page")
    with caplog.at_level(logging.ERROR, "atemplates"):
        await joined(template.stream_async({"boom": boom}))
    (record,) = caplog.records
    assert "page, line 2" in record.getMessage()
    assert "ZeroDivisionError: boom" in record.getMessage()
    assert record.exc_info is not None


async def test_time_is_over():
    source = "1{% defer timeout=0.01 %}{{ wait() }}{% placeholder %}p{% error %}e{% enddefer %}2"

    async def never():
        await asyncio.sleep(60)

    template = make_backend().from_string(source)
    for _ in range(2):
        assert await template.render_async({"wait": never}) == "1e2"
        assert await joined(template.stream_async({"wait": never})) == "1e2"


async def test_parts_are_rendered_beside_the_page():
    gates = Gates()
    source = "1{% defer %}[{{ wait('a') }}]{% enddefer %}2{{ wait('b') }}3"
    template = make_backend().from_string(source)
    for way in ("stream", "whole"):
        gates = Gates()
        if way == "stream":
            chunks = template.stream_async({"wait": gates.wait})
            assert await anext(chunks) == "1"
            task = asyncio.create_task(joined(chunks))
        else:
            task = asyncio.create_task(template.render_async({"wait": gates.wait}))
        for _ in range(200):
            await asyncio.sleep(0 if len(gates.begun) == 2 else 0.001)
        gates.open("b")
        await asyncio.sleep(0.001)
        gates.open("a")
        assert await task == ("[a]2b3" if way == "stream" else "1[a]2b3")


async def test_out_of_order():
    gates = Gates()
    source = (
        "<p>1{% defer %}[{{ wait('a') }}{{ x }}]{% placeholder %}...{{ x }}{% enddefer %}</p>2"
        "{{ wait('b') }}3"
    )
    template = make_backend().from_string(source)
    chunks = template.stream_async({"wait": gates.wait, "x": 5}, out_of_order=True)
    first = await until(chunks, "</p>2")
    assert first.startswith("<p>1<?start name=")
    assert "...5<?end></p>2" in first
    gates.open("b")
    assert await until(chunks, "b3") == "b3"
    gates.open("a")
    assert "[a5]</template>" in await joined(chunks)


async def test_nested_parts_out_of_order():
    gates = Gates()
    source = (
        "<p>{% defer %}o{{ wait('a') }}{% defer %}i{{ wait('b') }}{% placeholder %}p{% enddefer %}"
        "{% enddefer %}</p>"
    )
    template = make_backend().from_string(source)
    chunks = template.stream_async({"wait": gates.wait}, out_of_order=True)
    await until(chunks, "</p>")
    gates.open("a")
    second = await until(chunks, "</template>")
    assert "oa<?start" in second
    assert "p<?end></template>" in second
    gates.open("b")
    assert "ib</template>" in await joined(chunks)


@pytest.mark.parametrize("out_of_order", [False, True])
async def test_awaitables_of_the_context_in_parts(out_of_order):
    gates = Gates()
    source = "1{% defer %}{{ x }}{% include 'i' %}{% enddefer %}2{{ y }}"
    template = make_backend({"i": "{{ z }}"}).from_string(source)
    assert "x" in await template.render_async({name: wait(name) for name in "xyz"})
    chunks = template.stream_async(
        {name: gates.wait(name) for name in "xyz"}, out_of_order=out_of_order
    )
    await anext(chunks)
    assert sorted(gates.begun) == ["x", "y", "z"]
    for name in "xyz":
        gates.open(name)
    assert "xz" in await joined(chunks)


async def test_who_stops_reading_leaves_no_part():
    source = "1{% defer %}{{ wait() }}{% enddefer %}2{{ wait() }}"

    async def never():
        await asyncio.sleep(60)

    chunks = make_backend().from_string(source).stream_async({"wait": never})
    await anext(chunks)
    await chunks.aclose()
    assert [each for each in asyncio.all_tasks() if each is not asyncio.current_task()] == []


class Slow:
    """Its methods are code of others that belongs in the request's thread."""

    def get(self):
        time.sleep(0.004)
        return "a"


@pytest.mark.parametrize("out_of_order", [False, True])
async def test_parts_that_need_the_thread(out_of_order):
    source = "{{ t.get() }}{% defer %}{{ t.get() }}{% enddefer %}{{ t.get() }}"
    template = make_backend().from_string(source)
    for _ in range(3):
        assert await template.render_async({"t": Slow()}) == "aaa"
        found = await joined(template.stream_async({"t": Slow()}, out_of_order=out_of_order))
        assert found.count("a") >= 3


async def test_native_environments_render_it_where_it_stands():
    env = use_plans(jinja2.nativetypes.NativeEnvironment(enable_async=True))
    template = env.from_string("{% defer %}{{ wait([1]) }}{% enddefer %}")
    assert await template.render_async(wait=wait) == [1]


@pytest.mark.parametrize("is_async", [False, True])
def test_stock_code_renders_it_where_it_stands(is_async):
    env = jinja2.Environment(extensions=[DeferExtension], enable_async=is_async)
    source = (
        "1{% defer timeout=2 %}{{ a }}{% placeholder %}p{% error %}e{% enddefer %}"
        "{% defer %}{{ a // 0 }}{% placeholder %}p{% error %}e{% enddefer %}"
        "{% defer %}{{ a // 0 }}{% placeholder %}p{% enddefer %}2"
    )
    assert env.from_string(source).render(a=5) == "15ep2"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{% defer 2 %}{% enddefer %}", "takes one argument"),
        ("{% defer timeout=2 3 %}{% enddefer %}", "takes one argument"),
        ("{% defer timeout=0 %}{% enddefer %}", "expected a number of seconds above 0"),
        ("{% defer timeout='a' %}{% enddefer %}", "expected a number of seconds above 0"),
        ("{% defer %}{% error %}{% placeholder %}{% enddefer %}", "placeholder"),
        ("{% defer %}", "enddefer"),
        ("{% placeholder %}", "unknown tag"),
    ],
)
def test_what_does_not_parse(source, message):
    with pytest.raises(jinja2.TemplateSyntaxError, match=message):
        make_backend().from_string(source)


async def test_a_timeout_that_is_none():
    template = make_backend().from_string("{% defer timeout=t %}a{% enddefer %}")
    with pytest.raises(jinja2.TemplateRuntimeError, match="seconds above 0"):
        await template.render_async({"t": -1})
    assert await template.render_async({"t": None}) == "a"
    assert await read(template.stream_async({"t": None})) == ["a"]


async def test_loops_in_parts_give_the_event_loop_its_turn():
    """Each part counts the rows of its own loops."""
    source = "{% defer %}{% for i in rows %}{{ i % 2 }}{% endfor %}{% enddefer %}"
    backend = make_backend(yield_after=0.0001)
    template = backend.from_string(source)
    rows = list(range(20_000))
    assert await template.render_async({"rows": rows}) == "01" * 10_000
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(tick())
    assert await joined(template.stream_async({"rows": rows})) == "01" * 10_000
    task.cancel()
    assert ticks > 10
