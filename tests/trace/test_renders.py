"""What a trace has of each render, whatever way it is made."""

import asyncio
import json
import threading

import pytest
from asgiref.sync import sync_to_async
from django.core.cache import cache
from django.template import TemplateDoesNotExist
from django.test import RequestFactory

import atemplates
from atemplates import aload, trace
from atemplates.parallel.workers import allow
from atemplates.trace import Trace, subscribe
from atemplates.trace import trace as trace_block
from tests.testapp.models import Animal

WAYS = ("sync", "async", "stream")
ENGINES = ("traced", "jinja")

PAGE = "<p>{{ x }}</p>\n{% for a in animals %}\n{{ a.name }}{% endfor %}\n\n{{ later }}"


async def rendered(backend, name, values, way):
    """A page, rendered in one of the ways; and its only trace."""
    page = await sync_to_async(backend.get_template)(name)
    with trace() as found:
        if way == "sync":
            text = await sync_to_async(page.render)(values)
        elif way == "async":
            text = await page.render_async(values)
        else:
            text = "".join([chunk async for chunk in page.stream_async(values)])
    return text, found


async def later():
    await asyncio.sleep(0.01)
    return "later"


def names(records, *attributes):
    return [tuple(getattr(each, name) for name in attributes) for each in records]


@pytest.mark.django_db(transaction=True, databases=["default", "other"])
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("way", WAYS)
async def test_waits_and_queries_have_their_line(zoo, sites, engine, way):
    templates = {"page.html": PAGE}
    backend = sites(templates, engine, templates)
    for _ in range(2):  # the first time it is compiled
        values = {"x": 1, "animals": Animal.objects.order_by("pk"), "later": later()}
        text, found = await rendered(backend, "page.html", values, way)
    assert "Leo" in text
    assert text.endswith("later")
    (render,) = found
    assert (render.name, render.engine, render.mode) == ("page.html", engine, way)
    assert render.is_done
    assert render.is_native
    assert not render.error
    assert render.ms >= 10
    waits = {(each.kind, each.line): each for each in render.waits if each.template}
    rows = waits["rows", 2]
    assert rows.template == "page.html"
    assert rows.what == "a testapp.Animal queryset"
    assert rows.where == {"sync": "blocking"}.get(way, "thread")
    (query,) = render.queries
    assert (query.kind, query.template, query.line) == ("rows", "page.html", 2)
    assert query.model == "testapp.Animal"
    assert query.rows == rows.rows > 1
    assert not query.lazy
    awaited = [each for each in render.waits if each.kind in ("await", "gather")]
    if way != "stream":  # there it begins with the page, and what is left of it is waited for
        (longest,) = [each for each in awaited if each.ms >= 9]
        assert longest.where == ("blocking" if way == "sync" else "loop")
    assert len(render.hops) == (0 if way == "sync" else 1)
    for hop in render.hops:
        assert (hop.template, hop.line) == ("page.html", 2)
        assert hop.ms >= rows.ms - 0.01
    for each in (*render.waits, *render.queries, *render.hops):
        assert 0 <= each.at_ms <= render.ms
        assert each.ms > 0
    assert render.computing_ms > 0
    assert (render.loop_ms > 0) is (way != "sync")


async def test_a_stream_says_when_its_bytes_left(sites):
    backend = sites({"page.html": "<p>first</p>{{ later }}"})
    page = backend.get_template("page.html")
    _ = [chunk async for chunk in page.stream_async({"later": "compiled"})]
    ended = []
    end = subscribe(ended.append)
    try:
        with trace() as found:
            chunks = page.stream_async({"later": later()})
            first = await anext(chunks)
        (render,) = found
        assert first == "<p>first</p>"
        assert render.first_byte_ms is not None
        assert not render.is_done
        assert render.as_data()["ms"] is None
        assert "goes on" in str(found)
        rest = [chunk async for chunk in chunks]
        await asyncio.sleep(0)
    finally:
        end()
    assert rest == ["later"]
    assert render.first_byte_ms < 9 < render.last_byte_ms
    assert render.chunks == 2
    assert ended == [render]


