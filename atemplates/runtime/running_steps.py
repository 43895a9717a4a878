"""The steps of a render that are on Python's stack, described by the modules that take them.

Whoever has to say what a query was made for walks the stack and asks `running_step` about each
frame. A module that takes steps registers, next to a function, how its local variables describe
the step. Nothing of this runs while nobody asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import CodeType, FrameType
from typing import Any, Literal, NamedTuple, TypeAlias

from .relations import Relations

RunningStepKind: TypeAlias = Literal[
    "answer", "lookup", "value", "filter", "tag", "template", "reported"
]
"""What a step does: a driver answers a wait, a bit of a path is resolved, a value is used as it is,
a filter is applied, a tag is rendered, compiled code does something by itself; or it is one that
has been reported already."""


class RunningStep(NamedTuple):
    """A step that a render is taking."""

    kind: RunningStepKind
    relations: Relations | None = None
    """What the render does about relations; None where the step does not know its render."""
    value: Any = None
    """What is looked into, printed, tested, looped over or filtered."""
    site: Any = None
    """The expression that the step belongs to, if that is known."""
    root: Any = None
    """The value of the expression's first bit."""
    done: int = 1
    """How many bits of the expression are resolved."""
    function: Any = None
    """The filter, or what a tag calls."""
    node: Any = None
    context: Any = None
    """What compiled code renders with."""
    notify: Any = None
    """What is told of the answer to a wait."""


LocalValues: TypeAlias = Mapping[str, Any]
DescribeStep: TypeAlias = Callable[[LocalValues], RunningStep]

STEP_FUNCTIONS: dict[int, tuple[CodeType, DescribeStep]] = {}
"""The identity of the code of a function that takes a step -> the code, and what describes the
step. (A code object as the key would be hashed as a whole at each look.) Filled by imports."""

COMPILED_STEP = "__describe_running_step__"
"""The global name by which a compiled module describes the steps of its functions."""


def register_step(function: Any, describe: DescribeStep) -> None:
    """Say how the local variables of a function describe the step that it takes.

    Args:
        function: a plain function or method.
        describe: reads the variables of a call that has begun; some may not be set yet.
    """
    code = function.__code__
    STEP_FUNCTIONS[id(code)] = code, describe


def running_step(frame: FrameType) -> RunningStep | None:
    """Return the step that a frame on the stack takes; None if it takes none."""
    known = STEP_FUNCTIONS.get(id(frame.f_code))
    describe = frame.f_globals.get(COMPILED_STEP) if known is None else known[1]
    return None if describe is None else describe(frame.f_locals)


def value_step(values: LocalValues) -> RunningStep:
    """Describe a step that uses a whole value: prints it, tests it, loops over it."""
    return RunningStep(
        "value",
        values["state"].relations,
        values["value"],
        values.get("site"),
        values.get("root"),
    )
