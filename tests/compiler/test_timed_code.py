"""How long each line takes by itself: the code that tells a clock where it is."""

import asyncio
from collections import Counter
from time import perf_counter

import pytest

from atemplates.compiler.module import Module
from atemplates.compiler.timed_code import TimedModule
from atemplates.engines.django import DjangoTemplates
from atemplates.runtime.line_times import LineTimes, timing_lines
from atemplates.runtime.state import PLAN_ATTRIBUTE
from tests.rendering import run_async

WAYS = ("sync", "async", "streamed")


def compute(milliseconds=2):
    """Keep this thread busy."""
    end = perf_counter() + milliseconds / 1000
    while perf_counter() < end:
        pass
    return "busy"


class Values:
    """The context of the tests' pages, made anew each time."""

    def __new__(cls):
        async def late():
            await asyncio.sleep(0.1)
            return "late"

        return {"rows": range(3), "compute": compute, "late": late()}


def backend(pages, **options):
    loader = ("django.template.loaders.locmem.Loader", pages)
    options = {
        "builtins": ["atemplates.templatetags.atemplates"],
        "libraries": {"foreign": "tests.compiler.foreign_tags"},
        "loaders": [("django.template.loaders.cached.Loader", [loader])],
        **options,
    }
    return DjangoTemplates({"NAME": "x", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})


async def streamed(page, values):
    return "".join([chunk async for chunk in page.stream_async(values)])


def shown(page, way):
    if way == "sync":
        return page.render(Values())
    return run_async(streamed if way == "streamed" else type(page).render_async, page, Values())


def timed(page, way):
    times = LineTimes()
    with timing_lines(times):
        text = shown(page, way)
    return text, times


def by_line(found):
    """What was found of each place, added up by template and line."""
    added = Counter()
    for place, number in found.items():
        added[place and (place.template.name, place.line)] += number
    return added


PAGES = {
    "page.html": "{% extends 'base.html' %}\n{% block a %}\n{{ block.super }}{{ compute }}\n{{ late }}{% endblock %}",
    "base.html": "<i>\n{% block a %}{% for r in rows %}\n{{ r }}{% if r == 1 %}\n{{ compute }}{% endif %}\n{% include 'part.html' %}{% endfor %}{% endblock %}\n{% include 'text.html' %}</i>",
    "part.html": "\n{{ compute }}",
    "text.html": "nothing but text",
    "foreign.html": "{% load foreign %}\n{% upper %}\n{{ compute }}{% endupper %}\n{{ rows }}",
    "parts.html": "{% parallel %}\n{{ late }}\n{{ compute }}{% endparallel %}\n{% defer %}\n{{ compute }}{% placeholder %}…{% enddefer %}",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["page.html", "foreign.html", "parts.html"])
def test_the_text_is_that_of_the_usual_code(name, way):
    page = backend(PAGES).get_template(name)
    usual = shown(page, way)
    assert timed(page, way)[0] == usual
    assert timed(page, way)[0] == usual
    assert shown(page, way) == usual


@pytest.mark.parametrize("way", WAYS)
def test_what_each_line_takes_by_itself(way):
    page = backend(PAGES).get_template("page.html")
    timed(page, way)  # compiled
    _, times = timed(page, way)
    seconds, runs = by_line(times.seconds()), by_line(times.runs())
    assert runs["base.html", 3] == 6  # a variable and a condition in each of three rows
    assert runs["base.html", 4] == 1
    assert runs["part.html", 2] == 3
    busy = {"part.html": 2, "base.html": 4, "page.html": 3}
    if way == "sync":  # elsewhere what computes may run in the thread, while the plan waits
        assert seconds["part.html", 2] >= 0.006
        assert seconds["base.html", 4] >= 0.002
        assert seconds["page.html", 3] >= 0.002
    rest = sum(taken for place, taken in seconds.items() if place not in busy.items())
    assert rest < 0.1, seconds  # what is awaited for that long is no time of a line
    assert [each.name for each in times.templates].count("text.html") == 1


@pytest.mark.parametrize("way", WAYS)
def test_what_stands_in_a_foreign_tag_and_in_parts(way):
    for name, line in (("foreign.html", 3), ("parts.html", 3), ("parts.html", 5)):
        page = backend(PAGES).get_template(name)
        timed(page, way)
        runs = by_line(timed(page, way)[1].runs())
        assert runs[name, line] >= 1, (name, line)


def test_parts_that_run_at_the_same_time_have_clocks_of_their_own():
    source = (
        "{% parallel %}\n{{ late }}{% for r in rows %}\n{{ compute }}{% endfor %}{% endparallel %}"
    )
    page = backend({"page.html": source}, sync_tags="inline").get_template("page.html")
    timed(page, "async")
    _, times = timed(page, "async")
    assert len(times.clocks) > 2
    assert by_line(times.seconds())["page.html", 2] < 0.1


def test_an_error_leaves_the_clock_where_it_was():
    def fail():
        raise ValueError("fails")

    page = backend({"page.html": "\n{{ fail }}"}).get_template("page.html")
    times = LineTimes()
    with timing_lines(times), pytest.raises(ValueError, match="fails"):
        page.render({"fail": fail})
    assert not times.clocks[0].is_running
    assert ("page.html", 2) in by_line(times.runs())


def test_what_is_left_out():
    times = LineTimes()

    def ask():
        start = perf_counter()
        compute(10)
        times.leave_out(perf_counter() - start)

    page = backend({"page.html": "\n{{ ask }}"}).get_template("page.html")
    with timing_lines(times):
        page.render({"ask": ask})
    assert by_line(times.seconds())["page.html", 2] < 0.01
    times.leave_out(1)  # nothing runs


def test_usual_code_stays_as_it_is():
    """The code that tells a clock is another one, beside the usual."""
    page = backend(PAGES).get_template("base.html")
    nodelist = page.template.nodelist
    usual = Module(nodelist, page.template, "").source()
    page.render(Values())
    before = vars(nodelist)[PLAN_ATTRIBUTE]
    timed(page, "sync")
    assert vars(nodelist)[PLAN_ATTRIBUTE] is before
    assert Module(nodelist, page.template, "").source() == usual
    assert "enter_line" not in usual
    assert "enter_line" in TimedModule(nodelist, page.template, "").source()


def test_renders_at_the_same_time_do_not_mix():
    page = backend({"a.html": "{{ late }}{{ a }}", "b.html": "\n{{ late }}{{ b }}"})

    async def one(name):
        times = LineTimes()
        with timing_lines(times):
            await page.get_template(name).render_async(Values())
        return {place.template.name for place in times.runs()}

    async def both():
        return await asyncio.gather(one("a.html"), one("b.html"), one("a.html"))

    assert run_async(both) == [{"a.html"}, {"b.html"}, {"a.html"}]


def test_code_that_nests_too_deeply_for_one_function():
    source = "{% for a in rows %}" * 30 + "\n{{ compute }}" + "{% endfor %}" * 30
    page = backend({"page.html": source}).get_template("page.html")
    times = LineTimes()
    with timing_lines(times):
        assert page.render({"rows": [1], "compute": "x"}) == "\nx"
    assert by_line(times.runs())["page.html", 2] == 1
