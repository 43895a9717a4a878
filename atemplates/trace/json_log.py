"""A line of JSON for each render, in the log ``atemplates.trace``."""

from __future__ import annotations

import json
import logging
from random import random
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from .records import RenderTrace

trace_logger = logging.getLogger("atemplates.trace")
SLOWEST = 5
"""How many of the steps that took longest a line has."""


class JsonLog:
    """Logs renders, each as one line of JSON at the level INFO; one with an error at ERROR.

    Args:
        slow_ms: only those that took so many milliseconds, or have failed.
        rate: the share of these that is logged, from 0 to 1.
        detail: whether a line has all that is known, as `RenderTrace.as_data`, and not just sums
            and the slowest steps.

    Raises:
        ImproperlyConfigured: an argument has a wrong value.
    """

    def __init__(self, slow_ms: float = 0, rate: float = 1, detail: bool = False) -> None:
        if not is_plain_number(slow_ms) or slow_ms < 0:
            raise ImproperlyConfigured(
                f"JsonLog: slow_ms is {slow_ms!r}; expected a number of milliseconds, 0 or more."
            )
        if not is_plain_number(rate) or not 0 <= rate <= 1:
            raise ImproperlyConfigured(f"JsonLog: rate is {rate!r}; expected a number from 0 to 1.")
        self.slow_ms = slow_ms
        self.rate = rate
        self.detail = detail

    def __call__(self, render: RenderTrace) -> None:
        """Log a render that has ended."""
        level = logging.ERROR if render.error else logging.INFO
        if not trace_logger.isEnabledFor(level):
            return
        if not render.error and (render.ms or 0.0) < self.slow_ms:
            return
        if self.rate < 1 and random() >= self.rate:
            return
        data = render.as_data() if self.detail else render_summary(render)
        trace_logger.log(level, "%s", json.dumps(data, ensure_ascii=True))


def is_plain_number(value: Any) -> bool:
    """Whether a value is a number that can be compared with others."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def render_summary(render: RenderTrace) -> dict[str, Any]:
    """Return the sums of a render, and the steps that took longest."""
    steps = [
        {"step": "wait", "line": at(each), "what": f"{each.kind} {each.what}", "ms": each.ms}
        for each in render.waits
    ]
    steps += [
        {"step": "query", "line": at(each), "what": f"{each.kind} {each.model}", "ms": each.ms}
        for each in render.queries
    ]
    steps.sort(key=lambda step: -float(str(step["ms"])))
    return {
        "template": render.title,
        "engine": render.engine,
        "view": render.view,
        "mode": render.mode,
        "ms": rounded(render.ms),
        "first_byte_ms": rounded(render.first_byte_ms),
        "last_byte_ms": rounded(render.last_byte_ms),
        "error": render.error,
        "waits": len(render.waits),
        "wait_ms": rounded(sum(each.ms for each in render.waits)),
        "queries": len(render.queries),
        "query_ms": rounded(sum(each.ms for each in render.queries)),
        "lazy_queries": sum(each.lazy for each in render.queries),
        "hops": len(render.hops),
        "hop_ms": rounded(sum(each.ms for each in render.hops)),
        "loads": len(render.loads),
        "cache_hits": sum(each.hits for each in render.cache),
        "cache_misses": sum(each.misses for each in render.cache),
        "computing_ms": rounded(render.computing_ms),
        "longest_ms": rounded(render.longest.ms),
        "slowest": [{**step, "ms": rounded(step["ms"])} for step in steps[:SLOWEST]],
    }


def at(record: Any) -> str:
    """Return the template and line of a step."""
    line = "" if record.line is None else f":{record.line}"
    return f"{record.template}{line}"


def rounded(value: Any) -> Any:
    """Return milliseconds to the microsecond."""
    return None if value is None else round(value, 3)
