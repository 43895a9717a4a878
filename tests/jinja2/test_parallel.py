"""``{% parallel %}`` in Jinja2: the same output as without the tag, at the same time."""

import asyncio
import gc
import threading
import warnings
from contextvars import ContextVar
from time import perf_counter

import jinja2
import pytest
from asgiref.sync import sync_to_async
from django.template import TemplateSyntaxError
from jinja2.exceptions import SecurityError, TemplateRuntimeError
from jinja2.nativetypes import NativeEnvironment
from jinja2.sandbox import SandboxedEnvironment

from atemplates import batched
from atemplates.engines.jinja2.plans import use_plans
from atemplates.errors import RenderBlocked
from atemplates.jinja2.parallel import ParallelExtension

from .conftest import made, make_backend, outcome, run

OURS = "atemplates.jinja2.parallel.ParallelExtension"
HERE = f"{__name__}.environment"


async def give(value, delay=0.001):
    await asyncio.sleep(delay)
    return value


async def fail(message, delay=0.0):
    await asyncio.sleep(delay)
    raise ValueError(message)


def environment(**options):
    found = jinja2.Environment(**{"autoescape": True, **options})
    found.globals["give"] = give
    found.globals["fail"] = fail
    return found


def without_tag(source):
    """The same template with nothing at the same time."""
    head, *others = source.split("{% parallel")
    text = head + "".join(other.partition("%}")[2] for other in others)
    return text.replace("{% endparallel %}", "")


@pytest.fixture
def alike():
    """Render with and without the tag, by every way there is; all have to agree."""

    async def alike(source, context=None, templates=None, expected=None, **options):
        options = {"environment": HERE, **options}
        templates = templates or {}
        backend = make_backend(templates, **options)
        template = backend.from_string(source)
        bare = {name: without_tag(text) for name, text in templates.items()}
        stock = make_backend(bare, **options).env.from_string(without_tag(source))
        extensions = [*backend.env.extensions, OURS]
        tagged = make_backend(templates, **{**options, "extensions": extensions})
        tagged = tagged.env.from_string(source)
        oracle = await sync_to_async(run)(stock.render, context)
        assert await sync_to_async(run)(tagged.render, context) == oracle, "stock with the tag"
        for time in ("first", "second"):
            ours = await sync_to_async(run)(template.render, context)
            assert ours == oracle, f"our sync, {time} time"
            on_loop = await outcome(template.render_async, made(context))
            assert on_loop == oracle, f"our async, {time} time"
        if oracle.error is not None:
            assert str(ours.error) == str(oracle.error) == str(on_loop.error)
            raise on_loop.error
        if expected is not None:
            assert oracle.output == expected
        return oracle.output

    return alike


class Meeting:
    """Goes on when as many are there as are expected: only at the same time are they."""

    def __init__(self, expected):
        self.expected = expected
        self.there = 0
        self.most = 0
        self.all_here = asyncio.Event()

    async def __call__(self, value=""):
        self.there += 1
        self.most = max(self.most, self.there)
        if self.there == self.expected:
            self.all_here.set()
        await asyncio.wait_for(self.all_here.wait(), 10)
        await asyncio.sleep(0)
        self.there -= 1
        return value


