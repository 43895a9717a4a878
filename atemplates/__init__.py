"""An async-capable template engine backend for Django."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .shortcuts import aget_template, arender, arender_to_string, aselect_template

if TYPE_CHECKING:
    from . import trace
    from .delivery.astream import astream
    from .delivery.event_format import SseEvent
    from .delivery.response import TemplateStream
    from .delivery.sse import EventStream, sse
    from .parallel.batched import batched
    from .parallel.loads import aload

__all__ = [
    "EventStream",
    "SseEvent",
    "TemplateStream",
    "aget_template",
    "aload",
    "arender",
    "arender_to_string",
    "aselect_template",
    "astream",
    "batched",
    "sse",
    "trace",
]
__version__ = "0.1.0"

LATER = {
    "EventStream": "delivery.sse",
    "SseEvent": "delivery.event_format",
    "TemplateStream": "delivery.response",
    "aload": "parallel.loads",
    "astream": "delivery.astream",
    "batched": "parallel.batched",
    "sse": "delivery.sse",
}
"""What is imported when it is first asked for, and from where: many a site never asks."""


def __getattr__(name: str) -> Any:
    """Import what loads at the same time, streams or traces, when it is first asked for."""
    if name == "trace":
        return import_module(f"{__name__}.trace")
    if name not in LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: Any = getattr(import_module(f"{__name__}.{LATER[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
