"""Python code in the midst of a render: functions that render, import and compile; that call
macros and callers, and go on with their text. With and without I/O in what they render."""

import asyncio
import gc

import jinja2
import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from jinja2 import nodes, pass_context, pass_environment, pass_eval_context
from jinja2.ext import Extension

from tests.testapp.models import Animal

from .conftest import make_backend

pytestmark = [
    pytest.mark.django_db(databases=["default", "other"]),
    pytest.mark.usefixtures("zoo"),
]

TEMPLATES = {
    "card": "[{{ n }}{{ x }}]",
    "page": "{% extends 'base' %}{% block b %}{{ super() }}{% include 'card' %}{% endblock %}",
    "base": "<{% block b %}base{% endblock %}>",
    "macros": "{% macro f(n) %}({{ n }}{{ x }}{{ names() }}){% endmacro %}{% set v = 'v' %}"
    "{% macro names() %}{% for a in animals() %}{{ a.name }}{% endfor %}{% endmacro %}",
    "wrong": "\n{{ 1 // 0 }}",
    "rows": "{% for a in animals() %}{{ a.name }}{{ a.home.name }}{{ loop.last }}{% endfor %}",
}


class Boxes(Extension):
    """As component extensions do: calls caller() from Python, renders another template."""

    tags = {"box"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        name = parser.parse_expression()
        body = parser.parse_statements(("name:endbox",), drop_needle=True)
        call = self.call_method("_box", [name])
        return nodes.CallBlock(call, [], [], body).set_lineno(line)

    def _box(self, name, caller):
        body = caller()
        assert isinstance(body, str)
        return self.environment.get_template(name).render(n=body.upper())


def animals():
    return Animal.objects.order_by("pk")[:2]


def environment(**options):
    made = jinja2.Environment(**{**options, "extensions": [Boxes]})

    @pass_context
    def card(context, name="card", **values):
        return context.environment.get_template(name).render(**values)

    @pass_context
    def everything(context, name="card"):
        return context.environment.get_template(name).render(context.get_all())

    @pass_environment
    def module(environment, n):
        module = environment.get_template("macros").module
        return module.v + str(module.f(n)) + str(module)

    @pass_environment
    def new_module(environment, n):
        return environment.get_template("macros").make_module({"x": n}).f(n).lower()

    @pass_context
    def parts(context, n):
        template = context.environment.from_string(
            "{{ n }}{% for a in animals() %}{{ a }}-{% endfor %}"
        )
        return "".join(template.generate(n=n)) + "|".join(template.stream(n=n))

    @pass_environment
    def expression(environment, n):
        compiled = environment.compile_expression("animals()|length + n")
        return compiled(n=n) + compiled({"n": n})

    @pass_environment
    def selected(environment, n):
        found = environment.select_template(["none", "card"])
        return environment.get_or_select_template(["none", found]).render({"n": n})

    @pass_eval_context
    def evaluated(eval_ctx, n):
        return eval_ctx.environment.get_template("card").render(n=n)

    @pass_context
    def from_context(context, name, n):
        return str(context[name](n)).upper() + str(context.call(context[name], n))

    def own(n):
        return made.get_template("rows").render(n=n)

    functions = [card, everything, module, new_module, parts, expression, selected, evaluated]
    made.globals.update({each.__name__: each for each in functions})
    made.globals.update(own=own, animals=animals, from_context=from_context)
    made.filters["card"] = pass_environment(
        lambda environment, n: environment.get_template("rows").render(n=n)
    )
    made.tests["short"] = pass_environment(
        lambda environment, n: len(environment.get_template("rows").render(n=n)) < n
    )
    return made


RENDERING = [
    "{{ card(n=1) }}",
    "{{ card('rows') }}{{ card('rows') }}",
    "{{ card('page', n=1) }}",
    "{{ everything() }}",
    "{{ everything('rows') ~ everything('page') }}",
    "{{ module(1) }}",
    "{{ new_module(1) }}",
    "{{ parts(1) }}",
    "{{ expression(1) }}",
    "{{ selected(1) }}{{ evaluated(2) }}",
    "{{ own(1) }}",
    "{{ 1|card }}{{ [1, 2]|map('card')|join('<') }}",
    "{% if 1 is short %}a{% else %}b{% endif %}{{ [1, 99]|select('short')|list }}",
    "{% box 'card' %}x{% box 'rows' %}y{{ animals()|length }}{% endbox %}{% endbox %}",
    "{% for a in animals() %}{% box 'card' %}{{ a.home.name }}{% endbox %}{% endfor %}",
    "{% macro m(n) %}<{{ n }}{{ animals()|first }}>{% endmacro %}{{ from_context('m', 1) }}",
    "{% macro m(n) %}{{ card('rows', n=n) }}{% endmacro %}{{ m(1)|upper }}{{ [m(2)] }}",
    "{% set c = card('rows') %}{{ c.upper() }}{{ c|length }}",
    "{% for r in [[1, []], [2, []]] recursive %}{{ again(loop, r[1]) }}{{ r[0] }}{% endfor %}",
]


@pytest.mark.parametrize("source", RENDERING)
@pytest.mark.parametrize("autoescape", [True, False])
async def test_rendering_through_the_environment(source, autoescape):
    backend = make_backend(
        TEMPLATES, environment=f"{__name__}.environment", extensions=(), autoescape=autoescape
    )
    values = {"x": "<x>", "again": lambda loop, rows: loop(rows).upper()}
    stock = backend.env.from_string(source)
    expected = await sync_to_async(lambda: stock.render(values))()
    template = backend.from_string(source)
    for _ in range(2):
        assert await template.render_async(values) == expected
        assert await sync_to_async(template.render)(values) == expected


@pytest.mark.parametrize("source", RENDERING)
async def test_several_at_once(source):
    backend = make_backend(TEMPLATES, environment=f"{__name__}.environment", extensions=())
    values = {"x": "<x>", "again": lambda loop, rows: loop(rows).upper()}
    template = backend.from_string(source)
    expected = await sync_to_async(template.render)(values)
    outputs = await asyncio.gather(*[template.render_async(values) for _ in range(5)])
    assert outputs == [expected] * 5


CALLING = [
    "{{ shout(m) }}",
    "{{ shout(m, 2) }}{{ shout(macro=m) }}",
    "{{ shout(lib.f) }}{{ shout(imported) }}",
    "{{ held([m]) }}{{ held({'m': m}.values()) }}{{ held([m]|map('default')) }}",
    "{% call shout(1) %}{{ slow() }}{% endcall %}",
    "{% call(n) twice() %}{{ n }}{{ slow() }}{% call shout() %}{{ slow() }}{% endcall %}{% endcall %}",
    "{% macro o() %}{{ shout(caller) }}{% endmacro %}{% call o() %}{{ slow() }}{% endcall %}",
    "{% macro o() %}{% set up = caller %}{% call shout() %}{{ up() }}{% endcall %}{% endmacro %}"
    "{% call o() %}{{ slow() }}{% endcall %}",
    "{{ m|called }}{{ [m, lib.f]|map('called')|join('<') }}",
    "{% if m is calling %}y{% endif %}{{ [m]|select('calling')|list|length }}",
    "{{ ns.shout(m) }}{{ shout(ns.shout, m) }}",
    "{% block b %}{{ slow() }}{% endblock %}{{ shout(self.b) }}",
    "{{ m()|upper }}{{ m().upper() }}{{ m() ~ m(1) }}{{ m() + '<' }}{{ '<' + m() }}",
    "{% set x = m() %}{{ x.upper() }}{{ x[0] }}{{ [x, m()] }}{{ {'a': m()}.a.upper() }}",
    "{{ m() == m() }}{{ 'y' if m() }}{{ m() in [m()] }}{{ m(m()) }}{{ length_of(m()) }}",
    "{{ empty() or 'none' }}{% if not empty() %}e{% endif %}{{ [empty()]|select|list }}",
    "{{ [m(), m()]|join('<') }}{{ (m(), 1)|first }}{{ m() is string }}{{ m()|length }}",
    "{% for r in [[1, []], [2, []]] recursive %}{{ shout(loop, r[1]) }}{% endfor %}",
    "{% for a in animals() if a.pk %}{{ size(loop) }}{{ loop|length }}{{ last(loop) }}{% endfor %}",
    "{% for a in generated() %}{{ size(loop) }}{{ loop|length }}{{ last(loop) }}{% endfor %}",
]
MACROS = (
    "{% macro m(n='<') %}<b>{{ n }}{{ slow() }}</b>{% endmacro %}{% macro empty() %}{% endmacro %}"
    "{% import 'macros' as lib %}{% from 'macros' import f as imported %}"
)


def calling_environment(**options):
    made = environment(**options)

    def shout(function=None, *args, caller=None, macro=None):
        text = (caller or macro or function)(*args if caller is None else ())
        return text.upper()

    def twice(caller):
        return caller("<") + caller("&")

    made.filters["called"] = lambda macro: f"{macro('&')}!"
    made.tests["calling"] = lambda macro: "Mara" in macro("&")
    made.globals.update(
        shout=shout,
        twice=twice,
        ns={"shout": shout},
        held=lambda macros: [macro(1).lower() for macro in macros],
        length_of=len,
        size=len,
        last=lambda loop: (loop.last, loop.length, loop.revindex, loop.index),
        slow=lambda: ",".join(animal.name for animal in animals()),
        generated=lambda: (number for number in range(3)),
    )
    return made


@pytest.mark.parametrize("source", CALLING)
@pytest.mark.parametrize("autoescape", [True, False])
async def test_sync_python_that_calls_macros_around_io(source, autoescape):
    backend = make_backend(
        TEMPLATES, environment=f"{__name__}.calling_environment", autoescape=autoescape
    )
    source = MACROS + source
    stock = backend.env.from_string(source)
    expected = await sync_to_async(stock.render)()
    template = backend.from_string(source)
    for _ in range(2):
        assert await sync_to_async(template.render)() == expected
        assert await template.render_async() == expected


async def test_async_python_awaits_what_it_calls():
    backend = make_backend(TEMPLATES, environment=f"{__name__}.calling_environment")
    source = MACROS + "{% block b %}{{ f(m, self.b if not inner) }}{% endblock %}"
    template = backend.from_string(source)

    async def f(macro, block):
        await asyncio.sleep(0)
        return await asyncio.create_task(macro(2)) + helper(await macro(3))

    def helper(text):
        return text.upper()

    assert await template.render_async({"f": f}) == "<b>2Mara,Leo</b><B>3MARA,LEO</B>"


async def seconds(value):
    await asyncio.sleep(0)
    return value


class TestAwaitables:
    """Those of the context reach what Python code renders; each is awaited once, or closed."""

    @pytest.mark.parametrize(
        "source",
        [
            "{{ everything() }}{{ everything() }}",
            "{{ everything() }}{{ x }}",
            "{{ x }}{{ everything() }}",
            "{{ everything('page') }}{% if false %}{{ x }}{% endif %}",
            "{{ module(1) }}{{ everything() }}{{ card() }}",
            "{{ card(n=1) }}",
            "{{ made() }}{{ made() }}",
        ],
    )
    async def test_they_are_awaited_once(self, source, recwarn):
        backend = make_backend(TEMPLATES, environment=f"{__name__}.environment", extensions=())

        def made():
            template = backend.async_env.get_template("card")
            return template.render(n=seconds("made"), unused=seconds("unused"))

        expected = backend.env.from_string(source).render
        values = {"made": lambda: "[made]", "n": 1, "x": "<x>"}
        expected = await sync_to_async(lambda: backend.env.from_string(source).render(values))()
        template = backend.from_string(source)
        values = {"made": made, "n": seconds(1), "x": seconds("<x>"), "unused": seconds(1)}
        assert await template.render_async(values) == expected
        gc.collect()
        assert not [each for each in recwarn if "never awaited" in str(each.message)]

    async def test_an_awaitable_of_the_loop_itself(self):
        backend = make_backend(TEMPLATES, environment=f"{__name__}.environment", autoescape=False)
        task = asyncio.create_task(seconds("<x>"))
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.01, future.set_result, 5)
        template = backend.from_string("{{ everything() }}")
        assert await template.render_async({"x": task, "n": future}) == "[5<x>]"

    async def test_async_iterables(self):
        backend = make_backend(TEMPLATES, environment=f"{__name__}.environment", extensions=())

        async def rows():
            for number in range(3):
                await asyncio.sleep(0)
                yield number

        @pass_context
        def f(context):
            source = "{% for i in rows() %}{{ i }}{{ loop.last }}{% endfor %}"
            return context.environment.from_string(source).render(rows=rows)

        template = backend.from_string("{{ f() }}")
        assert await template.render_async({"f": f}) == "0False1False2True"


