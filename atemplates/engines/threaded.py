"""``async_mode="thread"``: Django's own rendering, in one hop to the request's thread."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template.base import Template

from ..relations.policy import observers
from ..runtime.drivers import in_request_thread
from .base import (
    await_values,
    block_on_coroutine_functions,
    block_on_values,
    context_holds_awaitables,
    discard_awaitables,
)
from .context import build_context
from .usage import names_used


def render_in_thread(
    template: Template,
    context: dict[str, Any] | None,
    request: HttpRequest | None,
    in_hop: bool = False,
) -> Any:
    """Render with Django's own ``Template.render``, the context's awaitables awaited before.

    Args:
        in_hop: whether the render came here from an event loop.
    """
    if context is not None and context_holds_awaitables(context):
        context = block_on_values(context, names_used(template, template.engine))
    if isinstance(context, dict):
        context = block_on_coroutine_functions(context)
    made = build_context(context, request, autoescape=template.engine.autoescape)
    told = observers()
    if told:
        from .recording import render_told  # only where somebody wants to know

        return render_told(told, template, made, in_hop)
    return template.render(made)


async def arender_in_thread(
    template: Template, context: dict[str, Any] | None, request: HttpRequest | None
) -> Any:
    """Do what `render_in_thread` does from the loop, where the awaitables are awaited."""
    if context is not None and context_holds_awaitables(context):
        try:
            used = await in_request_thread(names_used, template, template.engine)
        except BaseException:
            discard_awaitables(context)
            raise
        context = await await_values(context, used)
    return await in_request_thread(render_in_thread, template, context, request, True)
