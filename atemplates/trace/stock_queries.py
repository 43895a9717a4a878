"""The queries of a render by Django's own code (``async_mode="thread"``): which node asked."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from types import FrameType
from typing import TYPE_CHECKING, Any

from django.template.base import Node

from ..relations.models import static_text
from ..relations.query_attribution import IGNORED, watched_connections
from .places import NOWHERE, TracePlace, place_of_node
from .records import QueryRecord

if TYPE_CHECKING:
    from .collecting import RenderCollector

RENDERING = ("render_annotated", "render")
"""The methods of a node that stand on Python's stack while it renders."""


@contextmanager
def queries_noted(collector: RenderCollector) -> Iterator[None]:
    """Note each query of this thread for a render."""

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        start = perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            with collector.guarded:
                if not static_text(sql).startswith(IGNORED):
                    ms = (perf_counter() - start) * 1000
                    place = place_of_stock(sys._getframe(1))
                    at = collector.offset(start)
                    collector.render.queries.append(query_at(place, at, ms))

    with watched_connections(note):
        yield


def query_at(place: TracePlace, at: float, ms: float) -> QueryRecord:
    """Return what is known of a query of Django's own renderer: where it was made."""
    return QueryRecord(
        kind="query",
        template=place.template,
        line=place.line,
        expression=place.expression,
        at_ms=at,
        ms=ms,
        rows=0,
        model="",
        batch=False,
        lazy=False,
        suggestion="",
        source="",
        file=place.file,
    )


def place_of_stock(frame: FrameType | None) -> TracePlace:
    """Return the place of the innermost node that renders."""
    while frame is not None:
        if frame.f_code.co_name in RENDERING:
            node: Any = frame.f_locals.get("self")
            if issubclass(type(node), Node):
                place = place_of_node(node)
                if place.line is not None:
                    return place
        frame = frame.f_back
    return NOWHERE