async def test_a_stream_that_nobody_reads_to_its_end_is_told_of_too(sites):
    page = sites({"page.html": "<p>first</p>{{ later }}"}).get_template("page.html")
    ended = []
    end = subscribe(ended.append)
    try:
        chunks = page.stream_async({"later": later()})
        await anext(chunks)
        await chunks.aclose()
    finally:
        end()
    (render,) = ended
    assert "CancelledError" in render.error


@pytest.mark.parametrize("way", ["async", "stream"])
@pytest.mark.parametrize("engine", ENGINES)
async def test_parts_at_the_same_time_belong_to_the_page(sites, engine, way):
    source = "{% parallel %}\n{{ one() }}\n{{ two() }}\n{% endparallel %}"
    backend = sites(
        {"page.html": "{% load atemplates %}" + source.replace("()", "")},
        engine,
        {"page.html": source},
    )
    if engine == "jinja":
        from atemplates.jinja2.parallel import ParallelExtension

        for environment in (backend.sync_env, backend.async_env):
            environment.add_extension(ParallelExtension)
    _, found = await rendered(backend, "page.html", {"one": later, "two": later}, way)
    (render,) = found
    lines = {each.line for each in render.waits if each.kind == "await"}
    assert {2, 3} <= lines
    assert "branches" in {each.kind for each in render.waits}


async def test_deferred_parts_belong_to_the_page(sites):
    backend = sites(
        {"page.html": "{% load atemplates %}a\n{% defer %}\n{{ slow }}{% enddefer %}\nb"}
    )
    for way in ("async", "stream"):
        text, found = await rendered(backend, "page.html", {"slow": later}, way)
        assert "later" in text
        (render,) = found
        assert [each.line for each in render.waits if each.expression == "{{ slow }}"] == [3]


async def test_renders_in_the_midst_of_another_know_it(sites):
    backend = sites(
        {"page.html": "{% load site_tags %}{% rendered_inside %}", "part.html": "{{ text }}"}
    )
    text, found = await rendered(backend, "page.html", {}, "async")
    assert text == "inner"
    page, inner = found
    assert inner.parent is page
    assert page.parent is None
    assert (inner.name, inner.mode) == ("part.html", "sync")
    data = found.as_data()["renders"]
    assert data[1]["parent"] == data[0]["number"]
    assert "\n  part.html" in str(found)


async def test_includes_blocks_and_parents(sites):
    templates = {
        "base.html": "{% block title %}{% endblock %}\n{% block body %}{% endblock %}",
        "page.html": (
            "{% extends 'base.html' %}\n{% block body %}\n{% for x in rows %}"
            "{% include 'part.html' %}{% endfor %}{% include 'part.html' %}{% endblock %}"
        ),
        "part.html": "({{ x }})",
    }
    backend = sites(templates)
    for way in ("sync", "async", "stream", "sync"):
        text, found = await rendered(backend, "page.html", {"rows": [1, 2, 3]}, way)
        assert text == "\n\n(1)(2)(3)()"
        (render,) = found
        parts = names(render.parts, "kind", "name", "template", "line", "count")
        assert sorted(parts) == [
            ("block", "body", "base.html", 2, 1),
            ("block", "title", "base.html", 1, 1),
            ("extends", "base.html", "page.html", 1, 1),
            ("include", "part.html", "page.html", 3, 1),
            ("include", "part.html", "page.html", 3, 3),
        ]
        assert all(part.ms > 0 for part in render.parts)
        # A render that nobody traces uses the plans as ever.
        assert backend.get_template("page.html").render({"rows": [1, 2, 3]}) == text


async def test_includes_of_jinja2_templates(sites):
    templates = {
        "base.html": "{% block body %}{% endblock %}",
        "page.html": "{% extends 'base.html' %}\n{% block body %}\n{% include 'part.html' %}{% endblock %}",
        "part.html": "({{ x }})",
    }
    backend = sites({}, "jinja", templates)
    text, found = await rendered(backend, "page.html", {"x": 1}, "async")
    assert text.strip() == "(1)"
    (render,) = found
    assert names(render.parts, "name", "line", "ms") == [
        ("base.html", 1, None),
        ("part.html", 3, None),
    ]