class TestWhereThereIsNoRender:
    """On a bare loop an async environment does what stock's does."""

    async def test_methods_that_cannot_wait(self):
        environment = make_backend(TEMPLATES).async_env
        template = environment.get_template("card")
        with (
            pytest.warns(RuntimeWarning, match="never awaited"),
            pytest.raises(RuntimeError, match=r"asyncio\.run"),
        ):
            template.render()
        with pytest.raises(RuntimeError, match="not available in async mode"):
            template.module  # noqa: B018
        macro = (await environment.get_template("macros").make_module_async()).f
        coroutine = macro(1)
        assert asyncio.iscoroutine(coroutine)
        coroutine.close()

    def test_without_a_loop(self):
        environment = make_backend(TEMPLATES).async_env
        assert environment.get_template("card").render(n=seconds(1), x=2) == "[12]"

    async def test_in_a_task_that_outlives_its_render(self):
        backend = make_backend(TEMPLATES)
        tasks = []

        async def later(macro):
            await asyncio.sleep(0.01)
            template = backend.async_env.get_template("card")
            return await macro(), await template.render_async(n=seconds(1), unused=seconds(2))

        template = backend.from_string("{% macro m() %}text{% endmacro %}{{ f(m) }}")
        values = {"f": lambda macro: tasks.append(asyncio.create_task(later(macro))) or ""}
        assert await template.render_async(values) == ""
        assert await tasks[0] == ("text", "[1]")


