"""The sentence that says what was not loaded, and the call that would have loaded it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from django.db.models import Model

from .events import Event
from .models import Relation, key_columns, lacks, relations_of
from .paths import ITEM
from .suggest import suggest


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
            text = f"Add {call} to the queryset of {event.root!r}."
            key = _deferred_key(entry, _relations(steps))
            if key:
                text += f" Name {key!r} in its only() as well, or take it out of defer()."
            return text
        if notes:
            return notes
    return "Load it in the view, or compute the value there."


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
    needs = suggest(model, [steps])
    return needs.call(), " ".join(needs.notes)
