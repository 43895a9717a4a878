"""Where a step of a Jinja2 template runs that runs code of others: on the loop, or in the thread.

As in Django templates: code that was not met before runs in the request's thread, and on the loop
once it has shown that it is quick and asks for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from ...python_code import SCALARS, call_code, use_code
from ...resolve.others import LEAVE, here, there
from .state import active
from .tracebacks import internal
from .values import PLANNED


class Carrying:
    """Tells the state of the render that runs when its plan goes to the request's thread."""

    begins_in_thread = False

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
        return nullcontext() if state is None else state.known.watch.watching()


carrying = Carrying()


def on_loop() -> bool:
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
        self.objects = args if objects is None else objects

    @internal
    def finish(self, site: Any = None, root: Any = None) -> Any:
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
        code: what it runs, as `atemplates.python_code` says.
        function: the step.
        args: its arguments.
        kwargs: its keyword arguments.
        objects: what it may change; by default its arguments.
        notify: what is told of the wait.
    """
    state = active.get()
    if state is None or not state.on_loop:
        return function(*args, **(kwargs or {}))
    given = (*args, *(kwargs or {}).values())
    if not any(hasattr(type(value), "__next__") for value in given):
        result = here(state, code, function, args, given if objects is None else objects, kwargs)
        if result is not LEAVE:
            return result
    return (yield there(code, function, *args, notify=notify, **(kwargs or {})))


def function_code(function: Any, args: Iterable[Any]) -> Any:
    """What calling a function with arguments runs: itself, or what the arguments bring along."""
    code = call_code(function)
    if code is not None or SCALARS.issuperset(map(type, args)):
        return code
    return use_code(*args)
