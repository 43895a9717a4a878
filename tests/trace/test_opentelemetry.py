"""Spans of OpenTelemetry, made by its own SDK."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from opentelemetry import trace as otel
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from atemplates.trace import subscribe
from atemplates.trace.opentelemetry import OpenTelemetrySpans
from tests.testapp.models import Animal


@pytest.fixture
def provider():
    made = TracerProvider()
    made.exporter = InMemorySpanExporter()
    made.add_span_processor(SimpleSpanProcessor(made.exporter))
    end = subscribe(OpenTelemetrySpans(made))
    yield made
    end()


@pytest.fixture
def tracer(provider):
    return provider.get_tracer("test")


def spans(provider):
    return {span.name: span for span in provider.exporter.get_finished_spans()}


async def slow():
    await asyncio.sleep(0.005)
    return "x"


@pytest.mark.parametrize("engine", ["traced", "jinja"])
async def test_a_render_has_a_span_with_its_waits_inside(sites, provider, engine):
    templates = {"page.html": "\n{{ slow }}"}
    page = await sites(templates, engine, templates).aget_template("page.html")
    await page.render_async({"slow": slow()})
    found = spans(provider)
    render = found["render page.html"]
    assert render.attributes["atemplates.engine"] == engine
    assert render.attributes["atemplates.mode"] == "async"
    assert render.attributes["atemplates.waits"] >= 1
    assert render.status.status_code is StatusCode.UNSET
    wait = found["wait gather"]
    assert wait.parent.span_id == render.context.span_id
    assert render.start_time <= wait.start_time <= wait.end_time <= render.end_time
    assert wait.end_time - wait.start_time >= 4_000_000
    if engine == "traced":
        assert wait.attributes["code.line.number"] == 2
        assert wait.attributes["atemplates.expression"] == "{{ slow }}"


@pytest.mark.django_db(transaction=True, databases=["default", "other"])
async def test_queries_and_hops(zoo, sites, provider):
    page = sites({"page.html": "{% for a in animals %}\n{{ a.home }}{% endfor %}"}).get_template(
        "page.html"
    )
    await page.render_async({"animals": Animal.objects.all()})
    found = spans(provider)
    render = found["render page.html"]
    for name in ("hop", "query rows", "query relation"):
        assert found[name].parent.span_id == render.context.span_id
    assert found["query relation"].attributes["atemplates.lazy"] is True
    assert "select_related" in found["query relation"].attributes["atemplates.suggestion"]
    assert found["query rows"].attributes["db.response.returned_rows"] > 1


@pytest.mark.parametrize("way", ["sync", "async", "stream"])
@pytest.mark.parametrize("engine", ["traced", "jinja"])
async def test_what_runs_inside_has_the_render_as_parent(sites, provider, tracer, engine, way):
    seen = []

    def value():
        with tracer.start_as_current_span(f"inside {len(seen)}"):
            seen.append(otel.get_current_span())
        return "v"

    async def awaited():
        with tracer.start_as_current_span("awaited"):
            return "a"

    templates = {
        "page.html": "{{ value() }}{{ awaited() }}".replace(
            "()", "" if engine == "traced" else "()"
        )
    }
    page = await sites(templates, engine, templates).aget_template("page.html")
    with tracer.start_as_current_span("request") as request:
        for _ in range(5):  # on the loop, once it is known
            values = {"value": value, "awaited": awaited}
            if way == "sync":
                assert await sync_to_async(page.render)(values) == "va"
            elif way == "async":
                assert await page.render_async(values) == "va"
            else:
                assert [chunk async for chunk in page.stream_async(values)]
            assert otel.get_current_span() is request
    finished = provider.exporter.get_finished_spans()
    renders = {each.context.span_id for each in finished if each.name == "render page.html"}
    inside = [each for each in finished if each.name.startswith(("inside", "awaited"))]
    assert len(renders) == 5
    assert len(inside) == 10
    assert {each.parent.span_id for each in inside} == renders
    assert all(
        each.parent.span_id == request.get_span_context().span_id
        for each in finished
        if each.name == "render page.html"
    )


async def test_parts_and_renders_at_the_same_time_have_their_own_parents(sites, provider, tracer):
    async def part():
        with tracer.start_as_current_span("part"):
            await asyncio.sleep(0.002)
        return "p"

    source = "{% load atemplates %}{% parallel %}{{ part }}{{ part }}{% endparallel %}"
    page = sites({"page.html": source}).get_template("page.html")

    async def request(number):
        with tracer.start_as_current_span(f"request {number}") as around:
            await page.render_async({"part": part})
            return around.get_span_context().span_id

    await asyncio.gather(*map(request, range(4)))
    finished = provider.exporter.get_finished_spans()
    known = {each.context.span_id: each for each in finished}
    requests = set()
    for each in finished:
        if each.name == "part":
            render = known[each.parent.span_id]
            assert render.name == "render page.html"
            assert render.context.trace_id == each.context.trace_id
            requests.add(known[render.parent.span_id].name)
    assert requests == {f"request {number}" for number in range(4)}


async def test_a_render_inside_another_is_its_child(sites, provider):
    backend = sites(
        {"page.html": "{% load site_tags %}{% rendered_inside %}", "part.html": "{{ text }}"}
    )
    await backend.get_template("page.html").render_async({})
    found = spans(provider)
    page, part = found["render page.html"], found["render part.html"]
    assert part.parent.span_id == page.context.span_id


@pytest.mark.parametrize("engine", ["traced", "jinja"])
async def test_an_error_is_recorded(sites, provider, engine):
    def fail():
        raise ValueError("broken")

    templates = {"page.html": "{{ fail }}" if engine == "traced" else "{{ fail() }}"}
    page = await sites(templates, engine, templates).aget_template("page.html")
    with pytest.raises(ValueError, match="broken"):
        await page.render_async({"fail": fail})
    span = spans(provider)["render page.html"]
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == "ValueError"
    assert span.events[0].attributes["exception.message"] == "broken"


async def test_a_stream_ends_with_its_last_byte(sites, provider):
    page = sites({"page.html": "<p>a</p>{{ slow }}"}).get_template("page.html")
    chunks = page.stream_async({"slow": slow()})
    await anext(chunks)
    await asyncio.sleep(0.02)
    assert not provider.exporter.get_finished_spans()
    assert [chunk async for chunk in chunks] == ["x"]
    await asyncio.sleep(0)
    span = spans(provider)["render page.html"]
    assert span.attributes["atemplates.mode"] == "stream"
    assert span.end_time - span.start_time >= 19_000_000


def test_nothing_is_made_for_a_trace_that_is_not_sampled(sites):
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

    provider = TracerProvider(sampler=ALWAYS_OFF)
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    end = subscribe(OpenTelemetrySpans(provider))
    try:
        assert sites({"page.html": "{{ x }}"}).get_template("page.html").render({"x": 1}) == "1"
    finally:
        end()
    assert not exporter.get_finished_spans()
