"""What properties, methods and ``__str__`` of a model read of an instance, as their source says.

Nothing is run. Only what hangs on ``self`` is seen, also through the model's other properties and
methods; what a function is given, or reads of a name that it sets, is not.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from inspect import getattr_static
from types import FunctionType
from typing import Any

from django.db.models import Model
from django.utils.functional import cached_property as django_cached_property

from ..relations.models import relations_of
from ..relations.paths import ITEM

DEEPEST_READ = 4
"""How many properties and methods that read each other are followed."""
MOST_MODELS_READ = 2_000


@dataclass(frozen=True, slots=True)
class HiddenRead:
    """What code of a model reads of its instance."""

    name: str
    """The property or method: ``Book.label``."""
    at: int
    """How many steps of the path lead to the instance."""
    steps: tuple[str, ...]
    """From the instance to what is read: ``("author", "name")``."""


def hidden_reads(
    model: type[Model], steps: Sequence[str], *, printed: bool = False
) -> list[HiddenRead]:
    """Return what the code that a path goes into reads.

    Args:
        model: what the path starts from: an instance of it.
        steps: the path's steps.
        printed: whether what is at the path's end is printed: an instance by its ``__str__``.
    """
    current: type[Model] | None = model
    for at, step in enumerate(steps):
        if current is None:
            return []
        if step == ITEM or step == "all" or step.lstrip("-").isdecimal():
            continue
        relation = relations_of(current).get(step)
        if relation is None or relation.kind == "deferred":
            return _reads(current, step, at)
        current = None if relation.kind == "generic" else relation.field.related_model
    if current is None or not printed or (steps and steps[-1] == "all"):
        return []
    return _reads(current, "__str__", len(steps))


def _reads(model: type[Model], name: str, at: int) -> list[HiddenRead]:
    label = f"{model._meta.object_name}.{name}"
    return [HiddenRead(label, at, steps) for steps in reads_of(model, name)]


@lru_cache(MOST_MODELS_READ)
def reads_of(model: type[Model], name: str, deep: int = 0) -> tuple[tuple[str, ...], ...]:
    """Return the paths from ``self`` that an attribute's code reads, each once; empty for data."""
    function = _code_of(getattr_static(model, name, None))
    if function is None or deep > DEEPEST_READ:
        return ()
    found: dict[tuple[str, ...], None] = {}
    for chain in chains_of(function):
        found.setdefault(chain)
        for inner in reads_of(model, chain[0], deep + 1):
            found.setdefault(inner)
    return tuple(found)


def _code_of(value: Any) -> FunctionType | None:
    """The function behind a property or method that the site has written."""
    if isinstance(value, property):
        value = value.fget
    elif isinstance(value, (cached_property, django_cached_property)):
        value = value.func
    if not isinstance(value, FunctionType):
        return None
    return None if value.__module__.partition(".")[0] == "django" else value


def chains_of(function: FunctionType) -> list[tuple[str, ...]]:
    """Return the chains of attributes that a function reads of its first argument."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):  # no source, or one that does not stand alone
        return []
    code = function.__code__
    if not code.co_argcount:
        return []
    owner = code.co_varnames[0]
    return [chain for node in ast.walk(tree) if (chain := _attributes_on(node, owner))]


def _attributes_on(node: ast.AST, owner: str) -> tuple[str, ...]:
    names: list[str] = []
    current: Any = node
    while isinstance(current, (ast.Attribute, ast.Call)):
        if isinstance(current, ast.Call):
            current = current.func
            continue
        names.append(current.attr)
        current = current.value
    if not names or not isinstance(current, ast.Name) or current.id != owner:
        return ()
    return tuple(reversed(names))
