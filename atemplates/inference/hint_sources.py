"""Type hints as they are written in the source, for what Python does not keep of them.

``QuerySet[Book]`` is plain ``QuerySet`` once it is evaluated, and what a module imports for type
checkers only is not among its names.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator
from importlib.util import resolve_name
from typing import Any

from .cached import found_once

MOST_MODULES = 5_000


def written_hint(target: Any, name: str) -> ast.expr | None:
    """Return a hint as it is written in the source of a function or class; None without a source.

    Args:
        name: the annotated name; ``"return"`` for what a function returns.
    """
    return _written_hints(target).get(name)


@found_once
def _written_hints(target: Any) -> dict[str, ast.expr]:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(target)))
    except (OSError, TypeError, SyntaxError):
        return {}
    node = tree.body[0] if tree.body else None
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return {"return": node.returns} if node.returns is not None else {}
    if isinstance(node, ast.ClassDef):
        return {
            each.target.id: each.annotation
            for each in node.body
            if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
        }
    return {}


@found_once
def names_for_checkers(module: str) -> dict[str, Any]:
    """Return what a module imports under ``if TYPE_CHECKING:``, as far as it is imported by now.

    Nothing is imported for it: that would run code of the site.
    """
    source = sys.modules.get(module)
    if source is None:
        return {}
    try:
        tree = ast.parse(inspect.getsource(source))
    except (OSError, TypeError, SyntaxError):
        return {}
    package = getattr(source, "__package__", "") or ""
    found: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.If) and _is_for_checkers(node.test):
            for statement in node.body:
                found.update(_imported(statement, package))
    return found


def _is_for_checkers(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return name == "TYPE_CHECKING"


def _imported(statement: ast.stmt, package: str) -> Iterator[tuple[str, Any]]:
    if isinstance(statement, ast.Import):
        for each in statement.names:
            name = each.name if each.asname else each.name.partition(".")[0]
            if name in sys.modules:
                yield each.asname or name, sys.modules[name]
    elif isinstance(statement, ast.ImportFrom):
        try:
            source = resolve_name("." * statement.level + (statement.module or ""), package)
        except ImportError:
            return
        module = sys.modules.get(source)
        for each in statement.names:
            value = vars(module).get(each.name) if module is not None else None
            if value is None:
                value = sys.modules.get(f"{source}.{each.name}")
            if value is not None:
                yield each.asname or each.name, value