async def test_an_async_function_may_render_what_needs_no_io():
    backend = make_backend(TEMPLATES)

    async def f(n):
        return backend.async_env.get_template("card").render(n=n)

    assert await backend.from_string("{{ f(1) }}").render_async({"f": f}) == "[1]"
    template = backend.from_string("{{ f() }}")
    with pytest.raises(SynchronousOnlyOperation, match=r"await template\.render_async"):
        await template.render_async({"f": lambda: f(seconds(1))})


async def test_an_error_of_the_inner_template_is_the_original_one():
    backend = make_backend(TEMPLATES, environment=f"{__name__}.environment", extensions=())
    template = backend.from_string("{{ card('wrong') }}")
    with pytest.raises(ZeroDivisionError) as caught:
        await template.render_async()
    assert 2 in [entry.lineno + 1 for entry in caught.traceback if "template" in entry.name]


class RenderingLoader(jinja2.BaseLoader):
    """A loader whose templates are made by other templates."""

    def __init__(self, templates):
        self.templates = templates

    def get_source(self, environment, name):
        if name not in self.templates:
            raise jinja2.TemplateNotFound(name)
        source = self.templates[name]
        if name.startswith("made-"):
            source = environment.from_string(source).render(animals=animals)
        return source, None, None


@pytest.mark.parametrize("source", ["{% include 'made-1' %}", "{% extends 'made-1' %}"])
async def test_a_loader_that_renders(source):
    templates = {"made-1": "{% for a in animals() %}{{ a.name }}{{ '{{ x }}' }}{% endfor %}"}
    backend = make_backend(loader=RenderingLoader(templates), autoescape=False)
    template = backend.from_string(source)
    expected = "Mara<x>Leo<x>"
    assert await template.render_async({"x": "<x>"}) == expected
    assert await sync_to_async(template.render)({"x": "<x>"}) == expected
    loaded = await backend.aget_template("made-1")
    assert await loaded.render_async({"x": "<x>"}) == expected
