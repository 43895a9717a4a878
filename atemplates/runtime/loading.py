"""What is loaded beside a render: how a driver waits for it, and which querysets it stands for.

`atemplates.parallel` loads; here is only what a driver has to know of it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Generator, Iterable
from typing import Any, NamedTuple, TypeGuard


class Loading:
    """Something that loads while a template is rendered: awaitable, and can be waited for."""

    __slots__ = ("__weakref__",)

    def is_for_thread(self) -> bool:
        """Whether a thread that may ask the database gets it at once, or has to load it."""
        raise NotImplementedError

    def wait(self) -> Any:
        """Return the result; loads it in this thread, or blocks the thread until it is there."""
        raise NotImplementedError

    def unasked(self) -> Any:
        """Return what gives the same result when it is used in the thread, or this itself.

        For code that cannot await: what has not begun to load is then loaded if it is used.
        """
        return self

    def __await__(self) -> Generator[Any, Any, Any]:
        """Await the result."""
        raise NotImplementedError


def is_loading(value: Any) -> TypeGuard[Loading]:
    """Whether a value is a `Loading`, by its type alone: a lazy object is not looked into."""
    return issubclass(type(value), Loading)


class Beside:
    """What begins to load beside the page for parts of it that are rendered at the same time.

    Set by the engines when they are imported.
    """

    rows: Callable[[Any], object]
    """Begins to load the rows of a queryset."""
    call: Callable[[Any], Loading]
    """Begins to call a method of a queryset."""


class _Entry(NamedTuple):
    queryset: weakref.ref[Any]
    """What is loaded, as somebody else holds it."""
    waiting: Callable[[Any], Loading]
    """Makes, for the queryset, what waits for its rows."""


# Any thread may note, find and forget: each is one step of a dict. An entry goes when its queryset
# is freed, before another object can have its identity.
_loading: dict[int, _Entry] = {}


def note_loading(queryset: Any, waiting: Callable[[Any], Loading]) -> None:
    """Note that a queryset's rows are loading, until they are used or nobody has it any more."""
    key = id(queryset)

    # A process that ends takes the names of modules away before the last querysets.
    def forget(reference: weakref.ref[Any], known: dict[int, _Entry] = _loading) -> None:
        entry = known.get(key)
        if entry is not None and entry.queryset is reference:
            known.pop(key, None)

    _loading[key] = _Entry(weakref.ref(queryset, forget), waiting)


def loading_of(queryset: Any) -> Loading | None:
    """Return what waits for the rows of a queryset, if somebody loads them."""
    entry = _loading.get(id(queryset))
    if entry is None or entry.queryset() is not queryset:
        return None
    return entry.waiting(queryset)


def forget_loadings(querysets: Iterable[Any]) -> None:
    """Forget querysets whose rows nobody needs any more."""
    for queryset in querysets:
        forget_loading(queryset)


def forget_loading(queryset: Any) -> None:
    """Forget a queryset that has its rows."""
    _loading.pop(id(queryset), None)
