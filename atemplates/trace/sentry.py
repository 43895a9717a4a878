"""Spans of Sentry for renders (needs ``sentry-sdk``).

Sentry's integration of Django gives ``django.shortcuts.render`` and ``TemplateResponse`` a span.
Here every render of a backend of ours has the same one: by ``arender``, ``arender_to_string``,
``astream``, an async ``TemplateResponse``, ``render_to_string``. Where the integration has made one
already, it is the one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sentry_sdk

from .records import RenderTrace

OP = "template.render"
ORIGIN = "auto.http.django"
"""Of the integration's own spans."""
SENT_TYPES = (str, int, float, bool, type(None))


class SentrySpans:
    """Makes a span for each render, and spans in it for its waits, queries and hops.

    Args:
        context: whether the span has the template's variables as its data, as the integration's
            own has. Of values that are no plain text or number the type is named: nothing of the
            site is asked to describe itself.
        steps: whether there are spans for waits, queries and hops.
    """

    def __init__(self, context: bool = True, steps: bool = True) -> None:
        self.context = context
        self.steps = steps
        # Renders under way, by number. Each is put in and taken out by its own task or thread.
        self._open: dict[int, tuple[Any, Any, Any]] = {}

    def begin(self, render: RenderTrace) -> None:
        """Begin a span and make it the current one."""
        outer = sentry_sdk.get_current_span()
        if outer is None:
            return  # there is no transaction that it could belong to
        if is_integrations_span(outer, render):
            self._open[render.number] = (outer, None, None)
            return
        span = outer.start_child(op=OP, name=render.title, origin=ORIGIN)
        if self.context:
            span.set_data("context", {k: plain_or_type(v) for k, v in render.variables().items()})
        scope = sentry_sdk.get_current_scope()
        self._open[render.number] = (span, scope, outer)
        scope.span = span

    def leave(self, render: RenderTrace) -> None:
        """Make the span current again that was so before."""
        span, scope, outer = self._open.get(render.number, (None, None, None))
        if scope is not None and scope.span is span:
            scope.span = outer

    def end(self, render: RenderTrace) -> None:
        """Make the spans inside, and end that of the render."""
        span, scope, _ = self._open.pop(render.number, (None, None, None))
        if span is None:
            return
        if self.steps:
            add_steps(span, render)
        span.set_data("template.engine", render.engine)
        span.set_data("template.mode", render.mode)
        if scope is None:
            return  # the integration's, which ends it
        if render.error:
            span.set_status("internal_error")
        span.finish(end_timestamp=moment(render, max(render.ms or 0.0, render.last_byte_ms or 0.0)))


def is_integrations_span(span: Any, render: RenderTrace) -> bool:
    """Whether a span is the one that Sentry's integration of Django has made for a render."""
    described = getattr(span, "description", None)
    return getattr(span, "op", None) == OP and (
        described == render.name or described == f"[{render.name}, ...]"
    )


def plain_or_type(value: Any) -> Any:
    """Return a plain value, or the name of the type of another."""
    kind = type(value)
    return value if kind in SENT_TYPES else f"<{kind.__module__}.{kind.__qualname__}>"


def moment(render: RenderTrace, at_ms: float) -> datetime:
    """Return a time of a render."""
    return datetime.fromtimestamp(render.start + at_ms / 1000, UTC)


def add_steps(span: Any, render: RenderTrace) -> None:
    """Make spans for the waits, queries and hops of a render."""
    steps: list[tuple[str, str, Any]] = [
        ("template.wait", f"{each.kind} {each.what}", each) for each in render.waits
    ]
    steps += [
        ("template.query", f"{each.kind} {each.model}".strip(), each) for each in render.queries
    ]
    steps += [("template.hop", "in the request's thread", each) for each in render.hops]
    for op, name, record in steps:
        child = span.start_child(
            op=op,
            name=name,
            origin="auto.atemplates",
            start_timestamp=moment(render, record.at_ms),
        )
        child.set_data("template.name", record.template)
        child.set_data("code.lineno", record.line)
        child.set_data("template.expression", record.expression)
        if getattr(record, "rows", None) is not None:
            child.set_data("rows", record.rows)
        if getattr(record, "error", ""):
            child.set_status("internal_error")
        child.finish(end_timestamp=moment(render, record.at_ms + record.ms))
