"""``OPTIONS["parallel"]``: what a render certainly loads is started together when it begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from django.db.models.query import QuerySet
from django.template.loader_tags import BLOCK_CONTEXT_KEY

from ..compiler.cached_loader import cached_template
from ..compiler.templates import shows_its_nodes
from ..parallel.loads import start_together
from ..relations.models import is_loaded
from ..relations.querysets import origin_of
from ..runtime.paths import dicts_of
from ..runtime.sites import MISSING
from ..runtime.state import State
from ..runtime.types import is_source
from ..tags.certain_loads import Use, extends_node, uses_of
from ..tags.certain_steps import EACH, MAYBE, Passes, Path, Reads, UseStep


def begin_loads(state: State, template: Any, context: Any) -> None:
    """Start the querysets of a context that a template which begins certainly loads.

    One that nothing else could be waited for beside is loaded when it is needed, as ever.
    """
    if extends_node(template) is not None:
        return  # what it extends decides which of its blocks are shown
    state.ahead = None
    dicts = dicts_of(context)
    if dicts is not context.dicts or not may_hold_querysets(dicts):
        return
    if not shows_its_nodes(template):
        return
    extended = context.render_context.get(BLOCK_CONTEXT_KEY)
    blocks = {} if extended is None else extended.blocks
    find = partial(cached_template, state.engine)
    querysets = certain_querysets(dicts, uses_of(find, template, blocks))
    if len(querysets) > 1 or (querysets and state.upcoming):
        state.started = querysets
        start_together(querysets)


def may_hold_querysets(dicts: list[Any]) -> bool:
    """Whether there is anything to start: most pages are done with this."""
    return any(
        type(value) is dict or issubclass(type(value), QuerySet)
        for scope in dicts
        for value in scope.values()
    )


def certain_querysets(dicts: list[Any], uses: Iterable[Use]) -> list[QuerySet[Any]]:
    """Find the querysets that are certainly loaded, by compiled code first.

    One that code of others may load is left to it: it does not know of a load that has begun.

    Args:
        dicts: those of the context, the innermost last.
    """
    found: dict[int, QuerySet[Any]] = {}
    theirs: set[int] = set()
    for use in uses:
        value, rest = value_at(dicts, use.path)
        if use.place is not None and not rest:
            if id(value) not in theirs and can_begin(value):
                found[id(value)] = value
        else:
            theirs.update(map(id, reached_by_others(use.step, value, rest)))
    return list(found.values())


def value_at(dicts: list[Any], path: Path) -> tuple[Any, Path]:
    """Return what a path leads to through plain dicts, and the rest of it. Nothing is called."""
    name = path[0]
    value = next((scope[name] for scope in reversed(dicts) if name in scope), MISSING)
    for index, bit in enumerate(path[1:], 1):
        if type(value) is not dict or bit not in value:
            return value, path[index:]
        value = value[bit]
    return value, ()


def reached_by_others(step: UseStep, value: Any, rest: Path) -> Iterator[QuerySet[Any]]:
    """Find the querysets that a step may have code of others load.

    Args:
        value: what the path of the step leads to through plain dicts.
        rest: the rest of that path.
    """
    bits = list(rest)
    if issubclass(type(value), QuerySet):
        while bits and bits[0] == MAYBE:
            del bits[0]
        if EACH in bits[:1]:
            return  # a row
    else:
        last = max((place for place, bit in enumerate(bits, 1) if bit in (MAYBE, EACH)), default=0)
        bits = bits[last:] if last else []
    for queryset in querysets_in(value):
        kind = type(queryset)
        if bits:
            theirs = not is_djangos(kind, "__getitem__" if bits[0].isdigit() else bits[0])
        elif isinstance(step, Passes):
            theirs = True
        elif isinstance(step, Reads):
            # What holds it may be printed then.
            theirs = queryset is not value and not is_djangos(kind, "__repr__")
        else:
            theirs = step.is_whole and not is_djangos(kind, "__repr__")
        if theirs:
            yield queryset


def querysets_in(value: Any, depth: int = 3) -> Iterator[QuerySet[Any]]:
    """Give a queryset, or those in lists, tuples and dicts."""
    if issubclass(type(value), QuerySet):
        yield value
    elif depth and type(value) in (dict, list, tuple):
        for item in value.values() if type(value) is dict else value:
            yield from querysets_in(item, depth - 1)


def is_djangos(kind: type[Any], name: str) -> bool:
    """Whether an attribute of a class of querysets is Django's own, which loads no rows into it."""
    for base in kind.__mro__:
        if name in vars(base):
            return base.__module__.startswith("django.")
    return False


def can_begin(queryset: Any) -> bool:
    """Whether a value is a queryset with rows to be loaded, and of itself alone."""
    kind = type(queryset)
    return issubclass(kind, QuerySet) and not (
        is_loaded(queryset)
        or queryset.query.is_empty()
        or origin_of(queryset) is not None
        or is_source(kind)
        or callable(queryset)
    )
