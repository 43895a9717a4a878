"""Plans that tell a clock which line of a template they are at, and what their code calls."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ..runtime.line_times import LinePlace, TimedTemplate
from ..runtime.waits import Kind, Plan, Wait
from .callables import RenderFunction
from .sending_writer import sending_generator
from .state import active
from .tracebacks import internal


def template_described(name: str | None, file: str | None, source: str) -> TimedTemplate:
    """Describe a template whose code is timed."""
    return TimedTemplate("jinja2", name or "<template>", file or "", lambda: source)


def enter_line(place: LinePlace) -> None:
    """Say that a line begins."""
    state = active.get()
    if state is not None and state.lines is not None:
        state.lines.enter(place)


def line_now(template: TimedTemplate) -> LinePlace | None:
    """Return the line that the render is at, when statements of a template begin."""
    state = active.get()
    if state is None or state.lines is None:
        return None
    state.lines.show(template)
    return state.lines.place


def back_to_line(place: LinePlace | None) -> None:
    """Say that the render is back at a line that has begun before."""
    state = active.get()
    if state is not None and state.lines is not None:
        state.lines.back(place)


def timed_function_plan(function: RenderFunction, *, sends: bool = False) -> Callable[..., Plan]:
    """The plan of a render function that is timed; of one whose text is not known the usual.

    Args:
        sends: whether each piece is written at once.
    """
    return partial(_timed, function, sends)


@internal
def _timed(function: RenderFunction, sends: bool, context: Any, pieces: list[str]) -> Plan:
    if function._timed is None:
        if context.environment.is_async:
            yield Wait(Kind.CALL, compile_timed, (function,))
        else:
            compile_timed(function)
    found = function._timed
    assert found is not None
    yield from found[sends](context, pieces)


def compile_timed(function: RenderFunction) -> None:
    """Compile the timed code of a template, for all of its functions.

    Args:
        function: one of them.
    """
    from .timed_code import timed_generator  # only where somebody wants to know
    from .written_again import written_again

    def sending(usual: Any) -> Any:
        made: Any = timed_generator(usual)
        return sending_generator(made)

    functions, whole = written_again(function, timed_generator)
    _, sent = written_again(function, sending)
    # Several threads may do this at the same time: what each has compiled does the same.
    for name, each in functions.items():
        usual = each._plan if whole is None else whole[name]
        each._timed = (usual, usual if sent is None else sent[name])
