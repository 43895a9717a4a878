"""Variables and filter expressions as source.

Outside loops the source is short, since compiling it is what costs; inside loops it is longer and
reads attributes of plain objects directly.
"""

from __future__ import annotations

from typing import Any

from django.template.base import FilterExpression, Variable
from django.utils.safestring import mark_safe

from ..runtime.filter_chains import FilterStep
from ..runtime.sites import Site, SiteMode
from .failures import origin_file
from .fast_filters import fast_path_of, is_stock
from .scope import Local, WrittenLoop
from .writer import Writer, is_attribute_name

LOOP_VALUES = {
    "counter0": "{i}",
    "counter": "({i} + 1)",
    "revcounter": "({n} - {i})",
    "revcounter0": "({n} - {i} - 1)",
    "first": "({i} == 0)",
    "last": "({i} == {n} - 1)",
}


def new_site(w: Writer, bits: tuple[str, ...], text: str, mode: SiteMode, filtered: bool) -> str:
    """Return the name of a new `Site` constant."""
    token = getattr(w.node, "token", None)
    origin = getattr(w.node, "origin", None)
    site = Site(
        bits,
        text,
        mode,
        filtered=filtered,
        template=str(getattr(origin, "template_name", None) or getattr(origin, "name", "") or ""),
        line=getattr(token, "lineno", None),
        file=origin_file(origin),
    )
    return w.constant(site, "site_")


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
        result = w.temporary()
        if len(filters) == 1 and not any(is_variable for is_variable, _ in filters[0][1]):
            call = filter_call(w, filters[0], value, access)
            w.line(f"{result} = {value}.text if type({value}) is Invalid else {call}")
            w.wait(result)
            w.access = access
            return result
        with w.block(f"if type({value}) is Invalid:"):
            w.line(f"{result} = {value}.text")
        with w.block("else:"):
            filtered = write_filters(w, filters, value, access)
            w.line(f"{result} = {filtered}")
    else:
        result = write_filters(w, filters, value, access)
    w.access = access  # and not that of a filter's argument
    return result


def write_filters(
    w: Writer, filters: list[Any], value: str, access: tuple[str, str] | None = None
) -> str:
    """Write the calls of a chain of filters on the local variable ``value``.

    Args:
        access: the root and the site of what is filtered.
    """
    for filter_and_args in filters:
        call = filter_call(w, filter_and_args, value, access)
        value = w.temporary()
        w.line(f"{value} = {call}")
        w.wait(value)
    return value


def filter_call(w: Writer, filter_and_args: Any, value: str, access: tuple[str, str] | None) -> str:
    """Write the arguments of a filter; return the expression that calls it."""
    root, site = access or ("None", "None")
    function, args = filter_and_args
    arguments = [write_filter_argument(w, is_variable, arg) for is_variable, arg in args]
    if getattr(function, "expects_localtime", False):
        value = f"local_time(state, {value}, context.use_tz)"
    if getattr(function, "needs_autoescape", False):
        arguments.append("autoescape=context.autoescape")
    name = w.constant(function, "filter_")
    given = ", ".join([value, site, root, *arguments])
    fast_path = fast_path_of(function)
    if fast_path is not None:
        return f"apply_fast_path(state, {w.constant(fast_path, 'filter_')}, {name}, {given})"
    plain = is_stock(function) and not any(is_variable for is_variable, _ in args)
    return f"{'apply_stock' if plain else 'apply_filter'}(state, {name}, {given})"


def write_filter_argument(w: Writer, is_variable: bool, argument: Any) -> str:
    """Write a filter's argument: a constant, or a variable that has to exist."""
    if not is_variable:
        return w.constant(mark_safe(argument))
    return write_variable(w, argument, SiteMode.RAISE, str(argument.var), False)


def write_variable(w: Writer, variable: Variable, mode: SiteMode, text: str, filtered: bool) -> str:
    """Write the code that resolves a variable; return what holds its value."""
    if variable.lookups is None:
        if not variable.translate:
            return w.constant(variable.literal)
        value = w.temporary()
        w.line(f"{value} = {w.constant(variable)}.resolve(context)")
        return value
    bits = tuple(variable.lookups)
    if bits[0] == "forloop" and w.loops:
        loop_value = write_loop_value(w, bits)
        if loop_value is not None:
            return loop_value
    found = write_root(w, bits[0])
    site = new_site(w, bits, text, mode, filtered)
    if len(bits) == 1:
        value = write_single(w, found, site)
        w.access = (value, site)
        return value
    root = found
    if not found.isidentifier():
        root = w.temporary("root")
        w.line(f"{root} = {found}")
    w.access = (root, site)
    if w.in_loop and all(map(is_attribute_name, bits[1:])) and len(bits) <= 5:
        return write_path(w, root, bits, site)
    value = w.temporary()
    w.line(f"{value} = resolve_long_path(state, context, {root}, {site})")
    w.wait(value)
    return value


def write_root(w: Writer, name: str) -> str:
    """Return an expression for the first bit of a path; `MISSING` when there is no such name."""
    binding = w.binding(name)
    if isinstance(binding, Local):
        return binding.name
    if isinstance(binding, WrittenLoop):
        binding.uses_dictionary = True
        return binding.dictionary
    if name in w.roots and not is_set_around(w, name):
        return w.roots[name]
    loop = hoisting_loop(w, name)
    if loop is None:
        return write_lasting_root(w, name)
    local = loop.hoisted.get(name)
    if local is None:
        local = loop.hoisted[name] = w.temporary("c")
        loop.preamble.append(f"{local} = lookup_name(dicts, {w.constant(name)})")
    return local


