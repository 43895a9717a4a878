"""The tag ``{% ifchanged %}``, which compares with what it saw in the row before."""

from __future__ import annotations

from typing import Any

from django.template.defaulttags import IfChangedNode
from django.template.exceptions import TemplateSyntaxError

from ..compiler.conditions import write_comparison
from ..compiler.expressions import write_expression
from ..compiler.nodes import NodeWriting, TagFamily, effects_of, write_nodes
from ..compiler.scope import Effects
from ..compiler.variables import write_root
from ..compiler.writer import Writer
from ..runtime.sites import MISSING, SiteMode
from .flow import enclosing_loop


def refusal(node: Any, reason: str) -> TemplateSyntaxError:
    """Return the error for a node that cannot stand inside ``{% parallel %}``."""
    contents = node.token.contents if node.token is not None else type(node).__name__
    line = f" in line {node.token.lineno}" if node.token is not None else ""
    error = TemplateSyntaxError(
        f"{{% {contents} %}}{line} cannot stand inside {{% parallel %}}: {reason}, and parts are "
        f"rendered at the same time. Move it out of {{% parallel %}}."
    )
    if node.token is not None:
        error.token = node.token  # type: ignore[attr-defined]
    return error


def ifchanged_effects(node: IfChangedNode) -> Effects:
    return effects_of(node.nodelist_true) | effects_of(node.nodelist_false)


def write_ifchanged(w: Writer, node: Any) -> None:
    """What was seen last is kept where Django keeps it: in the loop's dict, if there is a loop."""
    name = w.constant(node, "node_")
    frame, seen, now = w.temporary("frame"), w.temporary("seen"), w.temporary("now")
    changed, text = w.temporary("changed"), w.temporary("s")
    w.flush()
    loop = enclosing_loop(w)
    if loop is not None:
        frame = loop.changes = loop.changes or w.temporary("changes")
    else:
        w.line(f"{frame} = changes_of({write_root(w, 'forloop')}, context, {name})")
    w.line(f"{frame}.setdefault({name})")

    def compare() -> None:
        w.line(f"{seen} = {frame}[{name}]")
        write_comparison(w, changed, "!=", now, seen)

    if node._varlist:
        values = [write_expression(w, variable, SiteMode.NONE) for variable in node._varlist]
        w.line(f"{now} = [{', '.join(values)}]")
        w.line(f"{seen} = {frame}[{name}]")
        # Lists of scalars compare without code of others.
        alike = [f"type({value}) in scalars" for value in dict.fromkeys(values)]
        if len(values) == 1:
            alike.append(f"len({seen}) == 1 and type({seen}[0]) in scalars")
        else:
            alike.append(f"scalars.issuperset(map(type, {seen}))")
        with w.branch(f"if {seen} is None or type({seen}) is list and {' and '.join(alike)}:"):
            w.line(f"{changed} = {now} != {seen}")
        with w.branch("else:"):
            w.wait_for(changed, f"compare(state, '!=', {now}, {seen})")
    else:
        # When the text has changed to nothing, Django renders it once more, and writes that.
        w.line(f"{changed} = None")
        with w.block("while True:"):
            with w.capture() as part:
                write_nodes(w, node.nodelist_true)
            w.line(f"{text} = SafeString(''.join({part}))")
            w.lines_of(f"if {changed}:", "    break")
            w.line(f"{now} = {text}")
            compare()
            w.lines_of(f"if {changed}:", f"    {frame}[{name}] = {now}")
            w.lines_of(f"if {now} or not {changed}:", "    break")
    with w.block(f"if {changed}:"):
        if node._varlist:
            w.line(f"{frame}[{name}] = {now}")
            write_nodes(w, node.nodelist_true)
        else:
            w.value(text)
    if node.nodelist_false:
        with w.block("else:"):
            write_nodes(w, node.nodelist_false)


class RowPosition(dict[str, Any]):
    """``forloop`` of a row that is rendered while others are."""


def changes_of(loop: Any, context: Any, node: Any) -> Any:
    """Where Django keeps what ``{% ifchanged %}`` saw last: the loop's dict, or the template's.

    Raises:
        TemplateSyntaxError: the rows of the loop are rendered at the same time.
    """
    if type(loop) is RowPosition:
        raise refusal(node, "it compares with the row rendered before")
    return context.render_context if loop is MISSING else loop


IFCHANGED_TAGS = TagFamily(
    nodes={IfChangedNode: NodeWriting(write_ifchanged, ifchanged_effects)},
    names={"changes_of": changes_of},
)
