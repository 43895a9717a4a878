"""The templates that views render, and what is known of their variables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from django.db.models import Model

from ..inference.views import ViewRendering
from ..relations.labels import model_named
from ..relations.paths import ITEM, AccessPath
from ..relations.querysets import Mask
from .matching import Need, match_path
from .recordings import AccessRecord

Paths: TypeAlias = dict[str, list[AccessPath]]
"""Template -> what it reads, with the templates it includes and extends."""

PREFIXES = {"rows": ((ITEM,),), "row": ((),), "page": ((ITEM,), ("object_list", ITEM))}


@dataclass(slots=True)
class KnownVariable:
    """What a variable of a template is."""

    model: str
    prefixes: tuple[tuple[str, ...], ...]
    """The steps from the variable to an instance."""
    loads: frozenset[str] = frozenset()
    certain: bool = False
    """Whether all that it loads is known."""
    lists: dict[str, type[Model]] = field(default_factory=dict)
    """The lists that ``Prefetch(to_attr=...)`` makes, and the models in them."""
    mask: Mask = field(default_factory=dict)
    """The columns that ``only()`` and ``defer()`` leave."""


@dataclass(slots=True)
class RenderedTemplate:
    """A template as one view renders it."""

    view: str
    template: str
    variables: dict[str, KnownVariable] = field(default_factory=dict)
    seen: bool = False
    """Whether it was rendered while it was recorded."""


def entries_of(
    paths: Paths,
    renderings: Iterable[ViewRendering],
    records: Sequence[AccessRecord],
    annotations: dict[str, dict[str, str]],
) -> dict[tuple[str, str], RenderedTemplate]:
    """Collect the templates that views render, and what is known of their variables."""
    entries: dict[tuple[str, str], RenderedTemplate] = {}

    def entry_of(view: str, template: str) -> RenderedTemplate:
        return entries.setdefault((view, template), RenderedTemplate(view, template))

    for record in records:
        if record.kind == "render":
            entry_of(record.view, record.template).seen = True
    for rendering in renderings:
        # Of the names that a generic view tries, the first that is there is rendered.
        if rendering.template in paths and paths.keys().isdisjoint(rendering.after):
            entry = entry_of(rendering.view, rendering.template)
            for name, data in rendering.loaded.items():
                entry.variables[name] = KnownVariable(
                    data.model._meta.label,
                    PREFIXES[data.shape],
                    frozenset(data.loads),
                    data.certain,
                    data.lists,
                    data.mask,
                )
    for template, variables in annotations.items():
        known = [entry for entry in entries.values() if entry.template == template]
        for entry in known or [entry_of("", template)]:
            for name, label in variables.items():
                entry.variables.setdefault(name, KnownVariable(label, ((ITEM,), ())))
    for record in records:
        for entry in entries_for(record, entries, paths):
            _learn(entry, record)
    return entries


def entries_for(
    record: AccessRecord, entries: dict[tuple[str, str], RenderedTemplate], paths: Paths
) -> list[RenderedTemplate]:
    """The entries that a record can belong to: of its view, whose templates hold its place."""
    of_view = [entry for entry in entries.values() if entry.view == record.view]
    found = [
        entry
        for entry in of_view
        if entry.template == record.template
        or any(
            path.template == record.template and path.root == record.root
            for path in paths.get(entry.template, ())
        )
    ]
    return found or ([] if record.kind == "render" else of_view[:1])


def _learn(entry: RenderedTemplate, record: AccessRecord) -> None:
    """Take the type of a variable from a record, and what its queryset loads."""
    if record.kind == "rows" and not record.related and not record.path and record.model:
        known = entry.variables.setdefault(record.root, KnownVariable(record.model, ((ITEM,),)))
        if record.loads is not None and not known.certain:
            known.loads, known.certain = frozenset(record.loads), True
    elif record.entry:
        prefix = normal(record.path[: record.entry_at])
        known = entry.variables.setdefault(record.root, KnownVariable(record.entry, (prefix,)))
        if prefix not in known.prefixes:
            known.prefixes = (*known.prefixes, prefix)


def normal(path: Iterable[str]) -> tuple[str, ...]:
    """A path in which every item of a list is the same step."""
    return tuple(ITEM if step.lstrip("-").isdecimal() else step for step in path)


def needs_of(known: KnownVariable, path: AccessPath) -> list[tuple[Need, tuple[str, ...], str]]:
    """Return the relations that a path crosses from a known variable.

    Returns:
        For each: what it needs, the path from the variable to it, and the manager's method that
        no prefetch helps, or an empty text.
    """
    steps = normal(path.path)
    prefix = prefix_of(known, steps)
    model = model_named(known.model)
    if prefix is None or model is None:
        return []
    match = match_path(model, steps[len(prefix) :], known.lists)
    last = match.needs[-1] if match.needs else None
    return [
        (need, steps[: len(prefix) + need.at], match.unhelped if need is last else "")
        for need in match.needs
    ]


def prefix_of(known: KnownVariable, steps: tuple[str, ...]) -> tuple[str, ...] | None:
    fitting = [each for each in known.prefixes if steps[: len(each)] == each]
    return max(fitting, key=len) if fitting else None
