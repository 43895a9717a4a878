"""Where that is defined what an editor points at: another template, a class's attribute, a tag."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Any

from .edited_site import EditedEngine, EditedSite
from .hover import functions_named, place_of_class, shown_class
from .pointed_types import types_of
from .pointing import Pointed, pointed_at


def definition_at(site: EditedSite, file: str, line: int, column: int) -> dict[str, Any] | None:
    """Return the file and line where that is defined what stands at a place of a file."""
    pointed = pointed_at(site.source_of(file), line, column)
    if pointed is None:
        return None
    for engine, name in site.found(file):
        place = _place(site, engine, name, file, pointed)
        if place is not None:
            return {"file": place[0], "line": place[1]}
    return None


def _place(
    site: EditedSite, engine: EditedEngine, name: str, file: str, pointed: Pointed
) -> tuple[str, int] | None:
    if pointed.kind == "quoted":
        found = engine.file_named(pointed.text)
        return (found, 1) if found else None
    if pointed.kind in ("filter", "tag"):
        for _, function in functions_named(engine, pointed.kind, pointed.text):
            return place_of_function(inspect.unwrap(function))
        return None
    lines = (pointed.first_line, pointed.last_line)
    bits = pointed.bits
    if len(bits) > 1:
        for owner in types_of(site, engine, name, file, bits[:-1], lines):
            place = place_of_attribute(shown_class(owner.type), bits[-1])
            if place is not None:
                return place
    for each in types_of(site, engine, name, file, bits, lines):
        place = place_of_class(shown_class(each.type))
        if place is not None:
            return place
    return None


def place_of_function(function: Any) -> tuple[str, int] | None:
    """The file and line of a function that is written in Python."""
    try:
        file = inspect.getsourcefile(function)
        return (file, inspect.getsourcelines(function)[1]) if file else None
    except (OSError, TypeError):
        return None


def place_of_attribute(cls: type | None, name: str) -> tuple[str, int] | None:
    """The file and line where a class, or one that it derives from, defines an attribute."""
    for base in cls.__mro__ if cls is not None else ():
        if name not in vars(base) or base.__module__ == "builtins":
            continue
        place = place_of_class(base)
        if place is None:
            continue
        file, first = place
        tree = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        for node in getattr(tree, "body", ()):
            if name in _defined_by(node):
                return file, first + node.lineno - 1
        # A reverse relation, say: the class is the nearest place that there is.
        return place
    return None


def _defined_by(node: ast.AST) -> list[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [each.id for each in targets if isinstance(each, ast.Name)]
