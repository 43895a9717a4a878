"""What a render loads or asks of the database, told to whoever observes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import logger
from .paths import dotted
from .policy import Observer


@dataclass(slots=True)
class Event:
    """One load or query caused by a template.

    ``kind`` is ``"relation"`` (one object behind a key), ``"rows"`` (a queryset or a to-many
    relation), ``"deferred"`` (a field that was left out), ``"count"`` or ``"exists"`` (of a
    relation; grouped for a whole loop), ``"call"`` (anything else that queries: an ORM method, an
    item of a queryset, a filter, a tag), ``"python"`` (a property, method or ``__str__`` of a
    model, whose own place is in ``source``), or ``"load"`` (what a view or a template began to load
    in parallel: `atemplates.parallel`).
    """

    template: str
    line: int | None
    expression: str
    root: str
    """The context variable the access hangs on."""
    path: tuple[str, ...]
    """The steps from the root; ``"[]"`` stands for an item of a list."""
    kind: str
    model: str = ""
    rows: int = 0
    """How many objects the load was for, or how many rows a queryset gave."""
    milliseconds: float = 0.0
    batch: bool = False
    source: str = ""
    """For code that is not the template's: ``file:line`` of what asked the database."""
    suggestion: str = ""
    """The call that would have loaded it in the view."""
    related: bool = True
    """Whether it hangs on a relation of an instance: not so for a queryset out of the context."""
    entry: str = ""
    """The label of the model that the path enters the models by: that of the object or row that
    the context holds; empty when that is no model."""
    entry_at: int = 0
    """How many steps of the path lead there: the rest goes from ``entry``."""
    loads: tuple[str, ...] | None = None
    """For a queryset of the context: the lookups that it loads already."""
    view: str = ""
    """The name of the view whose request is rendered, when the context knows the request."""
    rendered: str = ""
    """The template that the view renders, where that is known: it is ``template``, or extends or
    includes it."""
    file: str = ""
    """The template's file, when it has one and it is known: several apps may have a template of one
    name."""
    reason: str = ""
    """Of a ``"load"``: why it was made in the request's thread, when it was needed. Empty when it
    was made on a connection of its own."""

    @property
    def is_lazy(self) -> bool:
        """Whether the view could have loaded this: not a queryset that it passed unevaluated.

        A queryset that comes from a row of a loop (``[]``) is sent once a row: that is lazy too.
        """
        if self.kind == "load":
            return False
        if self.kind not in ("rows", "call"):
            return True
        return self.related or "[]" in self.path[:-1]

    def __str__(self) -> str:
        if self.kind == "load":
            where = f"in the request's thread: {self.reason}" if self.reason else "in parallel"
            what = f"{self.model}, " if self.model else ""
            return (
                f"{self.expression} - load ({what}{self.rows} rows, {self.milliseconds:.1f} ms, "
                f"{where})"
            )
        place = self.template or "<string>"
        if self.line is not None:
            place += f":{self.line}"
        batch = " in batch" if self.batch else ""
        return (
            f"{place}: {self.expression} - {self.kind} {dotted(self.root, self.path)} "
            f"({self.model}, {self.rows} rows{batch}, {self.milliseconds:.1f} ms)"
        )


def report_event(event: Event, told: Iterable[Observer]) -> None:
    """Give an event to observers; an exception of one is logged, and the others are told."""
    for observer in told:
        try:
            observer(event)
        except Exception:
            logger.exception("An observer of a render failed: %s.", _name_of(observer))


def _name_of(observer: Observer) -> str:
    try:
        return repr(observer)
    except Exception:
        return f"an object of {type(observer)}"
