"""Awaitables inside containers of both engines: awaited, once, wherever their text is asked for."""

import asyncio

import jinja2
import pytest
from asgiref.sync import sync_to_async

from atemplates.engines.django import DjangoTemplates
from atemplates.engines.jinja2.plans import use_plans
from atemplates.runtime.containers import holds_awaitables

DJANGO = [
    '{{ l|join:", " }}',
    '{{ t|join:"," }}{{ t|join:"," }}',
    "{{ l|first }}{{ l|last }}{{ l.0 }}{{ l|join:'' }}",
    "{{ l|unordered_list }}{{ nested|unordered_list }}",
    "{% autoescape off %}{{ l|join:'<' }}{{ nested|unordered_list }}{{ l }}{% endautoescape %}",
    "{{ l }}{{ t }}{{ d }}{{ nested }}",
    "{{ d.k }}{{ d.values|join:'' }}",
    "{{ l|slice:':2' }}{{ l|slice:':2'|join:'' }}{{ l|default:'' }}{{ none|default:l }}",
    "{% for x in l %}{{ x }}{% endfor %}{% for x in nested %}{{ x }}{% endfor %}",
    "{% for x in both %}{{ x|first }}{{ x|join:'' }}{{ x }}{% endfor %}",
    "{% for k, v in d.items %}{{ k }}{{ v }}{% endfor %}",
    "{{ l|safeseq|join:'' }}{{ l|escapeseq|join:'' }}{{ l|pprint }}{{ l|length }}",
    "{{ l|json_script:'x' }}{{ d|json_script:'x' }}{{ l|stringformat:'s' }}",
    "{{ l|linebreaks }}{{ l|urlencode }}{{ l|addslashes }}{{ l|make_list|join:'' }}",
    "{% with x=l %}{{ x|join:'' }}{{ x }}{% endwith %}{% firstof none l %}",
    "{% filter upper %}{{ l|join:'' }}{% endfilter %}{{ empty|join:'' }}{{ plain|join:'' }}",
]
JINJA2 = [
    "{{ [a, b]|join }}{{ [a, [b]]|join }}{{ (a, b)|join('<') }}{{ {'k': a} }}",
    "{{ l|join(', ') }}{{ t|join(',') }}{{ t|join(',') }}{{ nested|join }}",
    "{{ l|first }}{{ l|last }}{{ l[0] }}{{ l|list }}{{ l|reverse|list }}",
    "{{ l }}{{ t }}{{ d }}{{ nested }}{{ l[:2] }}{{ l + [a] }}{{ l ~ '' }}{{ '' ~ d }}",
    "{{ d.k }}{{ d['k'] }}{{ d.values()|join }}{{ d.items()|list }}{{ d|items|list }}",
    "{% for x in l %}{{ x }}{% endfor %}{% for x in nested %}{{ x }}{% endfor %}",
    "{% for x in both %}{{ x|first }}{{ x|join }}{{ x }}{{ loop.index }}{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}{{ v }}{% endfor %}{{ d|dictsort }}",
    "{{ l|tojson }}{{ d|tojson }}{{ nested|tojson }}{{ l|pprint }}{{ l|string }}",
    "{{ d|xmlattr }}{{ d|urlencode }}{{ l|e }}{{ l|replace('x', 'y') }}{{ l|length }}",
    "{{ both|map('first')|join }}{{ both|map('join')|join }}{{ both|sum(start=[]) }}",
    "{% macro m(x) %}{{ x }}{{ x|join }}{% endmacro %}{{ m(l) }}{{ m(t) }}",
    "{% set q = l %}{{ q }}{{ q|join }}{% set q, r, s = l %}{{ q }}{{ r }}",
    "{{ empty|join }}{{ plain|join }}{{ empty }}{{ plain }}{{ l|sort }}{{ t|sum }}",
]


class Later:
    """Something that can be awaited once."""

    def __init__(self, value):
        self.value = value
        self.awaited = False

    def __await__(self):
        assert not self.awaited
        self.awaited = True
        yield from asyncio.sleep(0).__await__()
        return self.value


def values(wrap):
    """Make a context; ``wrap`` makes something awaitable of a value, or leaves it."""
    return {
        "a": wrap("a"),
        "b": wrap("<b>"),
        "l": [wrap("x"), wrap("<y>"), "z"],
        "t": (wrap(1), wrap(2)),
        "d": {"k": wrap("<v>"), "w": 1},
        "nested": ["p", [wrap("q"), [wrap("<r>")]]],
        "both": [[wrap(1)], [wrap("<2>"), 3]],
        "empty": [],
        "plain": [1, "<"],
        "none": None,
    }


def same(value):
    return value


@pytest.mark.parametrize("source", DJANGO)
async def test_django_templates(source):
    params = {"NAME": "d", "DIRS": [], "APP_DIRS": False, "OPTIONS": {}}
    template = DjangoTemplates(params).from_string(source)
    expected = template.render(values(same))
    for _ in range(2):
        assert await template.render_async(values(Later)) == expected
        assert await sync_to_async(lambda: template.render(values(Later)))() == expected


@pytest.mark.parametrize("source", JINJA2)
@pytest.mark.parametrize("autoescape", [True, False])
async def test_jinja2(source, autoescape):
    def environment(**options):
        return jinja2.Environment(autoescape=autoescape, **options)

    expected = environment().from_string(source).render(values(same))
    ours = use_plans(environment()).from_string(source)
    template = use_plans(environment(enable_async=True)).from_string(source)
    for _ in range(2):
        assert await template.render_async(values(Later)) == expected
        assert await sync_to_async(lambda: ours.render(values(Later)))() == expected


def test_a_container_that_holds_itself():
    itself = [1]
    itself.append(itself)
    assert not holds_awaitables(itself)
    itself.append({"k": (Later(1),)})
    assert holds_awaitables(itself)


async def test_containers_are_left_as_they_are():
    rows = [Later(1), 2]
    template = use_plans(jinja2.Environment(enable_async=True)).from_string(
        "{{ rows|join }}{% set _ = rows.append(3) %}{{ rows|join }}{{ rows }}"
    )
    assert await template.render_async(rows=rows) == "12123[1, 2, 3]"
    assert rows[1:] == [2, 3]
    assert type(rows[0]) is Later
