"""Variables as source.

Outside loops the source is short, since compiling it is what costs; inside loops it is longer and
reads attributes of plain objects directly.
"""

from __future__ import annotations

import django
from django.template.base import Variable

from ..placement.python_code import CODELESS_TYPES
from ..runtime.held_attributes import types_holding
from ..runtime.sites import Site, SiteMode
from .failures import origin_file
from .scope import Local, WrittenLoop
from .writer import Writer, is_attribute_name

LOOP_VALUES = {
    "counter0": "{i}",
    "counter": "({i} + 1)",
    "revcounter": "({n} - {i})",
    "revcounter0": "({n} - {i} - 1)",
    "first": "({i} == 0)",
    "last": "({i} == {n} - 1)",
    **({"length": "{n}"} if django.VERSION >= (6, 0) else {}),
}
"""What a loop knows of itself -> its code, of the index and the length."""


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
    if w.in_loop and is_inline(bits):
        return write_path(w, root, bits, site)
    value = w.temporary()
    w.line(f"{value} = resolve_long_path(state, context, {root}, {site})")
    w.wait(value)
    return value


def is_inline(bits: tuple[str, ...]) -> bool:
    """Whether loops have the steps of a path right in their code."""
    return 1 < len(bits) <= 5 and all(map(is_step, bits[1:]))


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


def write_lasting(w: Writer, function: str, root: str, site: str, name: str = "") -> str | None:
    """Write what is asked once, before the loops around, of a value that stays the same in them.

    Args:
        function: what asks: ``lasting_text`` or ``lasting_truth``.
        root: the name's value, or a constant.
        name: the context's name; an empty one stands for a constant.

    Returns:
        The local that holds the answer, which may be None; or None, if the name may change.
    """
    if not w.loops or (name and (w.binding(name) is not None or is_set_around(w, name))):
        return None
    loop: WrittenLoop = w.loops[0]
    key = f"{function} {root}"
    if key not in loop.hoisted:
        loop.hoisted[key] = local = w.temporary("lasting")
        loop.preamble.append(f"{local} = {function}(state, {root}, {site})")
    return loop.hoisted[key]


def scalar_tests(w: Writer, *operands: str) -> list[str]:
    """Return the conditions that operands are scalars, but for constants that are."""
    constants = w.constants.values
    return [
        f"type({operand}) in scalars"
        for operand in operands
        if operand not in constants or type(constants[operand]) not in CODELESS_TYPES
    ]


def write_single(w: Writer, root: str, site: str) -> str:
    """Write the code for a path of one bit."""
    value = w.temporary()
    if root.isidentifier() and not w.in_loop:
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


def is_step(bit: str) -> bool:
    """Whether a bit is an attribute's name or a position that compiled code may name."""
    return is_attribute_name(bit) or is_position(bit)


def is_position(bit: str) -> bool:
    """Whether a bit is a number as Python itself would write it."""
    return len(bit) < 5 and bit.isascii() and bit.isdecimal() and str(int(bit)) == bit


def write_path(w: Writer, root: str, bits: tuple[str, ...], site: str) -> str:
    """Write the fast code for a path: attributes of plain objects, keys of dicts, rows of lists.

    What has to be waited for is asked only where the fast code did not get to the end.

    Args:
        root: a local variable, which this leaves as it is.

    Returns:
        The local variable for the value.
    """
    first, *rest = bits[1:]
    if rest:
        return _write_long_path(w, root, bits, site)
    value = w.temporary()
    w.line("try:")
    if is_position(first):
        w.line(f"    if {position_test(root, first)}:")
        w.line(f"        {value} = {root}[{first}]")
    else:
        w.line(f"    if {attribute_test(w, root, first)}:")
        w.line(f"        {value} = {root}.{first}")
        w.line(f"    elif type({root}) is dict and '{first}' in {root}:")
        w.line(f"        {value} = {root}['{first}']")
    w.line("    else:")
    w.line(f"        {value} = MISSING")
    w.line("except Exception:")
    failed = f"access_failed(state, context, exception(), {root}, {site}, 1, {root})"
    w.line(f"    {value} = {failed}")
    w.line(f"if type({value}) not in inert:")
    w.line(f"    if {value} is MISSING:")
    w.line(f"        {value} = resolve_further(state, context, {root}, {site}, 1, {root})")
    w.line(f"    elif type({value}) is not Pending:")
    w.line(f"        {value} = resolve_further(state, context, {value}, {site}, 2, {root})")
    w.line(f"    if type({value}) is Pending:")
    w.line(f"        {value} = yield from {value}.plan")
    return value


def _write_long_path(w: Writer, root: str, bits: tuple[str, ...], site: str) -> str:
    """Do the same for a path of several steps, each inside the one before."""
    value, index = w.temporary(), w.temporary("i")
    first, *rest = bits[1:]
    w.line(f"{value} = {root}")
    w.line(f"{index} = 1")
    w.line("try:")
    if is_position(first):
        w.line(f"    if {position_test(value, first)}:")
        w.line(f"        {value} = {value}[{first}]")
        w.line(f"        {index} = 2")
        _write_steps(w, value, index, rest)
    else:
        w.line(f"    if {attribute_test(w, value, first)}:")
        w.line(f"        {value} = {value}.{first}")
        w.line(f"        {index} = 2")
        _write_steps(w, value, index, rest)
        w.line(f"    elif type({value}) is dict and '{first}' in {value}:")
        w.line(f"        {value} = {value}['{first}']")
        w.line(f"        {index} = 2")
    w.line("except Exception:")
    failed = f"access_failed(state, context, exception(), {value}, {site}, {index}, {root})"
    w.line(f"    {value} = {failed}")
    w.line(f"    {index} = {len(bits)}")
    w.line(f"if {index} != {len(bits)} or type({value}) not in inert:")
    w.line(f"    if type({value}) is not Pending:")
    w.line(f"        {value} = resolve_further(state, context, {value}, {site}, {index}, {root})")
    w.line(f"    if type({value}) is Pending:")
    w.line(f"        {value} = yield from {value}.plan")
    return value


def attribute_test(w: Writer, value: str, name: str) -> str:
    """Return the condition that an attribute may be read without asking anybody."""
    held = w.constant(w.constants.make(types_holding, name), "held_")
    return f"type({value}) in plain or type({value}) in {held} and '{name}' in {value}.__dict__"


def position_test(value: str, position: str) -> str:
    """Return the condition that a row of a list or tuple is there."""
    return f"type({value}) in rows and len({value}) > {position}"


def _write_steps(w: Writer, value: str, index: str, bits: list[str]) -> None:
    """Write the further steps of a path, each inside the one before."""
    depth = "        "
    for done, bit in enumerate(bits, start=3):
        test = position_test(value, bit) if is_position(bit) else attribute_test(w, value, bit)
        w.line(f"{depth}if {test}:")
        depth += "    "
        w.line(f"{depth}{value} = {value}{f'[{bit}]' if is_position(bit) else f'.{bit}'}")
        w.line(f"{depth}{index} = {done}")


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
    loop.uses_index = loop.uses_index or "{i}" in template
    value = w.temporary()
    w.line(f"{value} = {template.format(i=loop.index, n=loop.length)}")
    return value
