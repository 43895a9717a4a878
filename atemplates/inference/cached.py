"""Answers that are found out once: about classes, which are there as long as the program."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import ParamSpec, TypeVar, cast

_P = ParamSpec("_P")
_T = TypeVar("_T")

MOST_ANSWERS = 100_000
"""How many answers of one function are kept."""


def found_once(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Keep what a function of classes and names returns, as `functools.lru_cache` does.

    Any thread may call it: two that ask the same thing at once get equal answers.
    """
    return cast(Callable[_P, _T], lru_cache(MOST_ANSWERS)(function))
