"""``{% flush %}``: what is written leaves here, as a chunk of its own."""

import asyncio

import pytest
from django.template import TemplateSyntaxError

from tests.rendering import run_async

from .deferring import WAYS, backend, chunks_of, rendered, stock_backend

# What stands in the page, its context, and its chunks.
CHUNKS = {
    "nothing": ("", {}, []),
    "alone": ("{% flush %}", {}, []),
    "in the midst": ("a{% flush %}b", {}, ["a", "b"]),
    "several": ("a{% flush %}b{% flush %}{{ c }}{% flush %}", {"c": 1}, ["a", "b", "1"]),
    "twice": ("a{% flush %}{% flush %}b", {}, ["a", "b"]),
    "first and last": ("{% flush %}a{% flush %}", {}, ["a"]),
    "in a head": (
        "<html><head><title>{% flush %}t</title></head><body>b</body></html>",
        {},
        ["<html><head><title>", "t</title></head><body>b</body></html>"],
    ),
    "loop": ("{% for x in xs %}{{ x }}{% flush %}{% endfor %}c", {"xs": "ab"}, ["a", "b", "c"]),
    "if": (
        "a{% if a %}{% flush %}{% endif %}b{% if not a %}{% flush %}{% endif %}c",
        {"a": 1},
        ["a", "bc"],
    ),
    "include": ("a{% include 'inc' %}d", {}, ["ab", "cd"]),
    "with": ("{% with a=1 %}{{ a }}{% flush %}{{ a }}{% endwith %}", {}, ["1", "1"]),
    "language": (
        "{% load i18n %}{% language 'de' %}{% translate 'Monday' %}{% flush %}{% translate 'Monday' %}"
        "{% endlanguage %}{% translate 'Monday' %}",
        {},
        ["Montag", "MontagMonday"],
    ),
    "block": ("a{% block b %}b{% flush %}c{% endblock %}d", {}, ["ab", "cd"]),
    "extends": ("{% extends 'base' %}{% block b %}b{% flush %}c{% endblock %}", {}, ["ab", "cd"]),
    "autoescape": ("{% autoescape off %}<{% flush %}>{% endautoescape %}", {}, ["<", ">"]),
    "filter": ("a{% filter upper %}b{% flush %}c{% endfilter %}d", {}, ["aBCd"]),
    "spaceless": ("{% spaceless %}<a> {% flush %}</a>{% endspaceless %}", {}, ["<a></a>"]),
    "cache": (
        "{% load cache %}{% cache 0 flush_test %}a{% flush %}b{% endcache %}c",
        {},
        ["abc"],
    ),
    "block.super": (
        "{% extends 'base' %}{% block b %}{{ block.super }}{% flush %}c{% endblock %}",
        {},
        ["axy", "cd"],
    ),
    "a tag of others": ("a{% around %}b{% flush %}c{% endaround %}d", {}, ["a<bc>d"]),
    "in the thread": (
        "a{% blocks 0.001 b %}{% flush %}c{% blocks 0.001 d %}{% flush %}e",
        {},
        ["ab", "cd", "e"],
    ),
    "a wait before it": ("a{% slow 0.01 b %}{% flush %}c", {}, ["a", "b", "c"]),
}
OTHERS = {
    "inc": "b{% flush %}c",
    "base": "a{% block b %}x{% flush %}y{% endblock %}d",
}


def joined_where_it_waits(name):
    """Whether a page waits elsewhere, too: where that sends is no matter of flushing."""
    return name in {"a tag of others", "in the thread"}


@pytest.mark.parametrize("name", CHUNKS)
@pytest.mark.parametrize("out_of_order", [False, True])
def test_chunks(name, out_of_order):
    source, values, expected = CHUNKS[name]
    template = backend(OTHERS).from_string(source)

    async def read():
        return await chunks_of(template, dict(values), out_of_order=out_of_order)

    for number in range(4):
        found = run_async(read)
        compiles_on_the_way = number == 0 and name in {"include", "extends", "block.super"}
        if joined_where_it_waits(name) or compiles_on_the_way:
            assert "".join(found) == "".join(expected)
            ends = [sum(map(len, found[:n])) for n in range(len(found) + 1)]
            wanted = [sum(map(len, expected[:n])) for n in range(len(expected) + 1)]
            assert set(wanted) <= set(ends), found
        else:
            assert found == expected


@pytest.mark.parametrize("name", CHUNKS)
def test_every_way_shows_the_same_page(name):
    source, values, expected = CHUNKS[name]
    assert rendered(source, values, OTHERS) == "".join(expected)


def test_the_loop_has_its_turn():
    template = backend().from_string("{% for x in xs %}{{ x }}{% flush %}{% endfor %}")

    async def read():
        seen = []

        async def others():
            while True:
                seen.append(len(seen))
                await asyncio.sleep(0)

        await chunks_of(template, {"xs": ""})
        task = asyncio.ensure_future(others())
        chunks = template.stream_async({"xs": range(50)})
        await anext(chunks)
        assert len(seen) < 40
        async for _ in chunks:
            pass
        task.cancel()
        return len(seen)

    assert run_async(read) >= 50


def test_what_is_flushed_is_there_before_the_page_goes_on():
    reached = []

    def reach():
        reached.append(True)
        return "c"

    template = backend().from_string("a{% flush %}b{% flush %}{{ c }}")
    run_async(WAYS["in order"], template, {"c": ""})

    async def read():
        chunks = template.stream_async({"c": reach})
        assert await anext(chunks) == "a"
        assert not reached
        return [chunk async for chunk in chunks]

    assert run_async(read) == ["b", "c"]


@pytest.mark.parametrize("make", [backend, stock_backend])
def test_arguments_are_refused(make):
    with pytest.raises(TemplateSyntaxError, match=r"{% flush %} takes no arguments"):
        make().from_string("{% flush 1 %}")
