"""Reports of what a render loads: events for observers, warnings and errors of a strict policy."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db.models import Model, QuerySet

from ..errors import Location, logger
from ..runtime.policy import STRICT
from ..runtime.relations import Notify
from .events import Event, report_event
from .loop_peers import LoopStack, StepPlace
from .models import (
    Relation,
    attributes,
    instance_of,
    is_a,
    key_columns,
    lacks,
    loaded_rows,
    relations_of,
)
from .paths import ITEM, dotted
from .policy import LazyAccessError, Observer, warn_once
from .querysets import loaded_by, origin_of


def describe_access(event: Event) -> str:
    """Describe an access to something that was not loaded, with the event's suggestion."""
    place = (
        event.file
        or event.template
        or ("A template made from a string" if event.line is not None else "")
    )
    if event.line is not None:
        place += f", line {event.line}"
    expression = repr(event.expression) if event.expression else "an expression"
    if place:
        place += ": "
    elif not event.expression:
        expression = "A template"
    if event.kind == "python":
        what = f"runs Python code of {event.model} that needs the database"
        if event.source:
            what += f" ({event.source})"
    elif event.kind in ("call", "count", "exists") or not event.model:
        what = f"asks the database for what hangs on one {event.model or 'object'}"
    else:
        what = f"reaches {event.model}.{_last(event.path)}, which was not loaded"
    return f"{place}{expression} {what}. {event.suggestion}".rstrip()


def _last(path: Sequence[str]) -> str:
    steps = [step for step in path if step not in (ITEM, "all")]
    return steps[-1] if steps else ""


def suggestion(event: Event, relation: Relation | None, entry: Model | None) -> str:
    """Name the call that loads what was missing.

    Args:
        relation: what was not loaded; None when Python code or a call asked.
        entry: the instance by which the event's path enters the models, if that is known.
    """
    steps = event.path[event.entry_at :]
    if event.kind == "deferred" and relation is not None:
        return f"Add {'__'.join(_relations(steps))!r} to only(), or take it out of defer()."
    if event.kind == "rows":
        steps += ("all", ITEM)
    elif event.kind in ("count", "exists"):
        steps += (event.kind,)
    elif event.kind == "python" and relation is None:
        return "Load what it reads in the view, or compute the value there."
    if entry is not None:
        call, notes = _needed(type(entry), steps)
        if call:
            text = f"Add {call} to the queryset of {_source(event)!r}."
            key = _deferred_key(entry, _relations(steps))
            if key:
                text += f" Name {key!r} in its only() as well, or take it out of defer()."
            return text
        if notes:
            return notes
    return "Load it in the view, or compute the value there."


def _source(event: Event) -> str:
    """What the rows come from: the variable, or what it holds them under: ``request.user``."""
    steps = [each for each in event.path[: event.entry_at] if each != "object_list"]
    return dotted(event.root, _relations(steps))


def _relations(steps: Sequence[str]) -> list[str]:
    return [step for step in steps if step not in (ITEM, "all") and not step.isdecimal()]


def _deferred_key(instance: Model, names: Sequence[str]) -> str:
    """The field on a path whose key was left out: Django joins no relation of such a one."""
    done: list[str] = []
    for name in names:
        relation = relations_of(type(instance)).get(name)
        if relation is None:
            return ""
        done.append(name)
        if relation.kind == "forward" and lacks(instance, key_columns(instance, relation)):
            return "__".join(done)
        kept = instance._state.fields_cache.get(name)
        if kept is None:
            return ""
        instance = kept
    return ""


@lru_cache(maxsize=1000)
def _needed(model: type[Model], steps: tuple[str, ...]) -> tuple[str, str]:
    from .advice import suggest  # where somebody is told: what it needs takes long to import

    needs = suggest(model, [steps])
    return needs.call(), " ".join(needs.notes)


class Reporter:
    """Knows who wants to hear of loads, and what the policy says about lazy ones."""

    def __init__(
        self,
        policy: str,
        observers: tuple[Observer, ...],
        loops: LoopStack,
        view: str = "",
        rendered: str = "",
    ) -> None:
        self.policy = policy
        self.observers = observers
        self.view = view
        self.rendered = rendered
        self.loops = loops
        self.raised: LazyAccessError | None = None
        """The last error: code of the user may have caught it."""

    @property
    def is_listening(self) -> bool:
        """Whether anybody wants to know; if not, no event is made."""
        return bool(self.observers) or self.policy in STRICT

    def announce(
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
        if not self.is_listening:
            return None
        event = self.make_event(kind, place, model, relation, at=at, further=further)
        event.related = related
        event.source = source
        if place.site is None and at is None:
            event.template, event.line, event.expression, event.file = where
        if is_strict:
            self.apply_policy(event)
        return event if self.observers else None

    def make_event(
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

    def make_call_event(self, method: Any, site: Any, root: Any) -> Event:
        """Make the event of a call of an ORM method, which is the value of an expression."""
        owner, index = method.__self__, len(site.bits) if site is not None else 1
        model = attributes(owner).get("model")
        event = self.make_event("call", StepPlace(site, root, index), model)
        if origin_of(owner, site, root, index - 1) is None:
            event.related, event.suggestion = False, ""
        return event

    def make_rows_event(self, queryset: QuerySet[Any], site: Any, root: Any) -> Event:
        """Make the event of a queryset that the view handed over without its rows."""
        place = StepPlace(site, root, len(site.bits) if site is not None else 1)
        event = self.make_event("rows", place, queryset.model)
        event.related, event.suggestion = False, ""
        try:
            event.loads = loaded_by(queryset)
        except Exception:
            logger.exception("What a queryset loads cannot be told: %s", event.expression)
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
            rendered=self.rendered,
            file=site.file if site is not None else "",
        )

    def _describe(
        self, event: Event, place: StepPlace, relation: Relation | None, further: tuple[str, ...]
    ) -> None:
        bits = place.site.bits if place.site is not None else ("",)
        root, before = self.loops.path_to(place.root, bits[0])
        steps = (*before, *bits[1 : place.done], place.bit, *further)
        event.root, event.path = root, tuple(step for step in steps if step)
        base = instance_of(self.loops.outermost_instance(place.root))
        if base is not None:
            event.entry = type(base)._meta.label
            event.entry_at = len(
                self.loops.path_to(self.loops.outermost_instance(place.root), root)[1]
            )
        event.suggestion = suggestion(event, relation, base)

    def apply_policy(self, event: Event) -> None:
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

    def completion(self, event: Event | None, rows: int = 0, batch: bool = False) -> Notify:
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
        report_event(event, self.observers)
