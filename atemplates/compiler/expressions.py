"""Filter expressions as source, and the output of their values.

Outside loops the source is short, since compiling it is what costs.
"""

from __future__ import annotations

from typing import Any

from django.template.base import FilterExpression, Variable
from django.utils.safestring import mark_safe

from ..runtime.filter_chains import FilterStep
from ..runtime.sites import SiteMode
from .fast_filters import fast_path_of, is_stock
from .filter_calls import write_filter_call, write_filters
from .variables import (
    is_inline,
    new_site,
    write_lasting,
    write_path,
    write_root,
    write_variable,
)
from .writer import Writer


def write_expression(
    w: Writer, expression: FilterExpression, mode: SiteMode = SiteMode.OUTPUT
) -> str:
    """Write the code that resolves a filter expression.

    Args:
        mode: what a variable gives that does not exist.

    Returns:
        A local variable or a constant that holds the value.
    """
    filters = expression.filters
    w.access = None
    if not isinstance(expression.var, Variable):
        value = w.constant(expression.var)
    else:
        value = write_variable(w, expression.var, mode, expression.token, bool(filters))
    if not filters:
        return value
    access = w.access
    if isinstance(expression.var, Variable) and expression.var.lookups is not None:
        if len(filters) == 1 and not any(is_variable for is_variable, _ in filters[0][1]):
            result = write_filter_call(w, filters[0], value, access, unless_invalid=True)
            w.access = access
            return result
        result = w.temporary()
        with w.block(f"if type({value}) is Invalid:"):
            w.line(f"{result} = {value}.text")
        with w.block("else:"):
            filtered = write_filters(w, filters, value, access)
            w.line(f"{result} = {filtered}")
    else:
        result = write_filters(w, filters, value, access)
    w.access = access  # and not that of a filter's argument
    return result


def write_shown(w: Writer, variable: Variable, text: str) -> None:
    """Write the lookup and the output of a variable as one call: short, for code outside loops."""
    bits: tuple[str, ...] = tuple(variable.lookups or ())
    site = new_site(w, bits, text, SiteMode.TEXT, False)
    shown = w.temporary("s")
    w.line(f"{shown} = render_variable(state, context, {write_root(w, bits[0])}, {site})")
    w.wait(shown)
    w.value(shown)


def write_shown_filtered(w: Writer, expression: FilterExpression) -> bool:
    """Do the same for a variable with filters whose arguments are constants.

    Returns:
        False, with nothing written, if it is another expression.
    """
    variable: Any = expression.var
    if not isinstance(variable, Variable) or variable.lookups is None:
        return False
    if any(is_variable for _, args in expression.filters for is_variable, _ in args):
        return False
    chain = tuple(
        FilterStep(
            function,
            tuple(w.constants.make(mark_safe, argument) for _, argument in args),
            w.constants.make(fast_path_of, function),
            is_stock(function),
            bool(getattr(function, "expects_localtime", False)),
            bool(getattr(function, "needs_autoescape", False)),
        )
        for function, args in expression.filters
    )
    bits = tuple(variable.lookups)
    site = new_site(w, bits, expression.token, SiteMode.OUTPUT, True)
    shown, root = w.temporary("s"), write_root(w, bits[0])
    w.line(f"{shown} = render_filtered(state, context, {root}, {site}, {w.constant(chain)})")
    w.wait(shown)
    w.value(shown)
    return True


def is_constant_text(expression: FilterExpression) -> bool:
    """Whether the expression is a plain string constant, known when the template is compiled."""
    return (
        not expression.filters
        and not isinstance(expression.var, Variable)
        and isinstance(expression.var, str)
    )


def places(w: Writer) -> str:
    """Return the arguments that say where the value of the expression written last is from."""
    if w.access is None:
        return ""
    root, site = w.access
    return f", {site}, {root}"


def write_shown_in_loop(w: Writer, variable: Variable, text: str) -> bool:
    """Do the same for a loop, where the usual text is written before anything else is asked.

    Returns:
        False, with nothing written, if it is a variable of another kind.
    """
    bits: tuple[str, ...] = tuple(variable.lookups or ())
    if not bits or bits[0] == "forloop" or not (len(bits) == 1 or is_inline(bits)):
        return False
    root = write_root(w, bits[0])
    site = new_site(w, bits, text, SiteMode.TEXT, False)
    if not root.isidentifier():
        found, root = root, w.temporary("root")
        w.line(f"{root} = {found}")
    shown = w.temporary("s")
    lasting = None
    if len(bits) == 1:
        lasting = write_lasting(w, "lasting_text", root, site, bits[0])
    if lasting is None:
        _write_text_in_loop(w, root, bits, site, shown)
    else:
        w.line(f"{shown} = {lasting}")
        with w.branch(f"if {shown} is None:"):
            _write_text_in_loop(w, root, bits, site, shown)
    w.value(shown)
    return True


def _write_text_in_loop(w: Writer, root: str, bits: tuple[str, ...], site: str, shown: str) -> None:
    value = root if len(bits) == 1 else write_path(w, root, bits, site)
    write_text_of(w, value, shown)
    place = root
    with w.branch("else:"):
        if len(bits) == 1:
            place = value = w.temporary()
            walked = f"resolve_path(state, context, {root}, {site})"
            w.line(f"{value} = {root} if type({root}) in inert else {walked}")
            w.wait(value)
        _write_other_value(w, value, shown, f", {site}, {place}")


def write_shown_number(w: Writer, number: int) -> None:
    """Write the output of a whole number in a loop, which has its text once."""
    constant, shown = w.constant(number), w.temporary("s")
    w.line(f"{shown} = {write_lasting(w, 'lasting_text', constant, 'None')}")
    with w.branch(f"if {shown} is None:"):
        w.wait_for(shown, f"render_value(state, context, {constant})")
    w.value(shown)


def write_text_of(w: Writer, value: str, text: str) -> None:
    """Write how a value that is text is shown; an ``else`` may follow."""
    w.line(f"if type({value}) is str:")
    w.line(f"    {text} = scan({value})")
    w.line(f"    if {text} is not {value}:")
    # The setting is asked only where it matters, but anew: any code may have changed it.
    escaped = f"{text} if '&#3' not in {text} else as_django_quotes({text})"
    w.line(f"        {text} = {value} if not context.autoescape else {escaped}")


def _write_other_value(w: Writer, value: str, text: str, where: str) -> None:
    rendered = f"render_value(state, context, {value}{where})"
    w.wait_for(text, f"{value} if type({value}) is SafeString else {rendered}")


def write_output(w: Writer, value: str, into: str | None = None) -> None:
    """Write the text of the value in the local variable or constant ``value``.

    Args:
        into: a local to put the text in, instead of writing it.
    """
    text = into or w.temporary("s")
    where = places(w)
    if w.in_loop:
        write_text_of(w, value, text)
        with w.branch("else:"):
            _write_other_value(w, value, text, where)
    else:
        w.wait_for(text, f"render_value(state, context, {value}{where})")
    if into is None:
        w.value(text)
