"""Pages that are sent while they are rendered: when what leaves, and that it is the same page."""

import asyncio
import gc
import warnings

import jinja2
import jinja2.ext
import jinja2.nativetypes
import jinja2.sandbox
import pytest
from asgiref.sync import sync_to_async

from atemplates.engines.jinja2.plans import use_plans

from .conftest import make_backend, zoo

__all__ = ["zoo"]


class Gates:
    """Awaitables that are opened by the test: nothing depends on time."""

    def __init__(self):
        self.events = {}
        self.begun = []

    def event(self, name):
        return self.events.setdefault(name, asyncio.Event())

    async def wait(self, name):
        self.begun.append(name)
        await self.event(name).wait()
        return name

    def open(self, name):
        self.event(name).set()


def stream(source, context=None, templates=None, **options):
    backend = make_backend(templates, **options)
    return backend.from_string(source).stream_async(context)


async def joined(chunks):
    return "".join([chunk async for chunk in chunks])


async def read(chunks):
    return [chunk async for chunk in chunks]


# -- When chunks leave -----------------------------------------------------------------------------


async def test_a_page_that_never_waits_is_one_chunk():
    source = "a{{ b }}{% for i in [1, 2] %}{{ i }}{% endfor %}c"
    assert await read(stream(source, {"b": "b"})) == ["ab12c"]


async def test_the_text_before_what_waits_leaves_first():
    gates = Gates()
    source = "a{{ 1 + 1 }}{{ wait('x') }}b{{ wait('y') }}c"
    chunks = stream(source, {"wait": gates.wait})
    assert await anext(chunks) == "a2"
    gates.open("x")
    assert await anext(chunks) == "xb"
    gates.open("y")
    assert await anext(chunks) == "yc"
    with pytest.raises(StopAsyncIteration):
        await anext(chunks)


TEMPLATES = {
    "base": "<{% block head %}h{% endblock %}|{% block body %}{% endblock %}>",
    "inner": "i{{ wait('i') }}{% if x %}{{ x }}{% endif %}j",
    "macros": "{% macro m(n) %}({{ wait(n) }}){% endmacro %}",
}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1{{ wait('a') }}2", ["1", "a2"]),
        ("1{% for i in 'ab' %}{{ i }}:{{ wait(i) }};{% endfor %}", ["1a:", "a;b:", "b;"]),
        ("{% for i in 'ab' recursive %}{{ wait(i) }}{% endfor %}!", ["ab!"]),
        ("1{% if wait('a') %}2{% endif %}3", ["1", "23"]),
        ("1{% include 'inner' %}2", ["1i", "ij2"]),
        ("1{% include 'inner' without context %}2", ["1iij2"]),
        (
            "{% extends 'base' %}{% block head %}1{{ wait('a') }}{% endblock %}"
            "{% block body %}2{{ super() }}{{ wait('b') }}{% endblock %}",
            ["<1", "a|2", "b>"],
        ),
        ("1{% with y = 2 %}{{ y }}{{ wait('a') }}{% endwith %}", ["12", "a"]),
        ("{% autoescape false %}<{{ '<' }}{{ wait('<') }}{% endautoescape %}", ["<<", "<"]),
        # What is a value is held back as a whole.
        ("1{% filter upper %}b{{ wait('a') }}{% endfilter %}2", ["1", "BA2"]),
        ("1{% set t %}b{{ wait('a') }}{% endset %}2{{ t }}", ["1", "2ba"]),
        ("{% macro m() %}b{{ wait('a') }}{% endmacro %}1{{ m() }}2", ["1", "ba2"]),
        (
            "{% macro m() %}[{{ caller() }}]{% endmacro %}1{% call m() %}{{ wait('a') }}{% endcall %}2",
            ["1", "[a]2"],
        ),
        ("{% from 'macros' import m with context %}1{{ m('a') }}2", ["1", "(a)2"]),
        ("{% block b %}1{{ wait('a') }}{% endblock %}2{{ self.b() }}3", ["1", "a2", "1a3"]),
        ("{% extends 'base' %}{% block body %}1{{ wait('a') }}{% endblock %}", ["<h|1", "a>"]),
        (
            "1{% parallel %}{{ wait('a') }}-{{ wait('b') }}{% endparallel %}2",
            ["1", "a-b2"],
        ),
    ],
)
@pytest.mark.parametrize("kind", [jinja2.Environment, jinja2.sandbox.SandboxedEnvironment])
async def test_what_leaves_when(source, expected, kind):
    async def wait(value):
        await asyncio.sleep(0.001)
        return value

    env = kind(loader=jinja2.DictLoader(TEMPLATES), autoescape=True, enable_async=True)
    env.globals["wait"] = wait
    template = use_plans(env).from_string(source)
    assert await joined(template.generate_async()) == "".join(expected)  # compiles as it goes
    assert await read(template.generate_async()) == expected
    assert await template.render_async() == "".join(expected)


