"""Libraries that put a function of their own in the place of ``Template.render`` get their say."""

import functools

import pytest
from asgiref.sync import async_to_sync
from django.template import Context, Template
from django.utils.safestring import SafeString

from atemplates.compiler import templates as compiled
from atemplates.engines.django import arender_template, render_template
from tests.rendering import parse, run_async
from tests.tags import places
from tests.tags.places import NOTES

TEMPLATES = {
    "base": "<{% block b %}{% endblock %}>{% include 'part' %}",
    "part": "({{ x }}{% for y in 'ab' %}{{ y }}{% endfor %})",
}
PAGES = {
    "alone": "{{ x }}",
    "inheritance": "{% extends 'base' %}{% block b %}{{ block.super }}{{ x }}{% endblock %}",
    "includes": "{% for x in 'ab' %}{% include 'part' %}{% endfor %}{% include 'part' only %}",
    "an error": "{{ x }}\n{% include 'part' with x=missing.y|broken %}",
}


def bracketed(method):
    """Return a method that writes brackets around what ``method`` writes, and notes its thread."""

    @functools.wraps(method)
    def replacement(self, context, *args, **kwargs):
        places.note("replaced")
        return SafeString(f"[{method(self, context, *args, **kwargs)}]")

    return replacement


class Proxy:
    """Stands around a function and passes for it, as tracing products do it."""

    def __init__(self, function):
        self.function = function

    def __getattr__(self, name):
        return getattr(self.function, name)

    def __get__(self, instance, owner):
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args):
        NOTES.append("the proxy was called")
        return self.function(*args)


@pytest.fixture(params=["render", "_render"])
def replaced(request, monkeypatch):
    """The name of the method that is replaced during the test."""
    original = vars(Template)[request.param]
    monkeypatch.setattr(Template, request.param, bracketed(original))
    return request.param


@pytest.mark.parametrize("source", PAGES.values(), ids=PAGES)
def test_the_replacement_runs_as_in_stock(render, replaced, source):
    outcome = render.outcome(
        "{% load lib %}" + source,
        {"x": "<x>"},
        templates=TEMPLATES,
        libraries={"lib": "tests.tags.library_tags"},
        waits=None,
    )
    assert outcome.error is not None or outcome.output.startswith("[")


async def test_it_runs_in_the_requests_thread(replaced):
    NOTES.clear()
    template = parse("{% include 'part' %}", TEMPLATES)
    assert await arender_template(template, Context({"x": 1})) == "[[(1ab)]]"
    assert NOTES
    assert not any(on_loop for _, on_loop, _ in NOTES)


async def test_what_stands_inside_runs_through_our_plan(replaced):
    async def value():
        return "<v>"

    class Row:
        async def name(self):
            return "row"

    source = "{{ x }}{% for row in rows %}{{ row.name }}{% endfor %}"
    context = Context({"x": value(), "rows": [Row(), Row()]})
    assert await arender_template(parse(source), context) == "[&lt;v&gt;rowrow]"
    assert set(vars(context)) == set(vars(Context()))


def test_by_blocking(replaced):
    async def value():
        return "<v>"

    assert render_template(parse("{{ x }}"), Context({"x": value()})) == "[&lt;v&gt;]"


async def test_a_subclass_of_template():
    class Own(Template):
        def render(self, context):
            return SafeString(f"[{super().render(context)}]")

    async def value():
        return "v"

    engine = parse("").engine
    own = Own("{{ x }}{{ y }}", engine=engine)
    assert await arender_template(own, Context({"x": value(), "y": 1})) == "[v1]"
    outer = parse("<{% include own %}>")
    assert await arender_template(outer, Context({"x": value(), "y": 1, "own": own})) == "<[v1]>"


async def test_a_proxy_stands_in_nobodys_way(monkeypatch):
    """What only watches is not worth a thread; see docs/django.md."""
    monkeypatch.setattr(Template, "render", Proxy(vars(Template)["render"]))
    NOTES.clear()
    assert await arender_template(parse("{{ x }}"), Context({"x": 1})) == "1"
    assert not NOTES


def test_django_itself_replaces_nothing():
    for kind in compiled.STOCK_TEMPLATES:
        assert {"render", "_render"} <= set(vars(kind))
        assert not compiled.is_replaced(kind, "render")


def through_us(method, bracket="[{}]"):
    """Return a method that leaves the rendering to our public functions."""

    def replacement(self, context):
        return SafeString(bracket.format(render_template(self, context)))

    def wrapped(*args):
        return replacement(*args)

    def through_async(self, context):
        return SafeString(bracket.format(async_to_sync(arender_template)(self, context)))

    return {"plain": replacement, "wrapped": wrapped, "async": through_async}[method]


@pytest.fixture(params=["plain", "wrapped"])
def leads_to_us(request, monkeypatch):
    def replace(name):
        monkeypatch.setattr(Template, name, through_us(request.param))

    return replace


@pytest.mark.parametrize("name", ["render", "_render"])
@pytest.mark.parametrize("source", ["{{ x }}", "{% include 'part' %}{{ x }}"])
def test_one_that_calls_us_is_not_asked_again(leads_to_us, name, source):
    """It would call us again, without end."""
    templates = {"part": "({{ x }})"}
    leads_to_us(name)
    stock = parse(source, templates)
    expected = "[[(1)]1]" if "part" in source else "[1]"
    context = Context({"x": 1})
    assert stock.render(context) == expected
    assert render_template(parse(source, templates), context) == expected
    assert run_async(arender_template, parse(source, templates), context) == expected
    assert set(vars(context)) == set(vars(Context()))


def test_nor_one_that_calls_us_from_the_loop(monkeypatch):
    monkeypatch.setattr(Template, "render", through_us("async"))
    context = Context({"x": 1})
    assert run_async(arender_template, parse("{{ x }}"), context) == "[1]"
    assert set(vars(context)) == set(vars(Context()))


def test_a_template_that_includes_itself_asks_it_each_time(leads_to_us):
    leads_to_us("render")
    source = "{{ n }}{% if n %}{% include 'main' with n=n|add:'-1' %}{% endif %}"
    assert render_template(parse(source), Context({"n": 2})) == "[2[1[0]]]"
    assert run_async(arender_template, parse(source), Context({"n": 2})) == "[2[1[0]]]"
