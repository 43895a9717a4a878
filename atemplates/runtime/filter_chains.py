"""A variable with filters as one call: short code where compiling is what costs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from .fast.fast_path import FastPath
from .filters import apply_fast_path, apply_filter, apply_stock
from .output import local_time, render_value
from .paths import resolve_path
from .sites import Invalid, Site
from .state import State
from .types import INERT
from .usual_paths import resolve_long_path
from .waits import Pending, Plan


class FilterStep(NamedTuple):
    """A filter with constant arguments."""

    function: Any
    args: tuple[Any, ...] = ()
    fast_path: FastPath | None = None
    """A quicker function for the usual values, for `apply_fast_path`."""
    stock: bool = False
    """Whether it is Django's own, for `apply_stock`."""
    expects_localtime: bool = False
    needs_autoescape: bool = False

    def apply(self, state: State, context: Any, value: Any, site: Site, root: Any) -> Any:
        """Apply the filter; the result, or a `Pending` of it."""
        if self.expects_localtime:
            value = local_time(state, value, context.use_tz)
        if self.fast_path is not None:
            return apply_fast_path(
                state, context, self.fast_path, self.function, value, site, root, *self.args
            )
        apply = apply_stock if self.stock else apply_filter
        if self.needs_autoescape:
            autoescape = context.autoescape
            return apply(state, self.function, value, site, root, *self.args, autoescape=autoescape)
        return apply(state, self.function, value, site, root, *self.args)


def render_filtered(
    state: State, context: Any, value: Any, site: Site, chain: tuple[FilterStep, ...]
) -> Any:
    """Return the text of a variable with filters, or a `Pending` of it.

    Django writes nothing where resolving fails with a UnicodeDecodeError.

    Args:
        value: what the site's first bit gave.
    """
    root = value
    steps = iter(chain)
    try:
        if len(site.bits) > 1:
            value = resolve_long_path(state, context, value, site)
        elif type(value) not in INERT:
            value = resolve_path(state, context, value, site)
        value = _filtered(state, context, value, site, root, steps)
    except UnicodeDecodeError:
        return ""
    if type(value) is Pending:
        return Pending(_filtered_later(state, context, value, site, root, steps))
    return render_value(state, context, value, site, root)


def _filtered(
    state: State, context: Any, value: Any, site: Site, root: Any, steps: Iterator[FilterStep]
) -> Any:
    """Apply the steps that are left, as far as nothing has to be waited for."""
    if type(value) is Invalid:
        for _ in steps:  # none of them is applied
            pass
        return value.text
    if type(value) is not Pending:
        for step in steps:
            value = step.apply(state, context, value, site, root)
            if type(value) is Pending:
                break
    return value


def _filtered_later(
    state: State, context: Any, value: Any, site: Site, root: Any, steps: Iterator[FilterStep]
) -> Plan:
    try:
        while type(value) is Pending:
            value = yield from value.plan
            value = _filtered(state, context, value, site, root, steps)
    except UnicodeDecodeError:
        return ""
    text = render_value(state, context, value, site, root)
    if type(text) is Pending:
        text = yield from text.plan
    return text
