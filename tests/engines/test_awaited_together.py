"""Awaitables that a template's includes, parents and partials mention are awaited with its own."""

import asyncio
import inspect

import django
import pytest
from django.template import Context

from atemplates.engines.django import DjangoTemplates, arender_template
from atemplates.engines.jinja2 import Jinja2
from tests.event_loop import PATIENCE

from .conftest import in_memory, params


def django_backend(templates, **options):
    return DjangoTemplates(params(loaders=in_memory(templates), **options))


def meeting(count):
    """Return what makes a coroutine that gives a value once ``count`` of them are awaited."""
    barrier = asyncio.Barrier(count)

    async def meet(value):
        async with asyncio.timeout(PATIENCE):
            await barrier.wait()  # one after the other would never get past this
        return value

    return meet


def values(**others):
    meet = meeting(3)
    return {name: meet(name) for name in "abc"} | {"names": ["one"]} | others


async def letters(template, **others):
    return sorted(await template.render_async(values(**others)))


SETUPS = {
    "an include of an include": {
        "page": "{{ a }}{% include 'one' %}",
        "one": "{{ b }}{% include './two' %}",
        "two": "{{ c }}",
    },
    "includes in branches and loops": {
        "page": "{% if a %}a{% include 'one' %}{% endif %}{% for i in '1' %}{% include 'two' %}"
        "{% endfor %}",
        "one": "{{ b }}",
        "two": "{{ c }}",
    },
    "the parent's parent": {
        "page": "{% extends 'one' %}{% block c %}{{ c }}{% endblock %}",
        "one": "{% extends 'two' %}{% block b %}{{ b }}{% endblock %}",
        "two": "{{ a }}{% block b %}{% endblock %}{% block c %}{% endblock %}",
    },
    "a parent's include": {
        "page": "{% extends 'one' %}{% block a %}{{ a }}{% endblock %}",
        "one": "{% block a %}{% endblock %}{{ b }}{% include 'two' %}",
        "two": "{% with d=c %}{{ d }}{% endwith %}",
    },
    "an include with names of its own": {
        "page": "{{ a }}{{ b }}{% include 'one' with x=a %}",
        "one": "{% if x %}{{ c }}{% endif %}",
    },
    "a name in a translated text": {
        "page": "{{ a }}{% include 'one' %}{{ b }}",
        "one": "{% load i18n %}{% blocktranslate %}{{ c }}{% endblocktranslate %}",
    },
    "a parent that is computed": {
        "page": "{% extends 'o'|add:'ne' %}{% block x %}{% endblock %}",
        "one": "{{ a }}{% block x %}{% endblock %}{{ b }}{% include 'two' %}",
        "two": "{{ c }}",
    },
    "an include that is computed": {
        "page": "{% include 'o'|add:'ne' %}",
        "one": "{{ a }}{{ b }}{{ c }}",
    },
    "an include that is computed, in a loop": {
        "page": "{% for name in names %}{% include name %}{% endfor %}",
        "one": "{{ a }}{{ b }}{{ c }}",
    },
}
PARTIALS = {
    "a partial of the page": {
        "page": "{% partialdef x %}{{ b }}{% partial y %}{% endpartialdef %}"
        "{% partialdef y %}{{ c }}{% endpartialdef %}{{ a }}{% partial x %}",
    },
    "a partial that is included": {
        "page": "{{ a }}{% include 'other#x' %}",
        "other": "{% partialdef x %}{{ b }}{% partial y %}{% endpartialdef %}"
        "{% partialdef y %}{% for i in c %}{{ i }}{% endfor %}{% endpartialdef %}",
    },
    "a partial that includes": {
        "page": "{{ a }}{% include 'other#x' %}",
        "other": "{% partialdef x %}{{ b }}{% include 'two' %}{% endpartialdef %}",
        "two": "{{ c }}",
    },
}
if django.VERSION >= (6, 0):
    SETUPS |= PARTIALS


@pytest.mark.parametrize("templates", SETUPS.values(), ids=SETUPS)
async def test_at_the_first_render_and_at_the_next(templates):
    backend = django_backend(templates)
    for _ in range(3):
        assert await letters(backend.get_template("page")) == ["a", "b", "c"]


@pytest.mark.parametrize("templates", SETUPS.values(), ids=SETUPS)
def test_in_a_sync_render(templates):
    backend = django_backend(templates)
    for _ in range(3):
        assert sorted(backend.get_template("page").render(values())) == ["a", "b", "c"]


@pytest.mark.skipif(django.VERSION < (6, 0), reason="template partials came with Django 6.0")
class TestPartialsByName:
    templates = {
        "page": "{% partialdef p %}{{ a }}{% partial q %}{% include 'part' %}{% endpartialdef %}"
        "{% partialdef q %}{% if b %}{{ b }}{% endif %}{% partial r %}{% endpartialdef %}"
        "{% partialdef r %}{% if 0 %}{% partial q %}{% endif %}{% endpartialdef %}{{ d }}",
        "part": "{% load i18n %}{% blocktranslate %}{{ c }}{% endblocktranslate %}",
    }

    @pytest.mark.parametrize("debug", [False, True])
    async def test_together(self, debug):
        backend = django_backend(self.templates, debug=debug)
        for _ in range(2):
            assert await letters(backend.get_template("page#p")) == ["a", "b", "c"]

    async def test_what_only_the_rest_of_its_template_mentions_is_closed(self):
        template = django_backend(self.templates).get_template("page#p")
        unused = meeting(1)("d")
        assert await letters(template, d=unused) == ["a", "b", "c"]
        assert inspect.getcoroutinestate(unused) == inspect.CORO_CLOSED


