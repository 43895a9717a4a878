"""Keeping our own frames out of a template's traceback, as Jinja2 keeps out its own."""

from __future__ import annotations

from types import CodeType
from typing import TypeVar

from jinja2.utils import internal_code

from ..runtime.drivers import arun, run
from ..runtime.tracing import watched_plan

F = TypeVar("F")


def internal(function: F) -> F:
    """Mark a function, and those inside it, as nothing that a template's author wants to see."""
    hide(function.__code__)  # type: ignore[attr-defined]
    return function


def hide(code: CodeType) -> None:
    """Mark code, and the code of functions inside it."""
    internal_code.add(code)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            hide(constant)


internal(run)
internal(arun)
internal(watched_plan)
