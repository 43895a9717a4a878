"""What happens to an exception on its way out of a plan: the template's line is put on it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from django.template.base import UNKNOWN_SOURCE, Node, TokenType

from ..errors import LocatedError, Location, RenderBlocked
from ..runtime.waits import Kind, Wait


class InstructionNodes:
    """Which node each instruction of a plan function was written for."""

    __slots__ = ("ends", "nodes", "template")

    def __init__(self, template: Any, ends: Sequence[int], nodes: Sequence[Node | None]) -> None:
        self.template = template
        self.ends = ends
        self.nodes = nodes

    def node_at(self, instruction: int) -> Node | None:
        """Return the node of the instruction at an offset in bytes."""
        index = bisect_right(self.ends, instruction)
        return self.nodes[index] if index < len(self.nodes) else None


def find_stop_iteration(error: BaseException) -> StopIteration | None:
    """Return the `StopIteration` that code of a site raised and a generator of ours covered.

    Python lets none out of a generator, and our plans are generators where Django has functions.
    A generator of the site's own may do so: then the RuntimeError is what stock gives as well.
    """
    stop = error.__cause__ if type(error) is RuntimeError else error
    if not isinstance(stop, StopIteration):
        return None
    trace = stop.__traceback__
    module = trace.tb_frame.f_globals.get("__name__") if trace is not None else None
    return stop if stop is error or str(module).startswith(OUR_MODULES) else None


OUR_MODULES = f"{__name__.partition('.')[0]}."
"""How the names of our modules begin, and those of compiled templates."""


def is_stop(error: BaseException) -> bool:
    """Whether code of a site raised `StopIteration`; must be called while it is handled.

    Raises:
        RuntimeError: it did not: the very error.
    """
    if find_stop_iteration(error) is None:
        raise error
    return True


def note_error_place(
    state: Any, context: Any, error: Exception, places: InstructionNodes
) -> Wait | None:
    """Note on an exception where in the template it was raised, as ``Node.render_annotated`` does.

    Must be called in the plan function that caught the exception.

    Returns:
        A wait for noting it in the request's thread: the exception's text needs the database.
    """
    trace = error.__traceback__
    error = find_stop_iteration(error) or error
    node = places.node_at(trace.tb_lasti) if trace is not None else None
    if node is None:
        return None
    if isinstance(error, LocatedError) and error.location is None:
        error.location = node_location(node)
    if type(error) is SynchronousOnlyOperation and not state.on_loop:
        raise RenderBlocked("something that needs the database", node_location(node)) from error
    if not context.template.engine.debug:
        return None
    if not hasattr(error, "_culprit_node"):
        error._culprit_node = node  # type: ignore[attr-defined]
    template = context.render_context.template
    culprit = error._culprit_node  # type: ignore[attr-defined]
    if (
        not hasattr(error, "template_debug")
        and template.origin == culprit.origin
        and culprit.token is not None
    ):
        try:
            set_template_debug(error, template, culprit.token)
        except SynchronousOnlyOperation:
            if not state.on_loop:
                raise
            return Wait(Kind.CALL, set_template_debug, (error, template, culprit.token))
    return None


def set_template_debug(error: Any, template: Any, token: Any) -> None:
    """Put on an exception what Django's debug page shows of it."""
    error.template_debug = template.get_exception_info(error, token)


def node_location(node: Node) -> Location | None:
    """Return the place of a node."""
    token = getattr(node, "token", None)
    origin = getattr(node, "origin", None)
    if token is None or origin is None:
        return None
    name = origin.template_name or origin.name
    opening, closing = ("{{", "}}") if token.token_type == TokenType.VAR else ("{%", "%}")
    source = f"{opening} {token.contents} {closing}"
    return Location(str(name), token.lineno, source, origin_file(origin))


def origin_file(origin: Any) -> str:
    """Return where a template comes from, as Django's debug page names it; nothing for a string."""
    name = str(getattr(origin, "name", None) or "")
    return "" if name == UNKNOWN_SOURCE else name
