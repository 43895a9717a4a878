"""Translation, languages, time zones and localisation."""

from __future__ import annotations

import copy
from typing import Any

from django.template.base import FilterExpression, Variable, VariableDoesNotExist
from django.templatetags.i18n import LanguageNode, TranslateNode
from django.templatetags.l10n import LocalizeNode
from django.templatetags.tz import LocalTimeNode, TimezoneNode
from django.utils import timezone, translation
from django.utils.safestring import SafeData, SafeString

from ..compiler.expressions import write_expression
from ..compiler.filter_calls import write_filters
from ..compiler.nodes import NodeWriting, TagFamily, effects_of, write_nodes
from ..compiler.scope import Effects, assigns
from ..compiler.variables import write_variable
from ..compiler.writer import Writer
from ..runtime.escaping import escape
from ..runtime.output import rendered
from ..runtime.paths import invalid_value
from ..runtime.sites import Invalid, Site, SiteMode
from ..runtime.state import State

# -- translate -------------------------------------------------------------------------------------


def write_translate(w: Writer, node: TranslateNode) -> None:
    """The message is looked up, translated, filtered, and written as any other value."""
    expression: FilterExpression = node.filter_expression
    constant = getattr(expression.var, "literal", None)
    if isinstance(constant, SafeString) and not expression.filters:
        write_literal_message(w, node)
        return
    context_value = "None"
    if node.message_context is not None:
        context_value = write_expression(w, node.message_context)
    message = w.temporary()
    done = False
    if not isinstance(expression.var, Variable):
        # `_("...")` is a lazy string since the template was parsed.
        w.line(f"{message} = {w.constant(expression.var)}")
    elif expression.var.lookups is None:
        w.line(
            f"{message} = translated({w.constant(expression.var)}, {node.noop}, {context_value})"
        )
    else:
        w.access = None
        value = write_variable(w, expression.var, SiteMode.OUTPUT, expression.token, True)
        _, site = w.access or ("", "None")
        given = f"{w.constant(expression.var)}, {value}, {node.noop}, {context_value}, {site}"
        if expression.filters:
            w.line(f"{message} = translated_value(state, {given})")
            # What stands for a variable that does not exist is neither translated nor filtered.
            with w.block(f"if type({message}) is Invalid:"):
                w.line(f"{message} = {message}.text")
            with w.block("else:"):
                filtered = write_filters(w, expression.filters, message)
                w.line(f"{message} = {filtered}")
        else:
            w.line(f"{message} = shown_message(state, context, {given})")
        done = True
    if not done:
        message = write_filters(w, expression.filters, message)
    if not done or expression.filters:
        text = w.temporary("s")
        w.line(f"{text} = rendered(state, context, {message})")
        message = text
    w.wait(message)
    # Django doubles percent signs before it looks a message up, and undoes that here.
    if node.asvar:
        w.line(f"context[{w.constant(node.asvar)}] = without_doubled({message})")
    else:
        w.append(f"without_doubled({message})")


MESSAGES_AS_TEXT = frozenset({str, SafeString})
"""Exact types of text that is translated right here."""


def without_doubled(text: Any) -> Any:
    """Make single percent signs of double ones; what is safe stays so."""
    single = text.replace("%%", "%")
    return SafeString(single) if isinstance(text, SafeData) else single


def shown_message(
    state: State,
    context: Any,
    variable: Variable,
    value: Any,
    noop: bool,
    message_context: Any,
    site: Site | None,
) -> Any:
    """Return the text of a translated value, or a `Pending` of it, with doubled percent signs."""
    kind = type(value)
    if kind is str or kind is SafeString:
        found = value
        if not noop:
            message = value.replace("%", "%%")
            found = state.ambient.now().doubled_message(message, message_context)
        if type(found) in MESSAGES_AS_TEXT:
            if kind is SafeString:
                return SafeString(found)
            return SafeString(escape(found)) if context.autoescape else found
    value = translated_value(state, variable, value, noop, message_context, site)
    return rendered(state, context, value.text if type(value) is Invalid else value)


