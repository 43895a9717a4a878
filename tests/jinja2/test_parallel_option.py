"""``OPTIONS["parallel"]`` of the Jinja2 backend: what a page certainly loads is started together."""

import asyncio

import jinja2
import pytest
from asgiref.sync import sync_to_async

from atemplates.engines.jinja2 import Jinja2
from tests.event_loop import PATIENCE, turns
from tests.parallel.showing import Watching, meeting
from tests.testapp.models import Region

pytestmark = pytest.mark.django_db(transaction=True)


def environment(**options):
    made = jinja2.Environment(**options)
    made.filters["own"] = lambda rows: len(list(rows))
    made.filters["asking"] = asking
    made.globals.update(plain=lambda *values: "", asks=asking, number=len)
    return made


@jinja2.pass_context
def asking(context, *values):
    """Load what the context holds, as code that knows of no template does."""
    return sum(len(list(context[name])) for name in "abc")


def backend(templates, parallel=4):
    templates = {"page": templates} if isinstance(templates, str) else templates
    options = {
        "environment": f"{__name__}.environment",
        "loader": jinja2.DictLoader(templates),
        "extensions": ["jinja2.ext.do", "jinja2.ext.i18n"],
        "parallel": parallel,
        "auto_reload": False,
    }
    return Jinja2({"NAME": "jinja2", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})


@pytest.fixture
def regions(transactional_db):
    for name in ("Africa", "Asia"):
        Region.objects.create(name=name)


def querysets():
    found = {name: Region.objects.order_by("name") for name in "abc"}
    return {**found, "all": [found["a"], found["b"]], "x": [1]}


async def page(templates, meets=1, times=1, values=querysets, **options):
    made = backend(templates, **options)
    for _ in range(times):
        async with Watching(meets) as seen:
            template = await made.aget_template("page")
            text = await template.render_async(values())
    return text, seen


EACH = "{%% for r in %s %%}{{ r.name }} {%% endfor %%}"
ALL = "".join(EACH % name for name in "abc")

STARTED = [
    ALL,
    "{{ a|length }}{% if b %}{{ b|length }}{% endif %}{{ c|join(', ') }}",
    "{% if not a %}{% elif x %}{% endif %}{% if b and x %}{% endif %}{{ c|list|length }}",
    "{% for r in a if r.name %}{{ loop.index }}{% else %}-{% endfor %}{{ b|count }}{{ c|length }}",
    "{% with d = x %}{{ a|length }}{% endwith %}{% filter upper %}{{ b|length }}{% endfilter %}"
    "{% autoescape true %}{{ c|length }}{% endautoescape %}",
    "{% block one %}{{ a|length }}{% endblock %}{% macro m(x) %}{{ x }}{% endmacro %}{{ m(1) }}"
    "{{ b|length }}{{ plain(1) }}{{ number(x) }}{% set d = 1 %}{{ c|length }}",
    "{% parallel %}{{ a|length }}{% for r in b %}{{ r.name }}{% endfor %}{{ c|length }}"
    "{% endparallel %}",
    {"page": "{% include 'rest' %}{{ a|length }}{% from 'macros' import m %}{{ m(2) }}",
     "rest": "{{ b|length }}{% set a = 1 %}{{ c|length }}",
     "macros": "{% macro m(x) %}{{ x }}{% endmacro %}"},
    {"page": "{% extends 'base' %}{% block one %}{{ a|length }}{% endblock %}",
     "base": "{{ a|length }}{{ b|length }}{{ c|length }}{% block one %}{% endblock %}"},
]  # fmt: skip


@pytest.mark.parametrize("templates", STARTED)
async def test_three_at_the_same_time(regions, templates):
    plain, before = await page(templates, times=2, parallel=1)
    text, seen = await page(templates, values=querysets, times=2)
    assert text == plain
    assert len(before.queries) == len(seen.queries) == seen.elsewhere == 3
    made = backend(templates)
    await (await made.aget_template("page")).render_async(querysets())
    async with Watching(3) as seen:  # one after the other would not get past this
        assert await (await made.aget_template("page")).render_async(querysets()) == plain


