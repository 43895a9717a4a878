"""The text of a value."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from datetime import timezone as datetime_timezone
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.exceptions import SynchronousOnlyOperation
from django.forms.utils import RenderableMixin
from django.template.base import render_value_in_context
from django.templatetags.tz import datetimeobject
from django.utils import timezone
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

from ..placement.guard import needs_loop
from ..placement.python_code import CODELESS_TYPES
from ..placement.value_code import text_code
from .calls import again_in_thread, filled_then
from .containers import CONTAINER_TYPES, holds_awaitables
from .escaping import escape, escape_quotes, scan
from .fast import dates, numbers
from .forms import form_text
from .iteration import ROW_CONTAINERS
from .paths import resolve_path
from .placed_steps import LEAVE, run_here
from .running_steps import register_step, value_step
from .sites import Site
from .source_steps import call_on_loop, read_then
from .state import State
from .types import INERT, MODELS, PRINTED, TRANSLATED, is_related, is_source
from .usual_paths import resolve_long_path
from .waits import Kind, Pending, Plan, Wait, pending_wait

ZONES = frozenset({datetime_timezone, ZoneInfo})
"""Types of time zones that know their offset at any time: a datetime with one is not naive."""


SHOWN_WHOLE = frozenset({list, tuple, dict})
"""Exact types of containers that are printed as they are, if they hold nothing but scalars."""

SHOWN_PLAINLY = frozenset({bool, UUID, timedelta})
"""Exact types of values that no setting says how to write, and whose text has nothing to escape."""

only_codeless = CODELESS_TYPES.issuperset
SHOWN_AS_DATA = SHOWN_WHOLE | CODELESS_TYPES

template_localtime: Any = timezone.template_localtime  # type: ignore[attr-defined]


def render_value(
    state: State, context: Any, value: Any, site: Site | None = None, root: Any = None
) -> Any:
    """Return the text of a value: localised, and escaped where the context says so.

    Args:
        site: the expression whose value it is, if that is known.
        root: the value of its first bit.
    """
    kind = type(value)
    if kind is str:
        return escape(value) if context.autoescape else value
    if kind is SafeString:
        return value
    if kind is int and state.plain_integers:
        return str(value)
    text: str | None = None
    if kind is float or kind is Decimal:
        ambient = state.ambient.now()
        text = numbers.localized_number(value, context.use_l10n, ambient)
        if ambient.plain_numbers and text is not None:
            return text  # there is nothing to escape
    elif value is None or kind in SHOWN_PLAINLY:
        return str(value)
    elif kind in SHOWN_WHOLE:
        held = value.values() if kind is dict else value
        if (
            only_codeless(map(type, held)) and (kind is not dict or only_codeless(map(type, value)))
        ) or holds_data(value):
            return escape_quotes(str(value)) if context.autoescape else str(value)
    elif kind in dates.DATE_TYPES:
        value = local_time(state, value, context.use_tz)
        text = dates.localized_date(value, context.use_l10n, state.ambient.now())
    elif kind is time:
        text = dates.localized_time(value, context.use_l10n, state.ambient.now())
    elif kind is TRANSLATED:
        text = state.ambient.now().translated(value)
        if type(text) is SafeString:
            return text
    elif not state.looks:
        if kind in PRINTED:
            return own_text(value, context)
        if kind in MODELS:
            state.relations.prepare_value(value, site, root)
            return own_text(value, context)
    if text is not None:
        return escape(text) if context.autoescape else text
    return rendered(state, context, value, site, root, characters)


register_step(render_value, value_step)


def characters(value: Any, context: Any) -> str:
    """Return the text of a value as an exact ``str`` or ``SafeString``.

    Django joins what nodes give, and only the characters of a type of string count there; compiled
    code formats it, which would ask the type.
    """
    text = render_value_in_context(value, context)
    return text if type(text) is str or type(text) is SafeString else "".join((text,))


def holds_data(container: Any, depth: int = 3) -> bool:
    """Whether a container holds nothing but scalars, and further containers of these."""
    items = container
    if type(container) is dict:
        if not only_codeless(map(type, container)):
            return False
        items = container.values()
    if only_codeless(map(type, items)):
        return True
    if not depth or not SHOWN_AS_DATA.issuperset(map(type, items)):
        return False
    return all(holds_data(item, depth - 1) for item in items if type(item) in SHOWN_WHOLE)


def own_text(value: Any, context: Any) -> str:
    """Return what `characters` does for a value of one of the types in `PRINTED`."""
    escapes = context.autoescape
    text = str(value)
    if type(text) is str:
        return escape(text) if escapes and scan(text) is not text else text
    if type(text) is SafeString:
        return text
    return "".join((conditional_escape(text) if escapes else text,))


def local_time(state: State, value: Any, use_tz: bool | None) -> Any:
    """Convert a datetime to the current time zone, as Django's ``template_localtime`` does."""
    kind = type(value)
    if kind is datetime:
        if type(value.tzinfo) in ZONES:
            if state.use_tz if use_tz is None else use_tz:
                return value.astimezone(state.ambient.now().zone)
            return value
    elif kind is date or (
        kind is datetimeobject and value.__dict__.get("convert_to_local_time") is False
    ):
        return value
    return template_localtime(value, use_tz)