@pytest.mark.parametrize("way", WAYS)
async def test_hits_and_misses_of_the_cache(sites, way):
    cache.clear()
    backend = sites(
        {
            "page.html": "{% load cache %}\n{% for x in rows %}{% cache 9 frag x %}{{ x }}{% endcache %}{% endfor %}"
        }
    )
    _, found = await rendered(backend, "page.html", {"rows": [1, 2, 1, 1]}, way)
    (render,) = found
    assert names(render.cache, "fragment", "template", "line", "hits", "misses") == [
        ("frag", "page.html", 2, 2, 2)
    ]
    cache.clear()


@pytest.mark.parametrize("way", ["sync", "async"])
async def test_code_of_others(sites, way):
    backend = sites(
        {
            "page.html": (
                "{% load site_tags %}\n{% shout x %}\n{{ x|doubled }}\n{% plain %}"
                "{{ from_processor }}"
            )
        },
        context_processors=["tests.trace.site_tags.processor"],
    )
    page = backend.get_template("page.html")
    request = RequestFactory().get("/")
    places = set()
    for _ in range(6):
        with trace() as found:
            if way == "sync":
                await sync_to_async(page.render)({"x": "a"}, request)
            else:
                await page.render_async({"x": "a"}, request)
        (render,) = found
        seen = {(each.kind, each.name.rpartition(".")[2], each.line) for each in render.code}
        assert seen == {
            ("processor", "processor", None),
            ("tag", "shout", 2),
            ("filter", "doubled", 3),
            ("tag", "render", 4),
        }
        assert all(each.count == 1 and each.ms > 0 for each in render.code)
        places |= {each.place for each in render.code}
    assert places == ({"thread"} if way == "sync" else {"thread", "loop"})


async def test_an_error_is_the_renders_own(sites):
    def fail():
        raise ValueError("broken")

    backend = sites({"page.html": "\n{{ fail }}"}, debug=True)
    page = backend.get_template("page.html")
    with pytest.raises(ValueError, match="broken") as stock:
        await page.render_async({"fail": fail})
    with trace() as found, pytest.raises(ValueError, match="broken") as raised:
        await page.render_async({"fail": fail})
    (render,) = found
    assert render.error == "ValueError: broken"
    assert render.is_done
    assert raised.value.template_debug == stock.value.template_debug
    with trace() as found:
        try:
            raise KeyError("somebody else's")
        except KeyError:
            await page.render_async({"fail": "fine"})  # an error page, say
    assert found[0].error == ""


async def test_a_cancelled_render_ends(sites):
    page = sites({"page.html": "{{ slow }}"}).get_template("page.html")

    async def forever():
        await asyncio.sleep(3600)

    with trace() as found:
        task = asyncio.create_task(page.render_async({"slow": forever()}))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    (render,) = found
    assert render.error.startswith("CancelledError")
    (wait,) = render.waits[-1:]
    assert wait.error == "CancelledError"


@pytest.mark.parametrize("engine", ENGINES)
async def test_renders_at_the_same_time_do_not_mix(sites, engine):
    templates = {f"page{n}.html": "\n" * n + "{{ slow }}" for n in range(5)}
    backend = sites(templates, engine, templates)

    async def one(number):
        async with trace() as found:
            page = await backend.aget_template(f"page{number}.html")
            await page.render_async({"slow": later()})
        return number, found

    for number, found in await asyncio.gather(*map(one, range(5))):
        (render,) = found
        assert render.name == f"page{number}.html"
        assert {each.template for each in render.waits if each.template} <= {render.name}


def test_threads_begun_inside_with_the_context_count_and_others_do_not(sites):
    from contextvars import copy_context

    page = sites({"page.html": "{{ x }}"}).get_template("page.html")
    with trace() as found:
        inside = threading.Thread(target=copy_context().run, args=(page.render, {"x": 1}))
        inside.start()
        inside.join()
    outside = threading.Thread(target=page.render, args=({"x": 1},))
    outside.start()
    outside.join()
    assert len(found) == 1


