"""Awaitables anywhere in a template: awaited once, never printed, closed when not used."""

import asyncio
import gc
import warnings
from functools import partial

import jinja2
import pytest
from asgiref.sync import sync_to_async

from tests.event_loop import PATIENCE


async def give(value, delay=0.001):
    await asyncio.sleep(delay)
    return value


class Awaitable:
    def __init__(self, value):
        self.value = value
        self.times = 0

    def __await__(self):
        self.times += 1
        return give(self.value).__await__()


class Thing:
    name = "thing"

    async def method(self, *args, **kwargs):
        return await give(f"m{args}{sorted(kwargs.items())}")

    @property
    def later(self):
        return give(Inner())

    def __getitem__(self, key):
        return give(f"[{key}]")


class Later:
    name = "thing"

    @property
    def later(self):
        return give(Inner())

    @property
    def number(self):
        return give(5)


class Inner:
    name = "<inner>"

    async def names(self):
        return ["a", "b"]


async def shout(value, end="!"):
    return await give(f"{value}{end}".upper())


async def is_long(value):
    return await give(len(value) > 3)


def environment(**options):
    made = jinja2.Environment(**options)
    made.filters["shout"] = shout
    made.filters["partly"] = partial(shout, end="?")
    made.tests["long"] = is_long
    made.globals["fetch"] = give
    return made


HERE = f"{__name__}.environment"

CASES = [
    ("{{ coro }}", "&lt;c&gt;"),
    ("{{ thing.method() }}", "m()[]"),
    ("{{ thing.method(1, a=2) }}", "m(1,)[(&#39;a&#39;, 2)]"),
    ("{{ thing.later.name }}", "&lt;inner&gt;"),
    ("{{ thing.later.names()[1] }}", "b"),
    ("{{ thing['x'] }}{{ thing.zzz }}", "[x][zzz]"),
    ("{{ fetch('a') ~ fetch('b') ~ 1 }}", "ab1"),
    ("{{ fetch(2) + fetch(3) * 4 }}", "14"),
    ("{{ -fetch(2) }}", "-2"),
    ("{{ fetch(2) < fetch(3) < fetch(4) }}{{ 2 == fetch(2) != 3 }}", "TrueTrue"),
    ("{{ fetch(0) or fetch('x') }}{{ fetch(1) and fetch(0) }}{{ not fetch(0) }}", "x0True"),
    ("{{ 'y' if fetch(0) else fetch('n') }}", "n"),
    ("{% if fetch(0) %}a{% elif fetch(1) %}b{% else %}c{% endif %}", "b"),
    ("{% if not coro %}a{% else %}b{% endif %}", "b"),
    ("{% for x in fetch([1, 2]) %}{{ x }}{% endfor %}", "12"),
    ("{% for x in [fetch(1), fetch(2)] %}{{ x }}{{ loop.last }}{% endfor %}", "1False2True"),
    ("{% for x in coros() %}{{ x }}{{ x }}{% endfor %}", "xxyy"),
    ("{% for a, b in [coros()] %}{{ a }}{{ b }}{% endfor %}", "xy"),
    ("{% for x in coros() if x != 'x' %}{{ x }}{{ loop.index }}{% endfor %}", "y1"),
    ("{% set x = fetch('v') %}{{ x }}{{ x }}", "vv"),
    ("{% set a, b = coros() %}{{ a }}{{ b }}{{ a }}", "xyx"),
    ("{% with x = fetch('w') %}{{ x }}{% endwith %}", "w"),
    ("{% with (a, b) = coros() %}{{ a }}{{ b }}{% endwith %}", "xy"),
    ("{% set ns = namespace() %}{% set ns.x = fetch(1) %}{{ ns.x }}", "1"),
    (
        "{% macro m(x, y=fetch('d')) %}{{ x }}{{ y }}{{ fetch(x) }}{% endmacro %}{{ m(coro) }}",
        "&lt;c&gt;d&lt;c&gt;",
    ),
    (
        "{% macro m() %}({{ caller(fetch(1)) }}){% endmacro %}"
        "{% call(x) m() %}{{ x }}{{ fetch('in') }}{% endcall %}",
        "(1in)",
    ),
    ("{{ 'a'|shout }}{{ 'a'|shout(end=fetch('.')) }}{{ 'b'|partly }}", "A!A.B?"),
    ("{{ 'abcd' is long }}{{ 'a' is not long }}{{ coro is long }}", "TrueTrueFalse"),
    ("{{ ['a', 'abcd']|select('long')|list }}", "[&#39;abcd&#39;]"),
    ("{{ ['a', 'abcd']|reject('long')|list }}", "[&#39;a&#39;]"),
    (
        "{{ [{'n': 'a'}, {'n': 'abcd'}]|selectattr('n', 'long')|map(attribute='n')|list }}",
        "[&#39;abcd&#39;]",
    ),
    (
        "{{ [{'n': 'a'}, {'n': 'abcd'}]|rejectattr('n', 'long')|map(attribute='n')|list }}",
        "[&#39;a&#39;]",
    ),
    ("{{ ['a', 'b']|map('shout')|join(',') }}", "A!,B!"),
    ("{{ things|map(attribute='later.name')|join(',') }}", "&lt;inner&gt;,&lt;inner&gt;"),
    ("{{ things|sum(attribute='number') }}", "10"),
    ("{{ things|map(attribute='number')|sum }}", "10"),
    ("{{ (things|groupby('number'))[0][1]|length }}", "2"),
    ("{{ things|sort(attribute='number')|length }}", "2"),
    ("{{ things|unique(attribute='number')|list|length }}", "1"),
    ("{{ (things|max(attribute='number')).name }}", "thing"),
    ("{{ coros()|join('-') }}{{ coros()|list|length }}{{ [fetch('x')]|first }}", "x-y2x"),
    ("{{ coros()|sort|join }}{{ coros()|max }}", "xyy"),
    ("{% filter shout %}a{{ fetch('b') }}{% endfilter %}", "AB!"),
    ("{% set x %}a{{ fetch('b') }}{% endset %}{{ x }}", "ab"),
    ("{{ 'x' in fetch(['x']) }}{{ fetch('z') not in ['x'] }}", "TrueTrue"),
    ("{{ [1, 2, 3][fetch(1)] }}{{ [1, 2, 3][fetch(1):] }}", "2[2, 3]"),
    ("{{ {'a': fetch(1)}.a }}{{ [fetch(1)] }}{{ (fetch(2), 3) }}", "1[1](2, 3)"),
    ("{{ obj }}{{ obj }}", "vv"),
]


