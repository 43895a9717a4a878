"""The code of a template that tells a clock which line it is at (`runtime.line_times`).

It is the usual code, with a call before and behind the code of each node. It is compiled when a
template is first rendered while somebody wants to know, and kept beside the usual one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

from django.template.base import UNKNOWN_SOURCE, Node
from django.template.context import Context
from django.utils.safestring import SafeString

from ..runtime.line_times import TimedTemplate
from ..runtime.state import State
from ..runtime.waits import Wait
from .module import Module, PlanFunction, line_of_node
from .scope import OPAQUE, Effects
from .texts import template_text
from .writer import Writer


class TimedWriter(Writer):
    """Writes the plan that tells which line it is at."""

    module: TimedModule

    @contextmanager
    def writing_for(self, node: Node) -> Iterator[None]:
        """Do what `Writer` does, and write that the node's line begins and ends."""
        line, outer = line_of_node(node), line_of_node(self.node)
        if line is None:
            with super().writing_for(node):
                yield
            return
        self.line(f"enter_line({self._place(line)})")
        with super().writing_for(node):
            yield
        self.flush()
        around = "line_around" if outer is None else self._place(outer)
        self.line(f"back_to_line({around})")

    def _place(self, line: int) -> str:
        return self.constant(self.module.timed.at(line), "place_")


class TimedModule(Module):
    """Writes a node list with `TimedWriter`. Its code is not kept for other processes."""

    writer = TimedWriter

    def __init__(
        self,
        nodelist: Any,
        template: Any,
        name: str,
        *,
        shallow: bool = False,
        streamed: bool = False,
    ) -> None:
        super().__init__(nodelist, template, name, shallow=shallow, streamed=streamed)
        self.timed = timed_template(self.origin, template)

    def add_function(
        self,
        name: str,
        write: Callable[[Writer], None],
        *,
        effects: Effects = OPAQUE,
        streamed: bool = False,
    ) -> None:
        """Do what `Module` does; at its end the function is back where it was called."""

        def write_timed(w: Writer) -> None:
            w.prologue += [
                "enter_line, back_to_line = state.lines.enter, state.lines.back",
                "line_around = state.lines.place",
                f"state.lines.show({w.constant(self.timed)})",
            ]
            write(w)
            w.flush()
            w.line("back_to_line(line_around)")

        super().add_function(name, write_timed, effects=effects, streamed=streamed)

    def function(self) -> PlanFunction:
        """Return the plan function."""
        text = template_text(self.origin, self.template)
        return self._linked(self._compiled_at_all(text.name), text)

    def shallow_twin(self) -> Module:
        """Return what writes the same with parts that nest deeply as functions."""
        return TimedModule(
            self.nodelist, self.template, self.name, shallow=True, streamed=self.streamed
        )


def timed_plan(
    nodelist: Any, template: Any, name: str, text: SafeString | None, streamed: bool
) -> PlanFunction:
    """Return the plan of a node list that tells which line it is at.

    Args:
        text: what the node list gives, if it is nothing but text.
        streamed: whether the plan writes to the sink of the page that is sent.
    """
    if text is None:
        return TimedModule(nodelist, template, name, streamed=streamed).function()
    origin = template.origin if template is not None else None
    timed = timed_template(origin, template) if origin is not None else None

    def plan(context: Context, state: State) -> Generator[Wait, Any, Any]:
        if timed is not None and state.lines is not None:
            state.lines.show(timed)
        return text
        yield

    return plan


def timed_template(origin: Any, template: Any) -> TimedTemplate:
    """Describe the template that a node list stands in, as far as that is known."""
    name = str(getattr(origin, "template_name", None) or getattr(origin, "name", None) or "")
    file = str(getattr(origin, "name", None) or "")
    if template is None and origin is None:
        return TimedTemplate("django", UNKNOWN_SOURCE)
    held = template_text(origin, template)

    def source() -> str | None:
        found = held.template if held.template is not None else template
        return str(found.source) if found is not None else None

    return TimedTemplate("django", name or UNKNOWN_SOURCE, "" if file == name else file, source)
