"""What is known of what an editor points at, in words: a type, a filter, a tag, and the costs."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import NoneType
from typing import Any

from ...analysis.site.templates import SiteTemplates
from ...inference.describing import describe_type
from ...inference.types import ClassType, ItemsType, ObjectType, OneOf, RowsType, ValueType
from ..cost_report import details_of, queries_text
from ..line_costs import LineCost, line_costs
from .edited_site import EditedEngine, EditedSite
from .pointed_types import types_of
from .pointing import Pointed, pointed_at


def hover_at(site: EditedSite, file: str, line: int, column: int) -> dict[str, Any] | None:
    """Return what is known of a place of a file, in Markdown, and where that stands.

    Args:
        line: from 1.
        column: in characters, from 1.
    """
    found = site.found(file)
    source = site.source_of(file)
    pointed = pointed_at(source, line, column)
    if pointed is None or not found:
        return None
    parts: list[str] = []
    for engine, name in found:
        parts += _parts(site, engine, name, file, pointed)
    text = "\n\n".join(dict.fromkeys(parts))
    if not text:
        return None
    return {
        "text": text,
        "line": pointed.line,
        "column": pointed.column,
        "width": pointed.width,
    }


def _parts(
    site: EditedSite, engine: EditedEngine, name: str, file: str, pointed: Pointed
) -> Iterator[str]:
    if pointed.kind == "chain":
        yield from _type_text(site, engine, name, file, pointed)
    elif pointed.kind in ("filter", "tag"):
        yield from function_text(engine, pointed.kind, pointed.text)
    lines = costs_of(site, engine, name, file)
    for number in range(pointed.first_line, pointed.last_line + 1):
        cost = lines.get(number)
        if cost is not None and cost.costs:
            yield cost_text(cost)


def _type_text(
    site: EditedSite, engine: EditedEngine, name: str, file: str, pointed: Pointed
) -> Iterator[str]:
    lines = (pointed.first_line, pointed.last_line)
    found = types_of(site, engine, name, file, pointed.bits, lines)
    expression = ".".join(pointed.bits)
    by_text: dict[tuple[str, str], list[str]] = {}
    for each in found:
        key = (describe_type(each.type), each.path)
        by_text.setdefault(key, []).append(each.view or "the template's annotation")
    for (described, path), views in by_text.items():
        text = f"```python\n{expression}: {described}\n```"
        if path != expression:
            text += f"\n`{path}`"
        yield f"{text}\nfrom {', '.join(dict.fromkeys(views))}"
    for each in found:
        place = place_of_class(shown_class(each.type))
        if place is not None:
            yield f"{place[0]}:{place[1]}"


def shown_class(value: ValueType) -> type | None:
    """The class that a type is mainly of: that of the rows, of several."""
    if isinstance(value, (ObjectType, ClassType)):
        return value.cls
    if isinstance(value, RowsType):
        return shown_class(value.row)
    if isinstance(value, ItemsType):
        return shown_class(value.item)
    if isinstance(value, OneOf):
        classes = {shown_class(each) for each in value.types} - {None, NoneType}
        return classes.pop() if len(classes) == 1 else None
    return None


def place_of_class(cls: type | None) -> tuple[str, int] | None:
    """The file and line of a class that is written in Python and no part of it."""
    if cls is None or cls.__module__ == "builtins":
        return None
    try:
        file = inspect.getsourcefile(cls)
        line = inspect.getsourcelines(cls)[1]
    except (OSError, TypeError):
        return None
    return (file, line) if file else None


# -- filters and tags ------------------------------------------------------------------------------


def function_text(engine: EditedEngine, kind: str, name: str) -> Iterator[str]:
    """What the function of a filter or tag says of itself."""
    for library, function in functions_named(engine, kind, name):
        function = inspect.unwrap(function)
        document = inspect.getdoc(function) or ""
        title = f"{name} ({library})" if library else name
        yield f"**{title}**\n\n```text\n{document}\n```" if document else f"**{title}**"


def functions_named(engine: EditedEngine, kind: str, name: str) -> Iterator[tuple[str, Any]]:
    """The functions of that name, and the libraries to load them by."""
    if not engine.is_django:
        table = engine.engine.filters if kind == "filter" else {}
        if name in table:
            yield "", table[name]
        return
    libraries = [("", each) for each in engine.engine.template_builtins]
    libraries += engine.engine.template_libraries.items()
    for library, known in libraries:
        found = (known.filters if kind == "filter" else known.tags).get(name)
        if found is not None:
            yield library, found


# -- costs -----------------------------------------------------------------------------------------


def costs_of(site: EditedSite, engine: EditedEngine, name: str, file: str) -> dict[int, LineCost]:
    """The costs of the lines of a template, in all pages that it is part of."""
    pages = [page for page in engine.pages_with(file) if page in engine.readable]
    together = SiteTemplates()
    for page in pages:
        one = engine.readable[page]
        together.paths |= one.paths
        together.annotations |= one.annotations
        together.files |= one.files
    own = engine.readable.get(name)
    if own is not None:
        together.parsed |= own.parsed
    policy = engine.backend.policy if engine.is_django else None
    return line_costs(together, site.renderings_of(engine), policy).get(name, {})


def cost_text(cost: LineCost) -> str:
    """What a line costs, in Markdown."""
    queries = queries_text(cost)
    title = f"Queries of line {cost.line}: {queries}" if queries else f"Line {cost.line}"
    return "\n".join([title, *(f"- {each}" for each in details_of(cost))])
