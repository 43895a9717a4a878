"""Translation, languages, time zones and localisation."""

from __future__ import annotations

import copy
from typing import Any

from django.template.base import FilterExpression, TokenType, Variable, VariableDoesNotExist
from django.templatetags.i18n import BlockTranslateNode, LanguageNode, TranslateNode
from django.templatetags.l10n import LocalizeNode
from django.templatetags.tz import LocalTimeNode, TimezoneNode
from django.utils import timezone, translation
from django.utils.safestring import SafeString

from ..compiler.expressions import write_expression
from ..compiler.filter_calls import write_filters
from ..compiler.nodes import NodeWriting, TagFamily, effects_of, write_nodes
from ..compiler.scope import Effects, Frame, Local, assigns
from ..compiler.variables import write_root, write_variable
from ..compiler.writer import Writer
from ..runtime.paths import invalid_value
from ..runtime.sites import MISSING, Invalid, Site, SiteMode
from ..runtime.state import State
from .arguments import ABSENT, Resolved, write_argument
from .flow import real_frame

# -- translate -------------------------------------------------------------------------------------


class ResolvedMessage(Resolved):
    """Stands for the message of a ``{% translate %}``: it is translated already."""

    __slots__ = ("var",)

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        # Django's node sets `translate` and `message_context` there before it resolves.
        self.var = Variable("message")


def write_translate(w: Writer, node: TranslateNode) -> None:
    """The message is looked up, translated, filtered; Django's node does the rest."""
    expression: FilterExpression = node.filter_expression
    constant = getattr(expression.var, "literal", None)
    if isinstance(constant, SafeString) and not expression.filters:
        write_literal_message(w, node)
        return
    context_value = "None"
    if node.message_context is not None:
        context_value = write_expression(w, node.message_context)
    message = w.temporary()
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
        w.line(
            f"{message} = translated_value(state, {w.constant(expression.var)}, {value}, "
            f"{node.noop}, {context_value}, {site})"
        )
        # What stands for a variable that does not exist is neither translated nor filtered.
        with w.block(f"if type({message}) is Invalid:"):
            w.line(f"{message} = {message}.text")
        with w.block("else:"):
            filtered = write_filters(w, expression.filters, message)
            w.line(f"{message} = {filtered}")
    if expression.var.__class__ is not Variable or expression.var.lookups is None:
        message = write_filters(w, expression.filters, message)
    result = w.temporary("s")
    w.line(
        f"{result} = render_with_arguments(state, context, {w.constant(node, 'node_')}, "
        f"{{'filter_expression': Message({message}), 'message_context': ABSENT}})"
    )
    w.wait(result)
    w.append(result)


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
            w.line(f"{text} = gettext_in({message_context}, {message})")
    if node.noop or message_context is not None:
        w.line(f"{text} = {text}.replace('%%', '%')")
    if node.asvar:
        w.line(f"context[{w.constant(node.asvar)}] = SafeString({text})")
    else:
        w.value(text)


def gettext_in(message_context: Any, message: str) -> str:
    """Translate in a context; an empty one is none."""
    if message_context:
        return translation.pgettext(message_context, message)
    return translation.gettext(message)


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


# -- blocktranslate --------------------------------------------------------------------------------


def write_blocktranslate(w: Writer, node: BlockTranslateNode) -> None:
    """Arguments, and awaitables among the names that the text mentions, are resolved first."""
    names = [
        token.contents
        for token in (*node.singular, *(node.plural or ()))
        if token.token_type == TokenType.VAR
    ]
    values = []
    if node.message_context is not None:
        values.append(f"'message_context': {write_argument(w, node.message_context)}")
    given = {}
    for name, expression in node.extra_context.items():
        given[name] = w.temporary("with")
        w.line(f"{given[name]} = {write_expression(w, expression)}")
    items = [f"{w.constant(name)}: {local}" for name, local in given.items()]
    for name in dict.fromkeys(names):
        if name in node.extra_context or name == node.countervar:
            continue
        value = w.temporary()
        w.line(f"{value} = {write_root(w, name)}")
        w.line(f"if {value} is not MISSING:")
        w.line(f"    {value} = await_value(state, {value})")
        w.indent += 1
        w.wait(value)
        w.indent -= 1
        items.append(f"{w.constant(name)}: {value}")
    values.append(f"'extra_context': ArgumentDict(present({{{', '.join(items)}}}))")
    if node.counter is not None:
        # It may be one of the names that `with` gives.
        bindings = {name: Local(local) for name, local in given.items()}
        with real_frame(w, False, given), w.frame(Frame(bindings)):
            values.append(f"'counter': {write_argument(w, node.counter)}")
    result = w.temporary("s")
    w.line(
        f"{result} = render_with_arguments("
        f"state, context, {w.constant(node, 'node_')}, {{{', '.join(values)}}})"
    )
    w.wait(result)
    w.append(result)


def present(values: dict[str, Any]) -> dict[str, Any]:
    """Leave out names that are not in the context."""
    return {name: value for name, value in values.items() if value is not MISSING}


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
        BlockTranslateNode: NodeWriting(write_blocktranslate, lambda node: assigns(node.asvar)),
        LanguageNode: NodeWriting(write_language, region_effects),
        TimezoneNode: NodeWriting(write_timezone, region_effects),
        LocalTimeNode: NodeWriting(write_localtime, region_effects),
        LocalizeNode: NodeWriting(write_localize, region_effects),
    },
    names={
        "Message": ResolvedMessage,
        "ABSENT": ABSENT,
        "gettext_in": gettext_in,
        "override_language": translation.override,
        "override_timezone": timezone.override,
        "present": present,
        "translated": translated,
        "translated_value": translated_value,
    },
)
