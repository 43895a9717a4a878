"""What a template makes of something that can be called, told without calling it."""

from __future__ import annotations

import inspect
import sys
from functools import partial, partialmethod
from types import CodeType, FunctionType
from typing import Any

from .cached import found_once
from .class_attributes import static_value

PASSED_ON = "manager_method"
"""What Django calls the function by which a manager passes a call on to its queryset."""


def called_function(value: Any) -> Any:
    """Return the function that says which arguments a method takes.

    The methods of a queryset that Django gives to a manager take anything, and pass it on.
    """
    if isinstance(value, FunctionType) and value.__code__.co_name == PASSED_ON:
        return value.__wrapped__  # type: ignore[attr-defined]
    return value


def needed_arguments(value: Any, bound: bool = True) -> tuple[str, ...]:
    """Return the names of the arguments that something cannot be called without.

    Args:
        value: a function, or what a class holds for a method.
        bound: whether it is given the object that it is read from.

    Returns:
        Nothing as well where it cannot be told.
    """
    value = called_function(value)
    if isinstance(value, FunctionType):
        return _needed_by_code(value, int(bound))
    if isinstance(value, staticmethod):
        return needed_arguments(value.__func__, bound=False)
    if isinstance(value, classmethod):
        return needed_arguments(value.__func__)
    if isinstance(value, partialmethod):
        return _needed_by_signature(partial(value.func, None, *value.args, **value.keywords))
    return _needed_by_signature(value, int(bound))


def _needed_by_code(function: FunctionType, given: int) -> tuple[str, ...]:
    code: CodeType = function.__code__
    names = code.co_varnames
    positional = code.co_argcount - len(function.__defaults__ or ())
    keywords = function.__kwdefaults__ or {}
    only = names[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    return (*names[given:positional], *(each for each in only if each not in keywords))


@found_once
def _signature_of(value: Any) -> inspect.Signature | None:
    try:
        if sys.version_info >= (3, 14):
            import annotationlib

            return inspect.signature(
                value, annotation_format=annotationlib.Format.FORWARDREF, follow_wrapped=False
            )
        return inspect.signature(value, follow_wrapped=False)
    except Exception:
        # Builtin functions need not have one, and what a class of the site shows for one is its
        # own affair: nothing is known then.
        return None


def _needed_by_signature(value: Any, given: int = 0) -> tuple[str, ...]:
    try:
        signature = _signature_of(value)
    except TypeError:  # it has no hash
        return ()
    if signature is None:
        return ()
    parameters = list(signature.parameters.values())
    if any(each.kind is each.VAR_POSITIONAL for each in parameters[:given]):
        given = 0
    return tuple(
        each.name
        for each in parameters[given:]
        if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    )


def needed_by_class(cls: type) -> tuple[str, ...]:
    """Return the names of the arguments that a class cannot be called without."""
    for name in ("__init__", "__new__"):
        found, base = static_value(cls, name)
        if base not in (None, object):
            return (
                needed_arguments(found) if isinstance(found, (FunctionType, staticmethod)) else ()
            )
    return ()


def has_mark(value: Any, mark: str) -> bool:
    """Whether a function carries one of Django's marks: ``alters_data``."""
    value = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
    value = value.func if isinstance(value, (partial, partialmethod)) else value
    found = getattr(value, "__dict__", None)
    return bool(found.get(mark)) if isinstance(found, dict) else False
