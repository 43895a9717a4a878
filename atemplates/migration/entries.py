"""The templates that views render, and what is known of their variables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from django.db.models import Model

from ..inference.data import Data
from ..inference.types import ValueType, one_of
from ..inference.views import ViewRendering
from ..relations.labels import model_named
from ..relations.paths import ITEM, AccessPath
from ..relations.querysets import Mask
from .crediting import Credits
from .following import reached
from .matching import Need, match_path
from .origins import LoadingPlace
from .recordings import AccessRecord

Paths: TypeAlias = dict[str, list[AccessPath]]
"""Template -> what it reads, with the templates it includes and extends."""

PREFIXES = {"rows": ((ITEM,),), "row": ((),), "page": ((ITEM,), ("object_list", ITEM))}


@dataclass(slots=True)
class KnownVariable:
    """What a variable of a template is, or what can be reached from one: ``request.user``."""

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
    owner: tuple[str, ...] = ()
    """The steps from the variable to the object, or to the rows, that is loaded by itself."""
    origins: tuple[LoadingPlace, ...] = ()
    """Where that is done, as far as the views show it."""

    def merge(self, other: KnownVariable) -> None:
        """Take over what another place of the view gives: loaded is what both of them load."""
        self.loads &= other.loads
        self.certain = self.certain and other.certain
        self.prefixes = tuple(dict.fromkeys((*self.prefixes, *other.prefixes)))
        self.lists = {**other.lists, **self.lists}
        self.mask = self.mask or other.mask
        expressions = {id(each.data.expression) for each in self.origins if each.data.expression}
        self.origins += tuple(
            each for each in other.origins if id(each.data.expression) not in expressions
        )


@dataclass(slots=True)
class RenderedTemplate:
    """A template as one view renders it."""

    view: str
    template: str
    variables: dict[str, KnownVariable] = field(default_factory=dict)
    seen: bool = False
    """Whether it was rendered while it was recorded."""
    types: dict[str, ValueType] = field(default_factory=dict)
    """What the view gives under each name, as far as it is known."""
    is_complete: bool = False
    """Whether the view can give no other names."""
    is_rendered: bool = False
    """Whether the source of a view was read that renders it."""
    inner: dict[tuple[str, tuple[str, ...]], KnownVariable] = field(default_factory=dict)
    """What hangs on a variable and is no row of its own: by the name and the steps to it."""

    def known_on(self, root: str, steps: tuple[str, ...]) -> KnownVariable | None:
        """Return the objects that a path from a variable comes to first, where they are known."""
        found = [
            known
            for known in (self.variables.get(root), *self._inner_on(root, steps))
            if known is not None and prefix_of(known, steps) is not None
        ]
        return max(found, key=lambda known: len(prefix_of(known, steps) or ()), default=None)

    def _inner_on(self, root: str, steps: tuple[str, ...]) -> Iterator[KnownVariable | None]:
        for end in range(1, len(steps) + 1) if self.inner else ():
            yield self.inner.get((root, steps[:end]))

    def note(self, root: str, known: KnownVariable) -> None:
        """Note what is known of a variable, beside what is known already."""
        if known.owner:
            found = self.inner.setdefault((root, known.owner), known)
        else:
            found = self.variables.setdefault(root, known)
        if found is not known and found.model == known.model:
            found.merge(known)


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
        if record.kind == "render" or record.rendered in paths:
            entry_of(record.view, record.rendered or record.template).seen = True
    for rendering in renderings:
        # Of the names that a generic view tries, the first that is there is rendered.
        if rendering.template in paths and paths.keys().isdisjoint(rendering.after):
            entry = entry_of(rendering.view, rendering.template)
            _take_rendering(entry, rendering, paths[rendering.template])
    for template, variables in annotations.items():
        known = [entry for entry in entries.values() if entry.template == template]
        for entry in known or [entry_of("", template)]:
            for name, label in variables.items():
                entry.variables.setdefault(name, KnownVariable(label, ((ITEM,), ())))
    credits = Credits(entries, paths)
    for record in records:
        for entry in credits.entries_for(record):
            _learn(entry, record)
    return entries


def _take_rendering(
    entry: RenderedTemplate, rendering: ViewRendering, paths: Iterable[AccessPath]
) -> None:
    entry.is_complete = rendering.is_complete and (entry.is_complete or not entry.is_rendered)
    entry.is_rendered = True
    for name, value in rendering.variables.items():
        before = entry.types.get(name)
        entry.types[name] = value if before is None else one_of([before, value])
    loaded = rendering.loaded
    for name, data in loaded.items():
        entry.note(name, known_from(data, rendering))
    _look_deeper(entry, rendering, frozenset(loaded), paths)


def known_from(data: Data, rendering: ViewRendering, owner: tuple[str, ...] = ()) -> KnownVariable:
    """Return what a queryset that a view gives says."""
    return KnownVariable(
        data.model._meta.label,
        tuple((*owner, *each) for each in PREFIXES[data.shape]),
        frozenset(data.loads),
        data.certain,
        data.lists,
        data.mask,
        owner,
        (LoadingPlace(data, rendering.file, rendering.line),),
    )


def _look_deeper(
    entry: RenderedTemplate,
    rendering: ViewRendering,
    loaded: frozenset[str],
    paths: Iterable[AccessPath],
) -> None:
    """Find the objects behind variables that are no rows themselves: ``request.user``."""
    done: set[tuple[str, tuple[str, ...]]] = set()
    for path in paths:
        value, steps = rendering.variables.get(path.root), normal(path.path)
        if value is None or path.root in loaded or (path.root, steps) in done:
            continue
        done.add((path.root, steps))
        found = reached(value, steps)
        if found is None or (path.root, found.owner) in done:
            continue
        done.add((path.root, found.owner))
        if found.data is not None:
            known = known_from(found.data, rendering, found.owner)
        else:
            prefixes = tuple((*found.owner, *each) for each in PREFIXES[found.shape])
            known = KnownVariable(found.model._meta.label, prefixes, owner=found.owner)
        entry.note(path.root, known)


def _learn(entry: RenderedTemplate, record: AccessRecord) -> None:
    """Take the type of a variable from a record, and what its queryset loads."""
    if record.kind == "rows" and not record.related and not record.path and record.model:
        known = entry.variables.setdefault(record.root, KnownVariable(record.model, ((ITEM,),)))
        if record.loads is not None and not known.certain:
            known.loads, known.certain = frozenset(record.loads), True
    elif record.entry:
        prefix = normal(record.path[: record.entry_at])
        found = entry.known_on(record.root, prefix)
        if found is None or found.model != record.entry:
            made = KnownVariable(record.entry, (prefix,), owner=loaded_owner(prefix))
            entry.note(record.root, made)
        elif prefix not in found.prefixes:
            found.prefixes = (*found.prefixes, prefix)


def loaded_owner(prefix: tuple[str, ...]) -> tuple[str, ...]:
    """The steps to what is loaded by itself: without those that lead to one of its rows."""
    end = len(prefix)
    while end and prefix[end - 1] in (ITEM, "object_list"):
        end -= 1
    return prefix[:end]


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