def rendered(
    state: State,
    context: Any,
    value: Any,
    site: Site | None = None,
    root: Any = None,
    text_of: Callable[[Any, Any], Any] = render_value_in_context,
) -> Any:
    """Return the text of a value, with the very type that Django's own function gives it.

    Arguments as for `render_value`, and:

    Args:
        text_of: gives the text of a value in a context.
    """
    kind = type(value)
    if not state.looks and issubclass(kind, RenderableMixin):
        shown = form_text(state, value)
        if shown is not None:
            return Pending(_form_shown(context, shown, text_of))
    if not state.on_loop and (kind in ROW_CONTAINERS or is_related(kind)):
        state.relations.prepare_value(value, site, root)
    if kind in CONTAINER_TYPES and holds_awaitables(value, INERT):
        return filled_then(
            state, value, lambda held: rendered(state, context, held, site, root, text_of)
        )
    code = text_code(value) if state.looks and not is_source(kind) else None
    if code is not None:
        text = run_here(state, code, text_of, (value, context), (value,))
        if text is not LEAVE:
            return text
    else:
        try:
            return text_of(value, context)
        except TypeError:
            # The text of one that tells its rows: once they are there it can.
            if not is_source(kind) or state.read.known(value) is not None:
                raise
            return read_then(state, value, lambda rows: text_of(value, context))
        except SynchronousOnlyOperation:
            if is_source(kind) and state.read.known(value) is None:
                return read_then(state, value, lambda rows: text_of(value, context))
            if not state.on_loop:
                raise
        except RuntimeError as error:
            # Its text is that of its query, which its connection makes: that belongs to a loop.
            if not (is_source(kind) and needs_loop(error)):
                raise
            return pending_wait(Wait(Kind.AWAIT, call_on_loop(text_of, value, context)))
    return again_in_thread(state, value, "__str__", site, root, text_of, value, context, code=code)


def _form_shown(context: Any, shown: Pending, text_of: Callable[[Any, Any], Any]) -> Plan:
    text = yield from shown.plan
    return text if type(text) is SafeString else text_of(text, context)


def render_variable(state: State, context: Any, value: Any, site: Site) -> Any:
    """Return the text of a variable: `resolve_path` and `render_value` in one call, outside loops.

    Args:
        value: what the site's first bit gave.
    """
    root = value
    if len(site.bits) > 1:
        value = resolve_long_path(state, context, value, site)
    elif type(value) not in INERT:
        value = resolve_path(state, context, value, site)
    if type(value) is Pending:
        return Pending(_text_later(state, context, value, site, root))
    if type(value) is str:
        return escape(value) if context.autoescape else value
    return render_value(state, context, value, site, root)


def _text_later(state: State, context: Any, pending: Pending, site: Site, root: Any) -> Plan:
    value = yield from pending.plan
    text = render_value(state, context, value, site, root)
    if type(text) is Pending:
        text = yield from text.plan
    return text