def context():
    return {
        "coro": give("<c>"),
        "thing": Thing(),
        "things": [Later(), Later()],
        "coros": lambda: [give("x"), give("y")],
        "obj": Awaitable("v"),
    }


@pytest.mark.parametrize(("source", "expected"), CASES)
async def test_both_modes(backend, source, expected):
    template = backend(environment=HERE, autoescape=True).from_string(source)
    assert await template.render_async(context()) == expected
    assert await sync_to_async(template.render)(context()) == expected


@pytest.mark.parametrize(("source", "expected"), CASES)
def test_sync_without_any_loop(backend, source, expected):
    assert backend(environment=HERE, autoescape=True).from_string(source).render(context()) == (
        expected
    )


class TestOnce:
    async def test_one_awaitable_in_many_places(self, render):
        templates = {"inc": "{{ x }}", "base": "{{ x }}{% block b %}{{ x }}{% endblock %}"}
        source = (
            "{% extends 'base' %}{% block b %}{{ super() }}{{ x }}{% include 'inc' %}"
            "{% for i in [1, 2] %}{{ x }}{% include 'inc' %}{% endfor %}{% endblock %}"
        )
        once = Awaitable("v")
        assert await render(source, {"x": once}, templates) == "v" * 8
        assert once.times == 1

    async def test_a_coroutine_inside_a_structure(self, render):
        coroutine = give("v")
        assert await render("{{ d.x }}{{ d.x }}{{ d['x'] }}", {"d": {"x": coroutine}}) == "vvv"

    async def test_under_two_names(self, render):
        coroutine = give("v")
        assert await render("{{ a }}{{ b }}", {"a": coroutine, "b": coroutine}) == "vv"

    async def test_tasks_and_futures(self, render):
        future = asyncio.get_running_loop().create_future()
        future.set_result("f")
        task = asyncio.ensure_future(give("t"))
        assert await render("{{ f }}{{ t }}{{ t }}", {"f": future, "t": task}) == "ftt"


