"""Looking a name up and following its path: the order of ``django.template.base.Variable``."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from django.db.models import QuerySet
from django.template.base import VariableDoesNotExist
from django.template.context import BaseContext, Context
from django.template.context import RequestContext as StockRequestContext

from ..placement.python_code import attribute_code, own_dict
from .calls import await_once, call_or_await
from .placed_steps import LEAVE, run_here, run_in_thread
from .running_steps import LocalValues, RunningStep, register_step
from .sites import MISSING, Invalid, Site, SiteMode
from .source_steps import look_up, missing_method
from .state import State
from .types import INERT, NAMED, PLAIN, PLAIN_OR_MODEL, RELATED, SOURCES, is_awaitable, learn_type
from .waits import Pending, Plan, Wait, pending_wait

template_logger = logging.getLogger("django.template")


ROW_OF_QUERYSET: Any = QuerySet.__getitem__
"""It refuses every text, and formats an error to say so."""

LOOKUP_ERRORS = (TypeError, AttributeError, KeyError, ValueError, IndexError)


USUAL_CONTEXTS = {Context, StockRequestContext}


def dicts_of(context: Any) -> list[Any]:
    """Return what names are looked up in: the context's dicts, innermost last.

    A context class that overrides how names are looked up is asked itself.
    """
    kind = type(context)
    if kind in USUAL_CONTEXTS or (
        kind.__getitem__ is Context.__getitem__ and kind.__contains__ is Context.__contains__
    ):
        return context.dicts  # type: ignore[no-any-return]
    return [context]


def reread_dicts(state: State, context: Any) -> list[Any]:
    """Return what names are looked up in after code of others has run, which may change anything.

    What stands for missing variables is also up to the template that the context is bound to.
    """
    state.engine = context.template.engine
    return context.dicts if type(context) in USUAL_CONTEXTS else dicts_of(context)


def engine_of(context: Any) -> Any:
    return context.template.engine


def lookup_name(dicts: list[Any], name: str) -> Any:
    """Return the innermost value called ``name``, or `MISSING`."""
    for scope in reversed(dicts):
        if name in scope:
            return scope[name]
    return MISSING


def lookup_bit(value: Any, bit: str) -> Any:
    """Resolve one bit: subscript if the type has it, then attribute, then index.

    Raises:
        VariableDoesNotExist: nothing of the three worked.
        Exception: whatever a property raised.
    """
    getitem = getattr(type(value), "__getitem__", None)
    if getitem is not None and getitem is not ROW_OF_QUERYSET:
        try:
            return value[bit]
        except LOOKUP_ERRORS:
            pass
    try:
        if isinstance(value, BaseContext) and getattr(type(value), bit):
            raise AttributeError(bit)
        return getattr(value, bit)
    except (TypeError, AttributeError):
        return lookup_index(value, bit)


def lookup_index(value: Any, bit: str) -> Any:
    """Go on after an attribute lookup failed; must be called while its exception is handled."""
    if not isinstance(value, BaseContext) and is_named(value, bit):
        raise
    try:
        return value[int(bit)]
    except (IndexError, ValueError, KeyError, TypeError):
        raise VariableDoesNotExist("Failed lookup for key [%s] in %r", (bit, value)) from None


def is_named(value: Any, bit: str) -> bool:
    """Whether ``dir(value)`` has a name, without making the list where the type decides."""
    kind = type(value)
    if kind not in NAMED:
        learn_type(kind)
        if kind not in NAMED:
            return bit in dir(value)
    if bit in own_dict(value):
        return True
    for base in kind.__mro__:  # noqa: SIM110  (a generator takes longer than all the rest)
        if bit in base.__dict__:
            return True
    return False


def resolve_path(
    state: State,
    context: Any,
    value: Any,
    site: Site,
    index: int = 1,
    root: Any = None,
    settled: bool = False,
    source: Any = None,
) -> Any:
    """Resolve the rest of a path.

    Args:
        value: what the first ``index`` bits of the site gave; `MISSING` if the root is absent.
        index: how many bits are done.
        root: the value of the first bit.
        settled: whether the value was called and awaited already, and is not to be called again.
        source: what the value was just read from, if that is a model instance.

    Returns:
        The value, or a `Pending` that gives it, or an `Invalid`.

    Raises:
        Exception: whatever a lookup or call raised, if it is not silent.
    """
    bits = site.bits
    bit = bits[index - 1]
    if index == 1:
        root = value
        if value is MISSING:
            found = missing_value(state, site)
            if found is not MISSING:
                return found
    try:
        if value is MISSING:
            raise VariableDoesNotExist("Failed lookup for key [%s] in %r", (bit, context))
        while True:
            if type(value) not in INERT and not settled:
                value = call_or_await(state, value, site, root)
                if type(value) is Pending:
                    return Pending(go_on(state, context, value, site, index, root, True))
            settled = False
            if source is not None:
                if issubclass(type(value), QuerySet):
                    state.relations.derive(source, value, site, root, index - 1)
                source = None
            if index == len(bits):
                return value
            bit = bits[index]
            if type(value) in RELATED:
                step = state.relations.step(value, bit, site, root, index)
                if type(step) is Wait:
                    return Pending(_load(state, context, step, value, site, index, root))
                if step is not None:
                    value = step.value
                    index += 1
                    continue
                source = value
            # A source knows by itself what it cannot do on the loop.
            if state.looks and type(value) not in SOURCES:
                code = attribute_code(value, bit)
                if code is not None:
                    found = run_here(state, code, lookup_bit, (value, bit), (value,))
                    if found is LEAVE:
                        pending = lookup_in_thread(state, value, bit, site, root, index, code)
                        later = go_on(state, context, pending, site, index + 1, root, False)
                        return Pending(later)
                    value = found
                    index += 1
                    continue
            try:
                if type(value) in PLAIN:
                    try:
                        value = getattr(value, bit)
                    except (TypeError, AttributeError):
                        value = lookup_index(value, bit)
                elif type(value) is dict and bit in value:
                    value = value[bit]
                elif type(value) in SOURCES:
                    value = look_up(state, value, bit, lookup_bit)
                    if type(value) is Pending:
                        rest = go_on(state, context, value, site, index + 1, root, False)
                        return Pending(rest)
                else:
                    value = lookup_bit(value, bit)
            except VariableDoesNotExist:
                method = missing_method(value, bit)
                if method is None:
                    raise
                value = method
            except SynchronousOnlyOperation:
                if not state.on_loop:
                    raise
                pending = lookup_in_thread(state, value, bit, site, root, index)
                return Pending(go_on(state, context, pending, site, index + 1, root, False))
            index += 1
    except Exception as error:
        return lookup_failed(state, context, error, site, bit)


def resolving(values: LocalValues) -> RunningStep:
    """The value at hand is looked into, or, when it is a method, called."""
    return RunningStep(
        "lookup",
        values["state"].relations,
        values["value"],
        values["site"],
        values["root"],
        values["index"],
    )


register_step(resolve_path, resolving)


def lookup_in_thread(
    state: State, value: Any, bit: str, site: Site, root: Any, index: int, code: Any = None
) -> Pending:
    """Look up in the thread: where its code belongs, or where Django's own may query.

    Args:
        code: what the lookup runs, if that is code of others.
    """
    notify = state.relations.python_step(value, bit, site, root, index)
    return pending_wait(run_in_thread(code, lookup_bit, value, bit, notify=notify))


def _load(
    state: State, context: Any, wait: Wait, value: Any, site: Site, index: int, root: Any
) -> Plan:
    """Load what a step needs, then resolve the path from the same value on."""
    try:
        yield wait
    except Exception as error:
        return lookup_failed(state, context, error, site, site.bits[index])
    value = resolve_path(state, context, value, site, index, root)
    if type(value) is Pending:
        value = yield from value.plan
    return value


def go_on(
    state: State,
    context: Any,
    pending: Pending,
    site: Site,
    index: int,
    root: Any,
    settled: bool,
) -> Plan:
    """Finish a step, then resolve the rest of the path; ``settled`` says that it was a call."""
    try:
        value = yield from pending.plan
        if settled and type(value) not in INERT and is_awaitable(value):
            # A call that had to be made in the request's thread gave something to await.
            value = yield from await_once(state, value, False)
    except Exception as error:
        return lookup_failed(state, context, error, site, site.bits[index - 1])
    value = resolve_path(state, context, value, site, index, root, settled)
    if type(value) is Pending:
        value = yield from value.plan
    return value


def attribute_failed(
    state: State, context: Any, error: Exception, value: Any, site: Site, index: int, root: Any
) -> Any:
    """Go on after a direct attribute access in compiled code raised ``error``.

    Called in the ``except`` clause, so that ``raise`` and the log record see the exception.
    """
    bit = site.bits[index]
    try:
        if isinstance(error, SynchronousOnlyOperation) and state.on_loop:
            if type(value) in RELATED:
                step = state.relations.step(value, bit, site, root, index)
                if type(step) is Wait:
                    return Pending(_load(state, context, step, value, site, index, root))
            pending = lookup_in_thread(state, value, bit, site, root, index)
            return Pending(go_on(state, context, pending, site, index + 1, root, False))
        if not isinstance(error, (TypeError, AttributeError)):
            raise error
        if type(value) in PLAIN_OR_MODEL and not is_named(value, bit):
            found = missing_value(state, site)
            if found is not MISSING:
                return found
        value = lookup_index(value, bit)
    except Exception as raised:
        return lookup_failed(state, context, raised, site, bit)
    return resolve_path(state, context, value, site, index + 1, root)


def lookup_failed(state: State, context: Any, error: Exception, site: Site, bit: str) -> Any:
    """Log a failed lookup as Django does; give what stands in its place, or raise."""
    template_logger.debug(
        "Exception while resolving variable '%s' in template '%s'.",
        bit,
        getattr(context, "template_name", None) or "unknown",
        exc_info=True,
    )
    if getattr(error, "silent_variable_failure", False):
        return state.engine.string_if_invalid
    if isinstance(error, VariableDoesNotExist):
        if site.mode is SiteMode.NONE:
            return None
        if site.mode is not SiteMode.RAISE:
            return invalid_value(state, site)
    elif site.mode is SiteMode.TEXT and isinstance(error, UnicodeDecodeError):
        return ""
    raise error


def missing_value(state: State, site: Site) -> Any:
    """Return what stands for a variable that does not exist; `MISSING` where it is to be raised.

    It is raised for the log, too.
    """
    if site.mode is SiteMode.RAISE or template_logger.isEnabledFor(logging.DEBUG):
        return MISSING
    return None if site.mode is SiteMode.NONE else invalid_value(state, site)


def invalid_value(state: State, site: Site) -> Any:
    """Return what is written for a variable that does not exist."""
    text = state.engine.string_if_invalid
    if not text:
        return text
    if "%s" in text:
        text = text % ".".join(site.bits)
    return Invalid(text) if site.filtered else text
