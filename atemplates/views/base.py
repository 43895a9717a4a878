"""``View``, ``TemplateView``, ``RedirectView``, and the mixins they are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import classonlymethod
from django.utils.functional import classproperty
from django.views.generic import base as stock

from ..response import TemplateResponse
from ..runtime.hops import iscoroutinefunction
from ..runtime.hybrid import HybridCall
from .answered import Answered
from .hooks import Hooks, ask, pass_on, twin
from .view_functions import AsyncView, SyncView


class ContextMixin(Hooks, stock.ContextMixin):
    """Django's mixin of the same name."""


def _has_async_handlers(cls: Any) -> bool:
    """Whether the handlers of a view's class are async.

    Raises:
        ImproperlyConfigured: some are and others are not.
    """
    handlers = {
        name: getattr(cls, name)
        for name in cls.http_method_names
        if name != "options" and hasattr(cls, name)
    }
    sync = [name for name, each in handlers.items() if not iscoroutinefunction(each)]
    if not sync or len(sync) == len(handlers):
        return bool(handlers) and not sync
    raise ImproperlyConfigured(_mixed_handlers(cls, sync, set(handlers) - set(sync)))


class View(Hooks, stock.View):
    """Django's view of the same name, whose hooks may be sync or async.

    With handlers of Django's, or ``async def`` ones, it is an async view; with sync handlers only,
    a sync view. In both the hooks may be either, see `atemplates.views.hooks`.

    ``as_view()`` gives a coroutine function. Called where no event loop is running (by a decorator
    that knows no async, by a test with ``RequestFactory``) it returns the response.
    """

    view_is_async: Any = classproperty(_has_async_handlers)

    @classonlymethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., Any]:
        """Make the view function, as ``django.views.View.as_view`` does.

        Returns:
            The view function. A sync one raises `NotAwaited` where an event loop is running.

        Raises:
            TypeError: an argument is the name of a handler, or of nothing that the class has.
            ImproperlyConfigured: some handlers are sync and others async.
        """
        call_in_thread: Any = super().as_view(**initkwargs)
        make = AsyncView if cls.view_is_async else SyncView
        return make(cls, initkwargs, call_in_thread)

    @twin
    async def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Call the handler for the request's method."""
        method = (request.method or "").lower()
        handler = self.http_method_not_allowed
        if method in self.http_method_names:
            handler = getattr(self, method, handler)
        return await ask(handler, request, *args, **kwargs)  # type: ignore[no-any-return]


def _mixed_handlers(cls: Any, sync: list[str], rest: set[str]) -> str:
    """Say which handlers of a class are sync and which async, and what to write."""

    def owner(name: str) -> Any:
        return next(each for each in cls.__mro__ if name in vars(each))

    names = ", ".join(f"{owner(name).__qualname__}.{name}()" for name in sync)
    others = ", ".join(f"{owner(name).__qualname__}.{name}()" for name in sorted(rest))
    return (
        f"{cls.__qualname__} HTTP handlers must either be all sync or all async. Sync: {names}. "
        f"Async: {others}. Write `async def {sync[0]}(self, request, ...)` and `await` the hooks "
        f"it calls; or leave it sync and put AsyncRenderMixin of atemplates.views in front of the "
        f"bases of {cls.__qualname__}, which runs all of its code in the request's thread and "
        "renders on the event loop."
    )


class AsyncRenderMixin(Hooks):
    """Renders the template of a sync class-based view on the event loop.

    Put it in front of a view of Django's or of another package::

        class BookTable(AsyncRenderMixin, SingleTableView): ...

    The view stays a sync one: Django runs all its code in the request's thread, in one hop, and the
    response that it returns is rendered on the loop. A hook may be an ``async def``; it is awaited
    on the loop while the thread waits.

    A ``response_class`` that the view itself names is used as it is.
    """

    response_class = TemplateResponse

    view_is_async: Any = False
    """The handlers run in a thread, whatever they are."""


pass_on(AsyncRenderMixin)


class TemplateResponseMixin(Hooks, stock.TemplateResponseMixin):
    """Django's mixin of the same name, whose response renders on the event loop."""

    response_class = TemplateResponse

    @twin
    async def render_to_response(self, context: Any, **response_kwargs: Any) -> Any:
        """Return a response that Django's handler will render.

        Raises:
            NotAwaited: ``context`` is what a hook gave that was not awaited.
        """
        if isinstance(context, HybridCall):
            context.refuse()
        answered: Any = Answered(self, get_template_names=await ask(self.get_template_names))
        return stock.TemplateResponseMixin.render_to_response(answered, context, **response_kwargs)


class TemplateView(  # pyright: ignore[reportGeneralTypeIssues]: the stubs' classes are generic
    TemplateResponseMixin, ContextMixin, View, stock.TemplateView
):
    """Django's view of the same name."""

    @twin
    async def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Render the template with the arguments of the address."""
        context = await ask(self.get_context_data, **kwargs)
        return await ask(self.render_to_response, context)


class RedirectView(View, stock.RedirectView):
    """Django's view of the same name."""

    @twin
    async def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Redirect, or answer 410 where there is no address."""
        url = await ask(self.get_redirect_url, *args, **kwargs)
        answered: Any = Answered(self, get_redirect_url=url)
        return stock.RedirectView.get(answered, request, *args, **kwargs)

    @twin
    async def head(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Answer as for GET; so do the handlers of the other methods."""
        return await ask(self.get, request, *args, **kwargs)

    post = put = patch = delete = options = head
