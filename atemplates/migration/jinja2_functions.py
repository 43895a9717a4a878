"""Compiling Jinja2 templates, and the filters, tests and functions that they name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, nodes

from ..problems import Problem

NOT_COMPILED = "does-not-compile"
Functions = list[tuple[Any, str]]
"""What is called, with the ``template:line`` that names it."""


def compile_template(
    environment: Environment, name: str, file: str
) -> tuple[Functions, Problem | None]:
    """Compile a template anew, as a backend's environment does when it is first rendered.

    Args:
        environment: one of a backend's two, which compile to plans.
        file: the template's, for the problem.

    Returns:
        The functions that the template names, and what is wrong with it.
    """
    loader: Any = environment.loader
    try:
        source, filename, _ = loader.get_source(environment, name)
        environment.compile(source, name, filename)
        tree = environment.parse(source, name, filename)
    except TemplateSyntaxError as error:
        return [], Problem(
            f"does not compile: {error.message}", file, error.lineno, code=NOT_COMPILED
        )
    except Exception as error:
        return [], Problem(
            f"does not compile: {type(error).__name__}: {error}", file, code=NOT_COMPILED
        )
    return list(_functions(environment, tree, name)), None


def _functions(
    environment: Environment, tree: nodes.Template, name: str
) -> Iterator[tuple[Any, str]]:
    kinds: tuple[tuple[type[nodes.Node], Any], ...] = (
        (nodes.Filter, environment.filters),
        (nodes.Test, environment.tests),
        (nodes.Name, environment.globals),
    )
    for kind, known in kinds:
        for node in tree.find_all(kind):
            function = known.get(getattr(node, "name", ""))
            if callable(function):
                yield function, f"{name}:{node.lineno}"
