"""``if``, ``for``, ``with`` and ``ifchanged``: what decides which nodes run, and how often."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.template.base import VariableDoesNotExist
from django.template.defaulttags import (
    ForNode,
    IfNode,
    TemplateLiteral,
    WithNode,
)

from ..compiler.conditions import (
    UnknownCondition,
    WrittenValue,
    check_condition,
    write_condition,
    write_test,
    write_truth,
)
from ..compiler.expressions import places, write_expression
from ..compiler.foreign import LoopBody
from ..compiler.nodes import NodeWriting, TagFamily, Unwritable, effects_of, write_nodes
from ..compiler.scope import NONE, Effects, Local, WrittenLoop
from ..compiler.variables import LOOP_VALUES
from ..compiler.writer import Writer
from ..runtime.iteration import AT_HAND
from ..runtime.sites import SiteMode
from ..runtime.state import State
from ..runtime.turns import FEW_ROWS, ROWS_BETWEEN_LOOKS, row_blocks

# -- if --------------------------------------------------------------------------------------------


def if_effects(node: IfNode) -> Effects:
    effects = NONE
    for condition, nodelist in node.conditions_nodelists:
        if condition is not None:
            try:
                check_condition(condition)
            except UnknownCondition as error:
                raise Unwritable from error
        effects |= effects_of(nodelist)
    return effects


def write_if(w: Writer, node: IfNode) -> None:
    """Conditions are tried in order; each is nested in the ``else`` of the one before."""
    if_effects(node)
    _write_branches(w, list(node.conditions_nodelists))


def _write_branches(w: Writer, branches: list[Any]) -> None:
    (condition, nodelist), *rest = branches
    if condition is None:
        write_nodes(w, nodelist)
        return
    if _may_miss(condition):
        match = WrittenValue(w.temporary("t"))
        # A filter's argument that does not exist makes the whole condition false.
        with w.block("try:"):
            w.line(f"{match.name} = {write_condition(w, condition).name}")
        w.line("except VariableDoesNotExist:")
        w.line(f"    {match.name} = None")
    else:
        match = write_test(w, condition)
    place = places(w) if type(condition) is TemplateLiteral else ""
    truth = write_truth(w, match, place)
    with w.block(f"if {truth}:"):
        write_nodes(w, nodelist)
    if rest:
        with w.block("else:"):
            w.nest(lambda inner: _write_branches(inner, rest))


def _may_miss(condition: Any) -> bool:
    value = getattr(condition, "value", None)
    return value is not None and bool(getattr(value, "filters", ()))


# -- for -------------------------------------------------------------------------------------------


def for_effects(node: Any) -> Effects:
    inside = effects_of(node.nodelist_loop) | effects_of(node.nodelist_empty)
    return inside.contained()


def write_for(w: Writer, node: Any) -> None:
    """Write the loop: its source, the rows, what stands in place of no rows."""
    effects = effects_of(node.nodelist_loop)
    loop = WrittenLoop(
        index=w.temporary("index"),
        length=w.temporary("length"),
        parent=enclosing_loop(w),
        dictionary=w.temporary("forloop"),
        uses_dictionary=effects.reads or "forloop" in effects.changing or w.shallow,
    )
    source = write_expression(w, node.sequence, SiteMode.NONE)
    root, site = w.access or ("None", "None")
    values = w.temporary("values")
    backwards = ", backwards=True" if node.is_reversed else ""
    if w.in_loop:
        with w.branch(f"if type({source}) in at_hand:"):
            w.line(f"{values} = {source}")
        with w.branch("else:"):
            w.wait_for(values, f"loop_rows(state, {source}, {site}, {root}{backwards})")
    else:
        w.wait_for(values, f"loop_rows(state, {source}, {site}, {root}{backwards})")
    w.line(f"{loop.length} = len({values})")
    empty = effects_of(node.nodelist_empty)
    with (
        w.block(f"if {loop.length} < 1:"),
        real_frame(w, empty.needs_frame),
        w.frame(empty.frame()),
    ):
        write_nodes(w, node.nodelist_empty)
    with w.block("else:"):
        mark = write_entering(
            w, values, root, site, backwards=bool(node.is_reversed), whole=not node.sequence.filters
        )
        if node.is_reversed:
            w.line(f"{values} = reversed({values})")
        _write_rows(w, node, loop, values, effects)
        write_leaving(w, mark)
    if (effects | empty).elsewhere:
        w.refresh()


def write_entering(
    w: Writer, values: str, root: str, site: str, *, backwards: bool = False, whole: bool = True
) -> str:
    """Note the list of a loop that begins (`State.loops`); return what `write_leaving` needs."""
    mark = w.temporary("mark")
    w.line(f"{mark} = len(loops)")
    w.line(f"loops.append(({values}, {root}, {site}, {backwards}, {whole}))")
    return mark


def write_leaving(w: Writer, mark: str) -> None:
    """Note that a loop has ended, and those inside that an exception has left."""
    w.line(f"del loops[{mark}:]")


def _write_rows(w: Writer, node: Any, loop: WrittenLoop, values: str, effects: Effects) -> None:
    with w.joining():
        _write_joined_rows(w, node, loop, values, effects)


def _write_joined_rows(
    w: Writer, node: Any, loop: WrittenLoop, values: str, effects: Effects
) -> None:
    real = effects.needs_frame or w.shallow
    items = [w.temporary("item") for _ in node.loopvars]
    bindings: dict[str, Any] = {"forloop": loop}
    bindings.update((name, Local(item)) for name, item in zip(node.loopvars, items, strict=True))
    scope = w.temporary("scope")
    w.loops.append(loop)
    with w.aside() as body, w.frame(effects.frame(bindings)) as frame:
        frame.scope = scope if real and len(items) == 1 else ""
        w.indent += 3 if real else 2
        if real and len(items) == 1:
            # A tag that may set anything may also have left a dict of its own on top.
            top = "context.dicts[-1]" if effects.writes is None else scope
            w.line(f"{top}[{w.constant(node.loopvars[0])}] = {items[0]}")
            _write_unclean(w, items)
        elif real:
            # As in Django, each row has a frame of its own: what a tag sets there ends with it.
            pairs = zip(node.loopvars, items, strict=True)
            values_of_row = ", ".join(f"{w.constant(name)}: {item}" for name, item in pairs)
            w.line(f"context.dicts.append({{{values_of_row}}})")
            _write_unclean(w, items)
        write_nodes(w, node.nodelist_loop, joined=False)
        w.flush()
        if real and len(items) > 1:
            w.line("context.dicts.pop()")
        w.indent -= 3 if real else 2
    w.loops.pop()
    w.lines_of(*loop.preamble)
    if loop.uses_dictionary:
        _write_dictionary(w, loop)
    if loop.changes:
        w.line(f"{loop.changes} = {loop.dictionary if loop.uses_dictionary else '{}'}")
    if not real:
        with _in_turns(w, node, loop, values) as rows:
            _write_head(w, loop, items, rows)
            w.paste(body)
        return
    with real_frame(w, True):
        w.line(f"{scope} = context.dicts[-1]")
        if loop.uses_dictionary:
            w.line(f"{scope}['forloop'] = {loop.dictionary}")
        with _in_turns(w, node, loop, values) as rows:
            _write_head(w, loop, items, rows)
            w.paste(body)


@contextmanager
def _in_turns(w: Writer, node: Any, loop: WrittenLoop, values: str) -> Iterator[str]:
    """Write what lets the event loop have its turns around the ``for``; give what it goes through.

    Only a render on the loop counts rows. A long loop is one ``for`` after the other then, each
    through a block of rows.
    """
    blocks = w.temporary("blocks")
    numbered = loop.uses_index or loop.uses_dictionary
    holds_no_other = not effects_of(
        node.nodelist_loop
    ).elsewhere and not node.nodelist_loop.get_nodes_by_type(ForNode)
    w.lines_of(
        f"{blocks} = None",
        f"if {f'{loop.length} > {FEW_ROWS} and ' if holds_no_other else ''}turning:",
        f"    state.rows = counted = state.rows + {loop.length}",
        f"    if counted > {ROWS_BETWEEN_LOOKS - 1}:",
        f"        {blocks} = row_blocks(state, {values}, {loop.length}, {numbered}, {w.texts})",
        "while True:",
    )
    w.indent += 1
    yield f"{f'enumerate({values})' if numbered else values} if {blocks} is None else {blocks}.rows"
    w.line(f"if {blocks} is None or (yield from {blocks}.have_ended()):")
    w.line("    break")
    w.indent -= 1


def _write_unclean(w: Writer, items: list[str]) -> None:
    """Note that a row may be awaitable: what gets the context is to find its result there."""
    unknown = " or ".join(f"type({item}) not in unawaitable" for item in items)
    w.line(f"if {unknown}:")
    w.line("    state.clean = None")


def enclosing_loop(w: Writer) -> WrittenLoop | None:
    """The loop that ``forloop`` means around the node being written, if it is in this function."""
    binding = w.binding("forloop")
    return binding if isinstance(binding, WrittenLoop) else None


def _write_dictionary(w: Writer, loop: WrittenLoop) -> None:
    binding = w.binding("forloop")
    if loop.parent is not None:
        loop.parent.uses_dictionary = True
        parent = loop.parent.dictionary
    elif isinstance(binding, Local):
        parent = binding.name
    else:
        parent = w.temporary()
        w.line(f"{parent} = lookup_name(dicts, 'forloop')")
        w.line(f"{parent} = {{}} if {parent} is MISSING else {parent}")
    length = f", 'length': {loop.length}" if "length" in LOOP_VALUES else ""
    w.line(f"{loop.dictionary} = {{'parentloop': {parent}{length}}}")


def _write_head(w: Writer, loop: WrittenLoop, items: list[str], rows: str) -> None:
    target = items[0] if len(items) == 1 else w.temporary("row")
    if loop.uses_index or loop.uses_dictionary:
        w.line(f"for {loop.index}, {target} in {rows}:")
    else:
        w.line(f"for {target} in {rows}:")
    w.indent += 1
    if loop.uses_dictionary:
        name, index, length = loop.dictionary, loop.index, loop.length
        w.lines_of(
            f"{name}['counter0'] = {index}",
            f"{name}['counter'] = {index} + 1",
            f"{name}['revcounter'] = {length} - {index}",
            f"{name}['revcounter0'] = {length} - {index} - 1",
            f"{name}['first'] = {index} == 0",
            f"{name}['last'] = {index} == {length} - 1",
        )
    if len(items) > 1:
        targets = ", ".join(items)
        w.line(f"if type({target}) is tuple and len({target}) == {len(items)}:")
        w.line(f"    {targets} = {target}")
        w.line("else:")
        w.line(f"    {targets} = unpack({target}, {len(items)})")
    w.line("pass")
    w.indent -= 1


def write_origin(w: Writer, local: str, expression: Any) -> None:
    """Note where a value came from that gets a new name, if it is an object with relations."""
    if w.access is not None and not expression.filters:
        root, site = w.access
        w.line(f"if type({local}) not in simple:")
        w.line(f"    note_value_origin(state, {local}, {root}, {site})")


def note_value_origin(state: State, value: Any, root: Any, site: Any) -> None:
    """Note where a value came from, if that is not simply its name."""
    if len(site.bits) > 1:
        state.relations.loops.note_origin(value, root, site.bits[1:], site.bits[0])


# -- with ------------------------------------------------------------------------------------------


def with_effects(node: WithNode) -> Effects:
    return effects_of(node.nodelist).contained()


def write_with(w: Writer, node: WithNode) -> None:
    """The values are local variables, and in the context only if somebody may look there."""
    effects = effects_of(node.nodelist)
    bindings: dict[str, Any] = {}
    for name, expression in node.extra_context.items():
        local = w.temporary("with")
        w.line(f"{local} = {write_expression(w, expression)}")
        write_origin(w, local, expression)
        bindings[name] = Local(local)
    values = {name: binding.name for name, binding in bindings.items()}
    with real_frame(w, effects.needs_frame, values), w.frame(effects.frame(bindings)):
        write_nodes(w, node.nodelist)
    if effects.elsewhere:
        w.refresh()


@contextmanager
def real_frame(w: Writer, needed: bool, values: dict[str, str] | None = None) -> Iterator[None]:
    """Push a dict on the context around what is written inside, if that is needed."""
    if not (needed or w.shallow):
        yield
        return
    items = ", ".join(f"{w.constant(name)}: {local}" for name, local in (values or {}).items())
    w.flush()
    w.line(f"context.dicts.append({{{items}}})")
    with w.block("try:"):
        yield
    with w.block("finally:"):
        # Just one, as in Django: a tag may have left a dict of its own on top.
        w.line("context.dicts.pop()")


FLOW_TAGS = TagFamily(
    nodes={
        LoopBody: NodeWriting(
            lambda w, node: write_nodes(w, node.nodelist), lambda node: effects_of(node.nodelist)
        ),
        IfNode: NodeWriting(write_if, if_effects),
        ForNode: NodeWriting(write_for, for_effects),
        WithNode: NodeWriting(write_with, with_effects),
    },
    names={
        "VariableDoesNotExist": VariableDoesNotExist,
        "at_hand": AT_HAND,
        "note_value_origin": note_value_origin,
        "row_blocks": row_blocks,
    },
)
