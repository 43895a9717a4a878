"""Arguments that sync code may not be able to use on the event loop, or not a second time."""

from __future__ import annotations

from collections.abc import Callable
from types import GeneratorType
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation

from ..errors import NotRepeatable
from ..runtime.types import is_coroutine_function, is_iterator
from ..runtime.waits import Kind, Plan, Wait
from .loops import LoopContext, LoopForPython
from .placed import called_code, stands_on_loop, taken
from .streams import kept
from .tracebacks import internal

streams: set[type] = set()
"""Types of what a template holds of rows that arrive one by one: `LazyRows`. Filled by imports
alone."""
unready: set[type] = {GeneratorType, LoopContext}
"""Types of arguments that sync Python code may not be able to use on the event loop. Filled by
imports alone."""


def stuck(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    error: SynchronousOnlyOperation | None,
) -> Wait:
    """The wait for a call in the request's thread.

    Raises:
        NotRepeatable: an argument is an iterator, which the first attempt has used up in part.
    """
    for argument in (*args, *kwargs.values()):
        if is_iterator(argument):
            raise NotRepeatable(
                f"{called_name(function, args)} needed the database after it began to read an "
                f"iterator ({argument!r}), so it cannot be run again in the request's thread. "
                "Pass it a list, or make it `async def`."
            ) from error
    return Wait(Kind.CALL, function, args, kwargs)


def called_name(function: Callable[..., Any], args: tuple[Any, ...]) -> str:
    """The name of what is called, also where it is called through ``context.call``."""
    called = args[0] if args and callable(args[0]) else function
    return getattr(called, "__name__", None) or repr(called)


@internal
def prepared(
    caller: Callable[..., Any], function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Plan:
    """Call with arguments that sync code may not be able to use as they are.

    Rows that have to be waited for are fetched, or read in the thread one by one if there may be no
    end to them. A call that reads a generator is made in the request's thread, because the
    generator may query and cannot be asked twice; so is one that may ask what lies ahead in a loop.
    A coroutine function can deal with all of them itself.
    """
    if is_coroutine_function(function):
        return caller(*args, **kwargs)
    fetched: dict[int, list[Any]] = {}
    in_thread = False
    for argument in (*args, *kwargs.values()):
        if type(argument) in streams and argument._stream.in_loop:
            stream = argument._stream
            if stream._is_bounded():
                fetched[id(argument)] = yield from kept(stream, stream.rest())
            else:
                in_thread = True
        elif type(argument) is GeneratorType:
            in_thread = True
        elif type(argument) is LoopContext and argument._stream is not None:
            in_thread |= argument._stream.in_loop

    def ready(argument: Any) -> Any:
        if id(argument) in fetched:
            return (row for row in fetched[id(argument)])  # a generator, as stock's filters give
        if type(argument) in streams:
            return (row for row in argument)
        if type(argument) is LoopContext and argument._stream is not None:
            return LoopForPython(argument)
        return argument

    def made() -> Any:
        return caller(
            *(ready(argument) for argument in args),
            **{name: ready(argument) for name, argument in kwargs.items()},
        )

    if not in_thread and stands_on_loop():
        named = args[0] if caller is not function and args else function
        code = called_code(named, args, kwargs)
        if code is not None:
            return (yield from taken(code, made, (), None, (*args, *kwargs.values())))
    if not in_thread:
        try:
            return made()
        except SynchronousOnlyOperation:
            pass
    return (yield Wait(Kind.CALL, made))
