"""Functions of a site that do nothing but call one of Django's: found by reading their source.

``url(name, *args, **kwargs)`` of a Jinja2 environment is such a one, as Django's documentation
shows it: what `reverse` cannot do, it cannot do either.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from enum import Enum
from functools import lru_cache
from typing import Any

from django.templatetags.static import static
from django.urls import reverse


class Passing(Enum):
    """How a function takes what it passes on."""

    ITSELF = "is the function itself"
    SPREAD = "takes the arguments of the address as its own"


def reverses(function: Any) -> Passing | None:
    """Return how a function makes addresses by their names, if that is surely what it does."""
    if function is reverse:
        return Passing.ITSELF
    return Passing.SPREAD if _passes_all_on(function, reverse) else None


def finds_static(function: Any) -> bool:
    """Whether a function gives the address of a static file, given its path first."""
    if function is static:
        return True
    owner = type(getattr(function, "__self__", None))
    if getattr(function, "__name__", "") == "url" and _is_static_storage(owner):
        return True
    return _passes_all_on(function, static)


def _is_static_storage(kind: type) -> bool:
    # By name: the module can be imported only where static files are installed.
    names = {f"{each.__module__}.{each.__qualname__}" for each in kind.__mro__}
    return bool(
        names
        & {
            "django.contrib.staticfiles.storage.StaticFilesStorage",
            "django.contrib.staticfiles.storage.ConfiguredStorage",
        }
    )


@lru_cache(maxsize=256)
def _passes_all_on(function: Any, target: Callable[..., Any]) -> bool:
    if not inspect.isfunction(function) or hasattr(function, "__wrapped__"):
        return False
    definition = _definition(function)
    if definition is None:
        return False
    names = [each.arg for each in definition.args.args]
    if getattr(function, "jinja_pass_arg", None) is not None:
        names = names[1:]
    if not names or definition.args.kwonlyargs:
        return False
    nodes = [node for statement in definition.body for node in ast.walk(statement)]
    calls = [
        node
        for node in nodes
        if isinstance(node, ast.Call) and _value_of(node.func, function) is target
    ]
    if len(calls) != 1 or any(isinstance(each, _ANOTHER_WAY) for each in nodes):
        return False
    (call,) = calls
    if not _hands_over(call, definition.args, names[0]):
        return False
    inside = {id(node) for node in ast.walk(call)}
    passed = {names[0], *_rest_of(definition.args)}
    if any(isinstance(n, ast.Name) and n.id in passed and id(n) not in inside for n in nodes):
        return False
    returns = [node for node in nodes if isinstance(node, ast.Return)]
    return bool(returns) and all(
        any(each is call for each in ast.walk(one)) or _names_result(one, call, nodes)
        for one in returns
    )


_ANOTHER_WAY = (ast.Try, ast.With, ast.FunctionDef, ast.Lambda, ast.Yield, ast.Await)
"""With one of these a function may answer otherwise, or catch what the call raises."""


def _definition(function: Any) -> ast.FunctionDef | None:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return None  # made at run time, or a part of a line
    first = tree.body[0] if tree.body else None
    return first if isinstance(first, ast.FunctionDef) else None


def _value_of(node: ast.expr, function: Any) -> Any:
    """What a name, or a name in a module, stands for in a function."""
    if isinstance(node, ast.Name):
        return function.__globals__.get(node.id)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        module = function.__globals__.get(node.value.id)
        return vars(module).get(node.attr) if inspect.ismodule(module) else None
    return None


def _hands_over(call: ast.Call, arguments: ast.arguments, first: str) -> bool:
    """Whether a call passes all of a function's arguments on, in Django's manner."""
    if len(call.args) != 1 or not (isinstance(call.args[0], ast.Name) and call.args[0].id == first):
        return False
    given = {each.arg: each.value for each in call.keywords}
    if "urlconf" in given or None in given:
        return False
    for name, rest in (("args", arguments.vararg), ("kwargs", arguments.kwarg)):
        named = (
            {n.id for n in ast.walk(given[name]) if isinstance(n, ast.Name)}
            if (name in given)
            else set()
        )
        if named != ({rest.arg} if rest is not None else set()):
            return False
    return True


def _rest_of(arguments: ast.arguments) -> Iterator[str]:
    for each in (arguments.vararg, arguments.kwarg):
        if each is not None:
            yield each.arg


def _names_result(one: ast.Return, call: ast.Call, nodes: list[ast.AST]) -> bool:
    """Whether a function returns a name that it has set to the result of the call."""
    if not isinstance(one.value, ast.Name):
        return False
    return any(
        isinstance(node, ast.Assign)
        and node.value is call
        and any(isinstance(each, ast.Name) and each.id == one.value.id for each in node.targets)
        for node in nodes
    )
