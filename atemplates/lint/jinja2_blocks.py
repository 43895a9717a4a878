"""Blocks of Jinja2 templates: never shown, required and not there, called and not there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from jinja2 import Environment, TemplateError, nodes

from ..analysis.jinja2.placed_nodes import placed_expressions
from ..analysis.jinja2.tree_parts import all_of
from ..analysis.site.sources import ENDINGS
from ..analysis.site.templates import SiteTemplates
from ..analysis.site.words import place_of_words
from ..problems import Problem
from .blocks import MOST_PARENTS, NO_SUCH_BLOCK, never_shown

Parents = list[tuple[str, nodes.Template]]
"""Templates that one extends, with their names, the nearest first."""


def jinja2_block_problems(
    site: SiteTemplates, name: str, environment: Environment
) -> Iterator[Problem]:
    """Return what a Jinja2 template does with blocks that are not there.

    That is: blocks that none of the templates that it extends has, ``super()`` where there is no
    block above, ``self.name()`` of a block that no template has, and required blocks that are left
    out. Nothing is said where a name in the chain is known only when the template renders.

    Args:
        name: one of the templates in ``site.trees``.
    """
    tree = site.trees[name]
    parents = jinja2_parents(name, tree, site, environment)
    if parents is None:
        return
    known = {block for _, parent in parents for block in _blocks_of(parent)}
    called = {block for each in (tree, *(tree for _, tree in parents)) for block in _called(each)}
    if parents:
        for place in placed_expressions(tree):
            node = place.node
            if not isinstance(node, nodes.Block) or place.block:
                continue
            if node.name not in known | called:
                yield never_shown(site, name, node.lineno, node.name, parents[0][0], known)
        yield from _required(site, name, tree, parents, environment)
    yield from _super_problems(site, name, tree, known)
    yield from _self_problems(site, name, tree, environment)


def jinja2_parents(
    name: str, tree: nodes.Template, site: SiteTemplates, environment: Environment
) -> Parents | None:
    """Return the templates that one extends; None when they are not known, or not there."""
    found: Parents = []
    seen = {name}
    while True:
        every = all_of(tree, nodes.Extends)
        if not every:
            return found
        certain = [each for each in tree.body if isinstance(each, nodes.Extends)]
        if len(every) != 1 or not certain or len(found) >= MOST_PARENTS:
            return None
        wanted = certain[0].template
        if not isinstance(wanted, nodes.Const) or not isinstance(wanted.value, str):
            return None
        name = environment.join_path(wanted.value, name)
        if name in seen:
            return None
        seen.add(name)
        parent = tree_of(name, site, environment)
        if parent is None:
            return None
        found.append((name, parent))
        tree = parent


def tree_of(name: str, site: SiteTemplates, environment: Environment) -> nodes.Template | None:
    """Return a template's syntax tree; None when there is none."""
    if name not in site.trees and environment.loader is not None:
        try:
            source, file, _ = environment.loader.get_source(environment, name)
            site.trees[name] = environment.parse(source, name, file)
        except TemplateError:
            return None  # It is said where that template is read, or named.
    return site.trees.get(name)


def _blocks_of(tree: nodes.Template) -> Iterator[str]:
    return (each.name for each in all_of(tree, nodes.Block))


def _called(tree: nodes.Template) -> Iterator[str]:
    """The blocks that a template shows by ``self.name()``."""
    for each in all_of(tree, nodes.Getattr):
        if isinstance(each.node, nodes.Name) and each.node.name == "self":
            yield each.attr
    for item in all_of(tree, nodes.Getitem):
        if isinstance(item.node, nodes.Name) and item.node.name == "self":
            yield str(item.arg.value) if isinstance(item.arg, nodes.Const) else ""


def _super_problems(
    site: SiteTemplates, name: str, tree: nodes.Template, known: Iterable[str]
) -> Iterator[Problem]:
    for place in placed_expressions(tree):
        node = place.node
        if not isinstance(node, nodes.Call) or not isinstance(node.node, nodes.Name):
            continue
        if node.node.name == "super" and place.block and place.block not in known:
            what = f"super() of the block {place.block!r} fails: no template further up has it"
            yield _problem(site, name, node.lineno, what, ("super",))


def every_tree(site: SiteTemplates, environment: Environment) -> list[nodes.Template] | None:
    """Return the syntax trees of all templates; None when the loader cannot list these."""
    try:
        names = environment.list_templates()
    except TypeError:
        return None
    trees = [tree_of(each, site, environment) for each in names if each.endswith(ENDINGS)]
    return [each for each in trees if each is not None]


def _self_problems(
    site: SiteTemplates, name: str, tree: nodes.Template, environment: Environment
) -> Iterator[Problem]:
    everywhere: set[str] | None = None
    for place in placed_expressions(tree):
        node = place.node
        if not isinstance(node, nodes.Call) or not isinstance(node.node, nodes.Getattr):
            continue
        owner = node.node.node
        if not isinstance(owner, nodes.Name) or owner.name != "self":
            continue
        if everywhere is None:
            # A template that extends this one may have the block.
            trees = every_tree(site, environment)
            if trees is None:
                return
            everywhere = {block for each in (tree, *trees) for block in _blocks_of(each)}
        if node.node.attr not in everywhere:
            what = f"self.{node.node.attr}() fails: no template has a block of this name"
            hint = _meant(node.node.attr, everywhere)
            yield _problem(site, name, node.lineno, what, ("self", node.node.attr), hint)


def _required(
    site: SiteTemplates,
    name: str,
    tree: nodes.Template,
    parents: Parents,
    environment: Environment,
) -> Iterator[Problem]:
    """Blocks that have to be overridden, in a template that no other one extends."""
    given: set[str] = set(_blocks_of(tree))
    extends = all_of(tree, nodes.Extends)[0]
    required = {
        each.name for _, one in parents for each in all_of(one, nodes.Block) if each.required
    }
    if required <= given or _may_be_extended(name, every_tree(site, environment)):
        return
    for parent, parents_tree in parents:
        for block in all_of(parents_tree, nodes.Block):
            if block.required and block.name not in given:
                what = f"the block {block.name!r} is missing, which {parent!r} requires"
                yield _problem(site, name, extends.lineno, what, ("extends",))
        given.update(each.name for each in all_of(parents_tree, nodes.Block))


def _may_be_extended(name: str, trees: Iterable[nodes.Template] | None) -> bool:
    """Whether another template may extend one."""
    if trees is None:
        return True
    for tree in trees:
        for each in all_of(tree, nodes.Extends):
            named: Any = each.template
            if not isinstance(named, nodes.Const) or named.value == name:
                return True
    return False


def _meant(block: str, known: Iterable[str]) -> str:
    close = get_close_matches(block, sorted(known), n=1)
    return f"did you mean {close[0]!r}?" if close else ""


def _problem(
    site: SiteTemplates,
    name: str,
    line: int,
    message: str,
    words: tuple[str, ...],
    hint: str = "",
) -> Problem:
    column, width = place_of_words(site.sources.get(name, ""), line, *words)
    path = site.files.get(name, "")
    return Problem(
        message, name, line, path=path, code=NO_SUCH_BLOCK, column=column, width=width, hint=hint
    )
