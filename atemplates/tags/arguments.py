"""Django's tags that compute something from their arguments.

Their arguments are resolved by the plan (awaited, fetched) and given to Django's own ``render()``
on a shallow copy of the node: what the tag does stays Django's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from django.template.base import FilterExpression, Node, VariableDoesNotExist
from django.template.defaulttags import GroupedResult, RegroupNode

from ..compiler.conditions import write_comparison
from ..compiler.expressions import write_expression
from ..compiler.failures import is_stop
from ..compiler.foreign import call_in_thread, node_step
from ..compiler.nodes import NodeWriting, TagFamily
from ..compiler.scope import assigns
from ..compiler.writer import Writer
from ..placement.value_code import use_code
from ..runtime.running_steps import register_step
from ..runtime.sites import SiteMode
from ..runtime.state import State
from ..runtime.waits import Pending
from .flow import write_entering, write_leaving


class Resolved:
    """Stands where a node has a filter expression: the value is there already."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def resolve(self, context: Any, ignore_failures: bool = False) -> Any:
        """Give the value."""
        return self.value


class Failing:
    """Stands for an argument that cannot be resolved: the tag decides what that means."""

    __slots__ = ("error", "var")

    def __init__(self, error: Exception, expression: FilterExpression) -> None:
        self.error = error
        self.var = expression.var

    def resolve(self, context: Any, ignore_failures: bool = False) -> Any:
        """Raise what resolving the argument raised."""
        raise self.error


UNRESOLVED = object()
"""Stands for an argument that was not reached."""

ABSENT = object()
"""Stands for an argument that the tag is to think was not given."""


def resolved(value: Any) -> Any:
    """Wrap an argument's value, or the values in a list or dict of arguments."""
    if type(value) is ArgumentList:
        return [resolved(item) for item in value]
    if type(value) is ArgumentDict:
        return {key: resolved(item) for key, item in value.items()}
    if value is ABSENT:
        return None
    return value if isinstance(value, (Failing, Resolved)) else Resolved(value)


class ArgumentList(list):  # type: ignore[type-arg]
    """The values of a tag's positional arguments; a type of its own, unlike any value."""


class ArgumentDict(dict):  # type: ignore[type-arg]
    """The values of a tag's keyword arguments."""


def write_argument(w: Writer, argument: Any, mode: SiteMode = SiteMode.OUTPUT) -> str:
    """Write the code that resolves an argument, or a list or dict of them."""
    if isinstance(argument, (list, tuple)):
        return f"ArgumentList([{', '.join(write_argument(w, item) for item in argument)}])"
    if isinstance(argument, dict):
        items = [
            f"{w.constant(name)}: {write_argument(w, item)}" for name, item in argument.items()
        ]
        return f"ArgumentDict({{{', '.join(items)}}})"
    if not any(lookup for _, args in argument.filters for lookup, _ in args):
        return write_expression(w, argument, mode)
    value = w.temporary()
    with w.block("try:"):
        w.line(f"{value} = {write_expression(w, argument, mode)}")
    w.line("except VariableDoesNotExist:")
    w.line(f"    {value} = Failing(exception(), {w.constant(argument)})")
    return value


def write_with_arguments(w: Writer, node: Node, attributes: tuple[str, ...]) -> None:
    """Write a node that renders itself once its arguments are resolved."""
    values = []
    for attribute in attributes:
        argument = getattr(node, attribute)
        if argument is not None:
            values.append(f"{attribute!r}: {write_argument(w, argument)}")
    _write_render(w, node, f"{{{', '.join(values)}}}")


def write_with_caught_arguments(w: Writer, node: Node, attributes: tuple[str, ...]) -> None:
    """Write a node that catches what resolving its arguments raises.

    The arguments behind one that fails are not resolved.
    """
    values = w.temporary("values")
    w.line(f"{values} = {{}}")
    with w.block("try:"):
        for attribute in attributes:
            value = write_expression(w, getattr(node, attribute))
            w.line(f"{values}[{attribute!r}] = {value}")
    w.line("except (TypeError, ValueError, VariableDoesNotExist):")
    name = w.constant(node, "node_")
    w.line(f"    add_failing({values}, exception(), {name}, {w.constant(attributes)})")
    _write_render(w, node, values)


def add_failing(
    values: dict[str, Any], error: Exception, node: Any, attributes: tuple[str, ...]
) -> None:
    """Put an error in the place of the first argument that has no value."""
    attribute = attributes[len(values)]
    values[attribute] = Failing(error, getattr(node, attribute))


def failing_arguments(
    error: Exception, node: Any, attributes: tuple[str, ...], values: tuple[Any, ...]
) -> dict[str, Any]:
    """Return the arguments of a tag up to the first that has no value, and the error for that."""
    found = {
        attribute: value
        for attribute, value in zip(attributes, values, strict=True)
        if value is not UNRESOLVED
    }
    add_failing(found, error, node, attributes)
    return found


def _write_render(w: Writer, node: Node, values: str) -> None:
    result = w.temporary("s")
    w.line(
        f"{result} = render_with_arguments(state, context, {w.constant(node, 'node_')}, {values})"
    )
    w.wait(result)
    w.append(result)


