"""`batched`: calls of a function from parts that are rendered at the same time become one call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import update_wrapper
from inspect import iscoroutinefunction
from types import MethodType
from typing import Any, Generic, TypeVar

from ..runtime.branches import here

AskedKey = TypeVar("AskedKey")
KeyedValue = TypeVar("KeyedValue")


class MissingKey(KeyError):
    """A batched function returned a mapping that lacks a key it was asked for."""

    def __str__(self) -> str:
        return str(self.args[0])


class batched(Generic[AskedKey, KeyedValue]):
    """Collect the calls of an async function that loads something by keys.

    The function is written for many keys and called with one: ``await load_author(7)``. Inside
    ``{% parallel %}`` the calls of all parts are collected until no part can go on without an
    answer or other I/O; then the function is called once, with all the keys. There is no timer.
    Elsewhere each call is made by itself, with one key.

    It returns a mapping of keys to values, or a list or tuple of values in the order of the keys.

    * A key that is asked for several times is handed on once, and its value goes to all who asked.
      A key without a hash is handed on each time; for such keys the values have to be in order.
    * A mapping without a key: `MissingKey`, a ``KeyError``, for those who asked for that key.
    * An exception of the function is raised for all who asked; one that stands in the place of a
      value, for those who asked for its key.

    Works on functions and methods. Calls through two instances are two calls.

    Args:
        function: the ``async def`` function, which takes a list of keys.

    Raises:
        TypeError: ``function`` is not an ``async def``. When called: it returned something else
            than a mapping, a list or a tuple.
        ValueError: when called: it returned another number of values than it was given keys.
    """

    def __init__(
        self,
        function: Callable[
            [list[AskedKey]], Awaitable[Mapping[AskedKey, KeyedValue] | Sequence[KeyedValue]]
        ],
    ) -> None:
        if not iscoroutinefunction(function):
            raise TypeError(
                f"batched: {function!r} is not an `async def` function; expected one that takes a "
                f"list of keys, as in `async def load(keys): ...`."
            )
        self.function: Callable[..., Any] = function
        update_wrapper(self, function)

    def __get__(
        self, instance: Any, owner: Any = None
    ) -> Callable[[AskedKey], Awaitable[KeyedValue]]:
        return self if instance is None else _Bound(MethodType(self.function, instance))

    def __call__(self, key: AskedKey) -> Coroutine[Any, Any, KeyedValue]:
        """Return a coroutine of the value for a key."""
        return _value_of(Answering(self.function), key)


class _Bound:
    """A batched method of an instance."""

    def __init__(self, method: MethodType) -> None:
        self.method = method

    def __call__(self, key: Any) -> Coroutine[Any, Any, Any]:
        return _value_of(Answering(self.method), key)


async def _value_of(answering: Answering, key: Any) -> Any:
    branch = here.get()
    if branch is not None:
        return await branch.together.ask(answering, key, branch)
    (value,) = await answering([key])
    if isinstance(value, BaseException):
        raise value
    return value


class Answering:
    """Answers what was asked of one function, or of one instance's method.

    Args:
        function: what takes a list of keys.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Answering) and self.function == other.function

    def __hash__(self) -> int:
        return hash(self.function)

    async def __call__(self, keys: Sequence[Any]) -> list[Any]:
        """Call the function; return a value or an exception for each key, in order."""
        unique, places = _without_repeats(keys)
        try:
            found = await self.function(unique)
            values = self._in_order(found, unique)
        except Exception as error:
            return [error] * len(keys)
        return [values[place] for place in places]

    def _in_order(self, found: Any, keys: list[Any]) -> list[Any]:
        name = getattr(self.function, "__qualname__", repr(self.function))
        if isinstance(found, Mapping):
            return [_value_at(found, key, name) for key in keys]
        if not isinstance(found, (list, tuple)):
            raise TypeError(
                f"{name}() is batched and returned {found!r}; expected a mapping of keys to "
                f"values, or a list of values in the order of its {len(keys)} keys."
            )
        if len(found) != len(keys):
            raise ValueError(
                f"{name}() is batched and returned {len(found)} values for {len(keys)} keys; "
                f"expected one for each, in order. Return a mapping where some may be missing."
            )
        return list(found)


def _without_repeats(keys: Sequence[Any]) -> tuple[list[Any], list[int]]:
    """Return the keys without repetition, and for each key its place there."""
    unique: list[Any] = []
    known: dict[Any, int] = {}
    places = []
    for key in keys:
        try:
            place = known.setdefault(key, len(unique))
        except TypeError:  # it has no hash, and is never the same as another
            place = len(unique)
        if place == len(unique):
            unique.append(key)
        places.append(place)
    return unique, places


def _value_at(found: Mapping[Any, Any], key: Any, name: str) -> Any:
    try:
        return found[key]
    except KeyError:
        return MissingKey(
            f"{name}() is batched and returned a mapping without the key {key!r}; return a value "
            f"for each key, as in `{{key: found.get(key) for key in keys}}`."
        )
    except TypeError as error:
        if _has_hash(key):
            raise
        return TypeError(
            f"{name}() is batched and was asked for {key!r}, which has no hash, so that no mapping "
            f"can hold it; return a list of values in the order of the keys ({error})."
        )


def _has_hash(key: Any) -> bool:
    try:
        hash(key)
    except TypeError:
        return False
    return True
