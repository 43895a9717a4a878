"""Telling of loads: an event for who observes, and a line in the log where one steps back."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import logger
from ..relations.events import Event, report_event
from ..relations.policy import Observer, observers
from ..runtime.tracing import RenderObserver


def observers_here() -> tuple[Observer, ...]:
    """The observers of a load that begins now: for who traces renders, the one around it."""
    told = observers()
    if not told:
        return told
    here = (each.here() if isinstance(each, RenderObserver) else each for each in told)
    return tuple(dict.fromkeys(here))


def tell_load(
    told: Iterable[Observer], name: str, model: str, rows: int, milliseconds: float, reason: str
) -> None:
    """Tell of something that was loaded.

    Args:
        name: what it is.
        model: the label of its model, if it has one.
        reason: why it was loaded in the request's thread; empty when it was not.
    """
    event = Event(
        template="",
        line=None,
        expression=f"aload({name})",
        root="",
        path=(),
        kind="load",
        model=model,
        rows=rows,
        milliseconds=milliseconds,
        related=False,
        reason=reason,
    )
    report_event(event, told)


def log_stepping_back(name: str, reason: str) -> None:
    """Note in the log that a load goes to the request's thread."""
    logger.debug("aload(%s) loads in the request's thread, when it is needed: %s.", name, reason)