async def unused_of(templates, name="c"):
    """Render a page that shows a and b; return the state of the third awaitable."""
    backend = django_backend(templates)
    for _ in range(2):
        meet = meeting(2)
        given = {"a": meet("a"), "b": meet("b"), name: meet(name)}
        assert "ab" in await backend.get_template("page").render_async(given)
        state = inspect.getcoroutinestate(given[name])
    return state


@pytest.mark.parametrize(
    "templates",
    [
        {"page": "{{ a }}{% include 'one' %}", "one": "{{ b }}"},
        {"page": "{{ a }}{% include 'one' %}{% include 'two' only %}", "one": "{{ b }}",
         "two": "{{ c }}"},
        {"page": "{{ a }}{% include 'one' %}{% include 't'|add:'wo' only %}", "one": "{{ b }}",
         "two": "{{ c }}"},
        {"page": "{{ a }}{% include 'one' %}{% for i in '1' %}{% include 'two' only %}{% endfor %}",
         "one": "{{ b }}", "two": "{{ c }}"},
    ],
)  # fmt: skip
async def test_one_that_nothing_mentions_is_closed(templates):
    assert await unused_of(templates) == inspect.CORO_CLOSED


@pytest.mark.parametrize("bad", ["{% oops %}", "{% extends 'absent' %}", None])
async def test_what_is_wrong_with_a_template_that_is_never_reached_is_no_concern(bad):
    templates = {"page": "{{ a }}{% if 0 %}{% include 'bad' %}{% endif %}{% include 'one' %}",
                 "one": "{{ b }}{{ c }}"} | ({} if bad is None else {"bad": bad})  # fmt: skip
    backend = django_backend(templates)
    for _ in range(2):
        assert await letters(backend.get_template("page")) == ["a", "b", "c"]


async def test_one_that_a_tag_has_awaited_before_a_template_mentions_it():
    templates = {
        "page": "{% load engine_tags %}{% foreign %}{% include 'o'|add:'ne' %}",
        "one": "{{ a }}{{ b }}{{ c }}",
    }
    backend = django_backend(templates, libraries={"engine_tags": "tests.engines.engine_tags"})
    for _ in range(2):
        assert (await letters(backend.get_template("page"), x="x"))[-4:] == ["a", "b", "c", "x"]


async def test_under_two_names_of_which_one_is_met_later():
    backend = django_backend({"page": "{{ a }}{% include 'o'|add:'ne' %}", "one": "{{ same }}"})
    for _ in range(2):
        shared = meeting(1)("a")
        assert (
            await backend.get_template("page").render_async({"a": shared, "same": shared}) == "aa"
        )


async def test_without_a_cached_loader():
    templates = SETUPS["an include of an include"]
    loaders = [("django.template.loaders.locmem.Loader", {"page": templates["page"],
                "one": "{{ b }}{{ c }}"})]  # fmt: skip
    backend = DjangoTemplates(params(loaders=loaders))
    meet = meeting(2)
    for _ in range(2):
        given = {"a": meeting(1)("a"), "b": meet("b"), "c": meet("c")}
        assert await backend.get_template("page").render_async(given) == "abc"


async def test_a_page_whose_own_text_mentions_all_loads_nothing_ahead():
    templates = {"page": "{{ a }}{{ b }}{{ c }}{% if 0 %}{% include 'one' %}{% endif %}", "one": ""}
    backend = django_backend(templates)
    assert await letters(backend.get_template("page")) == ["a", "b", "c"]
    assert set(backend.engine.template_loaders[0].get_template_cache) == {"page"}


async def test_a_render_from_a_context_awaits_them_when_they_are_met():
    template = django_backend({"page": "{{ a }}{{ b }}"}).get_template("page").template
    given = {name: meeting(1)(name) for name in "ab"}
    assert await arender_template(template, Context(given)) == "ab"


JINJA2 = {
    "an include of an include": {
        "page": "{{ a }}{% include 'one' %}",
        "one": "{{ b }}{% include 'two' %}",
        "two": "{{ c }}",
    },
    "the parent's parent": {
        "page": "{% extends 'one' %}{% block c %}{{ c }}{% endblock %}",
        "one": "{% extends 'two' %}{% block b %}{{ b }}{% endblock %}",
        "two": "{{ a }}{% block b %}{% endblock %}{% block c %}{% endblock %}",
    },
    "an import with context": {
        "page": "{{ a }}{% include 'one' %}",
        "one": "{% from 'two' import show with context %}{{ b }}{{ show() }}",
        "two": "{% macro show() %}{{ c }}{% endmacro %}",
    },
    "an include that is computed": {
        "page": "{% include 'o' ~ 'ne' %}",
        "one": "{{ a }}{{ b }}{{ c }}",
    },
}


@pytest.mark.parametrize("templates", JINJA2.values(), ids=JINJA2)
async def test_in_jinja2(templates, tmp_path):
    for name, text in templates.items():
        (tmp_path / name).write_text(text)
    backend = Jinja2(params("jinja2") | {"DIRS": [tmp_path]})
    for _ in range(3):
        assert await letters(await backend.aget_template("page")) == ["a", "b", "c"]
