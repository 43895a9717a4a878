"""What an expression in a view stands for, as far as its source says: a queryset, a row, a page.

A chain such as ``Book.objects.for_cards()`` is made for real, with the site's own methods, as far
as its arguments are literals: it says exactly what it loads. No query is sent: one that is tried
ends the attempt.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from inspect import iscoroutinefunction
from typing import Any

from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db import connections
from django.db.models import Manager, Model, QuerySet

from ..relations.querysets import gives_instances
from .data import Data

SINGLE_ROW_METHODS = frozenset({"get", "first", "last", "earliest", "latest", "create"})
NOT_ROWS = frozenset(
    {"values", "values_list", "dates", "datetimes", "aggregate", "count", "exists", "in_bulk"}
)
"""Methods of querysets that do not give instances."""
DEEPEST_CALL = 3
"""How many functions of the site are looked into, one inside the other."""


@dataclass(slots=True)
class Scope:
    """The names that a function's source uses."""

    outside: dict[str, Any]
    """The module's names."""
    assigned: dict[str, list[ast.expr | None]] = field(default_factory=dict)
    """Local name -> what it is assigned; None for what cannot be followed."""
    given: dict[str, Data] = field(default_factory=dict)
    """Parameter -> what the caller gives."""
    depth: int = 0


class QueryTried(Exception):
    """A method of the site wanted to query while its queryset was being looked at."""


@contextmanager
def no_queries() -> Iterator[None]:
    """Raise `QueryTried` instead of sending a query, on every connection of this thread."""

    def refuse(*args: Any) -> Any:
        raise QueryTried

    with ExitStack() as stack:
        for connection in connections.all():
            stack.enter_context(connection.execute_wrapper(refuse))
        yield


def scope_of(function: Any) -> tuple[Scope, ast.AST] | None:
    """Return the scope and the syntax tree of a function, or None when its source is not there.

    The tree's lines and columns are those of the file.
    """
    try:
        lines, first = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError):
        return None
    ast.increment_lineno(tree, first - 1)
    _indent(tree, len(lines[0]) - len(lines[0].lstrip()))
    node = tree.body[0]
    scope = Scope(getattr(function, "__globals__", {}))
    for each in ast.walk(node):
        for name, value in _assignments(each):
            scope.assigned.setdefault(name, []).append(value)
    return scope, node


def _indent(tree: ast.AST, columns: int) -> None:
    """Move a tree that was parsed without its indentation to where it stands."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.stmt, ast.expr)):
            node.col_offset += columns
            if node.end_col_offset is not None:
                node.end_col_offset += columns


def _assignments(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name):
                yield target.id, node.value
            else:
                yield from _stored(target)
    elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and isinstance(node.target, ast.Name):
        yield node.target.id, node.value
    elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
        yield from _stored(node.target)


def _stored(target: ast.AST) -> Iterator[tuple[str, None]]:
    """The names that an unpacking target sets, to what cannot be followed."""
    for node in ast.walk(target):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, None


def value_of(node: ast.expr, scope: Scope) -> Data | None:
    """Return what an expression stands for, or None when it cannot be told."""
    if isinstance(node, ast.Await):
        return value_of(node.value, scope)
    if isinstance(node, ast.Name):
        return _named(node, scope)
    if isinstance(node, ast.Attribute):
        if node.attr == "object_list":
            page = value_of(node.value, scope)
            return replace(page, shape="rows") if page and page.shape == "page" else None
        return _manager(node, scope)
    if isinstance(node, ast.Call):
        return _called(node, scope)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        return value_of(node.value, scope)
    return None


def _named(node: ast.Name, scope: Scope) -> Data | None:
    if node.id in scope.given:
        return scope.given[node.id]
    values = scope.assigned.get(node.id, [])
    if len(values) != 1 or values[0] is None or scope.depth > 20:
        return None
    return value_of(values[0], replace(scope, depth=scope.depth + 1))


def _object(node: ast.expr, scope: Scope) -> Any:
    """What a name or dotted name of the module stands for, or None."""
    if isinstance(node, ast.Name):
        values = scope.assigned.get(node.id)
        if values is None:
            return scope.outside.get(node.id)
        return _user_model(values[0], scope) if len(values) == 1 else None
    if isinstance(node, ast.Call):
        return _user_model(node, scope)
    if isinstance(node, ast.Attribute):
        owner = _object(node.value, scope)
        if inspect.ismodule(owner):
            return getattr(owner, node.attr, None)
    return None


def _user_model(node: ast.expr | None, scope: Scope) -> Any:
    """The model that ``get_user_model()`` gives, when it is Django's function; or None."""
    if isinstance(node, ast.Call) and not node.args:
        return get_user_model() if _object(node.func, scope) is get_user_model else None
    return None


