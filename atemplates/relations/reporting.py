"""Saying what a render loads: events for observers, warnings and errors under a strict policy."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db.models import Model, QuerySet

from ..errors import Location, logger
from ..runtime.relations import Notify
from ..runtime.state import STRICT
from . import events
from .events import Event, Observer
from .loop_peers import Loops
from .messages import describe_access, suggestion
from .models import Relation, instance_of, is_a, loaded_rows
from .policy import LazyAccessError, warn_once


class StepPlace(NamedTuple):
    """A step that a template takes, with what is known about it."""

    site: Any
    """The expression, as the resolver knows it; None if that is not known."""
    root: Any
    """The value of the expression's first bit."""
    done: int
    """How many bits of the expression are resolved."""
    bit: str = ""
    """What is resolved next."""


class Reporter:
    """Knows who wants to hear of loads, and what the policy says about lazy ones."""

    def __init__(
        self, policy: str, observers: tuple[Observer, ...], loops: Loops, view: str = ""
    ) -> None:
        self.policy = policy
        self.observers = observers
        self.view = view
        self.loops = loops
        self.raised: LazyAccessError | None = None
        """The last error: code of the user may have caught it."""

    @property
    def listens(self) -> bool:
        """Whether anybody wants to know; if not, no event is made."""
        return bool(self.observers) or self.policy in STRICT

    def tell(
        self,
        kind: str,
        place: StepPlace,
        model: type[Model] | None,
        relation: Relation | None = None,
        *,
        at: Any = None,
        related: bool = True,
        is_strict: bool = True,
        further: tuple[str, ...] = (),
        source: str = "",
        where: tuple[str, int | None, str, str] = ("", None, "", ""),
    ) -> Event | None:
        """Say that something is about to be loaded.

        Args:
            relation: what was not loaded, if it is a relation or a field.
            at: the site whose line needs it, if that is not the place's.
            related: whether it hangs on an object that was handed to the template.
            is_strict: whether the policy has a say.
            further: the steps that Python code took from there.
            source: ``file:line`` of that code.
            where: template, line, expression and file, when there is no site that knows them.

        Returns:
            The event for the observers, or None when there are none.

        Raises:
            LazyAccessError: under ``"raise"``.
        """
        if not self.listens:
            return None
        event = self.describe(kind, place, model, relation, at=at, further=further)
        event.related = related
        event.source = source
        if place.site is None and at is None:
            event.template, event.line, event.expression, event.file = where
        if is_strict:
            self.judge(event)
        return event if self.observers else None

    def describe(
        self,
        kind: str,
        place: StepPlace,
        model: type[Model] | None,
        relation: Relation | None = None,
        *,
        at: Any = None,
        further: tuple[str, ...] = (),
    ) -> Event:
        """Make the event of a load. What cannot be told of it is left empty, and logged."""
        event = self._placed(kind, place, model, at)
        try:
            self._describe(event, place, relation, further)
        except Exception:
            logger.exception("What a template loads cannot be described: %s", event.expression)
        return event

    def _placed(self, kind: str, place: StepPlace, model: type[Model] | None, at: Any) -> Event:
        site = at if at is not None else place.site
        return Event(
            template=site.template if site is not None else "",
            line=site.line if site is not None else None,
            expression=site.text if site is not None else "",
            root="",
            path=(),
            kind=kind,
            model=model._meta.label if model is not None else "",
            view=self.view,
            file=site.file if site is not None else "",
        )

    def _describe(
        self, event: Event, place: StepPlace, relation: Relation | None, further: tuple[str, ...]
    ) -> None:
        bits = place.site.bits if place.site is not None else ("",)
        root, before = self.loops.trail(place.root, bits[0])
        steps = (*before, *bits[1 : place.done], place.bit, *further)
        event.root, event.path = root, tuple(step for step in steps if step)
        base = instance_of(self.loops.base(place.root))
        if base is not None:
            event.entry = type(base)._meta.label
            event.entry_at = len(self.loops.trail(self.loops.base(place.root), root)[1])
        event.suggestion = suggestion(event, relation, base)

    def judge(self, event: Event) -> None:
        """Do what the policy says about a lazy access.

        Raises:
            LazyAccessError: under ``"raise"``.
        """
        if self.policy == "warn":
            warn_once(describe_access(event), event.file or event.template, event.line)
        elif self.policy == "raise":
            location = None  # the plan knows the node that the error passes through
            if event.line is not None:
                location = Location(event.template, event.line, event.expression, event.file)
            self.raised = LazyAccessError(
                describe_access(event),
                location=location,
                expression=event.expression,
                root=event.root,
                path=event.path,
                model=event.model,
                suggestion=event.suggestion,
            )
            raise self.raised

    def notify(self, event: Event | None, rows: int = 0, batch: bool = False) -> Notify:
        """Return what a driver calls when the wait for an event is over."""
        if event is None:
            return None
        event.rows, event.batch = rows, batch

        def report(milliseconds: float, answer: Any) -> None:
            event.milliseconds = milliseconds
            if not event.rows and is_a(answer, (QuerySet, list)):
                event.rows = len(loaded_rows(answer))
            self.report(event)

        return report

    def report(self, event: Event) -> None:
        """Give an event to the observers."""
        events.report(event, self.observers)
