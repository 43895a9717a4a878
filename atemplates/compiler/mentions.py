"""The names that a template mentions, and the templates that it names.

Awaitables of the context that are mentioned are awaited together. What is mentioned is found
without rendering: a word in a template's text is enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from django.template import defaulttags
from django.template.base import FilterExpression, Node, NodeList, Template, Token
from django.template.engine import Engine
from django.template.library import InclusionNode
from django.template.loader_tags import ExtendsNode, IncludeNode

from ..runtime.state import State
from ..runtime.waits import Kind, Plan, Wait
from .cached_loader import cached_template, has_cached_loader
from .foreign import child_nodelists, off_loop

word = re.compile(r"\w+")


def words_of(source: str) -> set[str]:
    """Every name that ``source`` could possibly use as a variable."""
    return set(word.findall(source))


PartialNode: Any = getattr(defaulttags, "PartialNode", None)
"""Django 6.0's node of ``{% partial %}``."""


class Mentions(NamedTuple):
    """What a template or a partial mentions."""

    words: frozenset[str]
    references: tuple[str, ...]
    """The names of the templates that it renders with the names of its own context."""
    names_all: bool = False
    """Whether its words and theirs are all that it may use: each template is named by a constant,
    and no tag of others is given the context."""


NO_MENTIONS = Mentions(frozenset(), ())

MENTIONS_ATTRIBUTE = "atemplates_mentions"
"""Where the node list of a template keeps what it mentions. Threads may race for it: they find the
same."""
LOADED = "atemplates_loads_references"
"""Where the node list of a template notes that the templates it names have been looked for. Any
thread may set it; at worst they are looked for twice."""


def mentions_of(template: Any) -> Mentions:
    """Return what a template mentions, or a partial, which has no text of its own.

    Of what is rendered by a method of its own nothing is known.
    """
    nodelist = getattr(template, "nodelist", None)
    if not isinstance(nodelist, NodeList):
        return NO_MENTIONS
    known: Mentions | None = nodelist.__dict__.get(MENTIONS_ATTRIBUTE)
    if known is None:
        nodes = list(_nodes_below(nodelist, set()))
        if isinstance(template, Template):
            words = words_of(str(template.source))
        else:
            words = words_of(" ".join(text for node in nodes for text in _texts_of(node)))
        rendering = [node for node in nodes if isinstance(node, (IncludeNode, ExtendsNode))]
        references = tuple(each for node in rendering if (each := _reference_of(node)) is not None)
        names_all = len(references) == len(rendering) and not any(map(may_read_all, nodes))
        known = Mentions(frozenset(words), references, names_all)
        setattr(nodelist, MENTIONS_ATTRIBUTE, known)
    return known


KNOWN_NODES = ("django.template.", "django.templatetags.", f"{__name__.partition('.')[0]}.")
"""Where nodes come from that use no name but those in their template's text."""


def may_read_all(node: Node) -> bool:
    """Whether a tag may use any name of the context, whatever the template mentions: one that
    renders a template of its own, or is given the context."""
    return (
        isinstance(node, (defaulttags.DebugNode, InclusionNode))
        or getattr(node, "takes_context", False)
        or not type(node).__module__.startswith(KNOWN_NODES)
    )


def _nodes_below(nodelist: Any, seen: set[int]) -> Iterator[Node]:
    """Go through the nodes of a node list and those inside them, partials that are used as well."""
    if id(nodelist) in seen:  # a partial may use itself
        return
    seen.add(id(nodelist))
    for node in nodelist:
        yield node
        for inner in child_nodelists(list(vars(node).values())):
            yield from _nodes_below(inner, seen)
        partial = used_partial(node)
        if partial is not None:
            yield from _nodes_below(partial.nodelist, seen)


def used_partial(node: Any) -> Any:
    """Return the partial that a ``{% partial %}`` shows; None for another node, or where there is
    none of that name."""
    if type(node) is not PartialNode:
        return None
    try:
        return node.partial_mapping[node.partial_name]
    except KeyError:
        return None


def _texts_of(node: Node) -> Iterator[str]:
    """The texts of a tag, and of what a tag has parsed by itself, as ``{% blocktranslate %}``."""
    for value in vars(node).values():
        for item in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(item, Token):
                yield item.contents


def _reference_of(node: Node) -> str | None:
    """Return the template that a node names by a constant, and that sees the context."""
    if isinstance(node, IncludeNode):
        return None if node.isolated_context else constant_name(node.template)
    return constant_name(node.parent_name) if isinstance(node, ExtendsNode) else None


def constant_name(expression: Any) -> str | None:
    """Return the template's name that an expression is; None where it is computed."""
    if type(expression) is not FilterExpression or expression.filters:
        return None
    return str(expression.var) if isinstance(expression.var, str) else None


def names_mentioned(engine: Engine, template: Any, names: frozenset[str]) -> frozenset[str]:
    """Find those of some names that a template mentions, or a loaded one that it refers to.

    No disk is read.
    """
    missing, seen, waiting = names, set(), [template]
    while waiting and missing:
        current = waiting.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        mentions = mentions_of(current)
        missing -= mentions.words
        waiting.extend(cached_template(engine, name) for name in mentions.references)
    return names - missing


def words_of_page(engine: Engine, template: Any) -> frozenset[str] | None:
    """Return what a template mentions, and all those that it refers to.

    Returns:
        None where one of them is not known: it is not loaded, or no constant names it.
    """
    words: set[str] = set()
    seen, waiting = set(), [template]
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        mentions = mentions_of(current)
        if not mentions.names_all:
            return None
        words |= mentions.words
        waiting.extend(cached_template(engine, name) for name in mentions.references)
    return frozenset(words)


def load_references(engine: Engine, template: Any) -> None:
    """Load the templates that one names, and those that they name, as far as there are.

    What is wrong with one is for the render to say, if it gets there.
    """
    seen: set[str] = set()
    waiting = [template]
    while waiting:
        for name in mentions_of(waiting.pop()).references:
            if name not in seen:
                seen.add(name)
                with suppress(Exception):
                    waiting.append(engine.get_template(name))


def mentioned_first(state: State, template: Any, plan: Plan) -> Plan:
    """The plan of a render in whose context there are awaitables that its template's own text does
    not mention."""
    yield from note_mentioned(state, template)
    return (yield from plan)


def note_mentioned(state: State, template: Any) -> Plan:
    """Have those awaitables awaited with the next ones that a template which begins mentions, or
    one that it refers to.

    Those that it refers to are loaded once: without them the first render would await one after
    the other.

    Args:
        template: a template, or anything that renders in the place of one.
    """
    if mentions_of(template).references:
        engine, held = state.engine, template.nodelist.__dict__
        if LOADED not in held and has_cached_loader(engine):
            if state.on_loop:
                yield Wait(Kind.CALL, off_loop, (state, load_references, engine, template))
            else:
                load_references(engine, template)
            held[LOADED] = True
    note_words(state, template)


def note_words(state: State, template: Any) -> None:
    """Do the same with the templates that are loaded; arguments as for `note_mentioned`."""
    unmentioned = state.unmentioned or {}
    for name in names_mentioned(state.engine, template, frozenset(unmentioned)):
        value = unmentioned.pop(name)
        if id(value) not in state.awaited:
            state.upcoming[id(value)] = value
