"""``{% defer %}…{% placeholder %}…{% error %}…{% enddefer %}``: what the page does not wait for.

The part is rendered with a copy of the context, so that nothing it sets is seen behind it, in every
way there is to render a page. Where a page is awaited or streamed, it is rendered beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any, TypeAlias

from django.template.base import FilterExpression, Node, NodeList, Parser, Token
from django.template.context import Context
from django.template.exceptions import TemplateSyntaxError
from django.template.loader_tags import BlockNode
from django.utils.safestring import SafeString

from ..compiler.expressions import write_expression
from ..compiler.failures import node_location
from ..compiler.mentions import names_mentioned
from ..compiler.nodes import NodeWriting, TagFamily, effects_of, write_nodes
from ..compiler.scope import ELSEWHERE, Effects
from ..compiler.writer import Writer
from ..errors import UNSWALLOWED
from ..placement.routes import route_of
from ..runtime.sites import SiteMode
from ..runtime.state import State
from ..runtime.waits import Plan
from ..streaming.deferred import (
    DeferredPart,
    DeferredParts,
    log_failed_error,
    log_failure,
    timeout_error,
    within,
)
from ..streaming.sink import Hole, Sink
from .parallel_parts import (
    PartPlan,
    branch_context,
    part_plan,
    run_parts,
    separate_context,
    share,
)
from .relations import library


class DeferNode(Node):
    """``{% defer %}…{% placeholder %}…{% error %}…{% enddefer %}``.

    Args:
        timeout: the seconds after which it is given up.
        nodelist: the contents.
        placeholder: what stands there until they are ready, or when they cannot be shown.
        error: what is shown in their place when they cannot be; None: the placeholder.
    """

    child_nodelists = ("nodelist", "placeholder", "error")

    def __init__(
        self,
        timeout: FilterExpression | None,
        nodelist: NodeList,
        placeholder: NodeList,
        error: NodeList | None,
    ) -> None:
        self.timeout = timeout
        self.nodelist = nodelist
        self.placeholder = placeholder
        self.error = error

    def render(self, context: Context) -> SafeString:
        """Render under Django's own renderer: where it stands, and without a limit of time."""
        if self.timeout is not None:
            checked_timeout(self.timeout.resolve(context))
        try:
            return self.nodelist.render(own_context(context))
        except UNSWALLOWED:
            raise
        except Exception as failure:
            log_failure(failure, node_location(self))
            inner = own_context(context)
            if self.error is None:
                return self.placeholder.render(inner)
            if context.template is not None and context.template.engine.debug:
                inner.dicts[-1]["error"] = failure
            try:
                return self.error.render(inner)
            except UNSWALLOWED:
                raise
            except Exception as another:
                log_failed_error(another, node_location(self))
            return self.placeholder.render(own_context(context))


# -- parsing ---------------------------------------------------------------------------------------


@library.tag("defer")
def parse_defer(parser: Parser, token: Token) -> DeferNode:
    """Parse ``{% defer [timeout=SECONDS] %}…[{% placeholder %}…][{% error %}…]{% enddefer %}``.

    Raises:
        TemplateSyntaxError: there are other arguments, or the timeout is no number above 0.
    """
    bits = token.split_contents()[1:]
    if len(bits) > 1 or (bits and not bits[0].startswith("timeout=")):
        raise TemplateSyntaxError(
            f"{{% defer %}} takes one argument at most, timeout=SECONDS; got {' '.join(bits)!r}."
        )
    timeout = None
    if bits:
        timeout = parser.compile_filter(bits[0].removeprefix("timeout="))
        if not timeout.filters:
            literal = getattr(timeout.var, "literal", timeout.var)
            if literal is not None:
                checked_timeout(literal)
    nodelist = parser.parse(("placeholder", "error", "enddefer"))
    waiting, failed = NodeList(), None
    name = _next_name(parser)
    if name == "placeholder":
        waiting = parser.parse(("error", "enddefer"))
        name = _next_name(parser)
    if name == "error":
        failed = parser.parse(("enddefer",))
        parser.delete_first_token()
    return DeferNode(timeout, nodelist, waiting, failed)


