"""What each of Django's own tags reads and which names it sets."""

from __future__ import annotations

from typing import Any

from django.template import defaulttags
from django.template.base import TokenType, VariableNode
from django.templatetags import cache, i18n, l10n, static, tz
from django.utils.safestring import SafeString

from ...compiler.foreign import LoopBody
from ...relations.paths import Consumption
from ...tags.defer import DeferNode
from ...tags.parallel import ParallelNode
from ...tags.relations import RelationsNode
from ..values import UNKNOWN, MadeValue, Value, groups_of, several
from .walker import NodeHandler, NodeWalker

MADE_TEXT = MadeValue(SafeString)
"""What most tags set a name to."""


def walk_variable(w: NodeWalker, node: VariableNode) -> None:
    w.read(node.filter_expression, "output")


# -- what decides which nodes are rendered ---------------------------------------------------------


def walk_if_node(w: NodeWalker, node: defaulttags.IfNode) -> None:
    cases: list[Any] = [*node.conditions_nodelists]
    if cases[-1][0] is not None:
        cases.append((None, ()))
    w.choose(cases)


def walk_for_node(w: NodeWalker, node: Any) -> None:
    item = w.read(node.sequence, "loop").item()
    parts = {name: item.position(index) for index, name in enumerate(node.loopvars)}
    name = node.loopvars[0] if len(node.loopvars) == 1 else None

    def row() -> None:
        if name is not None:
            w.bind(name, item)
            w.walk(node.nodelist_loop)
        else:
            with w.frame(parts):
                w.walk(node.nodelist_loop)

    def rows() -> None:
        with w.frame({"forloop": MadeValue("forloop")}), w.rows():
            w.bind(name, item)
            w.repeat(row)

    def empty() -> None:
        with w.frame():
            w.maybe_walk(node.nodelist_empty)

    w.branches(rows, empty)


def walk_ifchanged(w: NodeWalker, node: Any) -> None:
    """The first row is always a change, so what stands inside is rendered for certain."""
    for variable in node._varlist:
        w.read(variable, "operand")

    w.branches(lambda: w.walk(node.nodelist_true), lambda: w.maybe_walk(node.nodelist_false))


def walk_cache(w: NodeWalker, node: cache.CacheNode) -> None:
    """What stands inside is rendered when the cache does not have it."""
    for argument in (node.expire_time_var, *node.vary_on, node.cache_name):
        w.read(argument, "argument")

    w.choose([(None, node.nodelist), (None, ())])


def walk_with_node(w: NodeWalker, node: defaulttags.WithNode) -> None:
    with w.frame(w.read_names(node.extra_context)):
        w.walk(node.nodelist)


def walk_filter(w: NodeWalker, node: defaulttags.FilterNode) -> None:
    w.walk(node.nodelist)
    with w.frame({"var": UNKNOWN}):
        w.read(node.filter_expr, "output")


# -- what sets a name ------------------------------------------------------------------------------


def walk_cycle(w: NodeWalker, node: defaulttags.CycleNode) -> None:
    consumption: Consumption = "name" if node.silent else "output"
    values = []
    for index, expression in enumerate(node.cyclevars):
        with w.maybe(index > 0):
            values.append(w.read(expression, consumption))
    if node.variable_name:
        w.bind_upward(node.variable_name, several(values))


def walk_firstof(w: NodeWalker, node: defaulttags.FirstOfNode) -> None:
    for index, expression in enumerate(node.vars):
        with w.maybe(index > 0), w.tolerant("default"):
            w.read(expression, "output")
    w.bind(node.asvar, MADE_TEXT)


def walk_regroup(w: NodeWalker, node: defaulttags.RegroupNode) -> None:
    """Groups have a ``grouper``, the expression's value, and a ``list`` of the items."""
    source = w.read(node.target, "loop")
    w.bind(node.var_name, source.item())
    with w.rows(), w.standing_after(node.var_name):
        key = w.read(node.expression, "operand")
    w.bind(node.var_name, groups_of(source, key))


def walk_translate(w: NodeWalker, node: i18n.TranslateNode) -> None:
    w.read(node.filter_expression, "output")
    w.read(node.message_context, "argument")
    w.bind(node.asvar, MADE_TEXT)


