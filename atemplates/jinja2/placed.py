"""Where a step of a Jinja2 template runs that runs code of others: on the loop, or in the thread.

As in Django templates: code that was not met before runs in the request's thread, and on the loop
once it has shown that it is quick and asks for nothing.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from types import BuiltinFunctionType
from typing import Any

import jinja2
from jinja2 import runtime
from jinja2.nodes import EvalContext
from jinja2.utils import Cycler, Joiner, Namespace

from ..placement.python_code import CODELESS_TYPES, call_code
from ..placement.value_code import comparison_code, items_code, iteration_code, use_code
from ..runtime.async_twins import is_of_source
from ..runtime.placed_steps import LEAVE, run_here, run_in_thread
from ..runtime.sending import Sending
from ..runtime.tracing import Untimed, ran_traced
from ..runtime.waits import Kind, Wait
from .state import active
from .tracebacks import internal
from .values import PLANNED, settled


class Carrying:
    """Tells the state of the render that runs when its plan goes to the request's thread."""

    begins_in_thread = False

    @property
    def sending(self) -> Sending | None:
        """What sends the page's text while its plan waits."""
        state = active.get()
        return None if state is None else state.sending

    def stand_on(self, loop: bool) -> bool:
        """Say whether what runs next stands on an event loop; return how it was before."""
        state = active.get()
        if state is None:
            return True
        before, state.on_loop = state.on_loop, loop
        return before

    def in_thread(self) -> AbstractContextManager[Any]:
        """What is around a part of the render that runs in the request's thread."""
        state = active.get()
        if state is None or not state.uses_relations:
            return nullcontext()
        return state.known.watching()


carrying = Carrying()


def stands_on_loop() -> bool:
    """Whether the render that runs stands on an event loop and can leave it."""
    state = active.get()
    return state is not None and state.on_loop


class Placed:
    """A step that runs code of others, to be taken where that belongs."""

    __slots__ = ("args", "code", "function", "kwargs", "objects")

    def __init__(
        self,
        code: Any,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any] | None = None,
        objects: Iterable[Any] | None = None,
    ) -> None:
        self.code = code
        self.function = function
        self.args = args
        self.kwargs = kwargs or {}
        self.objects = objects

    @internal
    def _finish(self, site: Any = None, root: Any = None) -> Any:
        """The plan of the step."""
        return (yield from taken(self.code, self.function, self.args, self.kwargs, self.objects))


PLANNED.add(Placed)


@internal
def taken(
    code: Any,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any] | None = None,
    objects: Iterable[Any] | None = None,
    notify: Any = None,
) -> Any:
    """The plan of a step that runs code of others.

    Args:
        code: what it runs, as `atemplates.placement.python_code` says.
        function: the step.
        args: its arguments.
        kwargs: its keyword arguments.
        objects: what it may change; by default its arguments.
        notify: what is told of the wait.
    """
    state = active.get()
    if state is None or not state.on_loop:
        if state is not None and state.told:
            call = partial(function, *args, **(kwargs or {}))
            return ran_traced(state, "python", code, None, Untimed, call)
        return function(*args, **(kwargs or {}))
    given = (*args, *(kwargs or {}).values())
    if not any(hasattr(type(value), "__next__") for value in given):
        held = changeable(given if objects is None else objects)
        if state.told:
            step = partial(run_here, state, code, function, args, held, kwargs)
            result = ran_traced(state, "python", code, None, type(LEAVE), step)
        else:
            result = run_here(state, code, function, args, held, kwargs)
        if result is not LEAVE:
            return result
    return (yield run_in_thread(code, function, *args, notify=notify, **(kwargs or {})))


def changeable(values: Iterable[Any]) -> list[Any]:
    """What a step may change of what it is given: of a context, its variables."""
    found: list[Any] = []
    for value in values:
        # By the type: a lazy object answers isinstance() by making what it stands for.
        if issubclass(type(value), runtime.Context):
            found += (value.parent, value.vars)
        elif not issubclass(type(value), PASSED_BY_JINJA2):
            found.append(value)
    return found


@internal
def moved_then(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The plan that goes to the request's thread, and calls a function there."""
    if stands_on_loop():
        yield Wait(Kind.CALL, do_nothing)
    return (yield from settled(function(*args, **kwargs)))


def do_nothing() -> None:
    """Do nothing, in the request's thread: a plan that waits for this goes on there."""


def called_code(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a call with arguments runs: the function, or what the arguments bring along."""
    code = None if is_of_source(function) else call_code(function)
    if code is not None:
        return code
    if function in MAKERS:
        return items_code(args, iteration_code)
    given = (*args, *kwargs.values()) if kwargs else args
    owner = getattr(function, "__self__", None)
    if type(function) is BuiltinFunctionType and function.__name__ in LOOKING:
        given = (*given, owner)
    elif type(function) is BuiltinFunctionType and function.__name__ in STORING:
        return items_code(args, iteration_code) if function.__name__ in FILLING else None
    if CODELESS_TYPES.issuperset(map(type, given)):
        return None
    if issubclass(type(owner), runtime.LoopContext):
        return comparison_code(*given) if function.__name__ == "changed" else None
    return use_code(*(value for value in given if not issubclass(type(value), PASSED_BY_JINJA2)))


def applied_code(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a filter, a test or an operator runs that is applied to values."""
    code = call_code(function)
    if code is not None:
        return code
    given = (*args, *kwargs.values()) if kwargs else args
    if CODELESS_TYPES.issuperset(map(type, given)):
        return None
    if function in COMPARING:
        return comparison_code(*given)
    return use_code(*(value for value in given if not issubclass(type(value), PASSED_BY_JINJA2)))


MAKERS: frozenset[Any] = frozenset({dict, list, tuple, set, Namespace, Cycler, Joiner})
"""What a template calls to make a container, whose items are not asked for anything."""
LOOKING = frozenset({"count", "index", "remove", "sort", "format", "format_map"})
"""Methods of Python's own types that ask the items, or the arguments."""
STORING = frozenset(
    {
        *("append", "appendleft", "extend", "insert", "pop", "popleft", "popitem", "reverse"),
        *("items", "keys", "values", "get", "update", "setdefault", "copy", "clear"),
    }
)
"""Those that ask them for nothing."""
FILLING = frozenset({"extend", "update"})
"""Those of them that go through the arguments."""
COMPARING = frozenset(
    {
        *(operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge),
        operator.contains,
    }
)
PASSED_BY_JINJA2 = (
    jinja2.Environment,
    runtime.Context,
    EvalContext,
    runtime.Macro,
    runtime.LoopContext,
)
"""What Jinja2 itself passes to a function."""
