"""The source of functions and classes: their syntax trees, with the lines of the file.

Nothing is run or imported here: what is looked at is loaded already.
"""

from __future__ import annotations

import ast
import inspect
import sys
import tokenize
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import CodeType, FunctionType, MappingProxyType
from typing import Any, TypeAlias

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
LIBRARIES = ("django", "atemplates", "asgiref")
"""Packages whose functions are known, and only read where this is asked for."""


@dataclass(frozen=True, slots=True)
class FunctionSource:
    """A function of Python, and where it stands."""

    node: FunctionNode
    file: str
    outside: Mapping[str, Any]
    """The names that it takes from outside: its module's, and those of the functions around it."""
    module: str


@dataclass(frozen=True, slots=True)
class _Definitions:
    """What one file defines."""

    functions: Mapping[tuple[str, int], FunctionNode]
    """Name and first line, that of the first decorator, -> the function."""
    classes: Mapping[str, ast.ClassDef]
    """Qualified name -> the class."""


def function_source(function: FunctionType) -> FunctionSource | None:
    """Return the source of a function, or None when it is not there."""
    code: CodeType = function.__code__
    found = definitions_in(code.co_filename)
    node = found.functions.get((code.co_name, code.co_firstlineno)) if found else None
    if node is None:
        return None
    outside: Mapping[str, Any] = function.__globals__
    inner: dict[str, Any] = {}
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=False):
        try:
            inner[name] = cell.cell_contents
        except ValueError:  # it is assigned later
            continue
    if inner:
        outside = ChainMap(inner, function.__globals__)
    return FunctionSource(
        node, code.co_filename, outside, str(function.__globals__.get("__name__"))
    )


def class_source(cls: type) -> tuple[ast.ClassDef, str] | None:
    """Return the syntax tree of a class and its file, or None when they are not there."""
    module = sys.modules.get(str(cls.__module__))
    file = getattr(module, "__file__", None)
    found = definitions_in(file) if isinstance(file, str) else None
    node = found.classes.get(cls.__qualname__) if found else None
    return (node, str(file)) if node is not None else None


def parsed_file(file: str) -> ast.Module | None:
    """Return the syntax tree of a file of Python; None when it cannot be read or parsed."""
    try:
        stat = Path(file).stat()
    except OSError:
        return None
    return _parsed(file, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=2048)
def _parsed(file: str, changed: int, size: int) -> ast.Module | None:
    try:
        with tokenize.open(file) as opened:
            return ast.parse(opened.read(), file)
    except (OSError, SyntaxError, ValueError):
        return None


def definitions_in(file: str) -> _Definitions | None:
    """Return the functions and classes that a file defines, at whatever depth."""
    tree = parsed_file(file)
    return _indexed(tree) if tree is not None else None


@lru_cache(maxsize=2048)
def _indexed(tree: ast.Module) -> _Definitions:
    functions: dict[tuple[str, int], FunctionNode] = {}
    classes: dict[str, ast.ClassDef] = {}
    for node, path in _defined(tree, ""):
        if isinstance(node, ast.ClassDef):
            classes[path] = node
        elif isinstance(node, ast.Lambda):
            functions["<lambda>", node.lineno] = node
        else:
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            functions[node.name, first] = node
    return _Definitions(MappingProxyType(functions), MappingProxyType(classes))


def _defined(tree: ast.AST, path: str) -> Iterator[tuple[FunctionNode | ast.ClassDef, str]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            inner = f"{path}{node.name}"
            yield node, inner
            yield from _defined(node, f"{inner}.")
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            inner = f"{path}{node.name}"
            yield node, inner
            yield from _defined(node, f"{inner}.<locals>.")
        else:
            if isinstance(node, ast.Lambda):
                yield node, path
            yield from _defined(node, path)


def is_of_library(defined: Any) -> bool:
    """Whether a function or class is Django's, asgiref's or our own."""
    module = str(getattr(defined, "__module__", "") or "")
    return module.partition(".")[0] in LIBRARIES


def written_in_library(function: FunctionType) -> bool:
    """Whether the text of a function stands in a library, whatever it says of itself.

    A decorator's wrapper takes the name and the module of what it wraps.
    """
    module = str(function.__globals__.get("__name__", ""))
    return module.partition(".")[0] in LIBRARIES


def wraps(function: FunctionType) -> bool:
    """Whether a function holds another one, as a decorator's wrapper does."""
    for cell in function.__closure__ or ():
        try:
            if callable(cell.cell_contents):
                return True
        except ValueError:  # a name that is not set yet
            continue
    return False


def own_function(value: Any) -> FunctionType | None:
    """Return the function behind a callable, below the wrappers that libraries put around it.

    A wrapper of the site is kept: it may change what the function gives.
    """
    seen = 0
    while seen < 50:
        seen += 1
        if isinstance(value, (staticmethod, classmethod)) or inspect.ismethod(value):
            value = value.__func__
        elif isinstance(value, FunctionType):
            inner: Callable[..., Any] | None = getattr(value, "__wrapped__", None)
            if inner is None or not written_in_library(value):
                return value
            value = inner
        elif hasattr(value, "__wrapped__"):
            value = value.__wrapped__
        else:
            return None
    return None
