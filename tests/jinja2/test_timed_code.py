"""How long each line of a Jinja2 template takes by itself: the code that tells a clock."""

import asyncio
from collections import Counter

import jinja2
import pytest

from atemplates.engines.jinja2 import Jinja2
from atemplates.runtime.line_times import LineTimes, timing_lines
from tests.compiler.test_timed_code import compute, streamed
from tests.rendering import run_async

WAYS = ("sync", "async", "streamed")

PAGES = {
    "page.html": "{% extends 'base.html' %}\n{% block a %}\n{{ super() }}{{ compute() }}\n{{ late }}{% endblock %}",
    "base.html": "<i>\n{% block a %}{% for r in rows %}\n{{ r }}{% if r == 1 %}\n{{ compute() }}{% endif %}\n{% include 'part.html' %}{% endfor %}{% endblock %}\n{% include 'text.html' %}</i>",
    "part.html": "{% from 'macros.html' import m %}\n{{ compute() }}\n{{ m(r, compute) }}",
    "macros.html": "{% macro m(a, c) %}\n{{ a }}{{ c() }}\n{% endmacro %}",
    "text.html": "nothing but text",
    "parts.html": "{% parallel %}\n{{ late }}\n{{ compute() }}{% endparallel %}\n{% defer %}\n{{ compute() }}{% placeholder %}…{% enddefer %}",
    "set.html": "{% autoescape false %}{{ rows }}{% endautoescape %}{% set a %}\n{{ compute() }}{% endset %}\n{% filter upper %}{{ a }}\n{{ late }}{% endfilter %}",
}


def backend(pages=PAGES, **options):
    options = {"loader": jinja2.DictLoader(pages), **options}
    return Jinja2({"NAME": "x", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})


def shown(page, way):
    async def late():
        await asyncio.sleep(0.1)
        return "late"

    values = {"rows": range(3), "compute": compute}
    if way == "sync":
        return page.render({**values, "late": "late"})
    values["late"] = late()
    return run_async(streamed if way == "streamed" else type(page).render_async, page, values)


def timed(page, way):
    times = LineTimes()
    with timing_lines(times):
        text = shown(page, way)
    return text, times


def by_line(found):
    added = Counter()
    for place, number in found.items():
        added[place and (place.template.name, place.line)] += number
    return added


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["page.html", "parts.html", "set.html"])
def test_the_text_is_that_of_the_usual_code(name, way):
    page = backend().get_template(name)
    usual = shown(page, way)
    assert timed(page, way)[0] == usual
    assert timed(page, way)[0] == usual
    assert shown(page, way) == usual


@pytest.mark.parametrize("way", WAYS)
def test_what_each_line_takes_by_itself(way):
    page = backend().get_template("page.html")
    timed(page, way)  # compiled
    _, times = timed(page, way)
    seconds, runs = by_line(times.seconds()), by_line(times.runs())
    assert runs["base.html", 4] == 1
    assert runs["part.html", 2] == 3
    assert runs["macros.html", 2] == 3
    if way == "sync":  # elsewhere what computes may run in the thread, while the plan waits
        assert seconds["part.html", 2] >= 0.006
        assert seconds["base.html", 4] >= 0.002
        assert seconds["macros.html", 2] >= 0.006
        assert seconds["page.html", 3] >= 0.002
    assert seconds["page.html", 4] < 0.1, seconds  # waiting is no time of a line
    assert [each.name for each in times.templates].count("text.html") == 1
    template = next(each for each in times.templates if each.name == "part.html")
    assert (template.engine, template.source) == ("jinja2", PAGES["part.html"])


def test_macros_that_renders_share_do_not_bring_the_code_along():
    page = backend().get_template("part.html")
    timed(page, "sync")
    assert shown(page, "sync") == timed(page, "sync")[0]
    loaded = page.template.environment.get_template("macros.html")
    assert loaded._module is not loaded._timed_module


def test_usual_code_stays_as_it_is():
    page = backend().get_template("page.html")
    usual = page.template.root_render_func._plan
    timed(page, "sync")
    assert page.template.root_render_func._plan is usual
    assert "enter_line" not in usual.__code__.co_names
    assert "enter_line" in page.template.root_render_func._timed[0].__code__.co_names


def test_code_whose_text_is_not_known_is_rendered_as_ever():
    page = backend().get_template("text.html")
    del page.template.root_render_func._plan.__globals__["source"]
    assert timed(page, "sync")[0] == PAGES["text.html"]


def test_renders_at_the_same_time_do_not_mix():
    engine = backend({"a.html": "{{ late }}{{ a }}", "b.html": "\n{{ late }}{{ b }}"})

    async def one(name):
        async def late():
            await asyncio.sleep(0.01)

        times = LineTimes()
        with timing_lines(times):
            await engine.get_template(name).render_async({"late": late()})
        return {place.template.name for place in times.runs()}

    async def both():
        return await asyncio.gather(one("a.html"), one("b.html"), one("a.html"))

    assert run_async(both) == [{"a.html"}, {"b.html"}, {"a.html"}]
