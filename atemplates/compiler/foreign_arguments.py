"""Arguments of foreign tags: what the tag resolves itself is resolved by our rules.

A tag that calls ``self.value.resolve(context)`` gets the result of an async method, and no
coroutine.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from django.template.base import FilterExpression, Variable
from django.utils import timezone
from django.utils.safestring import mark_safe

from ..runtime.filters import apply_filter
from ..runtime.paths import USUAL_CONTEXTS, resolve_path
from ..runtime.sites import MISSING, Invalid, Site, SiteMode
from ..runtime.state import STATE_ATTRIBUTE, State
from ..runtime.types import INERT
from ..runtime.waits import Pending, Plan


class PlannedExpression(FilterExpression):
    """A filter expression of a foreign node."""

    __slots__ = ()

    def resolve(self, context: Any, ignore_failures: bool = False) -> Any:
        """Resolve the expression; in the thread that renders, awaitables are waited for.

        On the event loop (a tag of ``inline_tags``) nobody can wait, so it is Django's own.
        """
        state = context.__dict__.get(STATE_ATTRIBUTE)
        if type(state) is not State:
            return super().resolve(context, ignore_failures)
        variable = self.var
        if not self.filters:
            # What most arguments are, in less time than Django takes.
            if not isinstance(variable, Variable):
                return variable
            value = usual_value(state, context, variable.lookups)
            if type(value) in INERT:
                return value
        if state.on_loop:
            return super().resolve(context, ignore_failures)
        if self.filters:
            return state.run(expression_plan(state, context, self, ignore_failures))
        site, root = _site_and_root(
            context, variable, SiteMode.NONE if ignore_failures else SiteMode.OUTPUT
        )
        if site is None:
            return variable.resolve(context)
        value = resolve_path(state, context, root, site)
        if type(value) is Pending:
            value = state.run(value.plan)
        return value.text if type(value) is Invalid else value


def usual_value(state: State, context: Any, lookups: Any) -> Any:
    """Return the value of a variable that is read without asking anybody, or `MISSING`.

    Args:
        lookups: its bits; None for a literal.
    """
    if lookups is None or type(context) not in USUAL_CONTEXTS:
        return MISSING
    name = lookups[0]
    for scope in reversed(context.dicts):
        if name in scope:
            value = scope[name]
            break
    else:
        return MISSING
    if len(lookups) == 1:
        return value
    for bit in lookups[1:]:
        if type(value) in state.plain:
            # What the class has to say about it, a property for one, is left to others.
            if bit not in getattr(value, "__dict__", ()):
                return MISSING
            try:
                value = getattr(value, bit)
            except Exception:
                return MISSING
        elif type(value) is dict and bit in value:
            value = value[bit]
        else:
            return MISSING
    return value


def expressions_in(value: Any, depth: int = 3) -> Iterator[FilterExpression]:
    """Find the filter expressions that a node holds, also in lists, tuples and dicts."""
    if type(value) is FilterExpression:
        yield value
    elif depth and type(value) in (list, tuple):
        for item in value:
            yield from expressions_in(item, depth - 1)
    elif depth and type(value) is dict:
        for item in value.values():
            yield from expressions_in(item, depth - 1)


def expression_plan(
    state: State, context: Any, expression: FilterExpression, ignore_failures: bool
) -> Plan:
    """The plan of ``expression.resolve(context)``."""
    value: Any = expression.var
    site = root = None
    if isinstance(value, Variable):
        mode = SiteMode.NONE if ignore_failures else SiteMode.OUTPUT
        site, root = _site_and_root(context, value, mode, bool(expression.filters))
        value = yield from _variable_plan(state, context, value, site, root)
        if type(value) is Invalid:
            return value.text
    for function, args in expression.filters:
        given = []
        for is_variable, argument in args:
            if is_variable:
                found = _site_and_root(context, argument, SiteMode.RAISE)
                given.append((yield from _variable_plan(state, context, argument, *found)))
            else:
                given.append(mark_safe(argument))
        if getattr(function, "expects_localtime", False):
            value = timezone.template_localtime(value, context.use_tz)  # type: ignore[attr-defined]
        named = {}
        if getattr(function, "needs_autoescape", False):
            named["autoescape"] = context.autoescape
        value = apply_filter(state, function, value, site, root, *given, **named)
        if type(value) is Pending:
            value = yield from value.plan
        site = root = None
    return value


def _site_and_root(
    context: Any, variable: Variable, mode: SiteMode, filtered: bool = False
) -> tuple[Site | None, Any]:
    """Return where a variable starts from; nothing for a literal."""
    if variable.lookups is None:
        return None, None
    bits = tuple(variable.lookups)
    return _site(bits, str(variable.var), mode, filtered), context.get(bits[0], MISSING)


@lru_cache(1000)
def _site(bits: tuple[str, ...], text: str, mode: SiteMode, filtered: bool) -> Site:
    return Site(bits, text, mode, filtered=filtered)


def _variable_plan(
    state: State, context: Any, variable: Variable, site: Site | None, root: Any
) -> Plan:
    if site is None:
        return variable.resolve(context)
    value = resolve_path(state, context, root, site)
    if type(value) is Pending:
        value = yield from value.plan
    return value
