"""``{% now %}``, ``{% widthratio %}``, ``{% lorem %}``, ``{% csrf_token %}`` and ``{% debug %}``.

Their usual case is computed right here; everything else is left to Django's node.
"""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

from django.template import defaultfilters, defaulttags
from django.template.base import VariableDoesNotExist
from django.template.defaulttags import (
    CsrfTokenNode,
    DebugNode,
    LoremNode,
    NowNode,
    WidthRatioNode,
)
from django.template.library import SimpleNode
from django.utils.functional import SimpleLazyObject
from django.utils.lorem_ipsum import COMMON_P, words

try:
    from django.utils import csp  # pyright: ignore[reportMissingModuleSource]
except ImportError:  # before Django 6.0
    csp: Any = None  # type: ignore[no-redef]

from ..compiler.expressions import is_constant_text, write_expression
from ..compiler.nodes import NodeWriting, TagFamily
from ..compiler.scope import READS_CONTEXT, Effects, assigns
from ..compiler.variables import write_root
from ..compiler.writer import Writer
from ..runtime.escaping import escape
from ..runtime.fast import dates
from ..runtime.sites import MISSING
from ..runtime.state import State
from .arguments import (
    UNRESOLVED,
    failing_arguments,
    render_with_arguments,
    write_with_caught_arguments,
)

# -- now -------------------------------------------------------------------------------------------


def write_now(w: Writer, node: NowNode) -> None:
    text = w.temporary("s")
    w.line(f"{text} = present_time(state, {w.constant(node.format_string)})")
    if node.asvar:
        w.line(f"context[{w.constant(node.asvar)}] = {text}")
    else:
        w.append(text)


def present_time(state: State, format_string: str) -> Any:
    """Return what ``{% now %}`` writes."""
    ambient = state.ambient.now()
    moment = datetime.datetime.now(tz=ambient.zone if state.use_tz else None)
    text = dates.date(ambient, moment, format_string)
    return defaultfilters.date(moment, format_string) if text is None else text


# -- widthratio ------------------------------------------------------------------------------------

NUMBERS = frozenset({int, float, bool, Decimal})
WIDTH_ARGUMENTS = ("val_expr", "max_expr", "max_width")


def write_widthratio(w: Writer, node: WidthRatioNode) -> None:
    values = [w.temporary("ratio") for _ in WIDTH_ARGUMENTS]
    text = w.temporary("s")
    name, attributes = w.constant(node, "node_"), w.constant(WIDTH_ARGUMENTS)
    w.line(f"{' = '.join(values)} = UNRESOLVED")
    with w.block("try:"):
        for value, attribute in zip(values, WIDTH_ARGUMENTS, strict=True):
            w.line(f"{value} = {write_expression(w, getattr(node, attribute))}")
    given = f"{name}, {attributes}, ({', '.join(values)},)"
    w.line("except (TypeError, ValueError, VariableDoesNotExist):")
    w.line(
        f"    {text} = render_with_arguments("
        f"state, context, {name}, failing_arguments(exception(), {given}))"
    )
    with w.block("else:"):
        w.line(f"{text} = width_ratio({', '.join(values)})")
        if node.asvar:
            with w.block(f"if {text} is not None:"):
                w.line(f"context[{w.constant(node.asvar)}] = {text}")
                w.line(f"{text} = ''")
        w.line(f"if {text} is None:")
        w.line(
            f"    {text} = render_with_arguments("
            f"state, context, {name}, dict(zip({attributes}, ({', '.join(values)},))))"
        )
    w.wait(text)
    w.append(text)


def width_ratio(value: Any, largest: Any, width: Any) -> str | None:
    """Return a value in proportion, for the usual types; None when that is left to Django."""
    if type(value) not in NUMBERS or type(largest) not in NUMBERS or type(width) is not int:
        return None
    try:
        return str(round(float(value) / float(largest) * width))
    except ZeroDivisionError:
        return "0"
    except (ValueError, OverflowError):
        return ""


# -- lorem -----------------------------------------------------------------------------------------

COMMON_WORDS = 19
"""So many of Django's words are the same each time; what stands behind them is random."""


def write_lorem(w: Writer, node: LoremNode) -> None:
    literal = literal_of(node.count)
    if literal is None:
        write_with_caught_arguments(w, node, ("count",))
        return
    text = constant_lorem(node, literal)
    if text is not None:
        w.text(text)
        return
    result = w.temporary("s")
    w.line(f"{result} = {w.constant(node, 'node_')}.render(context)")
    w.append(result)


def literal_of(expression: Any) -> Any:
    """Return the number or the text that an expression stands for, or None."""
    if expression.filters:
        return None
    return expression.var if is_constant_text(expression) else expression.var.literal


