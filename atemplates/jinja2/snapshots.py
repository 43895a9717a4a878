"""The variables around a part of a page, as they are at one moment: the page changes them later.

A part is a function of a template's code, which reads variables of the functions around it. Its
snapshot is the same function with copies of these; so are the macros among them.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from types import CellType, FunctionType, MethodType
from typing import Any

from ..runtime.waits import Plan
from .callables import BlockReference, Macro, TemplateReference
from .loops import LoopContext
from .together import context_of_part, of_branch

OWN_DICTS = frozenset({"_loop_vars", "_block_vars"})
"""Dicts of generated code: what loops and blocks have set, for functions that ask the context."""


class Snapshot:
    """Copies of what functions of a template's code read.

    Args:
        context: the context that they are called with.
    """

    def __init__(self, context: Any) -> None:
        self.around = context
        self.context = context_of_part(context)
        self._cells: dict[int, tuple[CellType, CellType]] = {}
        self._values: dict[int, tuple[Any, Any]] = {}
        for name, value in self.context.vars.items():
            self.context.vars[name] = self.value(value)
        if any(type(value) in (LoopContext, Macro) for value in context.parent.values()):
            self.context.parent = {
                name: self.value(value) for name, value in context.parent.items()
            }

    def function(self, function: Any) -> Callable[..., Plan]:
        """Return a function with copies of the variables around it."""
        if function.__closure__ is None:
            return function  # type: ignore[no-any-return]
        known = self._values.get(id(function))
        if known is not None:
            return known[1]  # type: ignore[no-any-return]
        cells = tuple(map(self._cell, function.__code__.co_freevars, function.__closure__))
        made = FunctionType(
            function.__code__, function.__globals__, function.__name__, function.__defaults__, cells
        )
        self._values[id(function)] = function, made
        return made

    def _cell(self, name: str, cell: CellType) -> CellType:
        known = self._cells.get(id(cell))
        if known is not None:
            return known[1]
        made = CellType()
        self._cells[id(cell)] = cell, made  # before its value, which may refer to it
        try:
            value = cell.cell_contents
        except ValueError:  # not set yet
            return made
        made.cell_contents = dict(value) if name in OWN_DICTS else self.value(value)
        return made

    def value(self, value: Any) -> Any:
        """Return what stands for a value: itself, unless it changes as the page goes on."""
        kind = type(value)
        if value is self.around:
            return self.context
        if kind is LoopContext or kind is Macro:
            known = self._values.get(id(value))
            if known is None:
                made = copy(value)
                self._values[id(value)] = value, made
                if kind is Macro:
                    made._func = self.function(value._func)
                else:
                    self._freeze(made)
                return made
            return known[1]
        if kind is BlockReference or kind is TemplateReference:
            return of_branch(value, self.context)
        if kind is FunctionType and value.__globals__.get("__jinja_template__") is not None:
            return self.function(value)
        if kind is MethodType and value.__self__ is self.around:
            return MethodType(value.__func__, self.context)
        return value

    def _freeze(self, loop: LoopContext) -> None:
        if loop._recurse is not None:
            loop._recurse = self.function(loop._recurse)
        if loop._stream is not None:
            before = [loop._before] * loop.index0
            loop._rows = (*before, loop._current, *loop._stream.ready)
            loop._stream = None