def write_literal_message(w: Writer, node: TranslateNode) -> None:
    """Write the usual case: a string constant, which is safe and so never escaped."""
    literal_message = node.filter_expression.var.literal
    text = w.temporary("s")
    message_context = None
    if node.message_context is not None:
        message_context = write_expression(w, node.message_context)
    if node.noop:
        w.line(f"{text} = {w.constant(literal_message)}")
    else:
        # Django doubles percent signs before it looks a message up, and undoes that at the end.
        # As an exact str: gettext() marks what it returns as safe if the message is.
        message = w.constant(str.__str__(literal_message.replace("%", "%%")))
        if message_context is None:
            w.line(f"{text} = state.ambient.now().message({message})")
        else:
            ambient = "state.ambient.now()"
            w.line(f"{text} = {ambient}.doubled_message({message}, {message_context})")
    if node.noop or message_context is not None:
        w.line(f"{text} = {text}.replace('%%', '%')")
    if node.asvar:
        w.line(f"context[{w.constant(node.asvar)}] = SafeString({text})")
    else:
        w.value(text)


def translated(variable: Variable, noop: bool, message_context: Any) -> Any:
    """Translate a variable of known value with Django's own ``Variable.resolve``."""
    variable = copy.copy(variable)
    variable.translate = not noop
    variable.message_context = message_context
    return variable.resolve({})


def translated_value(
    state: State,
    variable: Variable,
    value: Any,
    noop: bool,
    message_context: Any,
    site: Site | None,
) -> Any:
    """Translate what a variable's lookup gave; the lookup is not repeated."""
    if type(value) is Invalid:
        return value
    if type(value) in MESSAGES_AS_TEXT:
        if noop:
            return value
        message = value.replace("%", "%%")
        if type(value) is SafeString:
            message = SafeString(message)
        if message_context:
            return translation.pgettext_lazy(message_context, message)
        return translation.gettext_lazy(message)
    known = copy.copy(variable)
    known.lookups = None
    known.literal = value
    try:
        return translated(known, noop, message_context)
    except VariableDoesNotExist:
        # The value raised it when it was asked for its text; to Django that is the same.
        if site is None:
            raise
        return invalid_value(state, site)


# -- language, timezone, localtime, localize -------------------------------------------------------


def region_effects(node: Any) -> Effects:
    return effects_of(node.nodelist)


def _write_override(w: Writer, head: str, value: str, nodes: Any) -> None:
    with w.block(f"with {head}({value}):"):
        write_nodes(w, nodes)


def write_language(w: Writer, node: LanguageNode) -> None:
    _write_override(w, "override_language", write_expression(w, node.language), node.nodelist)


def write_timezone(w: Writer, node: TimezoneNode) -> None:
    _write_override(w, "override_timezone", write_expression(w, node.tz), node.nodelist)


def _write_setting(w: Writer, name: str, value: Any, nodes: Any) -> None:
    old = w.temporary("old")
    w.flush()
    w.line(f"{old} = context.{name}")
    w.line(f"context.{name} = {w.constant(value)}")
    write_nodes(w, nodes)
    w.flush()
    w.line(f"context.{name} = {old}")


def write_localtime(w: Writer, node: LocalTimeNode) -> None:
    _write_setting(w, "use_tz", node.use_tz, node.nodelist)


def write_localize(w: Writer, node: LocalizeNode) -> None:
    _write_setting(w, "use_l10n", node.use_l10n, node.nodelist)


I18N_TAGS = TagFamily(
    nodes={
        TranslateNode: NodeWriting(write_translate, lambda node: assigns(node.asvar)),
        LanguageNode: NodeWriting(write_language, region_effects),
        TimezoneNode: NodeWriting(write_timezone, region_effects),
        LocalTimeNode: NodeWriting(write_localtime, region_effects),
        LocalizeNode: NodeWriting(write_localize, region_effects),
    },
    names={
        "override_language": translation.override,
        "override_timezone": timezone.override,
        "shown_message": shown_message,
        "translated": translated,
        "translated_value": translated_value,
        "without_doubled": without_doubled,
    },
)
