"""Querysets that are not Django's, in Jinja2 templates: what only ``async for`` gives."""

import jinja2
import pytest
from asgiref.sync import async_to_sync
from django.core.exceptions import SynchronousOnlyOperation
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedEnvironment

from tests.sources import SHAPES, Both, OnlyAsync, Refusing, Rows
from tests.tags.test_async_sources import ROWS, Endless, generator

from .conftest import make_backend, stock_environment

WAYS = ["sync", "async"]


def shown(source, context, way, environment=None):
    backend = make_backend(**({"environment": environment} if environment else {}))
    template = backend.from_string(source)
    if way == "async":
        return async_to_sync(template.render_async)(context)
    return template.render(context)


def stock(source, context):
    return stock_environment(autoescape=True).from_string(source).render(context)


USES = {
    "for": "{% for x in a %}{{ x.name }}{% else %}none{% endfor %}",
    "loop": "{% for x in a %}{{ loop.index }}{{ loop.length }}{{ loop.revindex }}{{ loop.first }}"
    "{{ loop.last }}{{ loop.nextitem }}{{ loop.previtem }}{% endfor %}",
    "filtered": "{% for x in a if x.number == 1 %}{{ x.name }}{{ loop.last }}{% endfor %}",
    "unpacking": "{% for n, i in a %}{{ n }}{{ i }}{% endfor %}",
    "recursive": "{% for x in a recursive %}{{ x.name }}{% if loop.depth < 2 %}{{ loop(a) }}"
    "{% endif %}{% endfor %}",
    "if": "{% if a %}yes{% else %}no{% endif %}",
    "not": "{% if not a %}none{% endif %}",
    "and, or": "{{ 'both' if a and b else 'not' }}{% if b or a %}one{% endif %}",
    "in": "{{ row in a }}{{ row not in a }}{{ row is in a }}",
    "length": "{{ a|length }}{{ a|count }}",
    "section": "{% for x in a[:2] %}{{ x.name }}{% endfor %}{{ a[1:]|length }}",
    "step": "{% set s = a[::2] %}{{ s|length }}{% for x in s %}{{ x.name }}{% endfor %}{{ s|list }}",
    "in_bulk": "{{ a.in_bulk() }}",
    "iterator": "{% for x in a.iterator() %}{{ x.name }}{% else %}none{% endfor %}",
    "item": "{{ a[0].name }}[{{ a[7] }}]",
    "first": "[{{ a|first }}]",
    "last": "[{{ a|last }}]",
    "list": "{{ a|list }}",
    "reverse": "{% for x in a|reverse %}{{ x.name }}{% endfor %}",
    "join": "{{ a|join(', ') }}{{ a|join(attribute='name') }}",
    "sort": "{% for x in a|sort(attribute='name') %}{{ x.name }}{% endfor %}",
    "sum": "{{ a|sum(attribute='number') }}",
    "max": "{{ (a|max(attribute='number')).name }}{{ (a|min(attribute='name')).name }}",
    "map": "{{ a|map(attribute='name')|join }}{{ a|map(attribute='number')|sum }}",
    "select": "{% for x in a|selectattr('number', 'eq', 1) %}{{ x.name }}{% endfor %}"
    "{{ a|rejectattr('number', 'eq', 1)|list }}",
    "unique": "{{ a|unique(attribute='number')|list }}",
    "groupby": "{% for n, rows in a|groupby('number') %}{{ n }}{{ rows|join }}{% endfor %}",
    "batch": "{% for part in a|batch(2) %}{{ part|join }};{% endfor %}",
    "slice": "{% for part in a|slice(2) %}{{ part|join }};{% endfor %}",
    "default": "{% for x in a|default([], true) %}{{ x.name }}{% endfor %}{{ b|d('none', true) }}",
    "random": "{{ (a|random) in a if a else 'none' }}",
    "tests": "{{ a is iterable }}{{ a is defined }}{{ a is none }}{{ a is callable }}",
    "set": "{% set b = a %}{{ b|length }}{% for x in b %}{{ x.name }}{% endfor %}",
    "macro": "{% macro m(rows) %}{{ rows|length }}{% for x in rows %}{{ x.name }}{% endfor %}"
    "{% endmacro %}{{ m(a) }}{% call(x) each(a) %}{{ x.name }}{% endcall %}",
    "methods": "{{ a.count() }}{{ a.exists() }}{{ a.first().name }}{{ a.last().name }}",
    "in a dict": "{{ d.a|length }}{{ d['a'].count() }}{{ d.a[0].name }}",
    "printed": "{{ a }}{{ a ~ '' }}",
}
EACH = "{% macro each(rows) %}{% for x in rows %}{{ caller(x) }}{% endfor %}{% endmacro %}"


