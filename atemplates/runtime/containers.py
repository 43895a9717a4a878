"""Awaitables inside containers: a list of coroutines that is joined or printed.

The container's text would show what they look like, so they are awaited first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator
from typing import Any

from .types import SIMPLE, VIEWS, is_awaitable
from .waits import Wait

CONTAINER_TYPES: frozenset[type] = frozenset({list, tuple, dict, set, frozenset}) | VIEWS
"""Exact types of containers that are looked into."""


def holds_awaitables(
    value: Any, inert: Collection[type] = SIMPLE, seen: frozenset[int] = frozenset()
) -> bool:
    """Whether a container holds something awaitable, be it in a container inside.

    Args:
        value: one of the types in `CONTAINER_TYPES`.
        inert: types that are known not to be awaitable.
        seen: the containers around it, by identity: one may hold itself.
    """
    items = value.values() if type(value) is dict else value
    kinds = set(map(type, items))
    if not kinds.issubset(inert) and any(map(is_awaitable, items)):
        return True
    if kinds.isdisjoint(CONTAINER_TYPES) or id(value) in seen:
        return False
    seen |= {id(value)}
    return any(
        type(item) in CONTAINER_TYPES and holds_awaitables(item, inert, seen) for item in items
    )


def filled(
    value: Any,
    settle: Callable[[Any], Generator[Wait, Any, Any]],
    seen: frozenset[int] = frozenset(),
) -> Generator[Wait, Any, Any]:
    """The plan that makes a container like this one, with results in the place of awaitables.

    Args:
        value: one of the types in `CONTAINER_TYPES`.
        settle: gives the plan that awaits something.
        seen: the containers around it, by identity.
    """
    kind = type(value)
    seen |= {id(value)}
    found: list[Any] = []
    for item in value.values() if kind is dict else value:
        if is_awaitable(item):
            item = yield from settle(item)
        elif type(item) in CONTAINER_TYPES and id(item) not in seen and holds_awaitables(item):
            item = yield from filled(item, settle, seen)
        found.append(item)
    if kind is dict:
        return dict(zip(value, found, strict=True))
    return found if kind in VIEWS else kind(found)
