"""Blocks of Django templates that no template further up has, so that they are never shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from django.template.base import TextNode
from django.template.engine import Engine
from django.template.loader_tags import BlockNode, ExtendsNode

from ..analysis.django import following
from ..analysis.django.placed_nodes import placed_nodes
from ..analysis.django.templates import literal_name
from ..analysis.site.templates import SiteTemplates
from ..analysis.site.words import place_of_words
from ..problems import Problem

NO_SUCH_BLOCK = "no-such-block"
MOST_PARENTS = 64
"""How far inheritance is followed."""


def block_problems(site: SiteTemplates, name: str, engine: Engine) -> Iterator[Problem]:
    """Return the blocks of a Django template that none of those it extends has.

    Nothing is said where one in the chain is known only when the template renders.

    Args:
        name: one of the templates in ``site.parsed``.
        engine: that of the site.
    """
    template = site.parsed[name]
    parents = parents_of(template, engine)
    if not parents:
        return
    known = {block for parent in parents for block in _blocks_of(parent)}
    for place in placed_nodes(template):
        node = place.node
        # What stands inside of a block is shown with that, or is as lost as that.
        if isinstance(node, BlockNode) and node.name not in known and not place.blocks:
            parent = parents[0].origin.template_name or parents[0].name
            yield never_shown(site, name, place.line, node.name, str(parent), known)


def never_shown(
    site: SiteTemplates, name: str, line: int | None, block: str, parent: str, known: Iterable[str]
) -> Problem:
    """Say that no template further up has a block.

    Args:
        parent: the template that is extended.
        known: the blocks further up.
    """
    column, width = place_of_words(site.sources.get(name, ""), line, "block", block)
    close = get_close_matches(block, sorted(known), n=1)
    problem = Problem(
        f"the block {block!r} is never shown: {parent!r} has none of this name",
        name,
        line,
        path=site.files.get(name, ""),
        code=NO_SUCH_BLOCK,
        column=column,
        width=width,
        hint=f"did you mean {close[0]!r}?" if close else "",
    )
    # A package serves sites whose own base templates have different blocks.
    return replace(problem, is_possible=problem.is_optional)


def parents_of(template: Any, engine: Engine) -> list[Any]:
    """Return the templates that one extends, the nearest first.

    Empty when it extends none, or when one of them is not known or not there.
    """
    found: list[Any] = []
    load = following(engine)
    history = [template.origin]
    extends = _extends_of(template)
    while extends is not None:
        name = literal_name(extends.parent_name) if type(extends) is ExtendsNode else None
        if name is None or len(found) >= MOST_PARENTS:
            return []
        same_name = [each for each in history if each.template_name == name]
        try:
            parent = load(name, same_name)
        except Exception:
            return []  # It is said where that template is read, or named.
        if any(parent.origin == each for each in history):
            return []
        history.append(parent.origin)
        found.append(parent)
        extends = _extends_of(parent)
    return found


def _extends_of(template: Any) -> Any:
    """The ``{% extends %}`` of a template, which stands before all but text."""
    first = next((each for each in template.nodelist if not isinstance(each, TextNode)), None)
    return first if isinstance(first, ExtendsNode) else None


def _blocks_of(template: Any) -> Iterator[str]:
    """The blocks of a template, those inside of other nodes included."""
    return (each.node.name for each in placed_nodes(template) if isinstance(each.node, BlockNode))
