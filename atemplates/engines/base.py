"""The awaitables of a context."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from ..errors import RenderBlocked
from ..runtime.drivers import close_awaitable, gather_awaitables, wait_for
from ..runtime.types import is_awaitable, is_coroutine_function


def context_holds_awaitables(context: Any) -> bool:
    """Whether a value of the dict ``context`` can be awaited; False for anything but a dict."""
    return isinstance(context, dict) and any(map(is_awaitable, context.values()))


def discard_awaitables(context: Mapping[str, Any]) -> None:
    """Close the coroutines among a context's values, for a render that will not take place."""
    for value in context.values():
        if is_awaitable(value):
            close_awaitable(value)


async def await_values(context: Mapping[str, Any], used: set[str] | None) -> dict[str, Any]:
    """Replace the awaitables among a context's values by their results.

    Args:
        context: the template's variables; it is not changed.
        used: the names that the template may use, or None if that cannot be known.

    Returns:
        A new dict. Awaitables that cannot be used are closed and stay as they are. One that
        stands under several names is awaited once.

    Raises:
        Exception: what the first failing awaitable raised; the others are cancelled.
    """
    values = dict(context)
    needed: dict[str, Any] = {}
    unused: list[Any] = []
    for name, value in context.items():
        if is_awaitable(value):
            if used is None or name in used:
                needed[name] = value
            else:
                unused.append(value)
    by_identity = {id(value): value for value in needed.values()}
    for value in unused:
        if id(value) not in by_identity:
            close_awaitable(value)
    if needed:
        results = await gather_awaitables(by_identity)
        values.update((name, results[id(value)]) for name, value in needed.items())
    return values


def block_on_values(context: Mapping[str, Any], used: set[str] | None) -> dict[str, Any]:
    """Do what `await_values` does, from sync code.

    Raises:
        RenderBlocked: a loop is running in this thread. The coroutines are closed.
    """
    names = ", ".join(repr(name) for name, value in context.items() if is_awaitable(value))
    try:
        return wait_for(await_values(context, used), f"awaitable context values ({names})")
    except RenderBlocked:
        discard_awaitables(context)
        raise


def block_on_coroutine_functions(context: dict[str, Any]) -> dict[str, Any]:
    """Replace the coroutine functions among a context's values by functions that block.

    For stock rendering in a thread: a template calls what it can call, as often as it names
    it, and would print the coroutine.

    Returns:
        ``context`` itself when it holds none, else a changed copy.
    """
    blocking = {
        name: _blocking(value)
        for name, value in context.items()
        if is_coroutine_function(value)
        # What stock Django does not call must reach the template as it is.
        and not getattr(value, "do_not_call_in_templates", False)
        and not getattr(value, "alters_data", False)
    }
    return {**context, **blocking} if blocking else context


def _blocking(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return wait_for(function(*args, **kwargs))

    return call