async def test_the_shell_of_a_page_is_held_until_its_head_has_ended():
    async def wait(value):
        await asyncio.sleep(0)
        return value

    source = "<html><head>{{ wait('t') }}</head><body>{{ wait('b') }}"
    chunks = await read(stream(source, {"wait": wait}))
    assert chunks == ["<html><head>t</head><body>", "b"]


async def test_awaitables_begin_together_and_are_awaited_in_the_order_of_the_page():
    gates = Gates()
    backend = make_backend({"i": "{{ x }}-{{ z }}"})
    template = backend.from_string("1{{ y }}2{% include 'i' %}3{{ y }}")
    assert await joined(template.stream_async({})) == "12-3"
    chunks = template.stream_async({name: gates.wait(name) for name in "xyz"})
    assert await anext(chunks) == "1"
    assert sorted(gates.begun) == ["x", "y", "z"]
    gates.open("x")
    gates.open("y")
    assert await anext(chunks) == "y2x-"
    gates.open("z")
    assert await joined(chunks) == "z3y"


async def test_awaitables_that_need_not_wait_split_nothing():
    async def give(value):
        return value

    context = {"x": give("x"), "y": give("y")}
    assert await read(stream("1{{ x }}2{{ y }}", context)) == ["1x2y"]


async def test_awaitables_that_are_not_used_are_closed():
    async def give(value):
        await asyncio.sleep(10)
        return value

    context = {"x": give("x"), "y": give("y")}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert await read(stream("1{% if false %}{{ x }}{% endif %}", context)) == ["1"]
        gc.collect()
    for value in context.values():
        assert value.cr_frame is None


async def test_flush_ends_a_chunk():
    source = "1{% flush %}2{% for i in [3, 4] %}{{ i }}{% flush %}{% endfor %}5"
    backend = make_backend()
    assert await read(backend.from_string(source).stream_async()) == ["1", "23", "4", "5"]
    assert await backend.from_string(source).render_async() == "12345"
    assert await sync_to_async(backend.from_string(source).render)() == "12345"
    held = "{% filter upper %}a{% flush %}b{% endfilter %}"
    assert await read(backend.from_string(held).stream_async()) == ["AB"]


def test_flush_has_no_arguments():
    with pytest.raises(jinja2.TemplateSyntaxError, match="takes no arguments"):
        make_backend().from_string("{% flush now %}")


def test_flush_is_no_statement_of_stock_jinja2_that_does_anything():
    from atemplates.jinja2.flush import FlushExtension

    env = jinja2.Environment(extensions=[FlushExtension])
    assert env.from_string("a{% flush %}b").render() == "ab"


def test_a_flush_of_a_site_stays_its_own():
    class Own(jinja2.ext.Extension):
        tags = {"flush"}

        def parse(self, parser):
            next(parser.stream)
            return jinja2.nodes.Output([jinja2.nodes.TemplateData("mine")])

    assert make_backend(extensions=[Own]).from_string("{% flush %}").render() == "mine"