def context_of(shape, rows):
    source = shape(*rows)
    return {"a": source, "b": shape(), "d": {"a": source}, "row": ROWS[1]}


@pytest.mark.exhaustive
@pytest.mark.parametrize("use", USES.values(), ids=USES)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_source_reads_as_its_rows_do(shape, use):
    for rows in (ROWS, ROWS[:1], []):
        if not rows and any(USES[name] == use for name in ("methods", "max", "item", "in a dict")):
            continue  # UndefinedError
        expected = stock(EACH + use, context_of(Rows, rows))
        for way in WAYS:
            assert shown(EACH + use, context_of(shape, rows), way) == expected, (way, rows)


USED_OFTEN = (
    "{% if a %}{{ a|length }}{% for x in a %}{{ x.name }}{% if x in a %}!{% endif %}{% endfor %}"
    "{{ a|join(attribute='name') }}{{ a[0].name }}{{ a|first }}{{ a[:2]|length }}{% endif %}"
)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_source_is_evaluated_once(shape):
    for way in ["async"] if shape is Both else WAYS:
        context = context_of(shape, ROWS)
        assert shown(USED_OFTEN, context, way) == stock(USED_OFTEN, context_of(Rows, ROWS))
        assert context["a"].asked == 1


@pytest.mark.parametrize("way", WAYS)
def test_rows_that_are_at_hand_are_not_asked_for(way):
    context = context_of(Refusing, ROWS)
    context["a"]._result_cache = list(ROWS)
    assert shown(USED_OFTEN, context, way) == stock(USED_OFTEN, context_of(Rows, ROWS))
    assert context["a"].asked == 0


@pytest.mark.parametrize("way", WAYS)
def test_the_truth_of_what_has_no_length(way):
    assert shown("{% if a %}True{% endif %}{{ not a }}", {"a": Endless()}, way) == "TrueFalse"


@pytest.mark.parametrize("way", WAYS)
def test_an_async_generator_is_read_once(way):
    source = "{% for x in a %}{{ x.name }}{% endfor %}{% for x in a %}again{% endfor %}"
    assert shown(source, {"a": generator()}, way) == "bac"


@pytest.mark.parametrize("way", WAYS)
def test_what_is_sync_and_async_without_a_length_may_refuse_to_be_sync(way):
    class Rows:
        def __iter__(self):
            raise TypeError("not iterable synchronously")
            yield

        async def __aiter__(self):
            yield 1
            yield 2

    assert shown("{% for x in a %}{{ x }}{{ loop.last }}{% endfor %}", {"a": Rows()}, way) == (
        "1False2True"
    )
    assert shown("{{ a|list }}{{ a|first }}", {"a": Rows()}, way) == "[1, 2]1"


def sandbox(**options):
    return SandboxedEnvironment(**options)


def immutable_sandbox(**options):
    return ImmutableSandboxedEnvironment(**options)


class Strict(SandboxedEnvironment):
    def is_safe_callable(self, obj):
        return super().is_safe_callable(obj) and getattr(obj, "__name__", "") != "acount"


SANDBOXES = [f"{__name__}.{name}" for name in ("sandbox", "immutable_sandbox")]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("environment", SANDBOXES)
def test_a_sandbox_reads_sources_too(environment, way):
    source = "{{ a.count() }}{{ a|length }}{{ a[0].name }}{% for x in a %}{{ x.name }}{% endfor %}"
    assert shown(source, {"a": OnlyAsync(*ROWS)}, way, environment) == "33bbac"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shape", SHAPES)
def test_what_a_sandbox_refuses_is_not_called_by_another_name(shape, way):
    class Watched(shape):
        async def acount(self):
            raise AssertionError("the sandbox refuses it")

    refusals = (jinja2.exceptions.SecurityError, jinja2.UndefinedError, SynchronousOnlyOperation)
    with pytest.raises(refusals):
        shown("{{ a.delete() }}", {"a": Watched(*ROWS)}, way, f"{__name__}.Strict")
    if not hasattr(shape, "count"):
        with pytest.raises(jinja2.exceptions.SecurityError):
            shown("{{ a.count() }}", {"a": Watched(*ROWS)}, way, f"{__name__}.Strict")


@pytest.mark.parametrize("way", WAYS)
def test_marked_methods_are_left_alone(way):
    class Marked(OnlyAsync):
        async def acount(self):
            raise AssertionError("it is marked")

        acount.alters_data = True

    with pytest.raises(jinja2.UndefinedError):
        shown("{{ a.count() }}", {"a": Marked(*ROWS)}, way)
