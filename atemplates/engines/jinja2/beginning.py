"""``OPTIONS["parallel"]`` in Jinja2: what a page certainly loads is started together."""

from __future__ import annotations

from collections.abc import Iterable
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from django.db.models.query import QuerySet
from jinja2.utils import missing

from ...jinja2.certain_items import Item, asks_context
from ...jinja2.function_marks import HARMLESS_MODULES
from ...jinja2.other_templates import cached_jinja2_template
from ...jinja2.state import running_state
from ...parallel.loads import start_together
from ..beginning import can_begin, querysets_in

FUNCTION_TYPES = (FunctionType, BuiltinFunctionType, MethodType, type)
"""Types of callables whose marks are read without running code of others."""


class AnythingMayHappen(Exception):
    """From here on nothing is certain."""


def begin_page(context: Any, template: Any) -> None:
    """Start the querysets of a context that a template which begins certainly loads.

    Args:
        template: one that extends no other; for another nothing is done.
    """
    if template._certain is None:
        return
    walk = ItemWalk(context)
    try:
        walk.follow(template, template._certain, is_certain=True)
    except AnythingMayHappen:
        pass
    state = running_state()
    waiting = state.awaitables
    beside = bool(waiting) and not waiting.keys().isdisjoint(template._names_used())
    if len(walk.found) > 1 or (walk.found and beside):
        state.started = list(walk.found.values())
        start_together(state.started)


class ItemWalk:
    """One way through a page.

    Args:
        context: the context of its templates.
    """

    def __init__(self, context: Any) -> None:
        self.context = context
        self.found: dict[int, QuerySet[Any]] = {}
        """The querysets that are certainly loaded, by identity."""
        self.theirs: set[int] = set()
        """Those that something else was done with first."""
        self.lost: frozenset[str] = frozenset()
        """Names that do not stand for what the context holds."""

    def value_of(self, name: str) -> Any:
        """Return what the context holds by a name, without asking anybody."""
        if name in self.lost:
            return missing
        held = self.context.vars
        return held[name] if name in held else self.context.parent.get(name, missing)

    def follow(self, template: Any, items: Iterable[Item], is_certain: bool) -> None:
        """Go through some items.

        Args:
            template: whose they are.
            is_certain: whether they are certainly reached.

        Raises:
            AnythingMayHappen: one does what is not known.
        """
        for kind, *rest in items:
            if kind == "reads" or kind == "touches":
                value = self.value_of(rest[0])
                is_read = kind == "reads" and is_certain and id(value) not in self.theirs
                if is_read and can_begin(value):
                    self.found[id(value)] = value
                else:
                    self.theirs.update(map(id, querysets_in(value)))
            elif kind == "calls":
                check_function(self.value_of(rest[0]))
            elif kind == "sets":
                self.lost |= {rest[0]}
            elif kind == "scope":
                before = self.lost
                self.lost |= set(rest[0])
                self.follow(template, rest[1], is_certain)
                self.lost = before
            elif kind == "maybe":
                self.follow(template, rest[0], is_certain=False)
            elif kind == "block":
                self._show_block(template, rest[0], rest[1], is_certain)
            elif kind == "include":
                self._include(template, rest[0], is_certain)
            else:
                raise AnythingMayHappen

    def _show_block(self, template: Any, name: str, items: Any, is_certain: bool) -> None:
        if self.context.blocks.get(name) != [template.blocks[name]]:
            raise AnythingMayHappen  # it is overridden
        self.follow(template, items, is_certain)

    def _include(self, template: Any, name: str, is_certain: bool) -> None:
        environment = self.context.environment
        inner: Any = cached_jinja2_template(environment, environment.join_path(name, template.name))
        if inner is None or inner._certain is None or inner is template or inner.blocks:
            raise AnythingMayHappen
        before = self.lost
        self.follow(inner, inner._certain, is_certain)
        self.lost = before


def check_function(function: Any) -> None:
    """Raise `AnythingMayHappen` for a function of others that asks for the context."""
    if function is missing:  # a macro, say, whose items were seen
        return
    if not issubclass(type(function), FUNCTION_TYPES):
        raise AnythingMayHappen
    if asks_context(function) and not (function.__module__ or "").startswith(HARMLESS_MODULES):
        raise AnythingMayHappen