SAME = {
    "outputs": "a{% parallel %}{{ x }}-{{ y|upper }} {{ html }}{% endparallel %}z",
    "nothing": "a{% parallel %}{% endparallel %}b",
    "only text": "a{% parallel %} b {% endparallel %}c",
    "constants": "{% parallel %}{{ 1 }}{{ 'a<' }}{{ 2 + 3 }}{% endparallel %}",
    "limit": "{% parallel 1 %}{{ x }}{{ y }}{% for i in xs %}{{ i }}{% endfor %}{% endparallel %}",
    "named limit": "{% parallel limit=x + 1 %}{{ x }}{{ y }}{% endparallel %}",
    "loop": "{% parallel %}{% for i in xs %}[{{ i }}]{% endfor %}{% endparallel %}",
    "no rows": "{% parallel %}{% for i in [] %}{{ i }}{% else %}none {{ x }}{% endfor %}"
    "{% endparallel %}",
    "else is not used": "{% parallel %}{% for i in xs %}{{ i }}{% else %}none{% endfor %}"
    "{% endparallel %}",
    "undefined rows": "{% parallel %}{% for i in gone %}{{ i }}{% else %}e{% endfor %}"
    "{% endparallel %}",
    "loop variables": "{% parallel %}{% for i in xs %}{{ loop.index }}{{ loop.index0 }}"
    "{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.revindex }}{{ loop.revindex0 }}"
    "{{ loop.cycle('a', 'b') }}{{ loop.depth }}{{ loop.previtem }}{{ loop.nextitem }}"
    "{{ loop|length }};{% endfor %}{% endparallel %}",
    "filtered": "{% parallel %}{% for i in xs if i != 2 %}{{ loop.index }}{{ i }}"
    "{{ loop.previtem }}{% else %}none{% endfor %}{% for i in xs if i > 9 %}{{ i }}"
    "{% else %}none{% endfor %}{% endparallel %}",
    "unpacked": "{% parallel %}{% for k, v in mapping.items() %}{{ k }}={{ v }};{% endfor %}"
    "{% for k, (a, b) in nested %}{{ k }}{{ a }}{{ b }}{% endfor %}"
    "{% for k, v in mapping.items() if v %}{{ k }}{{ loop.index }}{% endfor %}{% endparallel %}",
    "recursive": "{% parallel %}{% for n in tree recursive %}{{ n.name }}{{ loop.depth }}"
    "{% if n.kids %}({{ loop(n.kids) }}){% endif %}{% endfor %}{{ x }}{% endparallel %}",
    "recursive in rows": "{% parallel %}{% for i in xs %}{{ i }}{% for n in tree recursive %}"
    "{{ n.name }}{{ loop(n.kids) }}{% endfor %};{% endfor %}{% endparallel %}",
    "rows set": "{% parallel %}{% for i in xs %}{% set y = i * 2 %}{% if i %}{% set z = y %}"
    "{% endif %}{{ y }}{{ z }},{% endfor %}{% endparallel %}{{ y }}{{ z }}",
    "rows set namespaces": "{% parallel %}{% for i in xs %}{% set ns = namespace(n=i) %}"
    "{% set ns.n = ns.n + 1 %}{{ ns.n }}{% endfor %}{% endparallel %}",
    "rows do": "{% parallel %}{% for i in xs %}{% set l = [] %}{% do l.append(i) %}{{ l }}"
    "{% endfor %}{% endparallel %}",
    "loops in rows": "{% parallel %}{% for i in xs %}{% for j in xs %}{% if j == 3 %}{% break %}"
    "{% endif %}{% if loop.changed(i) %}!{% endif %}{{ loop.index }}{{ i }}{{ j }}{% endfor %}"
    "{{ loop.index }}{% endfor %}{% endparallel %}",
    "breaks in a part": "{% parallel %}{{ x }}{% if x %}{% for i in xs %}{% if i == 2 %}"
    "{% continue %}{% endif %}{{ i }}{% endfor %}{% endif %}{% endparallel %}",
    "if": "{% parallel %}{% if x %}{{ x }}{% else %}no{% endif %}{% if gone %}a{% elif y %}{{ y }}"
    "{% endif %}{% endparallel %}",
    "with": "{% parallel %}{% with x = 5, q = x %}{{ x }}{{ q }}{% endwith %}{{ x }}{{ q }}"
    "{% endparallel %}",
    "filter": "{% parallel %}{% filter upper %}ab{{ y }}{% endfilter %}{{ y }}{% endparallel %}",
    "set around": "{% set x = 7 %}{% parallel %}{{ x }}{{ x + 1 }}{% endparallel %}"
    "{% set x = 8 %}{{ x }}{% parallel %}{{ x }}{{ y }}{% endparallel %}",
    "set block": "{% set t %}{% parallel %}{{ x }}{{ html }}{% endparallel %}{% endset %}{{ t }}"
    "{{ t }}",
    "in a loop": "{% for i in xs %}{% set k = i %}{% parallel %}{{ i }}{{ k }}{{ loop.index }}"
    "{{ loop.last }}{% for j in xs %}{{ i }}{{ j }}{{ loop.index }}{% endfor %}{% endparallel %}"
    "{% endfor %}",
    "nested": "{% parallel %}{{ x }}{% parallel 2 %}{{ y }}{% for i in xs %}{{ i }}"
    "{% parallel %}{{ i }}{{ y }}{{ loop.index }}{% endparallel %}{% endfor %}{% endparallel %}"
    "{{ x }}{% endparallel %}",
    "macro": "{% macro m(a, b=2) %}{% parallel %}{{ a }}{{ b }}{{ x }}{% for i in xs %}"
    "{{ a }}{{ i }}{% endfor %}{% endparallel %}{% endmacro %}{{ m(1) }}{{ m('<', b='>') }}"
    "{% parallel %}{{ m(3) }}{{ m(4) }}{% for i in xs %}{{ m(i) }}{% endfor %}{% endparallel %}",
    "macro's rest": "{% macro m() %}{% parallel %}{{ varargs }}{{ kwargs }}{% endparallel %}"
    "{% endmacro %}{{ m(1, 2, a=3) }}",
    "caller": "{% macro m() %}{% parallel %}<{{ caller(1) }}>{{ caller(2) }}{% endparallel %}"
    "{% endmacro %}{% call(n) m() %}{{ n }}{{ x }}{{ html }}{% endcall %}"
    "{% parallel %}{% call(n) m() %}{% parallel %}{{ n }}{{ y }}{% endparallel %}{% endcall %}"
    "{{ x }}{% endparallel %}",
    "autoescape": "{% parallel %}{% autoescape false %}{{ html }}{% autoescape true %}{{ html }}"
    "{% endautoescape %}{{ html }}{% endautoescape %}{{ html }}{% endparallel %}{{ html }}",
    "autoescape around": "{% autoescape false %}{% parallel %}{{ html }}{{ html }}"
    "{% for i in [html] %}{{ i }}{% endfor %}{% endparallel %}{% endautoescape %}{{ html }}",
    "volatile": "{% parallel %}{% autoescape gone %}{{ html }}{% parallel %}{{ html }}{{ x ~ html }}"
    "{% endparallel %}{% endautoescape %}{{ html }}{% endparallel %}",
    "expressions": "{% parallel %}{{ xs|map('string')|join(',') }}{{ xs|sum }}{{ x if y else 1 }}"
    "{{ gone is defined }}{{ 'a' in y }}{{ [x, y] }}{{ xs[0] }}{{ mapping.a }}{% endparallel %}",
    "deep": "".join(f"{{% for i{n} in xs %}}" for n in range(8))
    + "{% parallel %}{{ i0 }}{% for j in xs %}{{ i7 }}{{ j }}{% endfor %}{% endparallel %}"
    + "{% endfor %}" * 8,
    "one part": "{% parallel %}{{ html }}{% endparallel %}",
    "text as rows": "{% parallel %}{% for c in y %}{{ c }}{{ loop.last }}{% endfor %}"
    "{% endparallel %}",
}


