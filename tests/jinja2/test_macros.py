"""Macros: called directly where that is possible, and always with what stock Jinja2 gives."""

import asyncio

import jinja2
import pytest
from asgiref.sync import sync_to_async
from jinja2.nodes import EvalContext
from markupsafe import Markup

from .conftest import made, make_backend

MACROS = """
{%- macro empty() %}<i>{% endmacro -%}
{%- macro two(a, b="<b>") %}[{{ a }}|{{ b }}]{% endmacro -%}
{%- macro three(a, b=a, c=b) %}[{{ a }}|{{ b }}|{{ c }}]{% endmacro -%}
{%- macro words(class, def=1) %}[{{ class }}|{{ def }}]{% endmacro -%}
{%- macro context(eval_ctx, names=1, site=1) %}{{ eval_ctx }}{{ names }}{% endmacro -%}
{%- macro rest(a) %}[{{ a }}{{ varargs }}{{ kwargs }}]{% endmacro -%}
{%- macro box(a, b=2) %}<{{ a }}{{ b }}{{ caller() }}>{% endmacro -%}
{%- macro box_of(a) %}<{{ caller(a) }}>{% endmacro -%}
{%- macro maybe(a, caller=none) %}<{{ a }}{{ caller() if caller }}>{% endmacro -%}
"""
CALLS = [
    "empty()",
    "two()",
    "two('<')",
    "two('<', '>')",
    "two(a='<')",
    "two(b='<')",
    "two('<', b='>')",
    "two(a='<', b='>')",
    "two(b='<', a='>')",
    "context(eval_ctx='<', names=2)",
    "two(two(1), two(two(2), b=two(3)))",
    "three(1)",
    "three(1, c=2)",
    "three(1, 2, c=3)",
    "three(c=1, b=2, a=3)",
    "words('<')",
    "words(class='<')",
    "rest()",
    "rest(1, 2)",
    "rest(1, z=2)",
    "box(1)",
    "maybe(1)",
    "maybe(1, caller=none)",
    "two(*[1, 2])",
    "two(**{'b': 3})",
    "two(1, *[2])",
    "two(1, **{'b': 2})",
    "empty()|upper",
    "empty() ~ '<'",
    "'<' ~ empty()",
    "empty() + '<'",
    "[empty()]|join('<')",
    "empty()|e",
    "empty()|length",
    "empty() if empty() else two",
    "two(none)",
    "gone()",
    "gone(1, b=2)",
]
WRONG = [
    "empty(1)",
    "two(1, 2, 3)",
    "two(1, a=2)",
    "two(z=2)",
    "two(1, 2, b=3)",
    "two(caller=2)",
    "box(caller=2)",
    "words(self=2)",
    "two(a=1, a=2)",
]
BLOCKS = [
    "{% call box(1, 2) %}<c>{{ x }}{% endcall %}",
    "{% call box(1) %}<c>{% endcall %}",
    "{% call box(b=1, a=2) %}<c>{% endcall %}",
    "{% call box(1, b=2) %}<c>{% endcall %}",
    "{% call(v) box_of(x) %}{{ v }}{% call(w) box_of(1) %}{{ v }}{{ w }}{% endcall %}{% endcall %}",
    "{% call maybe(1) %}<c>{% endcall %}",
    "{% for i in [1, 2] %}{% set j = i %}{% call box(i, j) %}{{ i }}{{ j }}{% endcall %}"
    "{% endfor %}",
    "{% for i in [1, 2] %}{% macro own(a, b=i) %}{{ a }}{{ b }}{{ loop.index }}{% endmacro %}"
    "{{ own('<') }}{{ two(i) }}{% endfor %}",
    "{% set two = function %}{{ two('<') }}{{ two('<', b='>') }}",
    "{% set empty = 'no macro' %}{{ empty }}{% set two = empty.upper %}{{ two() }}",
    "{% macro later() %}{{ defined_later() }}{% endmacro %}"
    "{% macro defined_later() %}<b>{% endmacro %}{{ later() }}",
    "{% macro two(a) %}another {{ a }}{% endmacro %}{{ two('<') }}",
    "{% set f = two %}{{ f(1) }}{{ f(1, b=2) }}{% set ns = namespace(f=two) %}{{ ns.f(1) }}",
    "{{ [1, 2]|map('string')|join }}{% block b %}{{ two('<') }}{% endblock %}",
    "{% macro down(n) %}{{ n }}{% if n %}{{ down(n - 1) }}{% endif %}{% endmacro %}{{ down(3) }}",
]
LIBRARY = {
    "lib.html": "{% macro tag(name, x='<') %}<{{ name }}>{{ x }}{{ inner() }}{% endmacro %}"
    "{% macro inner() %}<b>{% endmacro %}{% macro wrap(a) %}({{ caller() }}){% endmacro %}",
    "lib.txt": "{% macro tag(name, x='<') %}<{{ name }}>{{ x }}{{ inner() }}{% endmacro %}"
    "{% macro inner() %}<b>{% endmacro %}{% macro wrap(a) %}({{ caller() }}){% endmacro %}",
}
IMPORTING = (
    "{% import 'lib.html' as html %}{% import 'lib.txt' as text with context %}"
    "{% from 'lib.html' import tag %}{% from 'lib.txt' import tag as plain, inner %}"
    "{{ html.tag('&') }}{{ text.tag('&') }}{{ tag('&', x='>') }}{{ plain('&', x='>') }}"
    "{{ tag(inner()) }}{{ plain(tag('&')) }}{{ (html.inner() ~ text.inner())|upper }}"
    "{% call html.wrap(1) %}<&{{ x }}{% endcall %}{% call text.wrap(1) %}<&{{ x }}{% endcall %}"
    "{{ html.gone }}"
)