def _next_name(parser: Parser) -> str:
    """Take the tag that the contents of another end with."""
    token = parser.next_token()
    name, *arguments = token.split_contents()
    if arguments and name != "enddefer":
        raise parser.error(
            token,
            f"{{% {name} %}} of {{% defer %}} takes no arguments; got {' '.join(arguments)!r}.",
        )
    return name


def checked_timeout(timeout: Any) -> float | None:
    """Return after how many seconds a part is given up.

    Raises:
        TemplateSyntaxError: it is no number above 0, nor None.
    """
    error = timeout_error(timeout)
    if error:
        raise TemplateSyntaxError(error)
    return None if timeout is None else float(timeout)


# -- context ---------------------------------------------------------------------------------------


def own_context(context: Any, state: State | None = None) -> Any:
    """Return a copy of a context, which nothing that happens to the first one changes.

    Args:
        state: the state to render with; None under Django's own renderer.
    """
    made = separate_context(context) if state is None else branch_context(context, state, {})
    made.dicts = [_own_frame(frame, context, made) for frame in made.dicts]
    made.dicts.append({})
    return made


def _own_frame(frame: dict[str, Any], context: Any, made: Any) -> dict[str, Any]:
    own = dict(frame)
    position = own.get("forloop")
    if isinstance(position, dict):
        own["forloop"] = _own_position(position)
    block = own.get("block")
    if isinstance(block, BlockNode) and getattr(block, "context", None) is context:
        # What it overrides is rendered with the context that it holds.
        own["block"] = own_block = copy(block)
        vars(own_block)["context"] = made
    return own


def _own_position(position: dict[str, Any]) -> dict[str, Any]:
    own = copy(position)
    outer = own.get("parentloop")
    if isinstance(outer, dict) and outer:
        own["parentloop"] = _own_position(outer)
    return own


# -- where there are some --------------------------------------------------------------------------


def note_deferred(template: Any) -> bool:
    """Note whether a template has deferred parts, or one that it refers to, as far as these are
    loaded. A part that nobody knew of is rendered where it stands, and noted then."""
    found = bool(names_mentioned(template.engine, template, frozenset({"enddefer"})))
    route_of(template).has_parts = found
    return found


# -- code ------------------------------------------------------------------------------------------


def defer_effects(node: DeferNode) -> Effects:
    inside = effects_of((*node.nodelist, *node.placeholder, *(node.error or ())))
    return inside.contained() | ELSEWHERE


def write_defer(w: Writer, node: DeferNode) -> None:
    """Write its contents, the placeholder and the error as functions, and what runs them."""
    w.flush()
    timeout = "None"
    if node.timeout is not None:
        timeout = f"checked_timeout({write_expression(w, node.timeout, SiteMode.NONE)})"
    parts = [
        "None" if each is None else w.module.new_part(_writer(each, node), streamed=w.sends)
        for each in (node.nodelist, node.placeholder, node.error)
    ]
    result, name = w.temporary("s"), w.constant(node, "node_")
    plan = "defer_beside" if w.sends else "defer_in_place"
    w.line(f"{result} = yield from {plan}(state, context, {name}, ({', '.join(parts)}), {timeout})")
    w.append(result)


def _writer(nodes: NodeList, node: DeferNode) -> Callable[[Writer], None]:
    def write(w: Writer) -> None:
        with w.writing_for(node):
            write_nodes(w, nodes)

    return write


# -- rendering -------------------------------------------------------------------------------------

Parts: TypeAlias = "tuple[PartPlan, PartPlan, PartPlan | None]"
"""The plans of the contents, the placeholder and the error."""


def defer_beside(
    state: State, context: Any, node: DeferNode, parts: Parts, timeout: float | None
) -> Plan:
    """The plan that begins a part beside the page, and leaves its place in the sink.

    Returns:
        No text: it is written to the sink.
    """
    deferred: DeferredParts | None = state.deferred
    if deferred is None:  # inside a placeholder
        return (yield from _in_place(state, context, node, parts))
    sink: Any = state.sink
    shared = share(state)
    name, text = "", ""
    if deferred.out_of_order:
        name, state.deferred = deferred.new_name(), None
        try:
            text = yield from _text_of(parts[1], own_context(context, state), state)
        finally:
            state.deferred = deferred
    part = _deferred_part(state, context, node, parts, timeout, sink.new_hole(name, text))
    upcoming, state.upcoming = state.upcoming, {}
    deferred.begin(part, shared, upcoming.values())
    if state.sending is not None:
        state.sending.end_shell()
    return SafeString("")


