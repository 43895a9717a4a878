"""Calls in Jinja2 templates that do not fit what is called: filters, tests, functions, macros.

Jinja2 looks at arguments only when a template renders.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from jinja2 import Environment, nodes

from ..analysis.jinja2.placed_nodes import placed_expressions
from ..analysis.site.templates import SiteTemplates
from ..analysis.site.words import place_of_words
from ..jinja2.function_marks import first_argument
from ..problems import Problem
from .jinja2_blocks import tree_of
from .jinja2_links import names_set_in
from .macros import Macros, macro_fault, macros_of

Called: TypeAlias = "nodes.Filter | nodes.Test | nodes.Call"
CODES_OF_CALLS = {
    "filter": "filter-arguments",
    "test": "test-arguments",
    "function": "call-arguments",
}


def call_problems(site: SiteTemplates, name: str, environment: Environment) -> Iterator[Problem]:
    """Return the filters, tests, functions and macros that a Jinja2 template calls wrongly.

    Functions are asked for their signatures and not called. Nothing is said of one that has none,
    nor of one that a decorator wraps which takes any arguments.

    Args:
        name: one of the templates in ``site.trees``.
    """
    tree = site.trees[name]
    own = names_set_in(tree)
    macros = macros_of(name, tree, lambda other: tree_of(other, site, environment))
    for place in placed_expressions(tree):
        node = place.node
        if isinstance(node, nodes.Filter):
            found = _registered(environment.filters).get(node.name)
            yield from _function_problem(site, name, node, "filter", node.name, found, 1)
        elif isinstance(node, nodes.Test):
            found = _registered(environment.tests).get(node.name)
            yield from _function_problem(site, name, node, "test", node.name, found, 1)
        elif isinstance(node, nodes.CallBlock):
            yield from _macro_problem(site, name, node.call, macros, True)
        elif isinstance(node, nodes.Call):
            yield from _macro_problem(site, name, node, macros, False)
            callee = node.node
            if isinstance(callee, nodes.Name) and callee.name not in own:
                found = _registered(environment.globals).get(callee.name)
                yield from _function_problem(site, name, node, "function", callee.name, found, 0)


def _registered(functions: Mapping[str, Any]) -> Mapping[str, Any]:
    """The functions that were registered, where the environment has put ours in their places."""
    return getattr(functions, "registered", functions)


# -- functions -------------------------------------------------------------------------------------


def _function_problem(
    site: SiteTemplates, name: str, node: Called, kind: str, said: str, function: Any, before: int
) -> Iterator[Problem]:
    if not callable(function):
        return
    signature = signature_of(function)
    if signature is None:
        return
    fault = arguments_fault(signature, node, before)
    if not fault:
        return
    words = ("|", said) if kind == "filter" else (said,)
    shown = [
        str(each.replace(annotation=inspect.Parameter.empty))
        for each in list(signature.parameters.values())[before:]
    ]
    message = f"the {kind} {said!r} cannot be called like this: {fault}"
    hint = f"expected: {said}({', '.join(shown)})"
    yield _problem(site, name, node.lineno, CODES_OF_CALLS[kind], message, words, hint)


def signature_of(function: Any) -> inspect.Signature | None:
    """Return what a function takes from a template; None when that is not known.

    What Jinja2 itself passes first (the context, say) is left out.
    """
    inner = getattr(function, "__wrapped__", None)
    module = getattr(function, "__globals__", {}).get("__name__", "")
    try:
        if inner is not None and module.startswith(("jinja2.", "atemplates.")):
            # These pass all that they are given on.
            found = inspect.signature(inner)
            first = first_argument(inner)
        else:
            found = inspect.signature(function, follow_wrapped=False)
            first = first_argument(function)
    except (TypeError, ValueError):
        return None  # written in C, or with a signature of its own that cannot be read
    parameters = list(found.parameters.values())
    if first:
        if not parameters:
            return None
        if parameters[0].kind is not inspect.Parameter.VAR_POSITIONAL:
            parameters = parameters[1:]
    if module.startswith("atemplates."):
        parameters = [each for each in parameters if each.name != "autoescape"]
    return found.replace(parameters=parameters, return_annotation=inspect.Signature.empty)


def arguments_fault(signature: inspect.Signature, node: Called, before: int) -> str:
    """Return why a call surely fails for its arguments; nothing where it may work.

    Args:
        before: how many arguments Jinja2 passes before those of the template: a filter's value.
    """
    positional = [None] * (before + len(node.args or ()))
    named: dict[str, Any] = {str(each.key): None for each in node.kwargs or ()}
    is_open = node.dyn_args is not None or node.dyn_kwargs is not None
    try:
        if is_open:
            signature.bind_partial(*positional, **named)
        else:
            signature.bind(*positional, **named)
    except TypeError as error:
        return str(error)
    return ""


# -- macros ----------------------------------------------------------------------------------------


def _macro_problem(
    site: SiteTemplates, name: str, call: nodes.Call, macros: Macros, with_caller: bool
) -> Iterator[Problem]:
    found = macros.called(call.node)
    if found is None:
        return
    fault = macro_fault(found, call, with_caller)
    if fault is None:
        return
    message = f"the macro {found.name!r} cannot be called like this: {fault.message}"
    words = (found.said,)
    hint = f"expected: {found.in_words()}"
    yield _problem(
        site, name, call.lineno, "call-arguments", message, words, hint, fault.is_possible
    )


def _problem(
    site: SiteTemplates,
    name: str,
    line: int,
    code: str,
    message: str,
    words: tuple[str, ...],
    hint: str,
    is_possible: bool = False,
) -> Problem:
    column, width = place_of_words(site.sources.get(name, ""), line, *words)
    return Problem(
        message,
        name,
        line,
        path=site.files.get(name, ""),
        code=code,
        column=column,
        width=width,
        hint=hint,
        is_possible=is_possible,
    )