class Node:
    def __init__(self, name, *kids):
        self.name = name
        self.kids = kids


def context():
    return {
        "x": 1,
        "y": "ab",
        "html": "<b>",
        "xs": [1, 2, 3] if not DEEP else [1],
        "mapping": {"a": 1, "b": 0},
        "nested": [("k", (1, 2)), ["l", [3, 4]]],
        "tree": [Node("a", Node("b"), Node("c", Node("d"))), Node("e")],
    }


DEEP = False


@pytest.mark.parametrize("name", SAME)
async def test_renders_as_without_the_tag(alike, name, monkeypatch):
    monkeypatch.setitem(globals(), "DEEP", name == "deep")
    await alike(SAME[name], context)


TEMPLATES = {
    "item": "[{{ x }}{{ i }}{% set y = 5 %}{{ y }}{% parallel %}{{ x }}{{ html }}{% endparallel %}]",
    "macros": "{% macro box(a) %}<{% parallel %}{{ a }}{{ a }}{% endparallel %}>{% endmacro %}",
    "base": "{% block head %}H{{ x }}{% endblock %}|{% block body %}B{% endblock %}"
    "{% block foot scoped %}F{{ html }}{% endblock %}",
    "child": "{% extends 'base' %}{% parallel %}{% block head %}{{ super() }}{{ y }}{% endblock %}"
    "{{ gone.gone }}{% endparallel %}{% block body %}{% parallel %}{{ super() }}{{ x }}"
    "{{ self.foot() }}{{ super() }}{% endparallel %}{% endblock %}",
    "maybe": "{% if x %}{% extends 'base' %}{% endif %}{% parallel %}{{ x }}{{ y }}{% endparallel %}"
    "{% block body %}{% parallel %}{{ super() }}{{ x }}{% endparallel %}{% endblock %}",
}
OTHERS = {
    "include": "{% parallel %}{% include 'item' %}{{ x }}{% include 'item' without context %}"
    "{% include 'gone' ignore missing %}{% include ['gone', 'item'] %}{% endparallel %}",
    "include in rows": "{% parallel %}{% for i in xs %}{% include 'item' %}{% endfor %}"
    "{% endparallel %}{{ y }}",
    "import": "{% import 'macros' as m %}{% from 'macros' import box with context %}{% parallel %}"
    "{{ m.box(x) }}{{ box(html) }}{% for i in xs %}{{ m.box(i) }}{% endfor %}{% endparallel %}",
    "import in rows": "{% parallel %}{% for i in xs %}{% import 'macros' as m %}{{ m.box(i) }}"
    "{% endfor %}{% endparallel %}",
    "blocks": "{% parallel %}{% block a %}{{ x }}{% set x = 3 %}{{ x }}{% endblock %}{{ x }}"
    "{% for i in xs %}{% block b scoped %}{{ i }}{{ loop.index }}{% endblock %}{% endfor %}"
    "{{ self.a() }}{% endparallel %}",
    "child": "{% include 'child' %}",
    "grandchild": "{% extends 'child' %}{% block body %}{% parallel %}{{ super() }}"
    "{{ super.super() }}{{ x }}{% endparallel %}{% endblock %}",
    "may be a child": "{% include 'maybe' %}",
}


