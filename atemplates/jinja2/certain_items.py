"""What a template does with the names of its context, in order, as far as they are loaded whole.

The syntax tree gives it when the template is compiled, as plain tuples: the code of a template
holds them. Whoever reads them finds which querysets the template certainly loads; what is not
simply such a load ends that for a name, and code of others that gets the context for all names.

``("reads", name)``
    A plan reads all rows of the value, or tests it.
``("touches", name)``
    Anything else is done with it.
``("calls", name)``
    It is called: a function that asks for the context gets it.
``("sets", name)``
    The name is set.
``("scope", names, items)``, ``("maybe", items)``, ``("block", name, items)``
    Items with names of their own; those that may not be reached; those of a block.
``("include", name)``
    A template of that name is rendered with the context.
``("ends",)``
    Anything may happen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from jinja2 import Environment, nodes
from jinja2.filters import FILTERS
from jinja2.tests import TESTS

from .parallel import is_parallel

Item: TypeAlias = tuple[Any, ...]

READING_FILTERS = frozenset({"count", "join", "length", "list", "sort"})
"""Filters of Jinja2's whose plans read all rows of a queryset."""

CALLERS = frozenset({"caller", "self", "super"})
"""Names of what renders a part of a template."""


def certain_items(environment: Environment, template: nodes.Template) -> tuple[Item, ...] | None:
    """Return the items of a template; None for one that may extend another."""
    if template.find(nodes.Extends) is not None:
        return None
    return tuple(ItemFinder(environment).of_all(template.body))


class ItemFinder:
    """Finds the items of nodes.

    Args:
        environment: whose filters and tests the template uses.
    """

    def __init__(self, environment: Environment) -> None:
        self.environment = environment

    def of_all(self, found: Iterable[Any]) -> Iterator[Item]:
        """Give the items of some nodes, one after the other."""
        for node in found:
            yield from self.of(node)

    def of(self, node: Any) -> Iterator[Item]:
        """Give the items of a node."""
        method = getattr(self, f"of_{type(node).__name__}", None)
        yield from self.of_all(node.iter_child_nodes()) if method is None else method(node)

    def maybe(self, *found: Any) -> Iterator[Item]:
        """Give the items of nodes that may not be reached."""
        items = tuple(self.of_all(found))
        if items:
            yield "maybe", items

    def read(self, node: Any) -> Iterator[Item]:
        """Give the items of an expression whose rows are all read, or whose truth is asked."""
        if isinstance(node, nodes.Name):
            yield "reads", node.name
        elif isinstance(node, nodes.Not):
            yield from self.read(node.node)
        elif isinstance(node, (nodes.And, nodes.Or)):
            yield from self.read(node.left)
            yield from self.maybe(node.right)
        else:
            yield from self.of(node)

    # -- Expressions

    def of_Name(self, node: nodes.Name) -> Iterator[Item]:
        if node.name in CALLERS:
            yield ("ends",)
        elif node.ctx == "load":
            yield "touches", node.name
        else:
            yield "sets", node.name

    def of_Filter(self, node: nodes.Filter) -> Iterator[Item]:
        given = [*node.args, *node.kwargs]
        constant = not (node.dyn_args or node.dyn_kwargs) and all(
            argument.find(nodes.Name) is None and not isinstance(argument, nodes.Name)
            for argument in given
        )
        own = registered(self.environment.filters).get(node.name)
        is_stock = own is FILTERS.get(node.name)
        if node.node is None:  # what stands in a block goes into it
            pass
        elif is_stock and node.name in READING_FILTERS and constant:
            is_name = isinstance(node.node, nodes.Name)
            yield from self.read(node.node) if is_name else self.of(node.node)
        else:
            yield from self.of(node.node)
        yield from self.of_all(given)
        yield from self.of_all(each for each in (node.dyn_args, node.dyn_kwargs) if each)
        if not is_stock and asks_context(own):
            yield ("ends",)

    def of_Test(self, node: nodes.Test) -> Iterator[Item]:
        yield from self.of_all(node.iter_child_nodes())
        own = registered(self.environment.tests).get(node.name)
        if own is not TESTS.get(node.name) and asks_context(own):
            yield ("ends",)

    def of_Call(self, node: nodes.Call) -> Iterator[Item]:
        if isinstance(node.node, nodes.Name) and node.node.name not in CALLERS:
            yield "calls", node.node.name
        yield from self.of_all(node.iter_child_nodes())

    def _of_context(self, node: Any) -> Iterator[Item]:
        yield ("ends",)

    of_ExtensionAttribute = of_ContextReference = of_DerivedContextReference = _of_context

    # -- Statements

    def of_For(self, node: nodes.For) -> Iterator[Item]:
        yield from self.read(node.iter)
        test = () if node.test is None else (node.test,)
        names = tuple({name.name for name in targets_in(node.target)} | {"loop"})
        items = tuple(self.of_all((*test, *node.body)))
        yield "scope", names, (("maybe", items),)
        yield from self.maybe(*node.else_)

    def of_If(self, node: nodes.If) -> Iterator[Item]:
        if is_parallel(node):
            call: Any = node.test
            yield from self.of_all(call.args)
            yield from self.of_all(node.body)
            return
        yield from self.read(node.test)
        yield from self.maybe(*node.body, *node.elif_, *node.else_)

    def of_With(self, node: nodes.With) -> Iterator[Item]:
        yield from self.of_all(node.values)
        names = tuple(name.name for target in node.targets for name in targets_in(target))
        yield "scope", names, tuple(self.of_all(node.body))

    def of_Block(self, node: nodes.Block) -> Iterator[Item]:
        yield "block", node.name, tuple(self.of_all(node.body))

    def of_Include(self, node: nodes.Include) -> Iterator[Item]:
        name = node.template
        if not node.with_context:
            yield from self.of(name)
        elif isinstance(name, nodes.Const) and isinstance(name.value, str):
            yield "include", name.value
        else:
            yield ("ends",)

    def of_Import(self, node: nodes.Import) -> Iterator[Item]:
        yield from self.of(node.template)
        yield ("ends",) if node.with_context else ("sets", node.target)

    def of_FromImport(self, node: nodes.FromImport) -> Iterator[Item]:
        yield from self.of(node.template)
        if node.with_context:
            yield ("ends",)
        for name in node.names:
            yield "sets", name if isinstance(name, str) else name[1]

    def of_Macro(self, node: nodes.Macro) -> Iterator[Item]:
        # Whoever calls it does what stands in it.
        yield from self.maybe(*(each for each in node.iter_child_nodes() if each not in node.args))
        yield "sets", node.name

    def of_AssignBlock(self, node: nodes.AssignBlock) -> Iterator[Item]:
        yield from self.maybe(*node.body, *([node.filter] if node.filter else []))
        yield from self.of(node.target)


def registered(functions: Any) -> Any:
    """Return the functions of an environment without ours in the place of Jinja2's own."""
    return getattr(functions, "registered", functions)


def targets_in(target: nodes.Node) -> Iterator[nodes.Name]:
    """Find the names that something is assigned to."""
    if isinstance(target, nodes.Name):
        yield target
    else:
        yield from target.find_all(nodes.Name)


def asks_context(function: Any) -> bool:
    """Whether a filter, test or function gets the context, as its mark says."""
    mark = getattr(function, "jinja_pass_arg", None)
    return mark is not None and mark.name == "context"