def _deferred_part(
    state: State,
    context: Any,
    node: DeferNode,
    parts: Parts,
    timeout: float | None,
    hole: Hole,
) -> DeferredPart:
    contents, waiting, failed = parts
    inner, spare = state.for_branch(state.relations), state.for_branch(state.relations)
    inner.deferred = spare.deferred = state.deferred
    # The page goes on meanwhile, and changes its context.
    own, rest = own_context(context, inner), own_context(context, spare)

    async def write(sink: Sink, part: PartPlan, own_state: State, own: Any) -> None:
        own_state.write_to(sink)
        sink.append(await state.arun(part_plan(state, own_state, part, own), own_state))

    async def write_error(sink: Sink, error: Exception) -> bool:
        if failed is None:
            return False
        await write(sink, failed, spare, error_context(rest, spare, error))
        return True

    return DeferredPart(
        render=lambda sink: write(sink, contents, inner, own),
        on_error=write_error,
        on_nothing=lambda sink: write(sink, waiting, spare, own_context(rest, spare)),
        timeout=timeout,
        place=node_location(node),
        hole=hole,
    )


def error_context(context: Any, state: State, error: Exception) -> Any:
    """Return a copy of a context that has the error, if the site has DEBUG on."""
    made = own_context(context, state)
    if state.is_debugging():
        made.dicts[-1]["error"] = error
    return made


def defer_in_place(
    state: State, context: Any, node: DeferNode, parts: Parts, timeout: float | None
) -> Plan:
    """The plan that renders a part where it stands; arguments as for `defer_beside`.

    Returns:
        Its text.
    """
    if not state.concurrent:
        return (yield from _in_place(state, context, node, parts))
    if context.template is not None:
        route_of(context.template).has_parts = True
    try:
        share(state)
        inner = state.for_branch(state.relations)
        inner.arun = within(timeout, state.arun)
        plan = part_plan(state, inner, parts[0], own_context(context, inner))
        texts = yield from run_parts(state, [(plan, inner)], 1)
        return texts[0]
    except UNSWALLOWED:
        raise
    except Exception as error:
        failure = error
    return (yield from _shown_failure(state, context, node, parts, failure))


def _in_place(state: State, context: Any, node: DeferNode, parts: Parts) -> Plan:
    try:
        return (yield from _text_of(parts[0], own_context(context, state), state))
    except UNSWALLOWED:
        raise
    except Exception as error:
        failure = error
    return (yield from _shown_failure(state, context, node, parts, failure))


def _shown_failure(
    state: State, context: Any, node: DeferNode, parts: Parts, failure: Exception
) -> Plan:
    waiting, failed = parts[1:]
    log_failure(failure, node_location(node))
    if failed is not None:
        try:
            return (yield from _text_of(failed, error_context(context, state, failure), state))
        except UNSWALLOWED:
            raise
        except Exception as error:
            log_failed_error(error, node_location(node))
    return (yield from _text_of(waiting, own_context(context, state), state))


def _text_of(part: PartPlan, context: Any, state: State) -> Plan:
    """The plan that gives the text of a part, and leaves the state as it was if that fails."""
    sink, engine, loops = state.sink, state.engine, len(state.loops)
    own = None if sink is None else Sink()
    state.write_to(own)
    try:
        text = yield from part(context, state)
        if own is None:
            return text
        own.append(text)
        return SafeString(own.take())
    finally:
        state.write_to(sink)
        state.engine = engine
        del state.loops[loops:]


DEFER_TAGS = TagFamily(
    nodes={DeferNode: NodeWriting(write_defer, defer_effects)},
    names={
        "checked_timeout": checked_timeout,
        "defer_beside": defer_beside,
        "defer_in_place": defer_in_place,
    },
)
