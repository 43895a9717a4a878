"""``{% if %}`` conditions as source.

The tree is the one that ``django.template.smartif`` parsed. As there, an operator that raises is
false; unlike there, an error that says "this needs the database" is never taken for false.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from django.template.base import FilterExpression, Variable
from django.template.defaulttags import TemplateLiteral
from django.template.smartif import OPERATORS

from ..placement.python_code import CODELESS_TYPES
from ..runtime.sites import SiteMode
from .expressions import places, write_expression
from .variables import new_site, write_loop_value, write_root
from .writer import Writer, is_temporary

COMPARISON_OPERATORS = {
    "in": "in",
    "not in": "not in",
    "is": "is",
    "is not": "is not",
    "==": "==",
    "!=": "!=",
    ">": ">",
    ">=": ">=",
    "<": "<",
    "<=": "<=",
}
RUNS_NOTHING = frozenset({"is", "is not"})
"""Comparisons that run nobody's code."""
ALWAYS_BOOL = frozenset({"in", "not in", "is", "is not"})
"""Comparisons whose result is True or False whatever is compared."""
OPERATOR_NAMES: dict[type, str] = {
    OPERATORS[name]: name for name in ("and", "or", "not", *COMPARISON_OPERATORS)
}


class UnknownCondition(Exception):
    """The condition holds something that Django's own parser does not make."""


def check_condition(condition: Any) -> None:
    """Raise `UnknownCondition` if the tree holds a node of an unknown type."""
    if type(condition) is TemplateLiteral:
        value: Any = condition.value
        if type(value) is not FilterExpression:
            raise UnknownCondition(type(value))
    elif type(condition) in OPERATOR_NAMES:
        check_condition(condition.first)
        if OPERATOR_NAMES[type(condition)] != "not":
            check_condition(condition.second)
    else:
        raise UnknownCondition(type(condition))


class WrittenValue(NamedTuple):
    """Where compiled code holds what a condition gave."""

    name: str
    is_bool: bool = False
    """Whether its truth can be tested directly: that runs nobody's code."""


def write_condition(w: Writer, condition: Any) -> WrittenValue:
    """Write the code that evaluates a condition; return the local that holds its value."""
    if type(condition) is TemplateLiteral:
        expression: Any = condition.value
        bits = getattr(expression.var, "lookups", None)
        if w.loops and bits and bits[0] == "forloop" and not expression.filters:
            loop_value = write_loop_value(w, tuple(bits))
            if loop_value is not None:
                w.access = None
                return WrittenValue(loop_value, True)
        return WrittenValue(write_expression(w, expression, SiteMode.NONE))
    name = OPERATOR_NAMES[type(condition)]
    result = w.temporary("t")
    first = None
    if type(condition.first) is not TemplateLiteral:
        # An operator raises nothing that this one may swallow: a long chain need not nest.
        first = write_condition(w, condition.first)
    with w.block("try:"):
        if first is None:
            # The others also give an operand's value as theirs.
            write_first = write_test if name == "not" else write_condition
            first = write_first(w, condition.first)
        truth_of_first = places(w) if type(condition.first) is TemplateLiteral else ""
        if name == "not":
            truth = write_truth(w, first, truth_of_first)
            w.line(f"{result} = not {truth}")
        elif name in COMPARISON_OPERATORS:
            second = write_condition(w, condition.second)
            other = second.name
            if name.endswith("in"):
                literal = type(condition.second) is TemplateLiteral
                other = write_container(w, other, places(w) if literal else "")
            write_comparison(w, result, name, first.name, other)
        else:
            w.line(f"{result} = {first.name}")
            truth = write_truth(w, first, truth_of_first)
            with w.block(f"if {truth}:" if name == "and" else f"if not {truth}:"):
                second = write_condition(w, condition.second)
                w.line(f"{result} = {second.name}")
    w.line("except Exception:")
    w.line(f"    {result} = condition_failed(exception())")
    return WrittenValue(result, name == "not" or name in ALWAYS_BOOL)


def write_test(w: Writer, condition: Any) -> WrittenValue:
    """Write the code that evaluates a condition of which only the truth counts.

    A variable outside loops is looked up and tested in one call.
    """
    expression: Any = getattr(condition, "value", None)
    variable = getattr(expression, "var", None)
    if w.in_loop or not isinstance(variable, Variable) or variable.lookups is None:
        return write_condition(w, condition)
    if expression.filters:
        return write_condition(w, condition)
    site = new_site(w, tuple(variable.lookups), expression.token, SiteMode.NONE, False)
    root = write_root(w, variable.lookups[0])
    result = w.temporary("t")
    w.line(f"{result} = truth_of_variable(state, context, {root}, {site})")
    w.wait(result)
    return WrittenValue(result, True)


def write_comparison(w: Writer, result: str, name: str, first: str, second: str) -> None:
    """Write a comparison, which may have to run in the request's thread."""
    compared = f"{result} = {first} {COMPARISON_OPERATORS[name]} {second}"
    if name in RUNS_NOTHING:
        w.line(compared)
        return
    types = [
        f"type({operand}) in scalars"
        for operand in (first, second)
        if operand not in w.constants.values
        or type(w.constants.values[operand]) not in CODELESS_TYPES
    ]
    w.line(f"if {' and '.join(types) or True}:")
    w.line(f"    {compared}")
    w.line("else:")
    w.line(f"    {result} = compare(state, {name!r}, {first}, {second})")
    w.line(f"    if type({result}) is Pending:")
    w.line(f"        {result} = yield from {result}.plan")


def write_container(w: Writer, value: str, place: str) -> str:
    """Write the code that makes ``value`` ready to be searched by ``in``."""
    result = w.temporary("c")
    w.line(f"{result} = {value}")
    w.line(f"if type({result}) not in simple:")
    w.line(f"    {result} = container(state, {result}{place})")
    w.line(f"    if type({result}) is Pending:")
    w.line(f"        {result} = yield from {result}.plan")
    return result


def write_truth(w: Writer, value: WrittenValue, place: str = "") -> str:
    """Write the truth test of ``value``, which nobody needs afterwards.

    Args:
        place: what `places` said when the value was written.

    Returns:
        An expression that is free of side effects.
    """
    result = value.name
    if value.is_bool:
        return result
    if not is_temporary(result):
        result = w.temporary("b")
    if w.in_loop:
        if result != value.name:
            w.line(f"{result} = {value.name}")
        w.line(f"if type({result}) not in simple:")
        w.line(f"    {result} = truth_of_value(state, {result}{place})")
        w.line(f"    if type({result}) is Pending:")
        w.line(f"        {result} = yield from {result}.plan")
        return result
    tested = f"truth_of_value(state, {value.name}{place})"
    w.line(f"{result} = {value.name} if type({value.name}) in simple else {tested}")
    w.wait(result)
    return result
