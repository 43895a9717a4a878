"""What may be written where an editor stands: names of the context, and what a value has."""

from __future__ import annotations

from ...inference.describing import describe_type, members
from ...inference.types import ValueType
from .edited_site import EditedSite
from .pointed_types import given_names, types_of
from .pointing import pointed_at


def completions_at(site: EditedSite, file: str, line: int, column: int) -> list[dict[str, str]]:
    """Return the names that may stand at a place of a file, and their types."""
    source = site.source_of(file)
    pointed = pointed_at(source, line, column)
    found: dict[str, ValueType] = {}
    for engine, name in site.found(file):
        if pointed is None or (pointed.kind == "chain" and len(pointed.bits) == 1):
            if pointed is not None or _is_in_tag(source, line, column):
                found |= given_names(site, engine, file)
        elif pointed.kind == "chain":
            lines = (pointed.first_line, pointed.last_line)
            for each in types_of(site, engine, name, file, pointed.bits[:-1], lines):
                found |= members(each.type)
    return [{"name": name, "detail": describe_type(value)} for name, value in found.items()]


def _is_in_tag(source: str, line: int, column: int) -> bool:
    """Whether a place where no word stands is inside a tag of the template."""
    before = "\n".join(source.splitlines()[:line])
    last = source.splitlines()[line - 1 : line]
    text = before[: len(before) - len(last[0]) + column - 1] if last else before
    opened = max(text.rfind("{{"), text.rfind("{%"))
    return opened > max(text.rfind("}}"), text.rfind("%}"))
