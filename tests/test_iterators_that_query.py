"""Iterators of others that query row by row: on the loop they read as in a thread, and once."""

import jinja2
import pytest
from asgiref.sync import sync_to_async
from django.template import Context

from atemplates.engines.django import arender_template
from atemplates.engines.jinja2.plans import use_plans
from tests.rendering import new_engine, plain, precompiled
from tests.testapp.models import Animal

pytestmark = pytest.mark.django_db


class Counting:
    """An iterator of its own make: it asks before each of three rows."""

    def __init__(self):
        self.number = 0

    def __iter__(self):
        return self

    def __next__(self):
        self.number += 1
        if self.number > 3:
            raise StopIteration
        return f"{self.number} of {Animal.objects.count()}"


ITERATORS = {
    "own": Counting,
    "map": lambda: map(str, Counting()),
    "filter": lambda: filter(None, Counting()),
    "zip": lambda: zip(Counting(), "abc", strict=True),
    "enumerate": lambda: enumerate(Counting()),
    "generator": lambda: (row for row in Counting()),
    "plain": lambda: iter(["1", "2", "3"]),
}

DJANGO = [
    "{% for x in it %}{{ x }},{% endfor %}{{ it|join:'' }}",
    "{{ it|join:',' }}{{ it|join:',' }}",
    "{{ it|unordered_list }}",
    "{% if '2 of 0' in it %}{{ it|join:'' }}{% endif %}",
    "{% with it as i %}{% for x in i %}{% ifchanged %}{{ x }}{% endifchanged %}{% endfor %}{% endwith %}",
    "{% regroup it by 0 as groups %}{% for g in groups %}{{ g.grouper }}{% endfor %}",
    "{{ it|dictsort:0|length }}",
]

OPTIONS = {"extensions": ["jinja2.ext.loopcontrols"]}

JINJA2 = [
    "{% for x in it %}{{ x }}{{ loop.last }},{% endfor %}{{ it|join }}",
    "{{ it|join(',') }}{{ it|join(',') }}",
    "{{ it|first }}{{ it|list }}",
    "{{ it|map('string')|list }}{{ it|list }}",
    "{{ it|sort|join }}{{ it|list }}",
    "{{ '2 of 0' in it }}{{ it|list }}",
    "{{ list(it) }}{{ list(it) }}",
    "{{ tuple(it)|length }}{{ set(it)|length }}",
    "{{ dict(zip('abc', it)) }}",
    "{{ found.extend(it) }}{{ found }}{{ known.update(it) }}{{ known|length }}",
    "{{ ','.join(it|map('string')) }}{{ str.join(',', texts) }}",
    "{{ ordered(it)|length }}{{ sum(texts, start) if start else '' }}{{ next(it, 'none') }}",
    "{{ call(it) }}{{ it|list }}",
    "{% for a, b in zip(it, 'ab') %}{{ a }}{{ b }}{% endfor %}",
    "{{ it|batch(2)|list }}{{ it|unique|list }}",
    "{{ 'gone' in it }}{{ it|list }}",
    "{% for x in it %}{{ x }}/{% for y in it %}{{ y }}{% break %}{% endfor %}{% endfor %}",
    "{% for x in it %}{{ loop.last }}{% for y in it %}{{ y }}{{ loop.last }}{% endfor %}{% endfor %}",
    "{% for x in it %}{{ x }}{{ call(it) if loop.first }}{% endfor %}",
    "{% for x in it if x != 'gone' %}{{ x }}{% break %}{% endfor %}{{ call(it) }}",
    "{% for x in it|map('string') %}{{ x }}{% break %}{% endfor %}{{ it|first }}{{ call(it) }}",
    "{% for x in it|select %}{{ x }}{{ loop.nextitem }}{% break %}{% endfor %}{{ it|list }}",
    "{{ '2' in it and '3' not in it }}{{ it|list }}",
    "{% for x in it %}{% if loop.first %}{{ x }}{% break %}{% endif %}{% endfor %}{{ it|list }}",
]


async def in_thread(render, *args):
    return await sync_to_async(outcome)(render, *args)


def outcome(render, *args, **kwargs):
    try:
        return plain(render(*args, **kwargs))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


async def aoutcome(rendered):
    try:
        return plain(await rendered)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("make", ITERATORS.values(), ids=ITERATORS)
@pytest.mark.parametrize("source", DJANGO)
async def test_django_templates(source, make):
    expected = await in_thread(
        new_engine({"main": source}).get_template("main").render, Context({"it": make()})
    )
    ours = precompiled(new_engine({"main": source}).get_template("main"))
    context = Context({"it": make()})
    assert await in_thread(ours.render, context) == expected
    for _ in range(6):
        assert await aoutcome(arender_template(ours, Context({"it": make()}))) == expected


def values(make):
    functions = {function.__name__: function for function in (list, tuple, set, dict, zip, str)}
    return {
        **functions,
        "sum": sum,
        "next": next,
        "ordered": sorted,
        "call": lambda rows: next(rows),
        "it": make(),
        "texts": map(str, make()),
        "start": None,
        "found": [],
        "known": set(),
    }


@pytest.mark.parametrize("make", ITERATORS.values(), ids=ITERATORS)
@pytest.mark.parametrize("source", JINJA2)
async def test_jinja2_templates(source, make):
    expected = await in_thread(
        jinja2.Environment(**OPTIONS).from_string(source).render, values(make)
    )
    blocking = use_plans(jinja2.Environment(**OPTIONS)).from_string(source)
    assert await in_thread(blocking.render, values(make)) == expected
    ours = use_plans(jinja2.Environment(enable_async=True, **OPTIONS)).from_string(source)
    for _ in range(6):
        assert await aoutcome(ours.render_async(values(make))) == expected
