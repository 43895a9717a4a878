"""Names and attributes that templates read and that are not there.

Each read of a template (`atemplates.analysis.reads`) is followed once for every view that renders
it, through includes and inheritance, with the types of what the view gives. What all these ways say
of one place together is a problem, or none (`.verdicts`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest

from ..analysis.reads import Read
from ..inference.faults import Fault, did_you_mean, nearest
from ..inference.types import ValueType
from ..problems import Problem
from .attributes_set import ANY_ON_REQUESTS
from .contexts import KnownContext
from .positions import TextPlace
from .verdicts import THE_NAME, UNKNOWN_NAME, Verdict, Verdicts

Locate = Callable[[Read, int], list[TextPlace]]
"""Returns where a step of a read stands in its template."""
ATTRIBUTE = "unknown-attribute"
SetByCode = Callable[[Iterable[str]], set[str]]
"""Returns which of some attributes Python sets on objects from outside."""


@dataclass(slots=True)
class KnownTemplates:
    """What is known of the templates of one engine."""

    reads: Mapping[str, Iterable[Read]]
    """Template -> what a render of it reads, also in those that it includes and extends."""
    contexts: Mapping[str, list[KnownContext]] = field(default_factory=dict)
    """Template -> the contexts that views render it with."""
    annotations: Mapping[str, Mapping[str, ValueType]] = field(default_factory=dict)
    """Template -> the types that its comments give its variables."""
    locate: Locate = lambda read, index: []
    path: Callable[[Read], str] = lambda read: read.file
    """Returns the file of a read's template."""
    set_by_code: SetByCode = lambda names: set()


def name_problems(names: KnownTemplates) -> Iterator[Problem]:
    """Return the names and attributes that are not there, and what cannot be called."""
    verdicts = Verdicts()
    tested: dict[str, set[str]] = {}
    reached = _reached(names)
    known: dict[str, dict[str, None]] = defaultdict(dict)
    for template, reads in names.reads.items():
        contexts = names.contexts.get(template, [])
        is_rendered = bool(contexts)
        own = names.annotations.get(template, {})
        if not contexts:
            contexts = [KnownContext(own)]
        optional = {each.name for each in reads if each.is_free and each.tolerance}
        for read in reads:
            if is_rendered:
                _note_names(known[read.file], contexts)
            tested.setdefault(read.file, set()).update(optional)
            if not is_rendered and template in reached and _is_of_context(read, own):
                # It is a part of others, which say what it is given.
                continue
            annotated = names.annotations.get(read.template, {}) if read.is_free else {}
            for context in contexts:
                verdicts.look(read, context, annotated.get(read.name))
    wrong = [each for each in verdicts if each.decision() is not None]
    attributes = {fault.name for each in wrong for fault in each.faults if fault.code == ATTRIBUTE}
    set_there = names.set_by_code(attributes) if attributes else set()
    for verdict in wrong:
        if not _is_set_by_code(verdict.faults[0], set_there):
            yield from _problems(names, verdict, tested, known)


def _is_set_by_code(fault: Fault, set_there: set[str]) -> bool:
    if fault.code != ATTRIBUTE:
        return False
    is_of_request = fault.owner is not None and issubclass(fault.owner, HttpRequest)
    return fault.name in set_there or (is_of_request and ANY_ON_REQUESTS in set_there)


def _note_names(known: dict[str, None], contexts: Iterable[KnownContext]) -> None:
    for context in contexts:
        known.update(dict.fromkeys(context.variables))
        known.update(dict.fromkeys(context.others or ()))


def _reached(names: KnownTemplates) -> set[str]:
    """The templates that others include or extend."""
    return {
        read.template
        for template, reads in names.reads.items()
        for read in reads
        if read.template != template
    }


def _is_of_context(read: Read, annotated: Mapping[str, ValueType]) -> bool:
    """Whether what a read finds depends on the context alone."""
    roots = {place.root for place in read.value.places()}
    return bool(roots) and not roots <= set(annotated)


def _problems(
    names: KnownTemplates, verdict: Verdict, tested: dict[str, set[str]], known: Mapping[str, Any]
) -> Iterator[Problem]:
    is_possible = verdict.decision()
    if is_possible is None:
        return
    read = verdict.read
    fault = verdict.faults[0]
    if fault.code == UNKNOWN_NAME:
        given = known.get(read.file, {})
        optional = read.name in tested.get(read.file, ())
        if optional:
            # Who asks whether it is there knows that it may not be; it may be misspelt.
            if not nearest(read.name, given):
                return
            is_possible = True
        fault = Fault(
            UNKNOWN_NAME,
            f"no view gives {read.name!r} to this template, nor does a context processor or a "
            "tag around it",
            did_you_mean(read.name, given),
        )
    places: list[TextPlace | None] = [*names.locate(read, verdict.index)] or [None]
    for place in places:
        line = read.steps[verdict.index].line if verdict.index != THE_NAME else None
        yield Problem(
            fault.message,
            read.template,
            place.line if place else line or read.line,
            path=names.path(read),
            code=fault.code,
            column=place.column if place else None,
            width=place.width if place else 1,
            hint=fault.hint,
            is_possible=is_possible,
        )
