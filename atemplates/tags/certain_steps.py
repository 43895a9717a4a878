"""What rendering a node list does with the names of its context, in order: found once for each.

`certain_loads` follows these steps through a page to tell which querysets it certainly loads. What
is not known to do no harm ends the certainty: a page is not to make a query more than it would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

from django.template.base import FilterExpression, Node, TextNode, Variable, VariableNode
from django.template.defaulttags import (
    AutoEscapeControlNode,
    FilterNode,
    ForNode,
    IfNode,
    RegroupNode,
    SpacelessNode,
    TemplateLiteral,
    WithNode,
)
from django.template.library import TagHelperNode
from django.template.loader_tags import BlockNode, ExtendsNode, IncludeNode
from django.templatetags.i18n import LanguageNode
from django.templatetags.l10n import LocalizeNode
from django.templatetags.tz import LocalTimeNode, TimezoneNode

from ..compiler.conditions import OPERATOR_NAMES
from ..compiler.fast_filters import is_stock
from ..compiler.foreign import child_nodelists
from ..compiler.mentions import PartialNode, constant_name
from ..compiler.nodes import NODES, effects_of_node
from ..runtime.filters import WHOLE_VALUE_FILTERS
from ..runtime.types import is_django
from .defer import DeferNode
from .inheritance import PartialDefNode
from .library import gets_block, tag_module
from .output import SUPER
from .parallel import ParallelNode
from .relations import RelationsNode

Path: TypeAlias = tuple[str, ...]
"""The bits of a variable, the name of the context first."""

MAYBE = "(perhaps)"
"""A bit of a path: what stands before it, or something in that."""
EACH = "(each)"
"""A bit of a path: each item of what stands before it."""


class Place(NamedTuple):
    """Where something stands."""

    template: str
    line: int | None


class Reads(NamedTuple):
    """All rows of a value are read, or its truth, which takes them all, by compiled code."""

    path: Path
    place: Place


class Uses(NamedTuple):
    """A value is looked up, and loaded by nobody but compiled code: printed, sliced, passed on."""

    path: Path
    is_whole: bool
    """Whether code of the value's own may run: it is printed."""


class Passes(NamedTuple):
    """A value gets to code of others, which may load it by itself."""

    path: Path


UseStep: TypeAlias = Reads | Uses | Passes
"""What is done with a value."""


class Sets(NamedTuple):
    """Names are set in the context."""

    names: frozenset[str]


class Inside(NamedTuple):
    """Steps with names of their own."""

    steps: Steps
    names: tuple[tuple[str, Path | None], ...] = ()
    """What they stand for; None for what is no variable of the context."""
    is_certain: bool = True
    """Whether the steps are certainly taken."""


class Shows(NamedTuple):
    """A block, as it is overridden."""

    block: BlockNode


class ShowsSuper(NamedTuple):
    """``{{ block.super }}``."""


class ShowsPartial(NamedTuple):
    """A partial of the same template."""

    node: Any


class Includes(NamedTuple):
    """A template of constant name, if that is loaded."""

    name: str
    names: tuple[tuple[str, Path | None], ...]
    is_isolated: bool


class Ends(NamedTuple):
    """Code that may do anything with the context: from here on nothing is certain."""


Step: TypeAlias = (
    Reads | Uses | Passes | Sets | Inside | Shows | ShowsSuper | ShowsPartial | Includes | Ends
)
Steps: TypeAlias = "tuple[Step, ...]"

STEPS_ATTRIBUTE = "atemplates_certain_steps"
"""Where a node list keeps its steps. Threads may race for it: they find the same."""


def certain_steps_of(nodelist: Any) -> Steps:
    """Return what rendering a node list does with the names of its context."""
    held = vars(nodelist)
    known: Steps | None = held.get(STEPS_ATTRIBUTE)
    if known is None:
        known = held[STEPS_ATTRIBUTE] = tuple(_steps(nodelist))
    return known


def _steps(nodes: Iterable[Node]) -> Iterator[Step]:
    for node in nodes:
        if type(node) is not TextNode:
            yield from STEPS.get(type(node), _other_steps)(node)


