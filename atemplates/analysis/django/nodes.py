"""What each of Django's own tags reads and which names it sets."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.template import defaulttags
from django.template.base import TokenType, VariableNode
from django.template.defaulttags import (
    AutoEscapeControlNode,
    CommentNode,
    CsrfTokenNode,
    CycleNode,
    DebugNode,
    FilterNode,
    FirstOfNode,
    ForNode,
    IfChangedNode,
    IfNode,
    LoadNode,
    LoremNode,
    NowNode,
    RegroupNode,
    ResetCycleNode,
    SpacelessNode,
    TemplateTagNode,
    URLNode,
    VerbatimNode,
    WidthRatioNode,
    WithNode,
)
from django.templatetags.cache import CacheNode
from django.templatetags.i18n import (
    BlockTranslateNode,
    GetAvailableLanguagesNode,
    GetCurrentLanguageBidiNode,
    GetCurrentLanguageNode,
    GetLanguageInfoListNode,
    GetLanguageInfoNode,
    LanguageNode,
    TranslateNode,
)
from django.templatetags.l10n import LocalizeNode
from django.templatetags.static import PrefixNode, StaticNode
from django.templatetags.tz import GetCurrentTimezoneNode, LocalTimeNode, TimezoneNode

from ...compiler.foreign import LoopBody
from ...relations.paths import Consumption
from ...tags.relations import RelationsNode
from .values import UNKNOWN, RecordValue, RowsValue, several
from .walker import NodeHandler, NodeWalker, register_access

PASSES = 3
"""How often the body of a loop is walked, at most: names set in one row may be read in the next."""


def walk_variable(w: NodeWalker, node: VariableNode) -> None:
    w.read(node.filter_expression, "output")


def render_nothing() -> None:
    """What is rendered in the place of a part that is not."""


# -- what decides which nodes are rendered ---------------------------------------------------------


def walk_if_node(w: NodeWalker, node: IfNode) -> None:
    def branch(index: int, condition: Any, nodes: Any) -> None:
        if condition is not None:
            with w.maybe(index > 0):
                w.condition(condition)
        with w.maybe():
            w.walk(nodes)

    parts = [
        partial(branch, index, condition, nodes)
        for index, (condition, nodes) in enumerate(node.conditions_nodelists)
    ]
    if node.conditions_nodelists[-1][0] is None:
        w.branches(*parts)
    else:
        w.branches(*parts, render_nothing)


def walk_for_node(w: NodeWalker, node: Any) -> None:
    source = w.read(node.sequence, "loop")

    def rows() -> None:
        with w.frame({"forloop": UNKNOWN}):
            item = source.item()
            for _ in range(PASSES):
                start = w.snapshot()
                if len(node.loopvars) == 1:
                    w.bind(node.loopvars[0], item)
                    start = w.snapshot()
                    w.walk(node.nodelist_loop)
                else:
                    parts = {name: item.position(i) for i, name in enumerate(node.loopvars)}
                    with w.frame(parts):
                        w.walk(node.nodelist_loop)
                end = w.snapshot()
                if end == start:
                    break
                w.merge([start, end])

    def empty() -> None:
        with w.frame(), w.maybe():
            w.walk(node.nodelist_empty)

    w.branches(rows, empty)


def walk_ifchanged(w: NodeWalker, node: Any) -> None:
    """The first row is always a change, so what stands inside is rendered for certain."""
    for variable in node._varlist:
        w.read(variable, "operand")

    def unchanged() -> None:
        with w.maybe():
            w.walk(node.nodelist_false)

    w.branches(lambda: w.walk(node.nodelist_true), unchanged)


def walk_cache(w: NodeWalker, node: CacheNode) -> None:
    """What stands inside is rendered when the cache does not have it."""
    for argument in (node.expire_time_var, *node.vary_on, node.cache_name):
        w.read(argument, "argument")

    def missed() -> None:
        with w.maybe():
            w.walk(node.nodelist)

    w.branches(missed, render_nothing)


def walk_with_node(w: NodeWalker, node: WithNode) -> None:
    names = {name: w.read(value, "name") for name, value in node.extra_context.items()}
    with w.frame(names):
        w.walk(node.nodelist)


def walk_filter(w: NodeWalker, node: FilterNode) -> None:
    w.walk(node.nodelist)
    with w.frame({"var": UNKNOWN}):
        w.read(node.filter_expr, "output")


# -- what sets a name ------------------------------------------------------------------------------


def walk_cycle(w: NodeWalker, node: CycleNode) -> None:
    consumption: Consumption = "name" if node.silent else "output"
    values = []
    for index, expression in enumerate(node.cyclevars):
        with w.maybe(index > 0):
            values.append(w.read(expression, consumption))
    if node.variable_name:
        w.bind_upward(node.variable_name, several(values))


def walk_firstof(w: NodeWalker, node: FirstOfNode) -> None:
    for index, expression in enumerate(node.vars):
        with w.maybe(index > 0):
            w.read(expression, "output")
    w.bind(node.asvar, UNKNOWN)


def walk_regroup(w: NodeWalker, node: RegroupNode) -> None:
    """Groups have a ``grouper``, the expression's value, and a ``list`` of the items."""
    source = w.read(node.target, "loop")
    item = source.item()
    w.bind(node.var_name, item)
    key = w.read(node.expression, "operand")
    group = RecordValue((("grouper", key), ("list", RowsValue(item, source))))
    w.bind(node.var_name, RowsValue(group, source))