def _manager(node: ast.Attribute, scope: Scope) -> Data | None:
    model = _object(node.value, scope)
    if not (inspect.isclass(model) and issubclass(model, Model)):
        return None
    manager = getattr(model, node.attr, None)
    if not isinstance(manager, Manager):
        return None
    with no_queries():
        try:
            rows = manager.all()
        except Exception:
            # A manager of the site may need what is not there now; then nothing is known.
            return None
    return Data(rows, expression=node) if gives_instances(rows) else None


def _called(node: ast.Call, scope: Scope) -> Data | None:
    function = node.func
    if isinstance(function, ast.Call) and _name_of(function.func) == "sync_to_async":
        inner = ast.Call(function.args[0], node.args, node.keywords) if function.args else None
        return _called(inner, scope) if inner else None
    name = _name_of(function)
    if name in ("get_object_or_404", "aget_object_or_404") and node.args:
        return _shaped(_rows_or_model(node.args[0], scope), "row")
    if name in ("get_list_or_404", "aget_list_or_404") and node.args:
        return _shaped(_rows_or_model(node.args[0], scope), "rows")
    if isinstance(function, ast.Attribute):
        if function.attr in ("get_page", "page", "aget_page", "apage"):
            pages = function.value
            if isinstance(pages, ast.Name):
                values = scope.assigned.get(pages.id, [])
                pages = values[0] if len(values) == 1 and values[0] is not None else pages
            if isinstance(pages, ast.Call) and _is_paginator(pages, scope) and pages.args:
                return _shaped(value_of(pages.args[0], scope), "page")
        base = value_of(function.value, scope)
        if base is not None and base.shape == "rows":
            return _chained(base, function.attr, node)
        return None
    return _looked_into(node, scope)


def _shaped(data: Data | None, shape: str) -> Data | None:
    return replace(data, shape=shape) if data is not None else None


def _rows_or_model(node: ast.expr, scope: Scope) -> Data | None:
    model = _object(node, scope)
    if inspect.isclass(model) and issubclass(model, Model):
        return Data(model._default_manager.all())
    return value_of(node, scope)


def _name_of(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def _is_paginator(node: ast.Call, scope: Scope) -> bool:
    found = _object(node.func, scope)
    return _name_of(node.func).endswith("Paginator") or (
        inspect.isclass(found) and issubclass(found, Paginator)
    )


def _chained(base: Data, name: str, node: ast.Call) -> Data | None:
    """A method of a queryset: made for real when its arguments are literals."""
    plain = name[1:] if name.startswith("a") and name[1:] in SINGLE_ROW_METHODS else name
    if plain in SINGLE_ROW_METHODS:
        return replace(base, shape="row")
    if (name[1:] if name.startswith("a") and name[1:] in NOT_ROWS else name) in NOT_ROWS:
        return None
    method = getattr(base.queryset, name, None)
    if method is None or name.startswith("_") or getattr(method, "alters_data", False):
        return None
    if iscoroutinefunction(method):
        return None
    expression = node if base.expression is not None else None
    try:
        arguments = [ast.literal_eval(each) for each in node.args]
        named = {str(each.arg): ast.literal_eval(each.value) for each in node.keywords if each.arg}
        if any(each.arg is None for each in node.keywords):
            raise ValueError
    except ValueError:
        # It keeps what was loaded; it may load more when it is a method of the site.
        own = not getattr(method, "__module__", "django.").startswith("django.")
        return replace(base, certain=base.certain and not own, expression=expression)
    with no_queries():
        try:
            made = method(*arguments, **named)
        except Exception:
            # Whatever the site's method needs is not there now: nothing is known.
            return None
    if not isinstance(made, QuerySet) or not gives_instances(made):
        return None
    return replace(base, queryset=made, expression=expression)


def _looked_into(node: ast.Call, scope: Scope) -> Data | None:
    """A function of the site that passes on what it is given, such as a helper for pages."""
    function = _object(node.func, scope)
    if not inspect.isfunction(function) or scope.depth >= DEEPEST_CALL:
        return None
    given = [value_of(each, scope) for each in node.args]
    if not any(given) or function.__module__.startswith(("django.", "asgiref.")):
        return None
    found = scope_of(inspect.unwrap(function))
    if found is None:
        return None
    inner, tree = found
    inner.depth = scope.depth + 1
    names = list(inspect.signature(function).parameters)
    inner.given = {name: data for name, data in zip(names, given, strict=False) if data}
    returns = [each.value for each in ast.walk(tree) if isinstance(each, ast.Return)]
    values = [value_of(each, inner) for each in returns if each is not None]
    return values[0] if len(values) == 1 else None
