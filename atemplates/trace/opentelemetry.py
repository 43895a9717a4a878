"""Spans of OpenTelemetry for renders (needs ``opentelemetry-api``: the extra ``opentelemetry``).

A render's span is the current one while it runs, in its tasks and threads too: what other
instrumentation makes meanwhile (a query's span, a request's to another server) has it as parent.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from opentelemetry import context as otel_context
from opentelemetry import trace as otel_trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from .records import RenderTrace

INSTRUMENTATION = "atemplates.trace"
Attributes = dict[str, str | bool | int | float]


class StepSpan(NamedTuple):
    """What becomes a span inside that of its render."""

    name: str
    at_ms: float
    ms: float
    attributes: Attributes
    error: str = ""


class OpenTelemetrySpans:
    """Makes a span for each render, and spans in it for its waits, queries, hops and parts.

    Args:
        provider: the tracer provider; by default the global one.
    """

    def __init__(self, provider: Any = None) -> None:
        self._provider = provider
        # Renders under way, by number. Each is put in and taken out by its own task or thread.
        self._open: dict[int, tuple[Span, Any]] = {}

    def begin(self, render: RenderTrace) -> None:
        """Begin a span and make it the current one."""
        tracer = otel_trace.get_tracer(INSTRUMENTATION, tracer_provider=self._provider)
        around = otel_context.get_current()
        span = tracer.start_span(
            f"render {render.title}",
            around,
            SpanKind.INTERNAL,
            attributes=render_attributes(render),
            start_time=nanoseconds(render, 0.0),
        )
        self._open[render.number] = (span, around)
        otel_context.attach(otel_trace.set_span_in_context(span, around))

    def leave(self, render: RenderTrace) -> None:
        """Make the span current again that was so before."""
        known = self._open.get(render.number)
        if known is not None:
            # Not by the token of `attach`: a render may end in another thread than it began.
            otel_context.attach(known[1])

    def end(self, render: RenderTrace) -> None:
        """Make the spans inside, and end that of the render."""
        known = self._open.pop(render.number, None)
        if known is None:
            return
        span, around = known
        if span.is_recording():
            inside = otel_trace.set_span_in_context(span, around)
            tracer = otel_trace.get_tracer(INSTRUMENTATION, tracer_provider=self._provider)
            for step in steps_of_render(render):
                child = tracer.start_span(
                    step.name,
                    inside,
                    SpanKind.INTERNAL,
                    attributes=step.attributes,
                    start_time=nanoseconds(render, step.at_ms),
                )
                if step.error:
                    child.set_attribute("error.type", step.error)
                    child.set_status(Status(StatusCode.ERROR))
                child.end(nanoseconds(render, step.at_ms + step.ms))
            span.set_attributes(sums_of(render))
            if render.exception is not None:
                span.record_exception(render.exception)
                span.set_attribute("error.type", type(render.exception).__qualname__)
                span.set_status(Status(StatusCode.ERROR, render.error))
        span.end(nanoseconds(render, max(render.ms or 0.0, render.last_byte_ms or 0.0)))


def nanoseconds(render: RenderTrace, at_ms: float) -> int:
    """Return a time of a render as OpenTelemetry counts it: nanoseconds since 1970."""
    return int((render.start + at_ms / 1000) * 1e9)


def render_attributes(render: RenderTrace) -> Attributes:
    """Return what is known of a render that begins."""
    found: Attributes = {
        "atemplates.template": render.title,
        "atemplates.mode": render.mode,
        "atemplates.native": render.is_native,
    }
    if render.engine:
        found["atemplates.engine"] = render.engine
    if render.view:
        found["atemplates.view"] = render.view
    if render.file:
        found["code.file.path"] = render.file
    return found


def sums_of(render: RenderTrace) -> Attributes:
    """Return what is known of a render that has ended."""
    found: Attributes = {
        "atemplates.mode": render.mode,
        "atemplates.waits": len(render.waits),
        "atemplates.queries": len(render.queries),
        "atemplates.hops": len(render.hops),
        "atemplates.computing_ms": round(render.computing_ms, 3),
        "atemplates.longest_ms": round(render.longest.ms, 3),
        "atemplates.cache.hits": sum(each.hits for each in render.cache),
        "atemplates.cache.misses": sum(each.misses for each in render.cache),
    }
    if render.first_byte_ms is not None:
        found["atemplates.first_byte_ms"] = round(render.first_byte_ms, 3)
    return found


def place_attributes(record: Any) -> Attributes:
    """Return where in a template a step was; file and line by the names of the conventions."""
    found: Attributes = {}
    if record.template:
        found["atemplates.template"] = record.template
    if record.line is not None:
        found["code.line.number"] = record.line
    if getattr(record, "file", ""):
        found["code.file.path"] = record.file
    if getattr(record, "expression", ""):
        found["atemplates.expression"] = record.expression
    return found


def steps_of_render(render: RenderTrace) -> Iterator[StepSpan]:
    """Give the waits, hops, queries, loads and parts of a render."""
    for wait in render.waits:
        more = place_attributes(wait) | {
            "atemplates.where": wait.where,
            "atemplates.what": wait.what,
        }
        if wait.rows is not None:
            more["db.response.returned_rows"] = wait.rows
        yield StepSpan(f"wait {wait.kind}", wait.at_ms, wait.ms, more, wait.error)
    for hop in render.hops:
        yield StepSpan("hop", hop.at_ms, hop.ms, place_attributes(hop))
    for query in render.queries:
        more = place_attributes(query) | {
            "atemplates.model": query.model,
            "atemplates.batch": query.batch,
            "atemplates.lazy": query.lazy,
            "db.response.returned_rows": query.rows,
        }
        if query.suggestion:
            more["atemplates.suggestion"] = query.suggestion
        yield StepSpan(f"query {query.kind}", query.at_ms, query.ms, more)
    for load in render.loads:
        more = {
            "atemplates.what": load.expression,
            "atemplates.model": load.model,
            "db.response.returned_rows": load.rows,
        }
        yield StepSpan("load", load.at_ms, load.ms, more)
    for part in render.parts:
        more = place_attributes(part) | {
            "atemplates.part": part.name,
            "atemplates.count": part.count,
        }
        yield StepSpan(f"{part.kind} {part.name}", part.at_ms, part.ms or 0.0, more)
