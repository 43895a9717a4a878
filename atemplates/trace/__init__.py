"""What a template does, line by line: waits, queries, hops, parts, code of others, cache hits.

``with trace() as t:`` collects it for the renders of a block; `subscribe` and the setting
``ATEMPLATES = {"trace": [...]}`` tell observers of every render of the process; `TraceMiddleware`
of those of each request. A render that nobody observes runs none of it.

The module itself can be called, too: ``from atemplates import trace`` and ``with trace() as t:``.
"""

from __future__ import annotations

import sys
from types import ModuleType

from .blocks import Trace, trace
from .observers import TraceObserver, subscribe
from .records import (
    CacheRecord,
    CodeRecord,
    HopRecord,
    LoadRecord,
    PartRecord,
    QueryRecord,
    RenderTrace,
    Stretch,
    WaitRecord,
)

__all__ = [
    "CacheRecord",
    "CodeRecord",
    "HopRecord",
    "LoadRecord",
    "PartRecord",
    "QueryRecord",
    "RenderTrace",
    "Stretch",
    "Trace",
    "TraceObserver",
    "WaitRecord",
    "subscribe",
    "trace",
]


class CallableModule(ModuleType):
    """A module that can be called. Python lets the class of a module be set for that."""

    def __call__(self) -> trace:
        """Return what `trace` makes."""
        return trace()


sys.modules[__name__].__class__ = CallableModule