@pytest.mark.parametrize("name", OTHERS)
async def test_other_templates_render_as_without_the_tag(alike, name):
    assert await alike(OTHERS[name], context, TEMPLATES)


async def test_space_around_the_tag_is_stripped(render):
    found = await render("a {%- parallel -%} {{ x }} {%- endparallel %} b", {"x": 1})
    assert found == "a1 b"


async def test_a_template_that_may_be_a_child_and_is_none(alike):
    source = TEMPLATES["maybe"].replace("{{ super() }}", "")
    await alike(source, lambda: {**context(), "x": 0}, TEMPLATES, expected="0ab0")


# -- At the same time ------------------------------------------------------------------------------


async def test_parts_are_rendered_at_the_same_time(render):
    meet = Meeting(6)
    source = (
        "{% macro m() %}{{ meet('m') }}{% endmacro %}{% parallel %}{{ meet('a') }}"
        "{% if meet('b') == 'b' %}b{% endif %}{% include 'inner' %}{{ m() }}"
        "{% block c %}{{ meet('c') }}{% endblock %}"
        "{% filter upper %}{{ meet('d') }}{% endfilter %}{% endparallel %}"
    )
    templates = {"inner": "{{ meet('i') }}"}
    assert await render(source, {"meet": meet}, templates) == "abimcD"
    assert meet.most == 6


@pytest.mark.parametrize(("limit", "most"), [("", 20), ("3", 3), ("limit=3", 3), ("n", 3)])
async def test_rows_are_rendered_at_the_same_time_up_to_the_limit(render, limit, most):
    meet = Meeting(most)
    source = f"{{% parallel {limit} %}}{{% for i in range(20) %}}{{{{ meet(i) }}}},{{% endfor %}}"
    source += "{% endparallel %}"
    expected = "".join(f"{i}," for i in range(20))
    assert await render(source, {"meet": meet, "n": give(3)}) == expected
    assert meet.most == most


async def test_at_most_so_many_rows_are_rendered_at_once(render):
    meet = Meeting(32)
    source = "{% parallel %}{% for i in range(100) %}{{ meet(i) }}{% endfor %}{% endparallel %}"
    await render(source, {"meet": meet})
    assert meet.most == 32


async def test_conditions_of_rows_are_asked_at_the_same_time(render):
    meet = Meeting(4)
    source = (
        "{% parallel %}{% for i in range(4) if meet(i) != 1 %}{{ loop.index }}/{{ loop.length }}"
        "{{ i }} {% endfor %}{% endparallel %}"
    )
    assert await render(source, {"meet": meet}) == "1/30 2/32 3/33 "


async def test_takes_as_long_as_the_longest(render):
    async def quickest(source):
        times = []
        for _ in range(3):
            start = perf_counter()
            await render(source, {"give": give})
            times.append(perf_counter() - start)
        return min(times)

    source = "{% parallel %}{{ give(1, 0.1) }}{{ give(2, 0.1) }}{{ give(3, 0.1) }}{% endparallel %}"
    assert 0.1 <= await quickest(source) < 0.15
    source = (
        "{% parallel %}{% for i in range(20) %}{{ give(i, 0.05) }}{% endfor %}{% endparallel %}"
    )
    assert 0.05 <= await quickest(source) < 0.1


async def test_what_waits_for_nothing_starts_no_task(render):
    started = []
    loop = asyncio.get_running_loop()

    def factory(loop, work, **options):
        started.append(work)
        return asyncio.Task(work, loop=loop, **options)

    source = "{% parallel %}{{ x }}{{ x|upper }}{% if x %}{{ give(1) }}{% endif %}{% endparallel %}"
    loop.set_task_factory(factory)
    try:
        assert await render(source, {"x": "a", "give": str}) == "aA1"
        assert not started
        assert await render(source, {"x": "a", "give": give}) == "aA1"
    finally:
        loop.set_task_factory(None)
    assert started


# -- What the parts share --------------------------------------------------------------------------


async def test_an_awaitable_that_several_parts_meet_is_awaited_once(render):
    begun = []

    async def once():
        begun.append(1)
        await asyncio.sleep(0.01)
        return "v"

    holder = {"later": once()}
    source = (
        "{% set h = holder.later %}{% parallel %}{{ h }}{{ h|upper }}{{ holder.later }}"
        "{% for i in [1, 2] %}{{ h }}{% endfor %}{% endparallel %}{{ h }}"
    )
    assert await render(source, {"holder": holder}) == "vVvvvv"
    assert begun == [1]