NOT_STARTED = [
    (EACH % "a", 0),
    ("{% if x %}{{ a|length }}{{ b|length }}{% endif %}", 0),
    ("{% for y in x %}{{ a|length }}{{ b|length }}{% endfor %}" + ALL, 0),
    ("{% macro m() %}{{ a|length }}{{ b|length }}{% endmacro %}{{ m() }}" + ALL, 0),
    ("{{ a|first }}{{ a.count() }}{{ a[0] }}" + ALL, 2),
    ("{{ a|own }}" + ALL, 2),
    ("{{ x|asking }}" + ALL, 0),
    ("{{ asks() }}" + ALL, 0),
    ("{{ a|length }}{{ asks() }}" + ALL, 0),
    ("{% do plain(a) %}" + ALL, 2),
    ("{% set d = a %}{{ d|own }}" + ALL, 2),
    ("{% with d = a %}{{ d|own }}{% endwith %}" + ALL, 2),
    ("{% with a = b %}{{ a|length }}{% endwith %}" + ALL, 2),
    ("{% for a in x %}{{ a }}{% endfor %}" + ALL, 3),
    ("{% set a = x %}" + EACH % "a" + EACH % "b", 0),
    ("{% for q in all %}{{ q|own }}{% endfor %}" + ALL, 0),
    ("{% set d %}{{ a|own }}{% endset %}" + ALL, 2),
    ("{% if x %}{{ a|own }}{% endif %}" + ALL, 2),
    ({"page": "{% include x %}" + ALL}, None),
    ({"page": "{% include ['rest'] %}" + ALL, "rest": "{{ a|own }}"}, 0),
    ({"page": "{% include 'rest' %}" + ALL, "rest": "{{ a|own }}"}, 2),
    ({"page": "{% from 'rest' import m with context %}" + ALL,
      "rest": "{{ a|own }}{% macro m() %}{% endmacro %}"}, 0),
    ({"page": "{% extends 'base' %}{% block one %}{{ a|own }}{% endblock %}",
      "base": "{% block one %}{% endblock %}" + ALL}, 0),
    ({"page": "{% extends 'base' %}{% block one %}{{ super() }}{% endblock %}",
      "base": ALL + "{% block one %}{{ a|own }}{% endblock %}"}, 3),
    ({"page": "{% extends 'base' %}{% set a = x %}", "base": ALL}, 2),
]  # fmt: skip


@pytest.mark.parametrize(("templates", "elsewhere"), NOT_STARTED)
async def test_what_others_load_is_left_to_them(regions, templates, elsewhere):
    if elsewhere is None:
        with pytest.raises(Exception, match="1"):
            await page(templates)
        return
    plain, before = await page(templates, times=2, parallel=1)
    text, seen = await page(templates, times=2)
    assert text == plain
    assert sorted(seen.queries) == sorted(before.queries)
    assert (before.elsewhere, seen.elsewhere) == (0, elsewhere)


async def test_beside_an_awaitable(regions):
    async def when_asked():
        async with asyncio.timeout(PATIENCE):
            while not seen.queries:
                await turns(1)
        return "asked "

    made = backend("{{ c }}" + EACH % "a")
    async with Watching() as seen:
        values = {"a": Region.objects.order_by("name"), "c": when_asked()}
        text = await (await made.aget_template("page")).render_async(values)
    assert (text, seen.elsewhere) == ("asked Africa Asia ", 1)


def test_in_a_sync_render(regions):
    with meeting() as seen:
        assert backend(ALL).get_template("page").render(querysets()) == "Africa Asia " * 3
    assert (len(seen.queries), seen.elsewhere) == (3, 0)


@pytest.mark.django_db(transaction=False)
async def test_in_a_tests_transaction():
    await sync_to_async(Region.objects.create)(name="Mine")
    text, _ = await page(ALL)
    assert text == "Mine " * 3
