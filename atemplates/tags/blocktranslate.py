"""``{% blocktranslate %}``: a message known when the template is compiled, and its values.

The message is looked up once per language (and context, and count) of a render. What a translator's
text cannot be filled with is left to Django's own node, as are counts that are no plain numbers.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.templatetags.i18n import BlockTranslateNode
from django.utils import translation
from django.utils.safestring import SafeString

from ..compiler.expressions import write_expression
from ..compiler.nodes import NodeWriting, TagFamily
from ..compiler.scope import Frame, Local, assigns
from ..compiler.variables import write_root
from ..compiler.writer import Writer
from ..runtime.ambient import MOST_MESSAGES, Ambient
from ..runtime.escaping import escape
from ..runtime.output import render_value, rendered
from ..runtime.sites import MISSING
from ..runtime.state import State
from ..runtime.types import TRANSLATED
from ..runtime.waits import Pending, Plan
from .arguments import ArgumentDict, render_with_arguments
from .flow import real_frame

COUNT_TYPES = frozenset({int, bool, float, Decimal})
"""Exact types of counts that catalogues are asked about right here."""

EXACT_TEXTS = frozenset(
    {*COUNT_TYPES, type(None), datetime.date, datetime.datetime, datetime.time, TRANSLATED}
)
"""Exact types whose text `render_value` gives as an exact string."""

CONTEXTS = frozenset({str, SafeString, type(None)})
"""Exact types of the contexts of messages that are remembered."""


class MessageBlock:
    """What a ``{% blocktranslate %}`` is about, as far as its template says."""

    __slots__ = ("counts", "names", "node", "plural", "singular")

    def __init__(self, node: BlockTranslateNode) -> None:
        self.node = node
        self.singular, names = node.render_token_list(node.singular)
        self.plural = ""
        self.counts = bool(node.plural and node.countervar and node.counter)
        """Whether a count chooses the text; Django looks at none where the plural is empty."""
        if self.counts:
            self.plural, more = node.render_token_list(node.plural)
            names = names + more
        self.names: tuple[str, ...] = tuple(names)
        """The names in the text, each as often as it stands there: so often it is written."""

    def message(self, known: Ambient, message_context: Any, count: Any) -> Any:
        """Return the text in the present language, with places for the values."""
        lasts = type(message_context) in CONTEXTS and (not self.counts or type(count) is int)
        key = (self, message_context or None, count)
        text = known.known.get(key) if lasts else None
        if text is None:
            text = self._asked(message_context, count)
            if lasts and len(known.known) < MOST_MESSAGES:
                known.known[key] = text
        return text

    def _asked(self, message_context: Any, count: Any) -> Any:
        if self.counts:
            if message_context:
                return translation.npgettext(message_context, self.singular, self.plural, count)
            return translation.ngettext(self.singular, self.plural, count)
        if message_context:
            return translation.pgettext(message_context, self.singular)
        return translation.gettext(self.singular)


def write_blocktranslate(w: Writer, node: BlockTranslateNode) -> None:
    """Arguments, and awaitables among the names that the text mentions, are resolved first."""
    block = MessageBlock(node)
    message_context = "None"
    if node.message_context is not None:
        message_context = write_expression(w, node.message_context)
    given = {}
    for name, expression in node.extra_context.items():
        given[name] = w.temporary("with")
        w.line(f"{given[name]} = {write_expression(w, expression)}")
    values = dict(given)
    count = "None"
    if block.counts and node.counter is not None and node.countervar is not None:
        # It may be one of the names that `with` gives.
        bindings = {name: Local(local) for name, local in given.items()}
        with real_frame(w, False, given), w.frame(Frame(bindings)):
            count = w.temporary("count")
            w.line(f"{count} = {write_expression(w, node.counter)}")
        values[node.countervar] = count
    for name in dict.fromkeys(block.names):
        if name not in values:
            values[name] = _write_named(w, name)
    result = w.temporary("s")
    texts = "".join(f"{values[name]}, " for name in block.names)
    w.line(
        f"{result} = render_block(state, context, {w.constant(block)}, ({texts}), "
        f"{message_context}, {count})"
    )
    w.wait(result)
    if node.asvar:
        w.line(f"if {result} is not None:")
        w.line(f"    context[{w.constant(node.asvar)}] = SafeString({result})")
    else:
        w.append(result)


def _write_named(w: Writer, name: str) -> str:
    """Write the code for a name of the context; it is not called, but awaited."""
    value = w.temporary()
    w.line(f"{value} = {write_root(w, name)}")
    w.wait_for_result(value, f" and {value} is not MISSING")
    return value


def render_block(
    state: State,
    context: Any,
    block: MessageBlock,
    values: tuple[Any, ...],
    message_context: Any,
    count: Any,
) -> Any:
    """Return the text of a block, or a `Pending` of it.

    None where Django's node has rendered a block that sets a variable.

    Args:
        values: those of the block's names.
    """
    if block.counts and type(count) not in COUNT_TYPES:
        return render_by_node(state, context, block, values, message_context, count)
    message = block.message(state.ambient.now(), message_context, count)
    if not values:
        return fill_message(state, context, block, message, {}, values, message_context, count)
    escapes = context.autoescape
    texts: dict[str, Any] = {}
    pairs = zip(block.names, values, strict=True)
    for name, value in pairs:
        kind = type(value)
        if kind is str:
            texts[name] = escape(value) if escapes else value
        elif kind is SafeString:
            texts[name] = value
        else:
            text = text_in_message(state, context, name, value)
            if type(text) is Pending:
                found = _later_texts(state, context, name, text, pairs, texts)
                return Pending(
                    _filled_later(
                        state, context, block, message, found, values, message_context, count
                    )
                )
            texts[name] = text
    return fill_message(state, context, block, message, texts, values, message_context, count)


def text_in_message(state: State, context: Any, name: str, value: Any) -> Any:
    """Return the text of a value, with the very type that Django gives it."""
    if value is MISSING:
        default = context.template.engine.string_if_invalid
        value = default % name if "%s" in default else default
    if type(value) in EXACT_TEXTS:
        return render_value(state, context, value)
    return rendered(state, context, value)


def _later_texts(
    state: State,
    context: Any,
    name: str,
    text: Any,
    pairs: Iterator[tuple[str, Any]],
    texts: dict[str, Any],
) -> Plan:
    """The plan of waiting for one text, and of all that follow."""
    texts[name] = yield from text.plan
    for following, value in pairs:
        text = text_in_message(state, context, following, value)
        texts[following] = (yield from text.plan) if type(text) is Pending else text
    return texts


def _filled_later(
    state: State,
    context: Any,
    block: MessageBlock,
    message: Any,
    found: Plan,
    values: tuple[Any, ...],
    message_context: Any,
    count: Any,
) -> Plan:
    texts = yield from found
    result = fill_message(state, context, block, message, texts, values, message_context, count)
    return (yield from result.plan) if type(result) is Pending else result


def fill_message(
    state: State,
    context: Any,
    block: MessageBlock,
    message: Any,
    texts: dict[str, Any],
    values: tuple[Any, ...],
    message_context: Any,
    count: Any,
) -> Any:
    """Put the values' texts in; Django's node has to do with a message that they do not fit."""
    try:
        return message % texts
    except (KeyError, ValueError):
        return render_by_node(state, context, block, values, message_context, count)


def render_by_node(
    state: State,
    context: Any,
    block: MessageBlock,
    values: tuple[Any, ...],
    message_context: Any,
    count: Any,
) -> Any:
    """Let Django's own node render, with the values that were resolved already."""
    node = block.node
    named = {
        name: value
        for name, value in zip(block.names, values, strict=True)
        if value is not MISSING and not (block.counts and name == node.countervar)
    }
    arguments: dict[str, Any] = {"extra_context": ArgumentDict(named)}
    if node.message_context is not None:
        arguments["message_context"] = message_context
    if block.counts:
        arguments["counter"] = count
    text = render_with_arguments(state, context, node, arguments)
    if not node.asvar:
        return text
    return Pending(_nothing_after(text.plan)) if type(text) is Pending else None


def _nothing_after(plan: Plan) -> Plan:
    yield from plan


BLOCKTRANSLATE_TAGS = TagFamily(
    nodes={
        BlockTranslateNode: NodeWriting(write_blocktranslate, lambda node: assigns(node.asvar)),
    },
    names={"render_block": render_block},
)