async def test_an_awaitable_of_the_context_that_only_dynamic_includes_use(render):
    begun = []

    async def once():
        begun.append(1)
        await asyncio.sleep(0.01)
        return "v"

    templates = {"one": "{{ later }}", "two": "{{ later|upper }}{{ other }}"}
    source = "{% parallel %}{% for name in names %}{% include name %}{% endfor %}{% endparallel %}"
    context = {"names": ["one", "two", "one"], "later": once(), "other": give("o")}
    assert await render(source, context, templates) == "vVov"
    assert begun == [1]


async def test_an_awaitable_that_no_part_uses_is_closed(render):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        source = "{% parallel %}{{ give(1) }}{{ give(2) }}{% endparallel %}"
        assert await render(source, {"give": give, "unused": give(3)}) == "12"
        gc.collect()


async def test_context_variables_are_seen_and_none_leaks(render):
    seen = ContextVar("seen", default="?")

    async def change(value):
        before = seen.get()
        seen.set(value)
        await asyncio.sleep(0.001)
        return f"{before}{seen.get()} "

    seen.set("outer")
    source = "{% parallel %}{{ change(1) }}{{ change(2) }}{{ get() }}{% endparallel %}{{ get() }}"
    found = await render(source, {"change": change, "get": seen.get})
    assert found == "outer1 outer2 outerouter"
    assert seen.get() == "outer"


async def test_escaping_in_a_part_is_its_own(render):
    source = (
        "{% parallel %}{% autoescape false %}{{ give('<', 0.003) }}{{ call('<') }}{{ m('<') }}"
        "{% endautoescape %}{% autoescape true %}{{ give('<') }}{{ call('<') }}{{ m('<') }}"
        "{% endautoescape %}{{ give('<', 0.002) }}{{ call('<') }}{% endparallel %}{{ call('<') }}"
    )
    source = "{% macro m(v) %}{{ give(v) }}{% endmacro %}" + source

    @jinja2.pass_eval_context
    def call(eval_ctx, value):
        return f"({'escapes' if eval_ctx.autoescape else 'plain'})"

    context = {"give": give, "call": call}
    expected = await sync_to_async(environment(extensions=[OURS]).from_string(source).render)(
        {"give": lambda value, delay=0: value, "call": call}
    )
    for _ in range(2):
        assert await render(source, context, environment=HERE) == expected


async def test_escaping_in_a_macro_that_several_parts_call_is_its_own(render):
    source = (
        "{% macro m(v, d) %}{% autoescape false %}{{ give(v, d) }}{% endautoescape %}"
        "{{ call() }}{{ v }}{% endmacro %}"
        "{% parallel %}{{ m('<', 0.001) }}{{ m('<', 0.003) }}{{ m('<', 0.002) }}{% endparallel %}"
        "{{ call() }}"
    )

    @jinja2.pass_eval_context
    def call(eval_ctx):
        return "escapes" if eval_ctx.autoescape else "plain"

    expected = "<escapes&lt;" * 3 + "escapes"
    assert await render(source, {"give": give, "call": call}, environment=HERE) == expected
    nested = (
        "{% macro m(v) %}{% autoescape false %}{% macro n(w) %}{{ give(w, 0.002) }}"
        "{% autoescape true %}{{ w }}{% endautoescape %}{% endmacro %}{{ n(v) }}{{ call() }}"
        "{% call n(v) %}{% endcall %}{% endautoescape %}{{ call() }}{% endmacro %}"
        "{% parallel %}{{ m('<') }}{% for i in '><' %}{{ m(i) }}{% endfor %}{% endparallel %}"
    ).replace("{% call n(v) %}{% endcall %}", "{{ n(v) }}")
    plain = environment(extensions=[OURS]).from_string(nested)
    expected = plain.render({"give": lambda value, delay=0: value, "call": call})
    assert await render(nested, {"give": give, "call": call}, environment=HERE) == expected


async def test_a_batched_function_is_called_once_for_all_parts(render):
    calls = []

    @batched
    async def load(keys):
        calls.append(sorted(keys))
        await asyncio.sleep(0.001)
        return {key: f"<{key}>" for key in keys}

    class Shop:
        @batched
        async def price(self, keys):
            calls.append(sorted(keys))
            return {key: key * 10 for key in keys}

    source = (
        "{% parallel %}{% for i in range(4) %}{{ load(i) }}{{ shop.price(i) }}{% endfor %}"
        "{{ load(9) }}{% include 'inner' %}{% endparallel %}{{ load(7) }}"
    )
    context = {"load": load, "shop": Shop()}
    found = await render(source, context, {"inner": "{{ load(8) }}"}, autoescape=False)
    assert found == "<0>0<1>10<2>20<3>30<9><8><7>"
    assert calls == [[0, 1, 2, 3, 8, 9], [0, 1, 2, 3], [7]]


