"""``{% if %}`` conditions as source.

The tree is the one that ``django.template.smartif`` parsed. As there, an operator that raises is
false; unlike there, an error that says "this needs the database" is never taken for false.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from django.template.base import FilterExpression, Variable
from django.template.defaulttags import TemplateLiteral
from django.template.smartif import OPERATORS
from django.utils.safestring import SafeString

from ..runtime.sites import SiteMode
from .expressions import places, write_expression
from .variables import new_site, scalar_tests, write_lasting, write_loop_value, write_root
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
CONTAINMENT = frozenset({"in", "not in"})
"""Comparisons of the items of a container."""
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
    is_compared: bool = False
    """Whether it is what comparing gave, which is nearly always True or False."""


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
            place = places(w) if type(condition.second) is TemplateLiteral else ""
            if name not in CONTAINMENT:
                write_comparison(w, result, name, first.name, other)
            elif w.in_loop:
                write_search(w, result, name, first.name, other, place)
            else:
                other = write_container(w, other, place)
                write_comparison(w, result, name, first.name, other)
        else:
            w.line(f"{result} = {first.name}")
            truth = write_truth(w, first, truth_of_first)
            with w.block(f"if {truth}:" if name == "and" else f"if not {truth}:"):
                second = write_condition(w, condition.second)
                w.line(f"{result} = {second.name}")
    w.line("except Exception:")
    w.line(f"    {result} = condition_failed(exception())")
    is_bool = name == "not" or name in ALWAYS_BOOL
    return WrittenValue(result, is_bool, not is_bool and name in COMPARISON_OPERATORS)


def write_test(w: Writer, condition: Any) -> WrittenValue:
    """Write the code that evaluates a condition of which only the truth counts.

    A variable outside loops is looked up and tested in one call.
    """
    expression: Any = getattr(condition, "value", None)
    variable = getattr(expression, "var", None)
    if not isinstance(variable, Variable) or variable.lookups is None or expression.filters:
        return write_condition(w, condition)
    if w.in_loop:
        lasting = None
        if len(variable.lookups) == 1:
            lasting = _write_lasting_test(w, condition, variable.lookups[0], expression.token)
        return write_condition(w, condition) if lasting is None else lasting
    site = new_site(w, tuple(variable.lookups), expression.token, SiteMode.NONE, False)
    root = write_root(w, variable.lookups[0])
    result = w.temporary("t")
    w.line(f"{result} = truth_of_variable(state, context, {root}, {site})")
    w.wait(result)
    return WrittenValue(result, True)


def _write_lasting_test(w: Writer, condition: Any, name: str, text: str) -> WrittenValue | None:
    """Do the same in a loop for a name whose value stays the same; None if it may not."""
    if w.binding(name) is not None:
        return None
    site = new_site(w, (name,), text, SiteMode.NONE, False)
    lasting = write_lasting(w, "lasting_truth", write_root(w, name), site, name)
    if lasting is None:
        return None
    result = w.temporary("t")
    w.line(f"{result} = {lasting}")
    with w.branch(f"if {result} is None:"):
        value = write_condition(w, condition)
        w.line(f"{result} = {write_truth(w, value, places(w))}")
    w.access = None
    return WrittenValue(result, True)


def write_comparison(w: Writer, result: str, name: str, first: str, second: str) -> None:
    """Write a comparison, which may have to run in the request's thread."""
    operator = COMPARISON_OPERATORS[name]
    if name in RUNS_NOTHING:
        w.line(f"{result} = {first} {operator} {second}")
        return
    compared = f"{result} = {plain_constant(w, first)} {operator} {plain_constant(w, second)}"
    w.line(f"if {' and '.join(scalar_tests(w, first, second)) or True}:")
    w.line(f"    {compared}")
    w.line("else:")
    w.line(f"    {result} = compare(state, {name!r}, {first}, {second})")
    w.line(f"    if type({result}) is Pending:")
    w.line(f"        {result} = yield from {result}.plan")


def plain_constant(w: Writer, operand: str) -> str:
    """Return a constant that scalars compare with as they do with ``operand``, and sooner.

    Python compares a derived type of strings in more steps than strings.
    """
    value = w.constants.values.get(operand)
    if not w.in_loop or type(value) is not SafeString:
        return operand
    return w.constant(str.__str__(value))


def write_search(w: Writer, result: str, name: str, first: str, second: str, place: str) -> None:
    """Write ``in`` or ``not in`` for a loop, where a scalar is searched right here.

    Args:
        place: what `places` said when the container was written.
    """
    plain = plain_constant(w, first)
    types = [*scalar_tests(w, first), f"type({second}) in simple"]
    w.line(f"if {' and '.join(types)}:")
    w.line(f"    if type({second}) in scalars:")
    w.line(f"        {result} = {plain} in {second}")
    w.line("    elif state.direct:")
    w.line(f"        {result} = {first} in {second}")
    w.line("    else:")
    found = f"{plain} in {second} if scalars.issuperset(map(type, {second})) else None"
    w.line(f"        {result} = {found}")
    w.line("else:")
    w.line(f"    {result} = None")
    with w.branch(f"if {result} is None:"):
        other = write_container(w, second, place)
        w.wait_for(result, f"compare(state, {name!r}, {first}, {other})")
    if name == "not in":
        w.line("else:")
        w.line(f"    {result} = not {result}")


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
        odd = f"type({result}) not in simple"
        if value.is_compared:
            odd = f"{result} is not True and {result} is not False"
        w.line(f"if {odd}:")
        w.line(f"    {result} = truth_of_value(state, {result}{place})")
        w.line(f"    if type({result}) is Pending:")
        w.line(f"        {result} = yield from {result}.plan")
        return result
    tested = f"truth_of_value(state, {value.name}{place})"
    w.line(f"{result} = {value.name} if type({value.name}) in simple else {tested}")
    w.wait(result)
    return result