def walk_blocktranslate(w: NodeWalker, node: i18n.BlockTranslateNode) -> None:
    w.read(node.message_context, "argument")
    with w.frame(w.read_names(node.extra_context)):
        if node.plural and node.countervar and node.counter:
            w.read(node.counter, "argument")
            w.bind(node.countervar, MadeValue(int))
        for tokens in (node.singular, node.plural or ()):
            for token in tokens:
                if token.token_type == TokenType.VAR:
                    value = w.find(token.contents)
                    w.record(token.contents, value, "output")
                    with w.at(token):
                        w.note_lookups(token.contents, token.contents, (), value)
    w.bind(node.asvar, MADE_TEXT)


# -- the others ------------------------------------------------------------------------------------


def arguments(*attributes: str, target: str = "", made: Value = MADE_TEXT) -> NodeHandler:
    """Make the handler of a tag that reads arguments and perhaps sets a name, mostly to a text.

    Args:
        attributes: where the node keeps its arguments: each an expression, or a list or dict.
        target: the attribute that holds the name.
        made: what the name stands for then.
    """

    def walk(w: NodeWalker, node: Any) -> None:
        for attribute in attributes:
            argument = getattr(node, attribute)
            if isinstance(argument, dict):
                argument = list(argument.values())
            for each in argument if isinstance(argument, (list, tuple)) else [argument]:
                w.read(each, "argument")
        if target:
            w.bind(getattr(node, target), made)

    return walk


def region(*attributes: str) -> NodeHandler:
    """Make the handler of a tag that changes how what stands inside is rendered."""
    read = arguments(*attributes)

    def walk(w: NodeWalker, node: Any) -> None:
        read(w, node)
        w.walk(node.nodelist)

    return walk


def walk_defer(w: NodeWalker, node: DeferNode) -> None:
    region("timeout")(w, node)
    w.walk(node.placeholder)
    if node.error is not None:
        w.walk(node.error)


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


def language_list(w: NodeWalker, node: i18n.GetLanguageInfoListNode) -> None:
    w.read(node.languages, "loop")
    w.bind(node.variable, UNKNOWN)


TAG_HANDLERS: dict[Any, NodeHandler] = {
    VariableNode: walk_variable,
    defaulttags.IfNode: walk_if_node,
    defaulttags.ForNode: walk_for_node,
    defaulttags.IfChangedNode: walk_ifchanged,
    cache.CacheNode: walk_cache,
    defaulttags.WithNode: walk_with_node,
    defaulttags.FilterNode: walk_filter,
    defaulttags.CycleNode: walk_cycle,
    defaulttags.FirstOfNode: walk_firstof,
    defaulttags.RegroupNode: walk_regroup,
    i18n.TranslateNode: walk_translate,
    i18n.BlockTranslateNode: walk_blocktranslate,
    defaulttags.AutoEscapeControlNode: region(),
    defaulttags.SpacelessNode: region(),
    LoopBody: region(),
    l10n.LocalizeNode: region(),
    tz.LocalTimeNode: region(),
    RelationsNode: region("policy"),
    ParallelNode: region("limit"),
    DeferNode: walk_defer,
    i18n.LanguageNode: region("language"),
    tz.TimezoneNode: region("tz"),
    defaulttags.URLNode: arguments("view_name", "args", "kwargs", target="asvar"),
    defaulttags.WidthRatioNode: arguments("val_expr", "max_expr", "max_width", target="asvar"),
    defaulttags.LoremNode: arguments("count"),
    static.StaticNode: arguments("path", target="varname"),
    static.PrefixNode: arguments(target="varname"),
    defaulttags.NowNode: arguments(target="asvar"),
    i18n.GetAvailableLanguagesNode: arguments(target="variable", made=UNKNOWN),
    i18n.GetCurrentLanguageNode: arguments(target="variable"),
    i18n.GetCurrentLanguageBidiNode: arguments(target="variable", made=MadeValue(bool)),
    tz.GetCurrentTimezoneNode: arguments(target="variable"),
    i18n.GetLanguageInfoNode: arguments("lang_code", target="variable", made=UNKNOWN),
    i18n.GetLanguageInfoListNode: language_list,
    **dict.fromkeys(
        (
            defaulttags.CommentNode,
            defaulttags.CsrfTokenNode,
            defaulttags.DebugNode,
            defaulttags.LoadNode,
            defaulttags.ResetCycleNode,
            defaulttags.TemplateTagNode,
            defaulttags.VerbatimNode,
        ),
        arguments(),
    ),
}
if hasattr(defaulttags, "PartialNode"):
    TAG_HANDLERS[defaulttags.PartialDefNode] = walk_partialdef
    TAG_HANDLERS[defaulttags.PartialNode] = walk_partial