@pytest.mark.django_db(transaction=True, databases=["default", "other"])
async def test_thread_mode(zoo, sites):
    backend = sites(
        {"page.html": "\n{% for a in animals %}{{ a.name }}{% endfor %}"}, async_mode="thread"
    )
    page = backend.get_template("page.html")
    for way in ("sync", "async"):
        with trace() as found:
            values = {"animals": Animal.objects.all()}
            if way == "sync":
                await sync_to_async(page.render)(values)
            else:
                await page.render_async(values)
        (render,) = found
        assert (render.name, render.mode, render.engine) == ("page.html", way, "traced")
        assert not render.is_native
        (query,) = render.queries
        assert (query.template, query.line) == ("page.html", 2)
        assert query.expression == "{% for a in animals %}"
        assert len(render.hops) == (way == "async")


@pytest.mark.django_db(transaction=True, databases=["default", "other"])
async def test_loads_beside_the_page(zoo, sites):
    allow(2)
    page = sites({"page.html": "{% for a in animals %}{{ a.name }}{% endfor %}"}).get_template(
        "page.html"
    )
    with trace() as found:
        animals = aload(Animal.objects.all())
        await page.render_async({"animals": animals})
    assert len(found.loads) == 1
    assert found.loads[0].model == "testapp.Animal"
    assert found.as_data()["loads"][0]["rows"] > 1
    assert "load   aload(" in str(found)


async def test_the_longest_time_without_a_turn(sites):
    # A loop that writes nothing: putting a long page together after it would take time, too.
    source = "{{ a }}\n\n{% for x in rows %}{% if x == '' %}{{ x }}{% endif %}{% endfor %}\n{{ b }}"
    page = sites({"page.html": source}, yield_after=None).get_template("page.html")

    async def at_once():
        return ""

    values = {"rows": range(500_000)}
    await page.render_async(values)
    with trace() as found:
        await page.render_async({**values, "a": at_once(), "b": later})
    (render,) = found
    # Nothing has really been waited for before the loop.
    assert render.longest.ms >= render.loop_ms * 0.9
    assert render.longest.line == 4


def test_nothing_is_kept_of_a_render_that_nobody_traces(sites):
    backend = sites({"page.html": "{% include 'part.html' %}", "part.html": "x"})
    page = backend.get_template("page.html")
    page.render({})
    assert not [name for name in vars(page.template.nodelist) if "traced" in name]
    with trace():
        page.render({})
    assert [name for name in vars(page.template.nodelist) if "traced" in name]


def test_a_page_of_text_alone_is_traced_too(sites):
    page = sites({"page.html": "only text"}).get_template("page.html")
    assert page.render({}) == "only text"
    with trace() as found:
        assert page.render({}) == "only text"
    assert [render.name for render in found] == ["page.html"]


def test_a_missing_template_is_an_error_of_the_page(sites):
    page = sites({"page.html": "{% include 'absent.html' %}"}).get_template("page.html")
    with trace() as found, pytest.raises(TemplateDoesNotExist):
        page.render({})
    assert found[0].error == "TemplateDoesNotExist: absent.html"


def test_both_spellings():
    assert atemplates.trace is trace
    for spelling in (trace, atemplates.trace, trace_block):
        with spelling() as found:
            assert isinstance(found, Trace)
    assert str(found) == "nothing was rendered"
    assert found.as_data() == {"schema": 1, "renders": [], "loads": []}


@pytest.mark.parametrize("engine", ENGINES)
async def test_the_data_is_json(sites, engine):
    templates = {"page.html": "{{ x }}{{ slow }}"}
    backend = sites(templates, engine, templates)
    _, found = await rendered(backend, "page.html", {"x": object(), "slow": later()}, "stream")
    data = json.loads(json.dumps(found.as_data()))
    assert data["renders"][0]["name"] == "page.html"
    assert set(data["renders"][0]) >= {"ms", "waits", "queries", "hops", "parts", "code", "cache"}
