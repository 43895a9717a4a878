"""Python that catches what Django's guard raises on the event loop, and so answers wrongly there.

A property such as this one says "unknown" on the loop, because the guard raises inside it::

    @property
    def publisher_name(self):
        try:
            return self.publisher.name
        except Exception:
            return "unknown"

Nothing outside can tell. What can be told is which code that templates run has such a clause.
"""

from __future__ import annotations

import ast
import inspect
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from inspect import getattr_static
from typing import Any

from django.apps import apps

from ..relations.paths import AccessPath
from .values import scope_of

BROAD = frozenset({"Exception", "BaseException", "SynchronousOnlyOperation"})
KNOWN = frozenset({"atemplates", "builtins", "django", "jinja2", "markupsafe"})
"""Packages whose functions are known to catch no guard, and to reach for nothing by themselves."""


@dataclass(frozen=True, slots=True)
class Swallower:
    """A function that catches every exception."""

    name: str
    """Its module and name: ``shop.models.Book.rating``."""
    file: str
    line: int
    """Of the clause."""
    places: tuple[str, ...] = ()
    """Where templates run it: ``template:line``."""


def swallowers(
    paths: Iterable[AccessPath], functions: Iterable[tuple[Any, str]] = ()
) -> list[Swallower]:
    """Find code that templates run and that catches every exception.

    Attributes are found by their names alone: of all models, their managers and querysets, those
    that a template reads under that name, and every ``__str__``.

    Args:
        paths: what the templates read.
        functions: filters and the like that templates name, each with its ``template:line``.
    """
    read: dict[str, dict[str, None]] = defaultdict(dict)
    for path in paths:
        place = path.template if path.line is None else f"{path.template}:{path.line}"
        for step in path.path:
            read[step][place] = None
    found: dict[tuple[str, int], Swallower] = {}
    used: dict[Any, dict[str, None]] = defaultdict(dict)
    for function, place in functions:
        used[inspect.unwrap(function)][place] = None
    for function, places in (*_attributes(read), *used.items()):
        one = _swallower(function, places)
        if one is not None:
            found.setdefault((one.file, one.line), one)
    return sorted(found.values(), key=lambda each: (each.name, each.line))


def _attributes(read: dict[str, dict[str, None]]) -> Iterator[tuple[Any, dict[str, None]]]:
    """The methods and properties of models that templates may run, and where."""
    for model in apps.get_models():
        yield inspect.unwrap(model.__str__), {}
        owners: list[type] = [model]
        for manager in model._meta.managers:
            owners += [type(manager), type(manager.get_queryset())]
        for name, places in read.items():
            for owner in owners:
                function = _function_of(getattr_static(owner, name, None))
                if function is not None:
                    yield function, places


def _function_of(found: Any) -> Any:
    for name in ("fget", "func", "__func__"):
        found = getattr(found, name, None) or found
    found = inspect.unwrap(found) if callable(found) else None
    return found if inspect.isfunction(found) else None


def _swallower(function: Any, places: dict[str, None]) -> Swallower | None:
    if not inspect.isfunction(function) or function.__module__.partition(".")[0] in KNOWN:
        return None
    parsed = scope_of(function)
    if parsed is None:
        return None
    line = swallowing_line(parsed[1])
    if line is None:
        return None
    file = inspect.getsourcefile(function) or ""
    return Swallower(f"{function.__module__}.{function.__qualname__}", file, line, tuple(places))


def swallowing_line(tree: ast.AST) -> int | None:
    """The line of the first clause that catches everything and does not raise it again."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Try):
            for handler in node.handlers:
                if _is_broad(handler.type) and not _raises(handler):
                    return handler.lineno
        elif isinstance(node, ast.With):
            for item in node.items:
                call = item.context_expr
                is_suppress = isinstance(call, ast.Call) and _name(call.func) == "suppress"
                if is_suppress and any(map(_is_broad, getattr(call, "args", ()))):
                    return item.context_expr.lineno
    return None


def _is_broad(node: ast.expr | None) -> bool:
    if isinstance(node, ast.Tuple):
        return any(map(_is_broad, node.elts))
    return node is None or _name(node) in BROAD


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def _raises(handler: ast.ExceptHandler) -> bool:
    return any(isinstance(node, ast.Raise) for node in ast.walk(handler))