async def test_the_loop_around_can_be_asked_for_what_comes(alike):
    async def numbers():
        for number in range(3):
            await asyncio.sleep(0.001)
            yield number

    source = (
        "{% for i in rows %}{% parallel %}{{ i }}{{ loop.last }}{{ loop.nextitem }}"
        "{{ loop.length }}{% if loop.revindex == 1 %}!{% endif %}{% include 'inner' %}"
        "{% endparallel %},{% endfor %}"
    )
    templates = {"inner": "{{ loop.last }}"}
    plain = await alike(source, lambda: {"rows": [0, 1, 2]}, templates)
    backend = make_backend(templates, environment=HERE)
    assert await backend.from_string(source).render_async({"rows": numbers()}) == plain
    source = "{% for i in rows %}{% parallel %}{{ loop.last }}{{ loop.last }}{% endparallel %}{% endfor %}"
    found = await backend.from_string(source).render_async({"rows": numbers()})
    assert found == "FalseFalseFalseFalseTrueTrue"


async def test_rows_that_arrive_one_by_one(render):
    async def numbers():
        for number in range(3):
            await asyncio.sleep(0.001)
            yield number

    source = (
        "{% parallel %}{% for i in rows %}{{ i }}{{ loop.last }}{{ give(i) }},{% endfor %}"
        "{% for i in xs|map('string')|select %}{{ i }}{{ give(i) }}{% endfor %}{% endparallel %}"
    )
    context = {"rows": numbers(), "give": give, "xs": (number for number in (1, 2))}
    assert await render(source, context) == "0False0,1False1,2True2,1122"


# -- Errors ----------------------------------------------------------------------------------------


async def test_an_error_is_raised_at_its_line(render):
    source = "{% parallel %}\n{{ give(1, 5) }}\n{{ fail('no') }}\n{% endparallel %}"
    with pytest.raises(ValueError, match="no") as caught:
        await render(source, {"give": give, "fail": fail}, environment=HERE)
    lines = [entry.lineno + 1 for entry in caught.traceback if str(entry.path) == "<template>"]
    assert lines[-1] == 3


async def test_when_one_part_fails_the_others_are_cancelled(render):
    ended = []

    async def long():
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(1)

    before = asyncio.all_tasks()
    source = "{% parallel %}{{ long() }}{% for i in [1, 2] %}{{ long() }}{% endfor %}"
    source += "{{ fail('no', 0.01) }}{% endparallel %}"
    with pytest.raises(ValueError, match="no"):
        await render(source, {"long": long, "fail": fail})
    assert ended == [1, 1, 1]
    assert asyncio.all_tasks() == before


async def test_the_error_of_a_part_inside_a_part_is_the_one_that_is_raised(render):
    """What the other parts await is cancelled, and that is not what went wrong."""
    before = asyncio.all_tasks()
    source = (
        "{% parallel %}{{ give(1, 60) }}{{ give(2, 60)|upper }}{% if 1 %}{% parallel %}"
        "{{ give(3, 60) }}{{ fail('no', 0.01) }}{% endparallel %}{% endif %}{% endparallel %}"
    )
    with pytest.raises(ValueError, match="no"):
        await render(source, {"give": give, "fail": fail})
    assert asyncio.all_tasks() == before


async def test_a_cancelled_render_leaves_no_task():
    ended = []

    async def long():
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(1)

    before = asyncio.all_tasks()
    template = make_backend().from_string(
        "{% parallel %}{{ long() }}{% for i in [1, 2] %}{{ long() }}{% endfor %}{% endparallel %}"
    )
    task = asyncio.ensure_future(template.render_async({"long": long}))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [1, 1, 1]
    assert asyncio.all_tasks() == before


async def test_rows_that_cannot_be_unpacked(alike):
    source = "{% parallel %}{% for a, b in rows %}{{ a }}{% endfor %}{{ 1 }}{% endparallel %}"
    with pytest.raises(ValueError, match="unpack"):
        await alike(source, lambda: {"rows": [(1, 2), (3,)]})


# -- Limits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", ["0", "-1", "'two'", "none", "true", "1.5", "limit=0"])
def test_a_wrong_limit_is_refused(limit):
    source = f"a\n{{% parallel {limit} %}}{{{{ x }}}}{{% endparallel %}}"
    with pytest.raises(TemplateSyntaxError, match=r"a whole number above 0") as caught:
        make_backend({"page": source}).get_template("page")
    assert caught.value.template_debug["line"] == 2


def test_there_is_one_argument():
    with pytest.raises(TemplateSyntaxError, match="one argument at most"):
        make_backend({"page": "{% parallel 1 2 %}{% endparallel %}"}).get_template("page")


