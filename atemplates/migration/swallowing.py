"""Python that catches what Django's guard raises on the event loop, and may answer wrongly there.

A property such as this one says "unknown" on the loop, because the guard raises inside it. A
render notices that (`atemplates.placement.guard`); ``async def`` code that asks for it by itself
does not::

    @property
    def publisher_name(self):
        try:
            return self.publisher.name
        except Exception:
            return "unknown"

What can be told without running it is which code that templates run has such a clause, or stands
behind a decorator that has one.
"""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial, partialmethod
from inspect import getattr_static
from types import FunctionType, MethodType
from typing import Any

from django.apps import apps
from django.utils.functional import cached_property

from ..analysis.functions import KNOWN_PACKAGES
from ..relations.models import attributes
from ..relations.paths import AccessPath

GUARD = "SynchronousOnlyOperation"
BROAD = frozenset({"Exception", "BaseException", GUARD})
MOST_DECORATORS = 5
"""How many decorators around a function are looked behind."""


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
    for one, place in functions:
        for function in functions_of(one):
            used[function][place] = None
    for function, places in (*_attributes(read), *used.items()):
        swallower = _swallower(function, places)
        if swallower is not None:
            found.setdefault((swallower.file, swallower.line), swallower)
    return sorted(found.values(), key=lambda each: (each.name, each.line))


def _attributes(read: dict[str, dict[str, None]]) -> Iterator[tuple[Any, dict[str, None]]]:
    """The methods and properties of models that templates may run, and where."""
    for model in apps.get_models():
        for function in functions_of(getattr_static(model, "__str__")):
            yield function, {}
        owners: list[type] = [model]
        for manager in model._meta.managers:
            owners += [type(manager), type(manager.get_queryset())]
        for name, places in read.items():
            for owner in owners:
                for function in functions_of(getattr_static(owner, name, None)):
                    yield function, places


def functions_of(value: Any) -> list[FunctionType]:
    """Return the functions that run when a function, method, property or object is used.

    A decorator's own function is one of them, and so is what it decorates: what it says it wraps,
    and what it holds without saying so.
    """
    found: dict[int, FunctionType] = {}
    waiting: list[tuple[Any, int]] = [(value, 0)]
    while waiting:
        each, depth = waiting.pop(0)
        if id(each) in found:
            continue
        if type(each) is FunctionType:
            found[id(each)] = each
        if depth < MOST_DECORATORS:
            waiting += [(part, depth + 1) for part in _parts(each)]
    return list(found.values())


def _parts(value: Any) -> list[Any]:
    """What a function or what stands in its place holds and may call, one step deep."""
    kind = type(value)
    if kind is FunctionType:
        parts = [vars(value).get("__wrapped__")]
        for cell in value.__closure__ or ():
            try:
                parts.append(cell.cell_contents)
            except ValueError:  # a name that is not set yet
                continue
        # What else a decorator was given is no function that it decorates.
        return [each for each in parts if issubclass(type(each), CALLED)]
    if issubclass(kind, property):
        return [value.fget]
    if issubclass(kind, (classmethod, staticmethod, MethodType)):
        return [value.__func__]
    if issubclass(kind, (partial, partialmethod)):
        return [value.func]
    if issubclass(kind, CACHED_PROPERTIES):
        return [each for each in attributes(value).values() if issubclass(type(each), CALLED)]
    if value is None or issubclass(kind, type):
        return []
    # An object that is called, a descriptor of the site, functools.cache: it keeps its function.
    parts = [getattr_static(kind, name, None) for name in ("__call__", "__get__")]
    parts += attributes(value).values()
    return [each for each in parts if type(each) is FunctionType]


CACHED_PROPERTIES = (cached_property, functools.cached_property)
CALLED = (
    *(FunctionType, MethodType, property, classmethod, staticmethod, partial, partialmethod),
    *(*CACHED_PROPERTIES, type(functools.lru_cache(len))),
)


def _swallower(function: Any, places: dict[str, None]) -> Swallower | None:
    module = function.__globals__.get("__name__") or ""
    if str(module).partition(".")[0] in KNOWN_PACKAGES:
        return None
    try:
        # Of the code: of a function, Python gives what it says it wraps.
        lines, first = inspect.getsourcelines(function.__code__)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError):
        return None
    ast.increment_lineno(tree, max(first, 1) - 1)
    line = swallowing_line(tree)
    if line is None:
        return None
    file = inspect.getsourcefile(function.__code__) or ""
    return Swallower(f"{module}.{function.__code__.co_qualname}", file, line, tuple(places))


def swallowing_line(tree: ast.AST) -> int | None:
    """The line of the first clause that catches everything and may not raise it again."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Try, ast.TryStar)):
            for handler in node.handlers:
                if _is_broad(handler.type):
                    if not _raises(handler.body):
                        return handler.lineno
                    break  # the clauses after it do not see the guard
            if _leaves(node.finalbody):
                return node.finalbody[0].lineno
        elif (
            # In a `with`, or given to an ExitStack, whatever that is called.
            isinstance(node, ast.Call)
            and _name(node.func) == "suppress"
            and any(map(_is_broad, node.args))
        ):
            return node.lineno
    return None


def _is_broad(node: ast.expr | None) -> bool:
    if isinstance(node, ast.Tuple):
        return any(map(_is_broad, node.elts))
    return node is None or _name(node) in BROAD


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def _raises(body: list[ast.stmt]) -> bool:
    """Whether statements raise on each way through them."""
    for node in body:
        if isinstance(node, ast.Raise):
            return True
        if isinstance(node, ast.If):
            if _raises(node.body) and (_raises(node.orelse) or _is_about_the_guard(node.test)):
                return True
            if _leaves([node]):
                return False
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            if _raises(node.body):
                return True
        elif isinstance(node, (ast.Try, ast.TryStar)):
            inner = [node.body, *(each.body for each in node.handlers)]
            if _raises(node.finalbody) or all(map(_raises, inner)):
                return True
        elif isinstance(node, ast.Match):
            last = node.cases[-1].pattern
            is_complete = isinstance(last, ast.MatchAs) and last.pattern is None
            if is_complete and all(_raises(case.body) for case in node.cases):
                return True
        if _leaves([node]):
            return False
    return False


def _leaves(body: list[ast.stmt]) -> bool:
    """Whether statements may end the function, or the loop around them, by other ways than raising.

    The function's own statements: not those of functions inside it.
    """
    for node in body:
        if isinstance(node, (ast.Return, ast.Break, ast.Continue)):
            return True
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        inner = [each for each in ast.iter_child_nodes(node) if isinstance(each, PARTS)]
        if _leaves(
            [
                each
                for part in inner
                for each in ([part] if isinstance(part, ast.stmt) else part.body)
            ]
        ):
            return True
    return False


PARTS = (ast.stmt, ast.ExceptHandler, ast.match_case)


def _is_about_the_guard(test: ast.expr) -> bool:
    """Whether a condition is ``isinstance(error, SynchronousOnlyOperation)``."""
    is_asked = isinstance(test, ast.Call) and _name(test.func) == "isinstance"
    return is_asked and any(
        isinstance(node, (ast.Name, ast.Attribute)) and _name(node) == GUARD
        for node in ast.walk(test)
    )
