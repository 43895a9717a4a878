"""What both backends share: checking OPTIONS, and the awaitables of a context."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured

from ..errors import RenderBlocked
from ..runtime.drivers import close_awaitable, gather_awaitables, wait_for
from ..runtime.types import is_awaitable, is_coroutine_function


class Option(NamedTuple):
    """One of our own OPTIONS: its default, and either its allowed values or a check."""

    default: Any
    allowed: tuple[Any, ...] = ()
    check: Callable[[Any], bool] | None = None
    expected: str = ""

    def accepts(self, value: Any) -> bool:
        if self.check is not None:
            return self.check(value)
        return isinstance(value, str) and value in self.allowed

    def describe(self) -> str:
        return self.expected or "one of " + ", ".join(map(repr, self.allowed))


def list_of_strings(value: Any) -> bool:
    """Whether ``value`` is a list, tuple or set that holds nothing but strings."""
    return isinstance(value, (list, tuple, set, frozenset)) and all(
        isinstance(item, str) for item in value
    )


def path_or_none(value: Any) -> bool:
    """Whether ``value`` is None or the path of a file."""
    return value is None or (isinstance(value, (str, Path)) and bool(str(value)))


def options_of(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a backend's OPTIONS.

    Raises:
        ImproperlyConfigured: they are not a dict.
    """
    options = params["OPTIONS"]
    if not isinstance(options, dict):
        raise ImproperlyConfigured(
            f"TEMPLATES engine {params['NAME']!r}: OPTIONS is {options!r}; expected a dict."
        )
    return options.copy()


def take_options(
    options: dict[str, Any], known: Mapping[str, Option], alias: str
) -> dict[str, Any]:
    """Remove our own options from ``options`` and return them, defaults filled in.

    Raises:
        ImproperlyConfigured: an option has a value that is not allowed.
    """
    taken = {}
    for name, option in known.items():
        value = options.pop(name, option.default)
        if not option.accepts(value):
            raise ImproperlyConfigured(
                f"TEMPLATES engine {alias!r}: OPTIONS[{name!r}] is {value!r}; "
                f"expected {option.describe()}."
            )
        taken[name] = value
    return taken


def refuse_unknown(options: Iterable[str], allowed: Iterable[str], alias: str) -> None:
    """Raise when ``options`` has a name that is not in ``allowed``.

    Raises:
        ImproperlyConfigured: naming the option, the nearest allowed one, and all allowed ones.
    """
    allowed = sorted(allowed)
    for name in options:
        if name not in allowed:
            close = get_close_matches(str(name), allowed, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise ImproperlyConfigured(
                f"TEMPLATES engine {alias!r}: unknown option {name!r} in OPTIONS.{hint} "
                f"Allowed: {', '.join(allowed)}."
            )


word = re.compile(r"\w+")


def words_of(source: str) -> set[str]:
    """Every name that ``source`` could possibly use as a variable."""
    return set(word.findall(source))


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
