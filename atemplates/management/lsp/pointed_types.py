"""Of which type that is what an editor points at: in each view whose page it is part of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...inference.faults import Fault
from ...inference.loop_variables import forloop_type, loop_type
from ...inference.steps import called_by_django, item_of, step
from ...inference.types import ANYTHING, ItemsType, ObjectType, ValueType
from ...relations.labels import model_named
from ...relations.paths import ITEM, AccessPath, dotted, own_bits
from .edited_site import EditedEngine, EditedSite


@dataclass(frozen=True, slots=True)
class PointedType:
    """What is known of a value in the page of one view."""

    view: str
    """Empty where the template itself says what it gets."""
    path: str
    """From the view's variable: ``books[].author``."""
    type: ValueType


def types_of(
    site: EditedSite,
    engine: EditedEngine,
    name: str,
    file: str,
    bits: Sequence[str],
    lines: tuple[int, int],
) -> list[PointedType]:
    """Return what is known of a name with lookups.

    Args:
        name: the template in which it stands.
        file: its real path.
        bits: the name and the lookups.
        lines: the first and the last line of the tag.

    Returns:
        For each view something else; none where nothing is known.
    """
    found: dict[tuple[str, str], PointedType] = {}
    if bits[0] in ("forloop", "loop"):
        own = forloop_type() if engine.is_django else loop_type()
        return [PointedType("", ".".join(bits), followed(own, bits[1:]))]
    for page in engine.pages_with(file):
        read = engine.readable.get(page)
        if read is None:
            continue
        place = place_of_name(read.paths[page], name, bits[0], lines)
        if place is None:
            place = (bits[0], ())
        root, path = place
        whole = (*path, *bits[1:])
        for view, start in roots(site, engine, page, root, whole):
            value = followed(start, whole, called=engine.is_django)
            if value is not ANYTHING:
                found.setdefault(
                    (view, dotted(root, whole)), PointedType(view, dotted(root, whole), value)
                )
    return list(found.values())


def place_of_name(
    paths: Sequence[AccessPath], template: str, name: str, lines: tuple[int, int]
) -> tuple[str, tuple[str, ...]] | None:
    """Return where a name of a template leads: the view's variable, and the path from it.

    Of several expressions that begin with the name, the one counts that is nearest to the lines.
    """
    best: tuple[int, str, tuple[str, ...]] | None = None
    for path in paths:
        if path.template != template or path.line is None or not path.root:
            continue
        first, bits = own_bits(path.expression)
        steps = path.path
        if first != name or (bits and steps[-len(bits) :] != bits):
            continue
        away = max(lines[0] - path.line, path.line - lines[1], 0)
        if best is None or away < best[0]:
            best = (away, path.root, steps[: len(steps) - len(bits)])
    return None if best is None else best[1:]


def roots(
    site: EditedSite, engine: EditedEngine, page: str, root: str, path: Sequence[str]
) -> Iterator[tuple[str, ValueType]]:
    """What views give to a page under a name, and what the page itself says of it."""
    is_given = False
    for rendering in site.renderings_of(engine):
        if rendering.template == page and root in rendering.variables:
            is_given = True
            yield rendering.view, rendering.variables[root]
    if not is_given and root in engine.given:
        yield "a context processor", engine.given[root]
    read = engine.readable[page]
    label = read.annotations.get(page, {}).get(root)
    model = model_named(label) if label else None
    if model is not None:
        row = ObjectType(model)
        yield "", ItemsType(row) if ITEM in path[:1] else row


def followed(value: ValueType, path: Sequence[str], *, called: bool = True) -> ValueType:
    """Return what is known of the end of a path; `ANYTHING` where it fails or is not known."""
    current = called_by_django(value) if called else value
    for bit in path:
        if isinstance(current, Fault) or current is ANYTHING:
            return ANYTHING
        current = item_of(current) if bit == ITEM else step(current, bit)
    return ANYTHING if isinstance(current, Fault) else current


def given_names(site: EditedSite, engine: EditedEngine, file: str) -> dict[str, ValueType]:
    """The names that views and context processors give to the pages that a file is part of."""
    found = dict(engine.given)
    pages = engine.pages_with(file)
    for rendering in site.renderings_of(engine):
        if rendering.template in pages:
            found.update(rendering.variables)
    for page in pages:
        read = engine.readable.get(page)
        for name, label in (read.annotations.get(page, {}) if read else {}).items():
            model = model_named(label)
            found.setdefault(name, ObjectType(model) if model is not None else ANYTHING)
    return found
