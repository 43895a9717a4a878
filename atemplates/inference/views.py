"""The views of a site that render a template named in their source, and what they give to it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from ..problems import Problem
from .data import Data
from .generic_views import is_of_library, shown_by
from .types import ValueType, data_of, type_of_data
from .values import Scope, scope_of, value_of

RENDERING_NAMES = {
    # function -> the place of the template's name; the context follows it
    "render": 1,
    "arender": 1,
    "TemplateResponse": 1,
    "render_to_string": 0,
    "arender_to_string": 0,
}


@dataclass(slots=True)
class ViewRendering:
    """One place in a view that renders a template."""

    view: str
    """The name that the URLconf gives it, with its namespace."""
    template: str
    file: str
    line: int
    variables: dict[str, ValueType] = field(default_factory=dict)
    """What it gives under each name, known or not."""
    using: str = ""
    """The engine's alias, when the view names it."""
    is_complete: bool = False
    """Whether it can give no other names."""

    @property
    def loaded(self) -> dict[str, Data]:
        """The variables whose queryset is known."""
        found = {name: data_of(value) for name, value in self.variables.items()}
        return {name: data for name, data in found.items() if data is not None}


def renderings(urlconf: str | None = None) -> tuple[list[ViewRendering], list[Problem]]:
    """Find what the views of a URLconf render.

    Returns:
        The places, and the views that could not be looked at.
    """
    found: list[ViewRendering] = []
    problems: list[Problem] = []
    seen: set[tuple[str, Any]] = set()
    try:
        patterns = list(_patterns(get_resolver(urlconf), ""))
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        return [], [Problem(f"the URLconf cannot be read: {what}", str(urlconf or "ROOT_URLCONF"))]
    for name, callback, extra in patterns:
        key = (name, callback)
        if key in seen:
            continue
        seen.add(key)
        try:
            found += _of_view(name, callback, extra)
        except Exception as error:
            problems.append(
                Problem(
                    f"the view {name or callback!r} cannot be read: {type(error).__name__}: {error}"
                )
            )
    return found, problems


def _patterns(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            callback = pattern.callback
            name = f"{prefix}{pattern.name}" if pattern.name else _path_of(callback)
            yield name, callback, pattern.default_args or {}
        elif isinstance(pattern, URLResolver):
            deeper = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from _patterns(pattern, deeper)


def _path_of(callback: Any) -> str:
    """What Django calls a view without a name."""
    target = getattr(callback, "view_class", callback)
    name = getattr(target, "__qualname__", type(target).__qualname__)
    return f"{getattr(target, '__module__', '')}.{name}"


def _of_view(name: str, callback: Any, extra: dict[str, Any]) -> list[ViewRendering]:
    view_class = getattr(callback, "view_class", None)
    if view_class is not None:
        return [*_of_generic(name, view_class, callback), *_of_methods(name, view_class)]
    function = inspect.unwrap(callback)
    return _of_function(name, function, extra) if inspect.isfunction(function) else []


def _of_generic(name: str, view_class: Any, callback: Any) -> list[ViewRendering]:
    templates, variables, file = shown_by(view_class, getattr(callback, "view_initkwargs", {}))
    if not templates:
        return []
    line = inspect.getsourcelines(view_class)[1]
    given = getattr(callback, "view_initkwargs", {}).get("template_engine")
    alias = given or getattr(view_class, "template_engine", None) or ""
    shown = {key: type_of_data(data) for key, data in variables.items()}
    return [ViewRendering(name, template, file, line, shown, using=alias) for template in templates]


def _of_methods(name: str, view_class: Any) -> list[ViewRendering]:
    found = []
    for method in ("get", "post"):
        function = inspect.unwrap(getattr(view_class, method, None) or _none)
        if inspect.isfunction(function) and not is_of_library(function):
            found += _of_function(name, function, {})
    return found


def _none() -> None:
    """Stands for a method that a view does not have."""


def _of_function(name: str, function: Any, extra: dict[str, Any]) -> list[ViewRendering]:
    if is_of_library(function):
        return []
    parsed = scope_of(function)
    if parsed is None:
        return []
    scope, tree = parsed
    file = inspect.getsourcefile(function) or ""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        place = RENDERING_NAMES.get(called)
        if place is None:
            continue
        named = {each.arg: each.value for each in node.keywords if each.arg}
        template = named.get("template_name", named.get("template"))
        template = template or (node.args[place] if len(node.args) > place else None)
        context = named.get("context")
        context = context or (node.args[place + 1] if len(node.args) > place + 1 else None)
        alias = _alias(named.get("using"), function, extra)
        for each in _literals(template):
            one = ViewRendering(name, each, file, node.lineno, using=alias)
            given = _variables(context, scope, tree)
            one.variables = {key: type_of_data(data) for key, data in given.items()}
            found.append(one)
    return found


def _alias(node: ast.expr | None, function: Any, extra: dict[str, Any]) -> str:
    """The engine's alias: a literal, or a parameter that the URLconf or its default gives."""
    value: Any = None
    if isinstance(node, ast.Constant):
        value = node.value
    elif isinstance(node, ast.Name):
        parameter = inspect.signature(function).parameters.get(node.id)
        value = extra.get(node.id, parameter.default if parameter is not None else None)
    return value if isinstance(value, str) else ""


def _literals(node: ast.expr | None) -> list[str]:
    values = node.elts if isinstance(node, (ast.List, ast.Tuple)) else [node]
    return [
        each.value
        for each in values
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    ]


def _variables(context: ast.expr | None, scope: Scope, tree: ast.AST) -> dict[str, Data]:
    """The variables of a context that is a dict in the view's source, or a name for one."""
    pairs: list[tuple[ast.expr | None, ast.expr]] = []
    if isinstance(context, ast.Name):
        values = scope.assigned.get(context.id, [])
        for value in values:
            if isinstance(value, ast.Dict):
                pairs += zip(value.keys, value.values, strict=True)
        pairs += _added(context.id, tree)
    elif isinstance(context, ast.Dict):
        pairs += zip(context.keys, context.values, strict=True)
    found: dict[str, Data] = {}
    for key, value in pairs:
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            data = value_of(value, scope)
            if data is not None:
                found[key.value] = data
    return found


def _added(name: str, tree: ast.AST) -> Iterator[tuple[ast.expr | None, ast.expr]]:
    """What is put into the context later: ``context["x"] = ...``, ``context |= {...}``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AugAssign) and isinstance(node.value, ast.Dict):
            if isinstance(node.target, ast.Name) and node.target.id == name:
                yield from zip(node.value.keys, node.value.values, strict=True)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            target = node.targets[0]
            if isinstance(target.value, ast.Name) and target.value.id == name:
                yield target.slice, node.value
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "update"
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == name
            and node.args
            and isinstance(node.args[0], ast.Dict)
        ):
            yield from zip(node.args[0].keys, node.args[0].values, strict=True)