async def test_a_limit_that_turns_out_to_be_wrong(alike):
    source = "{% parallel n %}{{ 1 }}{{ 2 }}{% endparallel %}"
    template = make_backend().from_string(source)
    stock = environment(extensions=[ParallelExtension]).from_string(source)
    for wrong in (0, "3", None, True):
        with pytest.raises(TemplateRuntimeError, match=r"a whole number above 0"):
            await template.render_async({"n": wrong})
        with pytest.raises(TemplateRuntimeError, match=r"a whole number above 0"):
            template.render({"n": wrong})
        with pytest.raises(TemplateRuntimeError, match=r"a whole number above 0"):
            stock.render({"n": wrong})


# -- What cannot stand inside ----------------------------------------------------------------------

REFUSED = {
    "{% set x = 1 %}": "it sets 'x'",
    "{% set x, y = 1, 2 %}": "it sets 'x', 'y'",
    "{% set x %}a{% endset %}": "it sets 'x'",
    "{% if a %}{% set x = 1 %}{% endif %}": "it sets 'x'",
    "{% if a %}b{% else %}{% if c %}{% set x = 1 %}{% endif %}{% endif %}": "it sets 'x'",
    "{% import 'a' as b %}": "it sets 'b'",
    "{% from 'a' import b, c as d %}": "it sets 'b', 'd'",
    "{% macro m() %}{% endmacro %}": "it sets 'm'",
    "{% set ns.x = 1 %}": "it sets 'ns.x'",
    "{% for i in xs %}{% set ns.x = i %}{% endfor %}": "it sets 'ns.x'",
    "{% for i in xs %}{% set ns.x %}a{% endset %}{% endfor %}": "it sets 'ns.x'",
    "{% with %}{% for i in xs %}{% set a, ns.x = i, 1 %}{% endfor %}{% endwith %}": "'ns.x'",
    "{% do xs.append(1) %}": "it may change 'xs'",
    "{% for i in xs %}{% do a.b.append(i) %}{% endfor %}": "it may change 'a'",
    "{{ loop.changed(x) }}": "compares with the part or row",
    "{% for i in xs %}{% if loop.changed(i) %}a{% endif %}{% endfor %}": "compares with the part",
    "{% for i in xs %}{% break %}{% endfor %}": "leaves the row",
    "{% for i in xs %}{% if i %}{% continue %}{% endif %}{% endfor %}": "leaves the row",
    "{% for i in xs %}{% for j in i %}{% else %}{% break %}{% endfor %}{% endfor %}": "the row",
    "{% extends 'a' %}": "for the whole template",
}


