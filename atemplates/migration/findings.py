"""What the analysis finds: relations that a template reads and its view does not load."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from ..problems import Problem
from ..relations.paths import ITEM, dotted
from .matching import Need, call_for, covers
from .origins import LoadingPlace, UserSource

CONFIRMED, POSSIBLE, HIDDEN = "confirmed", "possible", "hidden"
STATUSES = (CONFIRMED, HIDDEN, POSSIBLE)
MEANING = {
    CONFIRMED: "was loaded while it was recorded",
    HIDDEN: "was loaded by a property or method",
    POSSIBLE: "the template reads it; no record of it yet",
}


@dataclass(frozen=True, slots=True)
class TemplatePlace:
    """An expression in a template."""

    template: str
    line: int | None
    expression: str
    file: str = field(default="", compare=False)
    """The template's file."""

    def __str__(self) -> str:
        return self.template if self.line is None else f"{self.template}:{self.line}"


@dataclass(slots=True)
class Finding:
    """One relation (or field, or call) that is reached from a variable and not loaded."""

    view: str
    template: str
    """The template that the view renders."""
    root: str
    """The variable of the view's context."""
    path: tuple[str, ...]
    """From the variable to what is read."""
    model: str
    """The label of the variable's model, or of its rows'."""
    status: str
    kind: str
    need: Need | None = None
    """What loads it, when a call on the queryset does."""
    advice: str = ""
    """What to do when no call does it, or what to know beside the call."""
    also: str = ""
    """What else has to be changed in the queryset for the call to work."""
    places: list[TemplatePlace] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    """For what is hidden in Python: ``file:line`` of the code that reached."""
    times: int = 0
    rows: int = 0
    milliseconds: float = 0.0
    owner: tuple[str, ...] = ()
    """The steps from the variable to what is loaded by itself: ``("user",)`` of ``request``."""
    uses: set[str] = field(default_factory=set)
    """What is done with a relation to many: ``"rows"`` are read, or there is a ``"count"``."""
    per_row: bool = False
    """Whether it is reached once for each row of a loop."""
    unhelped: str = ""
    """The manager's method that no prefetch helps: ``"latest"``."""
    lookup: str = ""
    """The relation whose manager that is."""

    @property
    def variable(self) -> str:
        """What is loaded by itself: ``books``, ``request.user``."""
        return dotted(self.root, self.owner)

    @property
    def is_of_rows(self) -> bool:
        """Whether it hangs on rows, which a queryset gives; not so for a single object."""
        return self.path[len(self.owner) :][:1] in ((ITEM,), ("object_list",))

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes it the same finding in another run: no line, which moves."""
        return (self.view, self.template, self.root, self.what)

    @property
    def what(self) -> str:
        """The path in one text: ``books[].author.publisher``."""
        return dotted(self.root, self.path)

    @property
    def call(self) -> str:
        """The call that loads this one."""
        return call_for([self.need]) if self.need is not None else ""

    def as_data(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {
            "view": self.view,
            "template": self.template,
            "variable": self.root,
            "path": list(self.path),
            "what": self.what,
            "model": self.model,
            "status": self.status,
            "kind": self.kind,
            "call": self.call,
            "advice": self.advice,
            "also": self.also,
            "places": [
                {"template": each.template, "line": each.line, "expression": each.expression}
                for each in self.places
            ],
            "sources": self.sources,
            "times": self.times,
            "rows": self.rows,
            "milliseconds": round(self.milliseconds, 3),
        }


@dataclass(slots=True)
class Lost:
    """An access whose path cannot be followed, and why."""

    template: str
    place: TemplatePlace
    reason: str
    is_known: bool = True
    """Whether something is known of what is lost: that it may be rows, or that a view gives it."""


@dataclass
class Report:
    """What one run of the analysis says."""

    findings: list[Finding] = field(default_factory=list)
    _lost: dict[tuple[str, TemplatePlace, str], Lost] = field(default_factory=dict, init=False)
    problems: list[Problem] = field(default_factory=list)
    origins: dict[tuple[str, str, str], tuple[LoadingPlace, ...]] = field(default_factory=dict)
    """View, template and variable -> where the view makes its queryset, or loads the object."""
    user: UserSource | None = None
    """Where the users of requests are loaded."""
    templates: int = 0
    views: int = 0
    records: int = 0

    def lose(self, lost: Lost) -> None:
        """Note what cannot be followed, once for each page and place."""
        key = (lost.template, lost.place, lost.reason)
        before = self._lost.get(key)
        if before is None:
            self._lost[key] = lost
        else:
            before.is_known = before.is_known or lost.is_known

    @property
    def lost(self) -> list[Lost]:
        """What cannot be followed."""
        return list(self._lost.values())

    def add(self, other: Report, files: dict[str, str]) -> None:
        """Take over what was found for another engine.

        Args:
            files: of that engine's templates, by name.
        """
        for finding in other.findings:
            finding.places = [
                replace(place, file=files.get(place.template, "")) for place in finding.places
            ]
        self.findings += other.findings
        for each in other.lost:
            self.lose(each)
        self.origins |= other.origins
        self.templates += other.templates
        self.views += other.views
        self.records = max(self.records, other.records)

    def groups(self) -> dict[tuple[str, str, str], list[Finding]]:
        """The findings by view, template and what is loaded by itself."""
        found: dict[tuple[str, str, str], list[Finding]] = {}
        for finding in sorted(self.findings, key=lambda each: each.key):
            found.setdefault((finding.view, finding.template, finding.variable), []).append(finding)
        return found


def call_of(findings: Iterable[Finding], but: Iterable[str] = ()) -> str:
    """The calls that load all of some findings of one variable.

    Args:
        but: the lookups that are loaded already.
    """
    loaded = tuple(but)
    needs = [each.need for each in findings if each.need is not None]
    return call_for(need for need in needs if not covers(loaded, need.lookup))