def walk_translate(w: NodeWalker, node: TranslateNode) -> None:
    w.read(node.filter_expression, "output")
    w.read(node.message_context, "argument")
    w.bind(node.asvar, UNKNOWN)


def walk_blocktranslate(w: NodeWalker, node: BlockTranslateNode) -> None:
    w.read(node.message_context, "argument")
    names = {name: w.read(value, "name") for name, value in node.extra_context.items()}
    with w.frame(names):
        if node.plural and node.countervar and node.counter:
            w.read(node.counter, "argument")
            w.bind(node.countervar, UNKNOWN)
        for tokens in (node.singular, node.plural or ()):
            for token in tokens:
                if token.token_type == TokenType.VAR:
                    w.record(token.contents, w.find(token.contents), "output")
    w.bind(node.asvar, UNKNOWN)


# -- the others ------------------------------------------------------------------------------------


def arguments(*attributes: str, target: str = "") -> NodeHandler:
    """Make the handler of a tag that reads arguments and perhaps sets a name to a text.

    Args:
        attributes: where the node keeps its arguments: each an expression, or a list or dict.
        target: the attribute that holds the name.
    """

    def walk(w: NodeWalker, node: Any) -> None:
        for attribute in attributes:
            argument = getattr(node, attribute)
            if isinstance(argument, dict):
                argument = list(argument.values())
            for each in argument if isinstance(argument, (list, tuple)) else [argument]:
                w.read(each, "argument")
        if target:
            w.bind(getattr(node, target), UNKNOWN)

    return walk


def region(*attributes: str) -> NodeHandler:
    """Make the handler of a tag that changes how what stands inside is rendered."""
    read = arguments(*attributes)

    def walk(w: NodeWalker, node: Any) -> None:
        read(w, node)
        w.walk(node.nodelist)

    return walk


def walk_partialdef(w: NodeWalker, node: Any) -> None:
    if node.inline:
        w.walk(node.nodelist)


def walk_partial(w: NodeWalker, node: Any) -> None:
    try:
        template = node.partial_mapping[node.partial_name]
    except KeyError:
        w.lose(node.partial_name, f"no partial {node.partial_name!r} is defined")
    else:
        w.walk_template(template)


def language_list(w: NodeWalker, node: GetLanguageInfoListNode) -> None:
    w.read(node.languages, "loop")
    w.bind(node.variable, UNKNOWN)


OWN_TAG_HANDLERS: dict[Any, NodeHandler] = {
    VariableNode: walk_variable,
    IfNode: walk_if_node,
    ForNode: walk_for_node,
    IfChangedNode: walk_ifchanged,
    CacheNode: walk_cache,
    WithNode: walk_with_node,
    FilterNode: walk_filter,
    CycleNode: walk_cycle,
    FirstOfNode: walk_firstof,
    RegroupNode: walk_regroup,
    TranslateNode: walk_translate,
    BlockTranslateNode: walk_blocktranslate,
    AutoEscapeControlNode: region(),
    SpacelessNode: region(),
    LoopBody: region(),
    LocalizeNode: region(),
    LocalTimeNode: region(),
    RelationsNode: region("policy"),
    LanguageNode: region("language"),
    TimezoneNode: region("tz"),
    URLNode: arguments("view_name", "args", "kwargs", target="asvar"),
    WidthRatioNode: arguments("val_expr", "max_expr", "max_width", target="asvar"),
    LoremNode: arguments("count"),
    StaticNode: arguments("path", target="varname"),
    PrefixNode: arguments(target="varname"),
    NowNode: arguments(target="asvar"),
    GetAvailableLanguagesNode: arguments(target="variable"),
    GetCurrentLanguageNode: arguments(target="variable"),
    GetCurrentLanguageBidiNode: arguments(target="variable"),
    GetCurrentTimezoneNode: arguments(target="variable"),
    GetLanguageInfoNode: arguments("lang_code", target="variable"),
    GetLanguageInfoListNode: language_list,
    **{
        kind: arguments()
        for kind in (
            CommentNode,
            CsrfTokenNode,
            DebugNode,
            LoadNode,
            ResetCycleNode,
            TemplateTagNode,
            VerbatimNode,
        )
    },
}
if hasattr(defaulttags, "PartialNode"):
    OWN_TAG_HANDLERS[defaulttags.PartialDefNode] = walk_partialdef
    OWN_TAG_HANDLERS[defaulttags.PartialNode] = walk_partial

for kind, handler in OWN_TAG_HANDLERS.items():
    register_access(kind, handler)