def place_of(node: Any) -> Place:
    """Return where a node stands."""
    origin, token = getattr(node, "origin", None), getattr(node, "token", None)
    return Place(getattr(origin, "template_name", None) or "", getattr(token, "lineno", None))


# -- expressions -----------------------------------------------------------------------------------


def path_without_filters(expression: Any) -> Path | None:
    """Return the path of an expression that is a variable without filters."""
    if type(expression) is not FilterExpression or expression.filters:
        return None
    return _variable_path(expression.var)


def _variable_path(variable: Any) -> Path | None:
    lookups = variable.lookups if type(variable) is Variable else None
    return None if lookups is None else tuple(lookups)


def used(expression: Any, node: Any, *, reads: bool = False, shows: bool = False) -> Iterator[Step]:
    """Give the steps of resolving an expression.

    Args:
        node: whose it is.
        reads: whether all rows of its value are read.
        shows: whether its value is printed.
    """
    if type(expression) is not FilterExpression:
        if expression is not None:
            yield Ends()
        return
    path = _variable_path(expression.var)
    foreign = any(not is_stock(function) for function, _ in expression.filters)
    arguments = [
        found
        for _, args in expression.filters
        for is_variable, argument in args
        if is_variable and (found := _variable_path(argument)) is not None
    ]
    for found in arguments:
        yield Passes(found) if foreign else Uses(found, True)
    if path is None:
        return
    if expression.filters:
        function, args = expression.filters[0]
        # An argument that does not exist is an error before the filter runs.
        known = not any(is_variable for is_variable, _ in args)
        reads = is_stock(function) and function.__name__ in WHOLE_VALUE_FILTERS and known
    if reads:
        yield Reads(path, place_of(node))
    if foreign:
        yield Passes(path)
    elif not reads:
        yield Uses(path, shows or bool(expression.filters))


def expressions_of(value: Any, depth: int = 3) -> Iterator[FilterExpression]:
    """Find the expressions that a node holds, also in lists, tuples and dicts."""
    if isinstance(value, FilterExpression):
        yield value
    elif depth and isinstance(value, (list, tuple)):
        for item in value:
            yield from expressions_of(item, depth - 1)
    elif depth and isinstance(value, dict):
        for item in value.values():
            yield from expressions_of(item, depth - 1)


def bound_names(values: dict[str, Any]) -> tuple[tuple[str, Path | None], ...]:
    """Return what the names of a ``with`` stand for."""
    return tuple((name, _source(expression)) for name, expression in values.items())


def _source(expression: FilterExpression) -> Path | None:
    """Return the path of a variable that may have filters, which may give it as it is."""
    path = _variable_path(expression.var)
    return (*path, MAYBE) if path is not None and expression.filters else path


def bound(values: dict[str, Any], node: Any) -> Iterator[Step]:
    """Give the steps of resolving what the names of a ``with`` stand for."""
    for expression in values.values():
        for step in used(expression, node):
            # The name may stand for an argument of a filter.
            is_argument = isinstance(step, Uses) and step.path != _variable_path(expression.var)
            yield Passes(step.path) if is_argument else step  # type: ignore[union-attr]


# -- nodes -----------------------------------------------------------------------------------------


def _other_steps(node: Any) -> Iterator[Step]:
    """The steps of a node of any type: what is inside may be rendered, or not."""
    effects = effects_of_node(node)
    if type(node) not in NODES or effects.writes is None:
        yield Ends()
        return
    foreign = isinstance(node, TagHelperNode) and not is_django(tag_module(node.func))
    if foreign and (node.takes_context or gets_block(node)):
        yield Ends()
        return
    names = effects.writes | effects.upward
    for expression in expressions_of(list(vars(node).values())):
        for step in used(expression, node, shows=True):
            # A name that is set may stand for one of them from now on.
            if (foreign or names) and isinstance(step, (Uses, Reads)):
                yield Passes(step.path)
            else:
                yield Inside((step,), is_certain=False)
    for nodelist in child_nodelists(list(vars(node).values())):
        yield Inside(tuple(_steps(nodelist)), is_certain=False)
    if names:
        yield Sets(names)


def _nothing(node: Any) -> Iterator[Step]:
    return iter(())