def render_with_arguments(state: State, context: Any, node: Node, values: dict[str, Any]) -> Any:
    """Render a copy of a node whose arguments are ``values``."""
    if values:
        kind = type(node)
        copied = kind.__new__(kind)
        copied.__dict__ = {
            **node.__dict__,
            **{name: resolved(value) for name, value in values.items()},
        }
        node = copied
    if state.on_loop and tag_arguments_code(values.values()) is not None:
        return Pending(call_in_thread(state, node.render, context))
    depth = len(context.dicts)
    try:
        return node.render(context)
    except SynchronousOnlyOperation:
        if not state.on_loop:
            raise
        del context.dicts[depth:]
        return Pending(call_in_thread(state, node.render, context))


register_step(render_with_arguments, node_step)


def tag_arguments_code(values: Iterable[Any]) -> Any:
    """What Django's own code may run of the arguments of a tag."""
    for value in values:
        kind = type(value)
        if kind is ArgumentList:
            code = tag_arguments_code(value)
        elif kind is ArgumentDict:
            code = tag_arguments_code(value.values())
        else:
            value = value.value if issubclass(kind, Resolved) else value
            code = None if kind is Failing or value is ABSENT else use_code(value)
        if code is not None:
            return code
    return None


def with_arguments(
    *attributes: str,
    target: str = "",
) -> NodeWriting:
    """Return how a node is written that renders itself from resolved arguments.

    Args:
        attributes: where the node keeps its arguments.
        target: the attribute that names the context variable the tag sets, if any.
    """

    def write(w: Writer, node: Node) -> None:
        write_with_arguments(w, node, attributes)

    def effects(node: Node) -> Any:
        return assigns(getattr(node, target, None) if target else None)

    return NodeWriting(write, effects)


# -- regroup ---------------------------------------------------------------------------------------


def write_regroup(w: Writer, node: RegroupNode) -> None:
    """Group the rows of a source by what an expression gives for each."""
    source = write_expression(w, node.target, SiteMode.NONE)
    groups = w.temporary("groups")
    name = w.constant(node.var_name)
    w.flush()
    with w.block(f"if {source} is None:"):
        w.line(f"context[{name}] = []")
    with w.block("else:"):
        listed = w.temporary("rows")
        root, site = w.access or ("None", "None")
        w.line(f"{listed} = loop_rows(state, {source}, {site}, {root}, sized=False)")
        w.wait(listed)
        mark = write_entering(w, listed, root, site)
        row, key, open_ = w.temporary("row"), w.temporary("key"), w.temporary("open")
        w.line(f"{groups} = []")
        w.line(f"{open_} = False")
        with w.block(f"for {row} in {listed}:"):
            w.line(f"context[{name}] = {row}")
            with _ending(w, open_):
                w.line(f"{key} = {write_expression(w, node.expression, SiteMode.NONE)}")
            with w.block(f"if not {groups}:"):
                w.line(f"{groups}.append(GroupedResult({key}, []))")
            with w.block(f"elif {groups}[-1].grouper is not {key}:"):
                _write_next_group(w, groups, key, open_)
            with w.block(f"elif not {open_}:"):
                w.line("continue")
            w.line(f"{open_} = True")
            w.line(f"{groups}[-1].list.append({row})")
        write_leaving(w, mark)
        w.line(f"note_groups(state, {groups}, {root}, {site})")
        w.line(f"context[{name}] = {groups}")


def _write_next_group(w: Writer, groups: str, key: str, open_: str) -> None:
    """Compare a key that is another object than the last group's: a new group, if not equal.

    groupby() asks once to end a group, and once more to begin the next; it has only to ask that
    when the group ended before, because of a `StopIteration`.
    """
    same, group = w.temporary("same"), w.temporary("group")
    w.line(f"{group} = {groups}[-1].grouper")
    w.line(f"{same} = False")
    with w.block(f"if {open_}:"):
        with w.block("try:"):
            write_comparison(w, same, "==", group, key)
        w.line("except (StopIteration, RuntimeError):")
        w.line(f"    {same} = not is_stop(exception())")
    with w.block(f"if not {same}:"):
        with w.block("try:"):
            write_comparison(w, same, "==", group, key)
        w.line("except (StopIteration, RuntimeError):")
        w.line("    if is_stop(exception()):")
        w.line("        break")
        with w.block(f"if {same}:"):
            w.line(f"{open_} = False")
            w.line("continue")
        w.line(f"{groups}.append(GroupedResult({key}, []))")


@contextmanager
def _ending(w: Writer, open_: str) -> Iterator[None]:
    """Let a `StopIteration` inside end a group, or the groups where none is open, as groupby()."""
    with w.block("try:"):
        yield
    w.line("except (StopIteration, RuntimeError):")
    w.line(f"    if is_stop(exception()) and not {open_}:")
    w.line("        break")
    w.line(f"    {open_} = False")
    w.line("    continue")


def note_groups(state: State, groups: list[GroupedResult], root: Any, site: Any) -> None:
    """Note that the rows of the groups are those of the list that was grouped."""
    if root is not None and site is not None:
        for group in groups:
            state.relations.loops.note_origin(group.list, root, site.bits[1:], site.bits[0])


ARGUMENT_TAGS = TagFamily(
    nodes={
        RegroupNode: NodeWriting(write_regroup, lambda node: assigns(node.var_name)),
    },
    names={
        "ArgumentDict": ArgumentDict,
        "ArgumentList": ArgumentList,
        "Failing": Failing,
        "add_failing": add_failing,
        "render_with_arguments": render_with_arguments,
        "GroupedResult": GroupedResult,
        "is_stop": is_stop,
        "note_groups": note_groups,
        "VariableDoesNotExist": VariableDoesNotExist,
    },
)
