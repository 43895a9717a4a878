"""Addresses and static files that Jinja2 templates name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jinja2 import Environment, nodes

from ..analysis.jinja2.placed_nodes import placed_expressions
from ..analysis.jinja2.tree_parts import all_of
from ..analysis.site.templates import SiteTemplates
from ..problems import Problem
from .links import is_flag, static_problem, url_problem
from .static_files import StaticFiles
from .urls import UNSAID, SiteUrls
from .wrappers import Passing, finds_static, reverses

RESERVED = frozenset({"urlconf", "args", "kwargs", "current_app", "query", "fragment"})
"""What `reverse` takes beside the name."""


def jinja2_link_problems(
    site: SiteTemplates,
    name: str,
    environment: Environment,
    urls: SiteUrls | None,
    files: StaticFiles | None,
) -> Iterator[Problem]:
    """Return the addresses and static files that a Jinja2 template names, and that are not there.

    Asked are calls of the environment's globals that are Django's own `reverse` and `static`, or
    functions that do nothing but call these.

    Args:
        name: one of the templates in ``site.trees``.
        urls: the site's addresses; None when it is not known which URLconf a request has.
        files: the site's static files; None when nothing is known of them.
    """
    tree = site.trees[name]
    own = names_set_in(tree)
    known = getattr(environment.globals, "registered", environment.globals)
    for place in placed_expressions(tree):
        node = place.node
        if not isinstance(node, nodes.Call) or not isinstance(node.node, nodes.Name):
            continue
        function = known.get(node.node.name)
        wanted = literal(node.args[0]) if node.args else UNSAID
        if function is None or node.node.name in own or not isinstance(wanted, str):
            continue
        words = (node.node.name, wanted)
        passing = reverses(function) if urls is not None else None
        if urls is not None and passing is not None:
            arguments = _arguments(node, passing)
            fault = urls.fault(wanted, *arguments) if arguments is not None else None
            if fault is not None:
                flagged = any(_tests_a_flag(each) for each in place.conditions)
                yield from url_problem(site, name, node.lineno, words, fault, flagged)
        elif files is not None and finds_static(function):
            yield from static_problem(site, name, node.lineno, words, files)


def _arguments(node: nodes.Call, passing: Passing) -> tuple[list[Any], dict[str, Any]] | None:
    """The arguments of an address; None when the template does not say which there are."""
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        return None
    args = [literal(each) for each in node.args[1:]]
    kwargs: dict[str, Any] = {each.key: each.value for each in node.kwargs}
    if passing is Passing.SPREAD:
        return args, {key: literal(value) for key, value in kwargs.items()}
    if args or not kwargs.keys() <= RESERVED or "urlconf" in kwargs:
        return None
    listed = kwargs.get("args")
    named = kwargs.get("kwargs")
    if not isinstance(listed, (nodes.List, nodes.Tuple, type(None))):
        return None
    if not isinstance(named, (nodes.Dict, type(None))):
        return None
    pairs = named.items if named is not None else []
    if not all(isinstance(literal(each.key), str) for each in pairs):
        return None
    return (
        [literal(each) for each in (listed.items if listed is not None else [])],
        {str(literal(each.key)): literal(each.value) for each in pairs},
    )


def literal(node: Any) -> Any:
    """Return what an argument is, if that stands in the template; else `UNSAID`."""
    return node.value if isinstance(node, nodes.Const) else UNSAID


def names_set_in(tree: nodes.Template) -> frozenset[str]:
    """The names that a template sets somewhere, so that they may not be the environment's."""
    found = {each.name for each in all_of(tree, nodes.Name) if each.ctx != "load"}
    found |= {each.name for each in all_of(tree, nodes.Macro)}
    found |= {each.target for each in all_of(tree, nodes.Import)}
    for each in all_of(tree, nodes.FromImport):
        found |= {name if isinstance(name, str) else name[1] for name in each.names}
    return frozenset(found)


def _tests_a_flag(condition: nodes.Node) -> bool:
    if isinstance(condition, nodes.Name):
        return True
    if isinstance(condition, (nodes.Getattr, nodes.Getitem)):
        bits: list[str] = []
        node: Any = condition
        while isinstance(node, nodes.Getattr):
            bits.insert(0, node.attr)
            node = node.node
        return not isinstance(node, nodes.Name) or is_flag([node.name, *bits])
    if isinstance(condition, nodes.Call):
        # A function may ask for anything: `switch_is_active("payments")`.
        return isinstance(condition.node, nodes.Name) or any(
            _tests_a_flag(each) for each in condition.iter_child_nodes()
        )
    return any(_tests_a_flag(each) for each in condition.iter_child_nodes())