class TestUnused:
    async def test_is_closed_without_a_warning(self, render):
        coroutine = give(1)
        assert await render("{% if false %}{{ other }}{% endif %}", {"x": coroutine}) == ""
        with pytest.raises(RuntimeError, match="cannot reuse"):
            await coroutine
        gc.collect()

    def test_is_closed_in_sync_code(self, backend):
        coroutine = give(1)
        assert backend().from_string("-").render({"x": coroutine}) == "-"
        assert coroutine.cr_frame is None

    async def test_is_closed_when_the_render_fails(self, render):
        used, unused = give(1), give(2)
        with pytest.raises(ZeroDivisionError):
            await render("{{ 1 // 0 }}{{ x }}", {"x": used, "y": unused})
        assert used.cr_frame is None
        assert unused.cr_frame is None

    async def test_a_task_is_left_alone(self, render):
        task = asyncio.ensure_future(give(1))
        await render("-", {"x": task})
        assert await task == 1


class TestTogether:
    async def test_several_run_at_the_same_time(self, render):
        """Each ends only when all have begun, so one after the other would never end."""
        barrier = asyncio.Barrier(3)

        async def meet(name):
            await barrier.wait()
            return name

        templates = {"inc": "{{ c }}", "base": "{{ b }}{% block x %}{% endblock %}"}
        source = "{% extends 'base' %}{% block x %}{{ a }}{% include 'inc' %}{% endblock %}"
        async with asyncio.timeout(PATIENCE):
            values = {name: meet(name) for name in "abc"}
            assert await render(source, values, templates) == "bac"

    async def test_with_a_name_that_only_a_computed_include_uses(self, render):
        source = "{{ a }}{% include name %}"
        values = {"a": give("a"), "b": give("b"), "name": "inc"}
        assert await render(source, values, {"inc": "{{ b }}"}) == "ab"

    async def test_the_first_failure_is_raised_and_the_others_are_cancelled(self, render):
        cancelled = []

        async def fail():
            raise LookupError("of mine")

        async def slow():
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(True)
                raise

        with pytest.raises(LookupError, match="of mine"):
            await render("{{ a }}{{ b }}", {"a": slow(), "b": fail()})
        assert cancelled == [True]


async def test_many_renders_do_not_mix(backend):
    template = backend().from_string(
        "{% macro m(a) %}{{ a }}{{ give(x) }}{% endmacro %}"
        "{% for i in agen() %}{{ m(i) }}{{ give(i) }},{% endfor %}{{ x }}"
    )

    def values(number):
        async def rows():
            for row in range(3):
                await asyncio.sleep(0)
                yield f"{number}.{row}"

        return {"x": number, "give": give, "agen": rows}

    outputs = await asyncio.gather(
        *(template.render_async(values(number)) for number in range(200))
    )
    for number, output in enumerate(outputs):
        rows = "".join(f"{number}.{row}{number}{number}.{row}," for row in range(3))
        assert output == f"{rows}{number}"


@pytest.mark.parametrize(
    "source",
    [
        "{% for x in rows() %}{{ x }}{% endfor %}",
        "{% for x in rows() %}{{ stop() }}{% endfor %}",
        "{% for x in rows() %}{{ loop.last }}{% endfor %}",
        "{% for x in rows() if x %}{{ loop.index }}{{ stop() }}{% endfor %}",
        "{% for x in rows()|map('string') %}{{ stop() }}{% endfor %}",
        "{% macro m() %}{% for x in rows() %}{{ stop() }}{% endfor %}{% endmacro %}{{ m() }}",
        "{{ rows()|list }}",
        "{{ rows()|map('string')|join }}",
        "{{ 5 in rows() }}",
    ],
)
async def test_a_cancelled_render_closes_what_it_reads(backend, source):
    closed = []
    waiting = asyncio.Event()

    async def stop():
        waiting.set()
        await asyncio.Event().wait()

    async def rows():
        try:
            yield 1
            await stop()
        finally:
            closed.append(True)

    template = backend().from_string(source)
    task = asyncio.ensure_future(template.render_async({"rows": rows, "stop": stop}))
    async with asyncio.timeout(PATIENCE):
        await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed == [True]


async def test_a_coroutine_of_a_loop_variable_that_is_not_used(render):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert await render("{% for x in xs %}-{% endfor %}", {"xs": [give(1), give(2)]}) == "--"
        gc.collect()