def environment(**options):
    environment = jinja2.Environment(**options)

    def function(a, b="default"):
        return f"<{a}{b}>"

    environment.globals["function"] = function
    return environment


OPTIONS = {"environment": f"{__name__}.environment"}


@pytest.mark.parametrize("autoescape", [True, False])
async def test_calls(same, autoescape):
    for call in CALLS:
        source = MACROS + "{{ " + call + " }}{% set v = " + call + " %}{{ v ~ '<' }}"
        try:
            await same(source, {"x": "<x>"}, autoescape=autoescape, **OPTIONS)
        except jinja2.UndefinedError:
            assert "gone" in call or call == "box(1)"


@pytest.mark.parametrize("call", WRONG)
async def test_wrong_calls(same, call):
    with pytest.raises((TypeError, SyntaxError)):
        await same(MACROS + "{{ " + call + " }}", **OPTIONS)


@pytest.mark.parametrize("source", BLOCKS)
@pytest.mark.parametrize("autoescape", [True, False])
async def test_call_blocks_and_other_values(same, source, autoescape):
    await same(MACROS + source, {"x": "<x>"}, autoescape=autoescape, **OPTIONS)


@pytest.mark.parametrize("name", ["page.html", "page.txt"])
async def test_imports_between_templates_that_escape_and_that_do_not(name):
    backend = make_backend(
        {name: IMPORTING.replace("{{ html.gone }}", ""), **LIBRARY},
        autoescape=jinja2.select_autoescape(["html"]),
    )
    expected = backend.env.get_template(name).render(x="<x>")
    assert backend.get_template(name).render({"x": "<x>"}) == expected
    assert await backend.get_template(name).render_async({"x": "<x>"}) == expected


SCOPES = [
    "{% macro m() %}<{{ x }}>{% endmacro %}{% macro o() %}{{ m() }}{% endmacro %}"
    "{% autoescape false %}{{ m() }}{{ o() }}{{ m() ~ '<' }}{% endautoescape %}{{ o() }}",
    "{% set m = namespace() %}{% autoescape false %}{% macro f() %}<{{ x }}>{% endmacro %}{{ f() }}"
    "{% set m.f = f %}{% endautoescape %}{% set f = m.f %}{{ f() }}{{ f() ~ '<' }}{{ m.f() }}",
    "{% set m = namespace() %}{% autoescape flag %}{% macro f() %}<{{ x }}>{% endmacro %}{{ f() }}"
    "{{ f() ~ '<' }}{% set m.f = f %}{% endautoescape %}{% set f = m.f %}{{ f() }}{{ f() ~ '<' }}",
    "{% macro m() %}<{{ x }}>{{ caller() }}{% endmacro %}{% autoescape flag %}"
    "{% call m() %}<{{ x }}>{% endcall %}{% endautoescape %}",
    "{% set ns = namespace() %}{% for each in [1, 0] %}{% autoescape each %}"
    "{% macro m() %}<{{ x }}>{% endmacro %}{% if each %}{% set ns.m = m %}{% endif %}"
    "{{ m() }}{{ ns.m() }}{% endautoescape %}{% endfor %}{% set m = ns.m %}{{ m() }}{{ ns.m() }}",
]


@pytest.mark.parametrize("source", SCOPES)
@pytest.mark.parametrize("autoescape", [True, False])
@pytest.mark.parametrize("flag", [True, False, 1])
async def test_where_the_escaping_changes(same, source, autoescape, flag):
    await same(source, {"x": "<x>", "flag": flag}, autoescape=autoescape)


async def test_awaitables_in_every_place():
    source = (
        MACROS + "{{ two(value) }}{{ two(value, b=other) }}{{ two(b=value, a=other) }}"
        "{% call box(value, other) %}{{ value }}{% endcall %}{{ three(value) }}"
        "{% set f = two %}{{ f(value) }}{% macro d(a=value) %}{{ a }}{% endmacro %}{{ d() }}"
    )

    def context():
        return {"value": asyncio.sleep(0.001, "<v>"), "other": asyncio.sleep(0, 5)}

    backend = make_backend(autoescape=True)
    expected = backend.env.from_string(source).render(value="<v>", other=5)
    template = backend.from_string(source)
    assert await template.render_async(context()) == expected
    assert await sync_to_async(lambda: template.render(made(context)))() == expected


async def test_a_call_from_python_is_marked_as_its_caller_escapes():
    source = "{% macro m(a) %}<{{ a }}>{% endmacro %}"
    for autoescape in (True, False):
        backend = make_backend(autoescape=autoescape)
        stock = backend.env.from_string(source).module.m
        ours = backend.sync_env.from_string(source).module.m
        loaded = await backend.async_env.from_string(source).make_module_async()
        for escaping in (True, False):
            context = EvalContext(backend.env)
            context.autoescape = escaping
            expected = stock(context, "<")
            for found in (ours(context, "<"), await loaded.m(context, "<")):
                assert found == expected
                assert type(found) is type(expected) is (Markup if escaping else str)
        assert type(ours("<")) is type(stock("<"))
