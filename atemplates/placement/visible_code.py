"""Functions that one sees through: they only work on the values that they are given.

The body of such a function names no global, closes over nothing, imports nothing and does not loop.
It reads its arguments and constants, calls their methods, compares, adds and formats. Where all
arguments are of types that run nobody's code (`CODELESS_TYPES`), it can neither ask a database nor
wait for anything: there is nothing to watch when it runs on the event loop.

The instructions of CPython are read, since the text of a function need not be there. An instruction
that is not listed here, one of a later Python for instance, makes a function one that is watched.
"""

from __future__ import annotations

import dis
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from types import CodeType, FunctionType
from typing import Any

from django.template.defaultfilters import stringfilter

from .python_code import CODELESS_TYPES

ALLOWED = frozenset(
    {
        *("RESUME", "NOP", "CACHE", "POP_TOP", "COPY", "SWAP", "PUSH_NULL", "PRECALL", "KW_NAMES"),
        *("LOAD_CONST", "RETURN_CONST", "RETURN_VALUE"),
        *("LOAD_FAST", "LOAD_FAST_LOAD_FAST", "STORE_FAST", "STORE_FAST_LOAD_FAST"),
        *("STORE_FAST_STORE_FAST", "LOAD_ATTR", "LOAD_METHOD", "CALL", "CALL_KW"),
        *("COMPARE_OP", "CONTAINS_OP", "IS_OP", "TO_BOOL", "UNARY_NOT"),
        *("BINARY_SUBSCR", "BINARY_SLICE", "BUILD_SLICE", "BINARY_OP"),
        *("FORMAT_VALUE", "FORMAT_SIMPLE", "CONVERT_VALUE", "BUILD_STRING"),
    }
)
"""Instructions that run no code but that of their operands' types. None goes back: `JUMPS` may only
skip."""

JUMPS = ("JUMP_FORWARD", "POP_JUMP_IF_", "POP_JUMP_FORWARD_IF_", "JUMP_IF_FALSE", "JUMP_IF_TRUE")
"""How the names of instructions begin that skip others."""

QUICK_OPERATORS = frozenset({"+", "-", "+=", "-="})
"""Operators whose results are about as long as their operands: a product or a power may be huge."""

GROWING = frozenset(
    {*("format", "center", "ljust", "rjust", "zfill", "expandtabs", "to_bytes", "format_map")}
)
"""Methods whose results may be as long as an argument says."""

WITH_WIDTH = 4
"""The bit of Python 3.11 and 3.12 by which an f-string formats a value with a specification, which
may say a width; later ones have an instruction for it."""

STRINGFILTER = stringfilter(len).__code__
"""The code of what ``stringfilter`` puts around a function: it makes a text of the value."""


def is_visible(function: Any) -> bool:
    """Whether a function only works on its arguments.

    Args:
        function: what a library registered; ``stringfilter`` may be around it.
    """
    if type(function) is not FunctionType:
        return False
    if function.__code__ is STRINGFILTER:
        return is_visible(function.__dict__.get("__wrapped__"))
    code = function.__code__
    if code.co_flags & (CO_COROUTINE | CO_GENERATOR | CO_ASYNC_GENERATOR) or code.co_freevars:
        return False
    defaults = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
    if not CODELESS_TYPES.issuperset(map(type, defaults)):
        return False
    return reads_arguments(code)


def reads_arguments(code: CodeType) -> bool:
    """Whether all instructions are allowed ones, and none goes back."""
    if code.co_exceptiontable:
        return False
    return all(map(_is_allowed, dis.get_instructions(code)))


def _is_allowed(instruction: dis.Instruction) -> bool:
    name = instruction.opname
    if name.startswith(JUMPS):
        return bool(instruction.argval > instruction.offset)
    if name == "BINARY_OP":
        return instruction.argrepr in QUICK_OPERATORS
    if name in ("LOAD_ATTR", "LOAD_METHOD"):
        return instruction.argval not in GROWING and not instruction.argval.startswith("__")
    if name == "FORMAT_VALUE":
        return not (instruction.arg or 0) & WITH_WIDTH
    return name in ALLOWED
