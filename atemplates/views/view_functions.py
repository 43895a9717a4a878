"""What ``as_view()`` gives: a view function, and where it responds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from django.http import HttpRequest
from django.views.generic.base import View

from ..errors import NotAwaited
from ..runtime.drivers import in_request_thread, wait_for
from ..runtime.hops import iscoroutinefunction, markcoroutinefunction
from ..runtime.hybrid import is_awaited
from .colours import COLOUR, Colour, colour_of
from .hooks import ask
from .placement import begins_in_thread

COROUTINE_MARKS = vars(markcoroutinefunction(lambda: None))
"""What a coroutine function is marked with."""

NOT_HELD = {COLOUR, *COROUTINE_MARKS}
"""What Django's view function holds and ours does not."""

LOOKING_FOR_MARKS = ("inspect", "asgiref.sync", "asyncio.coroutines")
"""Modules whose `iscoroutinefunction` looks for them."""

ASKING_IN_THREAD = {
    ("django.contrib.auth.decorators", "user_passes_test"),
    ("django.contrib.auth.decorators", "permission_required"),
    ("django.utils.decorators", "make_middleware_decorator"),
    ("django.views.decorators.http", "condition"),
}
"""Decorators of Django's whose async half asks other code than the sync one, or blocks the loop."""


class SyncView:
    """A view function of sync handlers, as an object that ``functools.wraps`` can copy.

    Args:
        view_class: the class.
        initkwargs: what its instances are made with.
        call_in_thread: Django's own view function of that class.
    """

    def __init__(
        self, view_class: Any, initkwargs: dict[str, Any], call_in_thread: Callable[..., Any]
    ) -> None:
        self.__name__ = call_in_thread.__name__
        self.__qualname__ = call_in_thread.__qualname__
        self.__module__ = call_in_thread.__module__
        self.__doc__ = call_in_thread.__doc__
        self.__annotations__ = call_in_thread.__annotations__
        held = {each: vars(call_in_thread)[each] for each in vars(call_in_thread).keys() - NOT_HELD}
        vars(self).update(held)
        self._make = partial(view_class, **initkwargs)
        self._call_in_thread = call_in_thread

    def __call__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Respond to a request, in a thread.

        Raises:
            NotAwaited: an event loop is running in this thread.
        """
        if is_awaited(1):
            raise NotAwaited(_sync_on_loop(self._make.func))
        return self._call_in_thread(request, *args, **kwargs)


class AsyncView(SyncView):
    """A view function of async handlers: a coroutine function.

    The mark of coroutine functions is not held by the object: a decorator that knows no async
    copies what it holds, and its own function would count as one.

    Nor do the decorators in `ASKING_IN_THREAD` see the mark, where handlers are Django's: around a
    sync view of Django's they ask ``request.user``, ``has_perms()``, the cache and the session, in
    a thread. For a coroutine function they would ask ``request.auser()`` and ``ahas_perms()``,
    which know nothing of a rule that the site has in its sync methods, and the others on the loop.
    """

    def __call__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Respond to a request: a coroutine on the event loop, else the response."""
        if is_awaited(1):
            return _respond(self._make(), request, *args, **kwargs)
        response = self._call_in_thread(request, *args, **kwargs)
        return wait_for(response) if isinstance(response, Coroutine) else response


def _mark(name: str) -> property:
    """The attribute ``name`` of `COROUTINE_MARKS`, as whoever asks for it is to see it."""

    def mark(self: AsyncView) -> Any:
        if _is_djangos(self._make.func) and _asked_by_decorator():
            raise AttributeError(name)
        return COROUTINE_MARKS[name]

    return property(mark)


for mark_name in COROUTINE_MARKS:
    setattr(AsyncView, mark_name, _mark(mark_name))


def _is_djangos(view_class: Any) -> bool:
    """Whether a handler of a view is not an ``async def`` of the site: the view was a sync one."""
    handlers = (getattr(view_class, name, None) for name in view_class.http_method_names)
    return any(
        iscoroutinefunction(each) and colour_of(each) is not Colour.ASYNC for each in handlers
    )


def _asked_by_decorator() -> bool:
    """Whether one of `ASKING_IN_THREAD` asks ``iscoroutinefunction``."""
    frame = sys._getframe(2)
    while frame.f_back and frame.f_globals.get("__name__") in LOOKING_FOR_MARKS:
        frame = frame.f_back
    decorator = frame.f_code.co_qualname.partition(".")[0]
    return (frame.f_globals.get("__name__"), decorator) in ASKING_IN_THREAD


async def _respond(view: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
    """Answer a request on the event loop, or in the request's thread if the view belongs there."""
    if begins_in_thread(view):
        return await in_request_thread(_set_up_and_dispatch, view, request, *args, **kwargs)
    await ask(view.setup, request, *args, **kwargs)
    _check_set_up(view)
    return await ask(view.dispatch, request, *args, **kwargs)


def _set_up_and_dispatch(view: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
    view.setup(request, *args, **kwargs)
    _check_set_up(view)
    return view.dispatch(request, *args, **kwargs)


def _check_set_up(view: View) -> None:
    if not hasattr(view, "request"):
        raise AttributeError(
            f"{type(view).__name__} instance has no 'request' attribute. Did you override "
            "setup() and forget to call super()?"
        )


def _sync_on_loop(view_class: Any) -> str:
    return (
        f"{view_class.__qualname__} has sync handlers, so it is a sync view, and it was called on "
        "the event loop. Call it in a thread (`await sync_to_async(view)(request)`), or write its "
        "handlers as `async def`."
    )
