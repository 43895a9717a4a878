"""Nodes that we do not know: they run whole, as code of others.

One with node lists runs in the request's thread, others on the loop once they have earned it. The
node lists are still ours: `adopt` makes ``nodelist.render(context)`` run our plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from types import GeneratorType
from typing import Any

from django.template.base import Node, NodeList
from django.template.defaulttags import ForNode

from ..placement.records import noted, observed
from ..runtime.loading import is_loading
from ..runtime.placed_steps import LEAVE, run_placed
from ..runtime.running_steps import LocalValues, RunningStep, register_step
from ..runtime.state import State
from ..runtime.tracing import ran_traced
from ..runtime.types import FORGET, is_awaitable
from ..runtime.waits import Kind, Pending, Plan, Wait
from .foreign_arguments import PlannedExpression, expressions_in
from .nodes import NodeWriting, TagFamily
from .plan import PlannedNodeList
from .scope import foreign_effects
from .writer import Writer


def child_nodelists(value: Any, depth: int = 3) -> Iterator[NodeList]:
    """Find the node lists that a node holds, also in lists, tuples and dicts."""
    if isinstance(value, NodeList):
        yield value
    elif depth and isinstance(value, (list, tuple)):
        for item in value:
            yield from child_nodelists(item, depth - 1)
    elif depth and isinstance(value, dict):
        for item in value.values():
            yield from child_nodelists(item, depth - 1)


def adopt(node: Node) -> None:
    """Make the node lists of a foreign node run through our plan, and resolve its arguments."""
    for value in vars(node).values():
        for expression in expressions_in(value):
            expression.__class__ = PlannedExpression
        for nodelist in child_nodelists(value):
            if type(nodelist) is NodeList:
                nodelist.__class__ = PlannedNodeList
    if isinstance(node, ForNode):
        hold_together(node)


class LoopBody(Node):
    """What stands inside a loop that is foreign because its class derives from Django's."""

    child_nodelists = ("nodelist",)

    def __init__(self, nodelist: PlannedNodeList) -> None:
        self.nodelist = nodelist

    def render(self, context: Any) -> Any:
        """Render the nodes through our plan."""
        return self.nodelist.render(context)

    @property
    def render_annotated(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The node list's own render: an error gets the place of the loop, and loops may nest as
        deeply as Python's stack lets them."""
        return self.nodelist.render


def hold_together(loop: Any) -> None:
    """Put one node in the place of all that stand inside a loop.

    ``ForNode.render()`` goes through its nodes by itself instead of asking the node list.
    """
    nodelist = loop.nodelist_loop
    nodes = list(nodelist)  # at once: another thread may be at it too
    if not nodes or type(nodes[0]) is LoopBody:
        return
    inner = PlannedNodeList(nodes)
    inner.contains_nontext = nodelist.contains_nontext
    body = LoopBody(inner)
    body.token, body.origin = loop.token, loop.origin
    nodelist[:] = [body]


def write_foreign(w: Writer, node: Node) -> None:
    """Write a node whose type has no writer."""
    w.module.prepare(adopt, node)
    name = w.constant(node, "node_")
    result = w.temporary()
    if hasattr(type(node), "render_async"):
        w.lines_of("state.reached_out = True", "state.clean = None")
        w.line(f"{result} = yield Wait(AWAIT, {name}.render_async(context))")
    elif next(child_nodelists(vars(node)), None) is None:
        _write_render(w, name, node, "state.direct", result)
    else:
        # Called from here where nothing stands against it: tags nest as deeply as Python's stack.
        _write_render(w, name, node, "not state.on_loop", result)
    w.refresh()
    w.foreign_value(result)


def _write_render(w: Writer, name: str, node: Node, may: str, result: str) -> None:
    """Write the call of a node's ``render()``: right here if nothing is needed around it but what
    a plan does anyway."""
    kind = w.constant(w.constants.make(type, node), "type_")
    w.line("state.reached_out = True")
    usual = f"{kind}.render_annotated is annotated"
    condition = f"{may} and {usual} and {write_results_seen(w)}"
    w.line(f"if {condition}:")
    w.line(f"    {result} = {name}.render(context)")
    with w.branch("else:"):
        w.wait_for(result, f"render_foreign(state, context, {name})")


def write_results_seen(w: Writer) -> str:
    """Return a condition: what gets the context now finds no awaitables in it."""
    asked = "sees_results(state, context)"
    scope = w.frames[-1].scope if w.frames else ""
    if not scope:
        return asked
    # The row of the loop was looked at, and there is nothing else in its dict.
    known = f"dicts[-1] is {scope} and len({scope}) == 2 and dicts[-2] is state.clean"
    return f"({known} or {asked})"


def off_loop(state: State, function: Any, *args: Any) -> Any:
    """Call a function that stands in the request's thread, not on the loop."""
    before = state.stand_on(False)
    try:
        with state.in_thread():
            return function(*args)
    finally:
        state.stand_on(before)


def _calling_off_loop(values: LocalValues) -> RunningStep:
    return RunningStep("tag", values["state"].relations, function=values["function"])


register_step(off_loop, _calling_off_loop)


def call_in_thread(state: State, function: Any, *args: Any, code: Any = None) -> Plan:
    """Call a function in the request's thread.

    Args:
        code: what it runs, to be watched.
    """
    return (yield Wait(Kind.CALL, observed, (code, off_loop, state, function, *args)))


def render_foreign(state: State, context: Any, node: Node, is_noted: bool = False) -> Any:
    """Render a foreign node where it belongs.

    Args:
        is_noted: whether it is noted already what this takes, for who traces the render.
    """
    state.reached_out = True
    if state.told and not is_noted:
        render = partial(render_foreign, state, context, node, True)
        return ran_traced(state, "tag", type(node).render, node, Pending, render)
    if not state.on_loop:
        if names_awaitables(state, context):
            return Pending(_here_with_values(state, node, context))
        if state.lesson:
            return noted(type(node).render, node.render_annotated, context)
        return node.render_annotated(context)
    code = type(node).render
    # What stands inside a tag runs as a plan of its own, which may need the thread itself.
    if next(child_nodelists(vars(node)), None) is None:
        trusted = state.policy.may_run_here(code, foreign_tag_name(node), type(node).__module__)
        given = (context, node)
        text = run_placed(state, code, trusted, node.render_annotated, (context,), None, given)
        if text is not LEAVE:
            return text
    return Pending(_in_thread_with_values(state, node, context, code))


def node_step(values: LocalValues) -> RunningStep:
    """Describe a function that renders a node, or calls what its tag registered."""
    return RunningStep("tag", values["state"].relations, node=values["node"])


register_step(render_foreign, node_step)


def foreign_tag_name(node: Node) -> str:
    """The name of the tag that made a node; empty where nobody knows."""
    contents = getattr(getattr(node, "token", None), "contents", "")
    return contents.split(None, 1)[0] if contents else ""


def _in_thread_with_values(state: State, node: Node, context: Any, code: Any) -> Plan:
    """Render a foreign node in the thread; it finds results in the context, no awaitables."""
    yield from await_context(state, context)
    return (yield from call_in_thread(state, node.render_annotated, context, code=code))


def _here_with_values(state: State, node: Node, context: Any) -> Plan:
    yield from await_context(state, context)
    if state.on_loop:  # the plan came back to the loop in order to await
        return (
            yield from call_in_thread(state, node.render_annotated, context, code=type(node).render)
        )
    return node.render_annotated(context)


def names_awaitables(state: State, context: Any) -> bool:
    """Whether there is an awaitable in a context, awaited already or not."""
    return not sees_results(state, context)


def sees_results(state: State, context: Any) -> bool:
    """Whether what gets the context finds no awaitables there.

    Each tag that gets it asks this. Below the innermost frame nothing but the rows of loops may
    become awaitable, and compiled code says when one does: a sync tag has no reason to put an
    awaitable there, and one that can await ends what is known.
    """
    known = UNAWAITABLE
    dicts = context.dicts
    if len(dicts) > 1 and dicts[-2] is state.clean:
        for value in dicts[-1].values():
            if type(value) not in known and _may_be_awaited(value):
                return False
        return True
    for scope in dicts:
        for value in scope.values():
            if type(value) not in known and _may_be_awaited(value):
                return False
    state.clean = dicts[-2] if len(dicts) > 1 else None
    return True


def _may_be_awaited(value: Any) -> bool:
    if is_awaitable(value):
        return True
    if type(value) is not GeneratorType:  # some generators can be awaited, most can not
        UNAWAITABLE.add(type(value))
    return False


def _waiting(state: State, context: Any) -> dict[int, Any]:
    found = {}
    for scope in context.dicts:
        for value in scope.values():
            if type(value) in UNAWAITABLE or not _may_be_awaited(value):
                continue
            if id(value) not in state.awaited:
                if is_loading(value) and (used := value.unasked()) is not value:
                    state.awaited[id(value)] = (value, used)
                else:
                    found[id(value)] = value
    return found


UNAWAITABLE: set[type] = set()
"""Types that were met in contexts, and cannot be awaited. Any thread may add one: all of them add
the same. Emptied with the other sets of types."""
FORGET.append(UNAWAITABLE.clear)


def await_context(state: State, context: Any) -> Plan:
    """Replace the awaitables in a context by their results, for code that cannot await."""
    waiting = _waiting(state, context)
    if waiting:
        shared = state.shared
        if shared is None:
            once = waiting
        else:  # another part that runs at the same time may have met them
            once = {key: shared.result(each) for key, each in waiting.items()}
        results = yield Wait(Kind.GATHER, once)
        for identity, result in results.items():
            state.awaited[identity] = (waiting[identity], result)
            state.upcoming.pop(identity, None)
    if state.awaited:
        write_back(state, context)


def write_back(state: State, context: Any) -> None:
    """Put the results of what was awaited into the context, where the awaitables are."""
    for scope in context.dicts:
        for name, value in scope.items():
            known = state.awaited.get(id(value))
            if known is not None and known[0] is value:
                scope[name] = known[1]


FOREIGN_TAGS = TagFamily(
    nodes={
        Node: NodeWriting(write_foreign, lambda node: foreign_effects(type(node).__module__)),
    },
    names={
        "render_foreign": render_foreign,
        "annotated": Node.render_annotated,
        "sees_results": sees_results,
        "unawaitable": UNAWAITABLE,
    },
)
