"""Where in a template a render stands: told from the frames of its plan, or of Python's stack."""

from __future__ import annotations

from types import CodeType, FrameType
from typing import Any, NamedTuple

from ..compiler.running_nodes import frames_of_plan, node_of_code
from ..runtime.running_steps import COMPILED_STEP
from ..runtime.sites import Site

MOST_FRAMES = 12
"""How many frames of ours stand between two frames of templates at most."""


class TracePlace(NamedTuple):
    """A line of a template."""

    template: str = ""
    line: int | None = None
    expression: str = ""
    """The tag or variable as it is written, where that is known."""
    file: str = ""
    tag: str = ""
    """The name of the tag; empty for a variable."""


NOWHERE = TracePlace()


def place_of_plan(plan: Any) -> TracePlace:
    """Return where a plan that waits stands: the line of the innermost template."""
    for frame in reversed(frames_of_plan(plan)):
        place = place_of_frame(frame)
        if place is not None:
            return place
    return NOWHERE


def place_of_frame(frame: FrameType) -> TracePlace | None:
    """Return where compiled code of a template is; None for other code."""
    return place_of_code(frame.f_globals, frame.f_code, frame.f_lasti, frame.f_lineno)


def place_of_code(
    known: dict[str, Any], code: CodeType, instruction: int, line: int
) -> TracePlace | None:
    """Return the same for an instruction of code.

    Args:
        known: the namespace of the code.
        instruction: its offset in bytes.
        line: the line of the code.
    """
    jinja2 = known.get("__jinja_template__")
    if jinja2 is not None:
        line = jinja2.get_corresponding_lineno(line)
        return TracePlace(jinja2.name or "<template>", line, "", known_file(jinja2.filename))
    found = node_of_code(known, code, instruction)
    return None if found is None else place_of_node(found.node)


def place_of_node(node: Any) -> TracePlace:
    """Return where a parsed node stands, or what an expression knows of its place."""
    if type(node) is Site:
        return TracePlace(node.template, node.line, f"{{{{ {node.text} }}}}", node.file)
    token, origin = getattr(node, "token", None), getattr(node, "origin", None)
    if token is None:
        return NOWHERE
    contents = token.contents
    is_tag = token.token_type.name == "BLOCK"
    name = getattr(origin, "template_name", None) or getattr(origin, "name", None) or ""
    return TracePlace(
        str(name),
        token.lineno,
        f"{{% {contents} %}}" if is_tag else f"{{{{ {contents} }}}}",
        known_file(getattr(origin, "name", None)),
        contents.split(None, 1)[0] if is_tag and contents else "",
    )


def known_file(name: Any) -> str:
    """Return the path of a template's file; nothing for what is made from a string."""
    text = str(name or "")
    return "" if text.startswith("<") else text


def calling_frame(frame: FrameType | None) -> FrameType | None:
    """Return the nearest frame of a template from which a part of the page was begun."""
    for _ in range(MOST_FRAMES):
        if frame is None:
            return None
        known = frame.f_globals
        if COMPILED_STEP in known or "__jinja_template__" in known:
            return frame
        frame = frame.f_back
    return None


def place_on_stack(frame: FrameType | None) -> TracePlace:
    """Return where the template is that stands next on Python's stack."""
    found = calling_frame(frame)
    return NOWHERE if found is None else place_of_frame(found) or NOWHERE