def write_lasting_root(w: Writer, name: str) -> str:
    """Return an expression for a name of the context; keep it in a local if that will do.

    It will when nothing in the function sets the name, and whatever comes later comes after this.
    """
    found = f"lookup_name(dicts, {w.constant(name)})"
    effects = w.effects
    if w.indent > 1 or w.frames or effects.writes is None or effects.elsewhere:
        return found
    if name in effects.changing:
        return found
    local = w.roots[name] = w.temporary("c")
    w.line(f"{local} = {found}")
    return local


def is_set_around(w: Writer, name: str) -> bool:
    """Whether a frame around what is being written may set a name."""
    return any(
        frame.opaque or frame.elsewhere or name in frame.changing or name in frame.names
        for frame in w.frames
    )


def hoisting_loop(w: Writer, name: str) -> WrittenLoop | None:
    """Return the outermost loop during which the context's ``name`` cannot change."""
    # A name bound by a frame that is not kept in a local is set somewhere in between.
    if not w.loops or is_set_around(w, name):
        return None
    return w.loops[0]  # type: ignore[no-any-return]


def write_single(w: Writer, root: str, site: str) -> str:
    """Write the code for a path of one bit."""
    value = w.temporary()
    if root.isidentifier():
        walked = f"resolve_path(state, context, {root}, {site})"
        w.line(f"{value} = {root} if type({root}) in inert else {walked}")
        w.wait(value)
        return value
    w.line(f"{value} = {root}")
    w.line(f"if type({value}) not in inert:")
    w.line(f"    {value} = resolve_path(state, context, {value}, {site})")
    w.line(f"    if type({value}) is Pending:")
    w.line(f"        {value} = yield from {value}.plan")
    return value


def write_path(w: Writer, root: str, bits: tuple[str, ...], site: str) -> str:
    """Write the fast code for a path: attributes of plain objects, keys of dicts."""
    value, index = w.temporary(), w.temporary("i")
    first, *rest = bits[1:]
    kept = f"type({value}) in models and '{first}' in {value}.__dict__"
    w.line(f"{value} = {root}")
    if rest:
        w.line(f"{index} = 1")
        failed_at = index
    else:
        failed_at = "1"
    w.line("try:")
    if rest:
        w.line(f"    if type({value}) in plain:")
        w.line(f"        {value} = {value}.{first}")
        w.line(f"        {index} = 2")
        depth = "        "
        for done, bit in enumerate(rest, start=3):
            w.line(f"{depth}if type({value}) in plain:")
            depth += "    "
            w.line(f"{depth}{value} = {value}.{bit}")
            w.line(f"{depth}{index} = {done}")
        w.line(f"    elif {kept}:")
    else:
        w.line(f"    if type({value}) in plain or {kept}:")
    w.line(f"        {value} = {value}.{first}")
    w.line(f"        {index} = 2")
    w.line(f"    elif type({value}) is dict and '{first}' in {value}:")
    w.line(f"        {value} = {value}['{first}']")
    w.line(f"        {index} = 2")
    if not rest:
        w.line("    else:")
        w.line(f"        {index} = 1")
    w.line("except Exception:")
    w.line(
        f"    {value} = attribute_failed("
        f"state, context, exception(), {value}, {site}, {failed_at}, {root})"
    )
    w.line("else:")
    w.line(f"    if {index} != {len(bits)} or type({value}) not in inert:")
    w.line(f"        {value} = resolve_path(state, context, {value}, {site}, {index}, {root})")
    w.wait(value)
    return value


def write_loop_value(w: Writer, bits: tuple[str, ...]) -> str | None:
    """Write ``forloop.counter`` and its like without a dict; None if that cannot be."""
    loop = w.binding("forloop")
    if not isinstance(loop, WrittenLoop):
        return None
    rest = bits[1:]
    while len(rest) > 1 and rest[0] == "parentloop" and loop is not None:
        loop, rest = loop.parent, rest[1:]
    if loop is None or len(rest) != 1:
        return None
    template = LOOP_VALUES.get(rest[0])
    if template is None:
        return None
    loop.uses_index = True
    value = w.temporary()
    w.line(f"{value} = {template.format(i=loop.index, n=loop.length)}")
    return value


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
            tuple(mark_safe(argument) for _, argument in args),
            fast_path_of(function),
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


def write_output(w: Writer, value: str, into: str | None = None) -> None:
    """Write the text of the value in the local variable or constant ``value``.

    Args:
        into: a local to put the text in, instead of writing it.
    """
    text = into or w.temporary("s")
    where = places(w)
    if w.in_loop:
        w.line(f"if type({value}) is str:")
        # The setting is asked only where it matters, but anew: any code may have changed it.
        as_it_is = f"scan({value}) is {value} or not context.autoescape"
        w.line(f"    {text} = {value} if {as_it_is} else html_escape({value})")
        w.line("else:")
        w.line(f"    {text} = render_value(state, context, {value}{where})")
        w.line(f"    if type({text}) is Pending:")
        w.line(f"        {text} = yield from {text}.plan")
    else:
        w.line(f"{text} = render_value(state, context, {value}{where})")
        w.wait(text)
    if into is None:
        w.value(text)
