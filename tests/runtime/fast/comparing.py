"""Comparing a fast path with what stock Django makes of a value and a filter."""

import datetime
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.template.base import FilterExpression, Parser
from django.utils.safestring import mark_safe

from atemplates.compiler.runtime_names import RUNTIME
from atemplates.runtime.ambient import Ambient
from atemplates.runtime.fast.fast_path import FastPath

LANGUAGES = ["en", "de", "fr", "ar", "ja", None]
"""None stands for deactivated translations."""


class MyZone(datetime.tzinfo):
    """Somebody's zone, which is left to Django."""

    def utcoffset(self, _: Any) -> Any:
        return datetime.timedelta(hours=1)

    def dst(self, _: Any) -> Any:
        return None


def typed(value: Any) -> Any:
    """Return a value with its type and those of its items."""
    if isinstance(value, (list, tuple)):
        return type(value), [typed(item) for item in value]
    return type(value), repr(value)


def outcome(call: Any, *args: Any) -> Any:
    """Return the result with its types, or the exception's type."""
    try:
        return typed(call(*args))
    except Exception as error:
        return type(error)


def stock(function: Any, value: Any, args: tuple[Any, ...], autoescape: bool = True) -> Any:
    """Resolve an expression with one filter as stock Django does."""
    expression = FilterExpression("value", Parser([]))
    expression.var, expression.is_var = value, False
    expression.filters = [
        (function, [(True, SimpleNamespace(resolve=lambda _, a=a: a)) for a in args])
    ]
    return expression.resolve(SimpleNamespace(autoescape=autoescape, use_tz=False))


def applied(
    path: FastPath, value: Any, args: tuple[Any, ...], autoescape: Any = True, ambient: Any = None
) -> Any:
    """Return what a fast path gives; None where it is not asked, too."""
    if type(value) not in path.types:
        return None
    given = (value, autoescape, *args) if path.autoescape else (value, *args)
    if path.ambient:
        ambient = ambient or Ambient(settings.USE_THOUSAND_SEPARATOR)
        given = (ambient.now(), *given)
    return path.function(*given)


def inlined_result(path: FastPath, value: Any, args: tuple[Any, ...], ambient: Any = None) -> Any:
    """Return what compiled code has for a constant argument in a loop; None where it is not asked.

    Args:
        ambient: that of a render that has gone on for some time.
    """
    constant = args[0] if args else None
    if isinstance(constant, str):
        constant = mark_safe(constant)
    if path.inlined is None or len(args) > 1 or (args and constant is None):
        return None
    inlined = path.inlined("value", constant)
    if inlined is None or type(value) not in inlined.types:
        return None
    names = {"value": value, "state": SimpleNamespace(ambient=ambient)}
    source = inlined.source
    if inlined.constant is not None:
        source = source.replace("{constant}", "constant")
        names["constant"] = inlined.constant(constant)
    return eval(source, dict(RUNTIME), names)


def check(
    function: Any,
    path: FastPath,
    value: Any,
    *args: Any,
    autoescape: bool = True,
    ambient: Any = None,
) -> bool:
    """Check one value; return whether the fast path had an answer.

    Args:
        args: the filter's arguments.
        ambient: that of a render that has gone on for some time.
    """
    before = typed(value)
    expected = outcome(stock, function, value, args, autoescape)
    ours = applied(path, value, args, autoescape, ambient)
    ambient = ambient or Ambient(settings.USE_THOUSAND_SEPARATOR)
    inlined = inlined_result(path, value, args, ambient)
    assert typed(value) == before, "the value has changed"
    if inlined is not None:
        assert typed(inlined) == expected, (function.__name__, value, args)
    if ours is None:
        return False
    assert typed(ours) == expected, (function.__name__, value, args, autoescape)
    return True


def arguments(*constants: Any) -> list[Any]:
    """Return constants as variables give them, and as those of a template arrive."""
    return [*constants, *(mark_safe(each) for each in constants if isinstance(each, str))]