def _variable(node: VariableNode) -> Iterator[Step]:
    if path_without_filters(node.filter_expression) == SUPER:
        yield ShowsSuper()
    else:
        yield from used(node.filter_expression, node, shows=True)


def _loop(node: Any) -> Iterator[Step]:
    yield from used(node.sequence, node, reads=True)
    source = _source(node.sequence)
    row = None if source is None else (*source, EACH)
    names = (*((name, row) for name in node.loopvars), ("forloop", None))
    yield Inside(certain_steps_of(node.nodelist_loop), names, is_certain=False)
    yield Inside(certain_steps_of(node.nodelist_empty), is_certain=False)


def _condition_steps(condition: Any, node: Any, tested: bool) -> Iterator[Step]:
    """The steps of a condition.

    Args:
        tested: whether its truth is what counts.
    """
    if type(condition) is TemplateLiteral:
        yield from used(condition.value, node, reads=tested)
        return
    name = OPERATOR_NAMES.get(type(condition))
    if name is None:
        yield Ends()
        return
    logical = name in ("and", "or", "not")
    yield from _condition_steps(condition.first, node, logical)
    if name != "not":
        yield Inside(tuple(_condition_steps(condition.second, node, logical)), is_certain=False)


def _branches(node: IfNode) -> Iterator[Step]:
    for index, (condition, nodelist) in enumerate(node.conditions_nodelists):
        if condition is not None:
            steps = tuple(_condition_steps(condition, node, True))
            yield Inside(steps, is_certain=not index)
        yield Inside(certain_steps_of(nodelist), is_certain=False)


def _with(node: Any) -> Iterator[Step]:
    yield from bound(node.extra_context, node)
    yield Inside(certain_steps_of(node.nodelist), bound_names(node.extra_context))


def _regroup(node: Any) -> Iterator[Step]:
    yield from used(node.target, node, reads=True)
    names = ((node.var_name, None),)
    yield Inside(tuple(used(node.expression, node)), names, is_certain=False)
    yield Sets(frozenset({node.var_name}))


def _filtered(node: Any) -> Iterator[Step]:
    yield Inside(certain_steps_of(node.nodelist))
    yield Inside(tuple(used(node.filter_expr, node)), (("var", None),), is_certain=False)


def always_shown(*attributes: str) -> Callable[[Any], Iterator[Step]]:
    """Return the steps of a tag that always renders what is inside, once.

    Args:
        attributes: where the node keeps its arguments.
    """

    def steps(node: Any) -> Iterator[Step]:
        for attribute in attributes:
            yield from used(getattr(node, attribute), node)
        yield Inside(certain_steps_of(node.nodelist))

    return steps


def _include(node: Any) -> Iterator[Step]:
    yield from bound(node.extra_context, node)
    name = constant_name(node.template)
    if name is None:
        yield Ends()
    else:
        yield Includes(name, bound_names(node.extra_context), bool(node.isolated_context))


def _partial(node: Any) -> Iterator[Step]:
    yield ShowsPartial(node)


def _partial_definition(node: Any) -> Iterator[Step]:
    return iter(certain_steps_of(node.nodelist) if node.inline else ())


def _block(node: BlockNode) -> Iterator[Step]:
    yield Shows(node)


def _extends(node: ExtendsNode) -> Iterator[Step]:
    """A template that extends another is not rendered itself."""
    yield Ends()


STEPS: dict[type[Node], Callable[[Any], Iterator[Step]]] = {
    VariableNode: _variable,
    ForNode: _loop,
    IfNode: _branches,
    WithNode: _with,
    RegroupNode: _regroup,
    FilterNode: _filtered,
    AutoEscapeControlNode: always_shown(),
    SpacelessNode: always_shown(),
    LocalTimeNode: always_shown(),
    LocalizeNode: always_shown(),
    LanguageNode: always_shown("language"),
    TimezoneNode: always_shown("tz"),
    RelationsNode: always_shown("policy"),
    ParallelNode: always_shown("limit"),
    DeferNode: always_shown("timeout"),
    IncludeNode: _include,
    BlockNode: _block,
    ExtendsNode: _extends,
    **({PartialNode: _partial, PartialDefNode: _partial_definition} if PartialNode else {}),
}
"""The exact type of a node -> its steps; those of others are in `_other_steps`."""
