"""Which template a record belongs to: the one that was rendered, or that reads it there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from ..relations.paths import AccessPath
from .recordings import AccessRecord

if TYPE_CHECKING:
    from .entries import RenderedTemplate

Entries: TypeAlias = "Mapping[tuple[str, str], RenderedTemplate]"
"""View and template -> the template as the view renders it."""
RecordedPlace: TypeAlias = tuple[str, int | None]
"""The template that holds an expression, and the line."""


class PathPlaces:
    """What templates read, by the place; each template is sorted once, when it is asked about."""

    def __init__(self, paths: Mapping[str, Iterable[AccessPath]]) -> None:
        self._paths = paths
        self._found: dict[str, dict[RecordedPlace, list[AccessPath]]] = {}
        self._roots: dict[str, set[tuple[str, str]]] = {}

    def at(self, template: str, record: AccessRecord) -> list[AccessPath]:
        """What a template that is rendered reads where a record was made."""
        return self._sorted(template).get((record.template, record.line), [])

    def reads(self, template: str, record: AccessRecord) -> bool:
        """Whether a template, when it is rendered, reads the record's variable at its place."""
        return any(path.root == record.root for path in self.at(template, record))

    def reads_somewhere(self, template: str, record: AccessRecord) -> bool:
        """Whether it reads the variable in the record's template, whatever the line."""
        self._sorted(template)
        return (record.template, record.root) in self._roots[template]

    def _sorted(self, template: str) -> dict[RecordedPlace, list[AccessPath]]:
        known = self._found.get(template)
        if known is None:
            known = defaultdict(list)
            self._roots[template] = set()
            for path in self._paths.get(template, ()):
                known[path.template, path.line].append(path)
                self._roots[template].add((path.template, path.root))
            self._found[template] = known
        return known


class Credits:
    """Says which templates records belong to.

    Args:
        entries: what views render.
        paths: what each template reads.
    """

    def __init__(self, entries: Entries, paths: Mapping[str, Iterable[AccessPath]]) -> None:
        self.places = PathPlaces(paths)
        self._entries = entries
        self._of_view: dict[str, list[RenderedTemplate]] = defaultdict(list)
        for entry in entries.values():
            self._of_view[entry.view].append(entry)

    def entries_for(self, record: AccessRecord) -> list[RenderedTemplate]:
        """Return the templates of the record's view that it can belong to.

        A record of this release names the template that was rendered. An older one belongs to those
        that read its variable at its place: of these to what was rendered while it was recorded.
        """
        entry = self._entries.get((record.view, record.rendered or record.template))
        if record.kind == "render":
            return [entry] if entry is not None else []
        if record.rendered and entry is not None:
            return [entry]
        of_view = self._of_view[record.view]
        for fits in (self.places.reads, self.places.reads_somewhere):
            found = [each for each in of_view if fits(each.template, record)]
            if found:
                return [each for each in found if each.seen] or found
        # A name that the template makes itself, such as a group of {% regroup %}.
        found = [
            each
            for each in of_view
            if each.template == record.template or self.places.at(each.template, record)
        ]
        return [each for each in found if each.seen] or found
