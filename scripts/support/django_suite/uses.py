"""Counts how often our views, responses and templates were used, so that a route is seen taken."""

import asyncio
from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any

from asgi_client import AsgiClientHandler


def count_uses(routed: dict[str, int], on_loop: bool) -> None:
    """Count in ``routed`` the views made for a request, responses rendered and templates rendered.

    Args:
        routed: gets a number for each kind of thing.
        on_loop: count only what is done on a running event loop.
    """
    from atemplates.engines.django import Template
    from atemplates.response import SimpleTemplateResponse
    from atemplates.views import View

    where = " on a loop" if on_loop else ""
    views, responses, templates = (f"{each}{where}" for each in ("views", "responses", "templates"))
    routed.update({views: 0, responses: 0, templates: 0})

    def count(what: str) -> None:
        routed[what] += not on_loop or is_on_loop()

    def make_counted(view: Any, *args: Any, **kwargs: Any) -> None:
        count(views)
        super(View, view).__init__(*args, **kwargs)

    def counted_render(response: Any) -> Callable[[], Any]:
        return counted(ask_render(response), lambda: count(responses))

    View.__init__ = make_counted  # type: ignore[method-assign]
    ask_render: Callable[[Any], Callable[[], Any]] = vars(SimpleTemplateResponse)["render"].fget
    SimpleTemplateResponse.render = property(counted_render)  # type: ignore[assignment]
    for name in ("render", "render_async"):
        setattr(Template, name, counted(getattr(Template, name), lambda: count(templates)))


def count_requests(routed: dict[str, int]) -> None:
    """Count in ``routed`` the requests of the sync client that go through the ASGI handler."""
    requests = "requests over ASGI"
    routed[requests] = 0

    def count() -> None:
        routed[requests] += 1

    AsgiClientHandler.__call__ = counted(  # type: ignore[method-assign]
        AsgiClientHandler.__call__, count
    )


def counted(function: Callable[..., Any], count: Callable[[], None]) -> Callable[..., Any]:
    """The same function, of the same colour, that counts its calls."""

    def call(*args: Any, **kwargs: Any) -> Any:
        count()
        return function(*args, **kwargs)

    async def acall(*args: Any, **kwargs: Any) -> Any:
        count()
        return await function(*args, **kwargs)

    return acall if iscoroutinefunction(function) else call


def is_on_loop() -> bool:
    """Whether an event loop is running in this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
