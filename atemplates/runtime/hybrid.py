"""Hybrid functions: called in a thread they return the value, on the event loop they are awaited.

Who calls decides, and not how the function was written: code in a thread writes ``f()``, and a
coroutine ``await f()``.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Coroutine, Generator
from typing import Any, NoReturn

from ..errors import NotAwaited
from .answers import running_loop
from .hops import ASYNC_TO_SYNC


def call_hybrid(
    in_thread: Callable[..., Any],
    on_loop: Callable[..., Coroutine[Any, Any, Any]],
    describe: Callable[[], str],
    *args: Any,
    **kwargs: Any,
) -> Any:
    """Call one half of a hybrid function with ``args`` and ``kwargs``.

    Args:
        in_thread: what is called where no event loop is running.
        on_loop: what is called where one is running.
        describe: says what was called and what to write, for errors.

    Returns:
        What ``in_thread`` returns, or a `HybridCall` of what ``on_loop`` returns.
    """
    if is_awaited(2):
        return HybridCall(on_loop(*args, **kwargs), describe)
    return in_thread(*args, **kwargs)


def is_awaited(depth: int) -> bool:
    """Whether the caller of a hybrid function is going to await what it gets.

    Args:
        depth: how many calls up the caller is: 1 for the function that calls this one.
    """
    return running_loop() is not None or sys._getframe(depth + 1).f_code is ASYNC_TO_SYNC


class HybridCall(Coroutine[Any, Any, Any]):
    """The call of a hybrid function on the event loop: a coroutine that says so when it is misused.

    Args:
        coroutine: what to await.
        describe: says what was called and what to write.
    """

    __slots__ = ("__weakref__", "coroutine", "describe", "pending")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], describe: Callable[[], str]) -> None:
        self.coroutine = coroutine
        self.describe = describe
        self.pending = True
        """Whether nobody has awaited it, and nobody was told that this is missing."""

    def __await__(self) -> Generator[Any, Any, Any]:
        self.pending = False
        return self.coroutine.__await__()

    def send(self, value: Any) -> Any:
        self.pending = False
        return self.coroutine.send(value)

    def throw(self, *args: Any) -> Any:
        self.pending = False
        return self.coroutine.throw(*args)

    def close(self) -> None:
        self.pending = False
        self.coroutine.close()

    def __repr__(self) -> str:
        return f"<{self.describe().partition(' ')[0]} on the event loop: not awaited>"

    def __del__(self) -> None:
        if self.pending:
            self.coroutine.close()
            warnings.warn(
                f"{self.describe()} It was never awaited, so nothing was done.",
                RuntimeWarning,
                stacklevel=2,
                source=self,
            )

    def refuse(self, *_: Any) -> NoReturn:
        """Say that it is not the value.

        Raises:
            NotAwaited: always.
        """
        self.close()
        raise NotAwaited(self.describe())

    def __getattr__(self, name: str) -> Any:
        if name.startswith("cr_"):  # what `inspect` asks a coroutine
            return getattr(self.coroutine, name)
        if name.startswith("_"):
            raise AttributeError(name)
        self.refuse()

    __getitem__ = __setitem__ = __delitem__ = __iter__ = __len__ = __bool__ = refuse
    __contains__ = __str__ = __format__ = __call__ = __int__ = __float__ = __index__ = refuse
    __or__ = __ror__ = __ior__ = __and__ = __add__ = __radd__ = __mod__ = __enter__ = refuse
    __lt__ = __le__ = __gt__ = __ge__ = __aiter__ = __aenter__ = __reversed__ = refuse