@pytest.mark.parametrize("part", REFUSED)
def test_what_writes_outside_of_its_part_is_refused(part):
    source = f"{{% parallel %}}{{{{ x }}}}\n\n{part}{{% endparallel %}}"
    stock = environment(extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols", OURS])
    with pytest.raises(jinja2.TemplateSyntaxError, match=REFUSED[part]) as caught:
        stock.from_string(source)
    assert caught.value.lineno == 3
    with pytest.raises(TemplateSyntaxError, match="in line 3 cannot stand inside") as caught:
        make_backend({"page": source}).get_template("page")
    assert caught.value.template_debug["line"] == 3


async def test_the_loop_of_rows_does_not_compare(render):
    source = (
        "{% macro m(l) %}{{ l.changed(1) }}{% endmacro %}{% parallel %}{% for i in [1, 2] %}"
        "{{ m(loop) }}{% endfor %}{% endparallel %}"
    )
    with pytest.raises(TemplateRuntimeError, match=r"loop\.changed\(\) compares with the row"):
        await render(source)
    with pytest.raises(TemplateRuntimeError, match=r"loop\.changed\(\) compares with the row"):
        make_backend().from_string(source).render()


# -- Environments ----------------------------------------------------------------------------------


async def test_a_sandbox_refuses_as_ever():
    env = use_plans(SandboxedEnvironment(enable_async=True))
    source = "{% parallel n %}{{ give(1) }}{{ x.__class__.__mro__ }}{% endparallel %}"
    with pytest.raises(SecurityError):
        await env.from_string(source).render_async(give=give, n=2)
    source = (
        "{% parallel n %}{{ give(1) }}{% for i in x %}{{ give(i) }}{% endfor %}{% endparallel %}"
    )
    assert await env.from_string(source).render_async(give=give, n=2, x=[2, 3]) == "123"


async def test_native_values_stay_values():
    for source, expected in {
        "{% parallel %}{{ give([1]) }}{% endparallel %}": [1],
        "{% parallel %}{{ give(1) }}{{ give(2) }}{% endparallel %}": 12,
        "{% parallel %}{% for i in [1] %}{{ give({'a': i}) }}{% endfor %}{% endparallel %}": {
            "a": 1
        },
        "[{% parallel %}{{ give(1) }}, {{ give('a')|tojson }}{% endparallel %}]": [1, "a"],
    }.items():
        env = use_plans(NativeEnvironment(enable_async=True))
        assert await env.from_string(source).render_async(give=give) == expected
        env = use_plans(NativeEnvironment())
        assert env.from_string(source).render(give=lambda value: value) == expected
        stock = NativeEnvironment(extensions=[ParallelExtension])
        assert stock.from_string(source).render(give=lambda value: value) == expected


class OwnTag(jinja2.ext.Extension):
    tags = {"parallel"}

    def parse(self, parser):
        next(parser.stream)
        return jinja2.nodes.Output([jinja2.nodes.TemplateData("mine")])


async def test_a_tag_of_that_name_of_a_site_stays_its_own(render):
    assert await render("{% parallel %}", extensions=[OwnTag]) == "mine"


async def test_so_does_one_that_is_added_later(render):
    env = jinja2.Environment(enable_async=True, extensions=[ParallelExtension])
    assert await env.from_string("{% parallel %}a{% endparallel %}").render_async() == "a"
    env.add_extension(OwnTag)
    assert await env.from_string("{% parallel %}").render_async() == "mine"
    assert [type(each) for each in env.iter_extensions()][-1] is ParallelExtension


async def test_stock_code_renders_one_part_after_the_other():
    env = jinja2.Environment(enable_async=True, extensions=[ParallelExtension])
    source = (
        "{% parallel n %}{{ give(1) }}{% for i in x %}{{ give(i) }}{% endfor %}{% endparallel %}"
    )
    assert await env.from_string(source).render_async(give=give, n=2, x=[2, 3]) == "123"


async def test_bytecode_is_kept(tmp_path):
    source = (
        "{% parallel %}{{ give(1) }}{% for i in [2, 3] %}{{ give(i) }}{% endfor %}{% endparallel %}"
    )
    for _ in range(2):
        backend = make_backend(
            {"a": source},
            environment="atemplates.engines.jinja2.environment.environment",
            bytecode_cache=str(tmp_path),
            globals={"give": give},
        )
        template = await backend.aget_template("a")
        assert await template.render_async() == "123"


async def test_with_the_tags_of_the_default_environment():
    source = (
        "{% parallel %}{% cache 60, name, 1 %}{% parallel %}{{ give(1) }}{{ give(2) }}"
        "{% endparallel %}{% endcache %}{% csrf_token %}{% trans n=give(3) %}n {{ n }}{% endtrans %}"
        "{% if name %}{% trans n=give(4) %}m {{ n }}{% endtrans %}{% endif %}"
        "{% for i in [1, 2] %}{% cache 60, name, 2, i %}{{ give(i) }}{% endcache %}{% endfor %}"
        "{{ now('Y')|length }}{% endparallel %}"
    )
    backend = make_backend(
        environment="atemplates.engines.jinja2.environment.environment", globals={"give": give}
    )
    template = backend.from_string(source)
    for way in ("async", "sync"):
        for _ in range(2):
            if way == "async":
                found = await template.render_async({"name": way})
            else:
                found = await sync_to_async(template.render)({"name": way})
            assert found == "12n 3m 4124"


# -- Python code in between ------------------------------------------------------------------------


async def test_a_macro_that_python_code_calls(render):
    source = (
        "{% macro m() %}{% parallel %}{{ give(1) }}{{ give(2) }}{% endparallel %}{% endmacro %}"
        "{{ call(m) }}{% parallel %}{{ call(m) }}{{ call(m) }}{% endparallel %}"
    )
    for _ in range(2):
        assert await render(source, {"give": give, "call": lambda m: f"[{m()}]"}) == "[12]" * 3


async def test_a_render_on_a_running_loop_says_what_to_do():
    template = make_backend().from_string(
        "{% parallel %}{{ give(1) }}{{ give(2) }}{% endparallel %}"
    )
    with pytest.raises(RenderBlocked):
        template.render({"give": give})


def test_a_sync_render_is_in_order():
    order = []
    source = (
        "{% parallel %}{{ note(1) }}{% for i in [2, 3] %}{{ note(i) }}{% endfor %}{{ note(4) }}"
    )
    source += "{% endparallel %}"

    def note(value):
        order.append((value, threading.get_ident()))
        return value

    async def later(value):
        return note(value)

    template = make_backend().from_string(source)
    assert template.render({"note": note}) == "1234"
    assert template.render({"note": later}) == "1234"
    assert [value for value, _ in order] == [1, 2, 3, 4] * 2
