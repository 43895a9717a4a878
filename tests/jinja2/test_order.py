"""Operands are computed from left to right, each once, and made texts when all are there."""

import asyncio

import jinja2
import pytest

from atemplates.engines.jinja2.plans import use_plans
from tests.rendering import run_async

SOURCES = [
    "{{ it|first + nx() }}",
    "{{ nx() + it|first }}",
    "{{ it|first - nx() * it|first }}",
    "{{ (it|first ** nx()) // (nx() % it|first) }}",
    "{{ it|first + nx() + it|first + nx() + it|first + nx() + it|first + nx() + it|first + nx() }}",
    "{{ it|first ~ nx() ~ it|first }}",
    "{{ nx() ~ it|first ~ '-' }}",
    "{{ it|first ~ x }}",
    "{{ it|first == nx() }}{{ it|first < nx() }}{{ nx() != it|first }}",
    "{{ 0 < it|first < nx() }}",
    "{{ 0 < nx() < it|first < 9 > nx() }}",
    "{{ 9 < it|first < nx() }}{{ nx() }}",
    "{% if 0 < it|first < nx() %}{{ nx() }}{% endif %}",
    "{{ it|first in [nx()] }}{{ nx() in [it|first, 4] }}{{ it|first not in nx() ~ it|first }}",
    "{{ [it|first, nx(), it|first] }}{{ (it|first, nx()) }}{{ {it|first: nx()} }}",
    "{{ rows[it|first] ~ nx() }}{{ rows[it|first:nx():it|first] }}",
    "{{ of(it|first, nx(), k=it|first)|list }}",
    "{{ nx() if it|first else it|first }}{{ nx() or it|first }}{{ it|first and nx() }}",
    "{{ it|first|default(nx()) }}{{ it|first is divisibleby nx() }}",
    "{{ -it|first + nx() }}{{ not it|first == nx() }}",
    "{{ s ~ s.bump() ~ s }}",
    "{{ s ~ '-' ~ s.bump() ~ it|first }}",
    "{{ s + s.bump() }}{{ s.bump() + s }}",
    "{{ s < s.bump() }}{{ s.bump() > s }}",
    "{{ it|first + nx().gone.gone }}",
    "{{ gone.gone + nx() }}",
    "{{ nothing|first + gone.gone.gone }}",
    "{% set x = it|first + nx() %}{{ x }}{{ nx() }}",
    "{% for x in [it|first + nx()] %}{{ x ~ nx() }}{% endfor %}",
]


class Counter:
    """Its text says how often it was changed."""

    def __init__(self):
        self.number = 0

    def bump(self):
        self.number += 1
        return self.number

    def __str__(self):
        return f"<{self.number}>"

    def __add__(self, other):
        return f"{self} + {other}"

    def __radd__(self, other):
        return f"{other} + {self}"

    def __lt__(self, other):
        return f"{self} < {other}"

    def __gt__(self, other):
        return f"{self} > {other}"


def context(waiting):
    rows = iter(range(1, 100))

    async def anext_row():
        await asyncio.sleep(0)
        return next(rows)

    return {
        "it": rows,
        "nx": anext_row if waiting else lambda: next(rows),
        "s": Counter(),
        "x": "x",
        "rows": range(50),
        "of": lambda *args, **kwargs: [*args, *kwargs.values()],
        "nothing": None,
    }


def outcome(render, *args):
    try:
        return str(render(*args))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("autoescape", [False, True])
@pytest.mark.parametrize("undefined", [jinja2.Undefined, jinja2.ChainableUndefined])
@pytest.mark.parametrize("source", SOURCES)
def test_operands_are_computed_from_left_to_right(source, undefined, autoescape):
    options = {"autoescape": autoescape, "undefined": undefined}
    expected = outcome(jinja2.Environment(**options).from_string(source).render, context(False))
    blocking = use_plans(jinja2.Environment(**options)).from_string(source)
    assert outcome(blocking.render, context(False)) == expected
    waiting = use_plans(jinja2.Environment(enable_async=True, **options)).from_string(source)
    for is_waiting in (False, True):
        found = outcome(run_async, waiting.render_async, context(is_waiting))
        assert found == expected, f"waiting: {is_waiting}"


@pytest.mark.parametrize("source", ["{{ gone.0 }}", "{{ gone['a'].b.0 }}", "{{ gone.0 + 1 }}"])
@pytest.mark.parametrize("undefined", [jinja2.Undefined, jinja2.ChainableUndefined])
def test_items_of_what_is_undefined(source, undefined):
    expected = outcome(jinja2.Environment(undefined=undefined).from_string(source).render)
    blocking = use_plans(jinja2.Environment(undefined=undefined))
    assert outcome(blocking.from_string(source).render) == expected
    waiting = use_plans(jinja2.Environment(undefined=undefined, enable_async=True))
    assert outcome(run_async, waiting.from_string(source).render_async) == expected