def constant_lorem(node: LoremNode, count: Any) -> str | None:
    """Return what a ``{% lorem %}`` always writes, or None."""
    try:
        number = int(count)
    except ValueError:
        number = 1
    if not node.common:
        return None
    if node.method == "w":
        return words(number, common=True) if 0 <= number <= COMMON_WORDS else None
    if number != 1:
        return None
    return f"<p>{COMMON_P}</p>" if node.method == "p" else COMMON_P


# -- csrf_token ------------------------------------------------------------------------------------


def write_csrf_token(w: Writer, node: CsrfTokenNode) -> None:
    name = w.constant(node, "node_")
    given = write_root(w, "csrf_token")
    write_same_text(w, "token_input", given, f"render_with_arguments(state, context, {name}, {{}})")


def write_same_text(w: Writer, function: str, given: str, otherwise: str) -> None:
    """Write text that stays the same for as long as a value of the context does.

    Args:
        function: gives the text for the state and the value; None where it does not know.
        given: the value.
        otherwise: what gives the text then, or a `Pending` of it.
    """
    text = w.temporary("s")
    if w.in_loop:
        if not given.isidentifier():
            found, given = given, w.temporary("given")
            w.line(f"{given} = {found}")
        kept, known = w.temporary("kept"), w.temporary("known")
        w.prologue.append(f"{kept} = {known} = None")
        w.line(f"if {kept} is None or {given} is not {known}:")
        w.line(f"    {known}, {kept} = {given}, {function}(state, {given})")
        w.line(f"{text} = {kept}")
    else:
        w.line(f"{text} = {function}(state, {given})")
    with w.branch(f"if {text} is None:"):
        w.wait_for(text, otherwise)
    w.value(text)


def token_input(state: State, token: Any) -> str | None:
    """Return the hidden input of a token that is known; None when that is left to Django.

    Args:
        token: a string, Django's lazy object for one, or `MISSING`.
    """
    if type(token) is SimpleLazyObject:
        token = token.__dict__.get("_wrapped")
    elif token is MISSING and not state.is_debugging():
        return ""
    if type(token) is not str or not token or token == "NOTPROVIDED":
        return None
    return f'<input type="hidden" name="csrfmiddlewaretoken" value="{escape(token)}">'


# -- csp_nonce_attr --------------------------------------------------------------------------------

NONCE_ATTR: Any = getattr(defaulttags, "csp_nonce_attr", None)
"""The function of Django 6.1's ``{% csp_nonce_attr %}``."""
LazyNonce: Any = getattr(csp, "LazyNonce", None)


def is_nonce_attr(node: SimpleNode) -> bool:
    """Whether a tag writes the nonce of the context, and nothing else."""
    plain = not (node.args or node.kwargs or node.target_var)
    return plain and NONCE_ATTR is not None and node.func is NONCE_ATTR


def write_nonce_attr(w: Writer, node: SimpleNode) -> None:
    name = w.constant(node, "node_")
    given = write_root(w, csp.CONTEXT_KEY)
    write_same_text(w, "nonce_attr", given, f"simple_text(state, context, {name}, [], {{}})")


def nonce_attr(state: State, nonce: Any) -> str | None:
    """Return the attribute of a nonce that is known; None when that is left to Django.

    Arguments as for `token_input`.
    """
    if nonce is MISSING:
        return ""
    if type(nonce) is LazyNonce:
        nonce = nonce.__dict__.get("_wrapped")
    return f'nonce="{escape(nonce)}"' if type(nonce) is str else None


# -- debug -------------------------------------------------------------------------------


def write_debug(w: Writer, node: DebugNode) -> None:
    text = w.temporary("s")
    with w.block("if state.is_debugging():"):
        name = w.constant(node, "node_")
        w.line(f"{text} = render_with_arguments(state, context, {name}, {{}})")
        w.wait(text)
        w.append(text)


def reading(node: Any) -> Effects:
    return assigns() | READS_CONTEXT


COMPUTED_TAGS = TagFamily(
    nodes={
        NowNode: NodeWriting(write_now, lambda node: assigns(node.asvar)),
        WidthRatioNode: NodeWriting(write_widthratio, lambda node: assigns(node.asvar)),
        LoremNode: NodeWriting(write_lorem, lambda node: assigns()),
        CsrfTokenNode: NodeWriting(write_csrf_token, reading),
        DebugNode: NodeWriting(write_debug, reading),
    },
    names={
        "UNRESOLVED": UNRESOLVED,
        "failing_arguments": failing_arguments,
        "nonce_attr": nonce_attr,
        "present_time": present_time,
        "render_with_arguments": render_with_arguments,
        "token_input": token_input,
        "width_ratio": width_ratio,
        "VariableDoesNotExist": VariableDoesNotExist,
    },
)
