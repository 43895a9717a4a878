"""A system check of class-based views: coroutine functions that nobody would await."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Warning
from django.urls import URLPattern, URLResolver
from django.views.generic.base import View

from ..runtime.hops import iscoroutinefunction
from .colours import HOOKS, RESPONDING
from .hooks import Hooks


def async_hooks_of_sync_views(resolver: URLResolver) -> Iterator[CheckMessage]:
    """Warn about each ``async def`` hook of a view whose sync handlers are Django's."""
    seen = set()
    for callback in _callbacks(resolver):
        view_class = getattr(callback, "view_class", None)
        if view_class is None or view_class in seen:
            continue
        seen.add(view_class)
        for name in _not_awaited(view_class):
            yield Warning(
                f"{view_class.__module__}.{view_class.__qualname__}.{name}() is an `async def`, "
                "and the view is one of Django's, which does not await it.",
                hint="Import the view's base from atemplates.views instead of "
                "django.views.generic, or put atemplates.views.AsyncRenderMixin in front of it.",
                obj=view_class,
                id="atemplates.W008",
            )


def _callbacks(resolver: URLResolver) -> Iterator[Any]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            yield pattern.callback
        elif isinstance(pattern, URLResolver):
            yield from _callbacks(pattern)


def _not_awaited(view_class: Any) -> Iterator[str]:
    """The hooks of a view that is not ours which are coroutine functions, though it is sync."""
    if issubclass(view_class, Hooks) or not issubclass(view_class, View):
        return
    if view_class.view_is_async:
        return  # its own handlers may await them
    for name in sorted(HOOKS - RESPONDING):
        hook = getattr(view_class, name, None)
        if hook is not None and iscoroutinefunction(hook) and _is_djangos(view_class, name):
            yield name


def _is_djangos(view_class: type, name: str) -> bool:
    """Whether Django's part of a class has a hook, so that Django's code calls it."""
    return any(
        name in vars(each) for each in view_class.__mro__ if each.__module__.startswith("django.")
    )
