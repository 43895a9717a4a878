"""Who is told of what a render loads: observers, and the recorder of ``OPTIONS["recorder"]``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.template.context import Context

from ..errors import logger
from ..relations.models import attributes, is_a, static_attribute, static_text
from ..relations.policy import Observer, observers
from ..relations.query_attribution import file_of_origin
from ..runtime.tracing import RenderObserver, RenderStart
from .options import ALIAS

if TYPE_CHECKING:
    from ..migration.recorder import Recorder
    from ..runtime.tracing import Tracing


def observers_for(
    recorder: Recorder | None, template: str, request: Callable[[], Any]
) -> tuple[tuple[Observer, ...], str]:
    """Decide who is told of the events of a render that begins now.

    Args:
        recorder: of the engine; it takes a share of the renders.
        request: gives the request that is rendered, or None; asked only when somebody is told.

    Returns:
        The observers, and the name of the request's view.
    """
    told = observers()
    takes = recorder is not None and recorder.takes()
    if recorder is not None and takes:
        told = (*told, recorder.observe)
    if not told:
        return told, ""
    try:
        view = view_of(request())
        if recorder is not None and takes:
            recorder.begin(static_text(template), view)
    except Exception:
        logger.exception("A render that begins cannot be observed")
        view = ""
    return told, view


def begin_django_trace(
    told: tuple[Observer, ...],
    template: Any,
    context: Any,
    view: str,
    on_loop: bool,
    is_native: bool = True,
) -> tuple[tuple[Observer, ...], Tracing | None]:
    """Begin to trace a render of a Django template, if an observer wants that.

    Args:
        told: the observers of the render.
        context: its context.
        view: the name of the request's view.
        on_loop: whether the render begins on an event loop.
        is_native: whether a plan renders it.

    Returns:
        The observers, the trace in the place of those that want one; and the trace, or None.
    """
    # A `Template` of Django's, or what stands for one: nothing of it is code of the site.
    name, origin = getattr(template, "name", None), getattr(template, "origin", None)
    name = name if isinstance(name, str) else ""
    file = "" if origin is None else file_of_origin(origin)
    alias = getattr(getattr(template, "engine", None), ALIAS, "")
    variables = partial(variables_of, context)
    return begin_trace(told, RenderStart(name, file, alias, view, on_loop, is_native, variables))


def render_told(told: tuple[Observer, ...], template: Any, context: Context, in_hop: bool) -> Any:
    """Render with Django's own ``Template.render``, traced if an observer wants that.

    Args:
        told: the observers.
        in_hop: whether the render came to this thread from an event loop.
    """
    name = static_text(static_attribute(template, "name"))
    told, view = observers_for(None, name, lambda: request_in(context))
    tracing = begin_django_trace(told, template, context, view, in_hop, is_native=False)[1]
    if tracing is None:
        return template.render(context)
    return tracing.whole(lambda: template.render(context), in_hop)


def variables_of(context: Any) -> dict[str, Any]:
    """Return the variables of a Django template's context."""
    return {name: value for scope in context.dicts[1:] for name, value in scope.items()}


def begin_trace(
    told: tuple[Observer, ...], start: RenderStart
) -> tuple[tuple[Observer, ...], Tracing | None]:
    """Begin to trace a render, if an observer wants that; returns as `begin_django_trace`."""
    whole = [each for each in told if isinstance(each, RenderObserver)]
    if not whole:
        return told, None
    try:
        tracing = whole[0].trace(whole, start)
    except Exception:
        logger.exception("A render that begins cannot be traced")
        return told, None
    return (*(each for each in told if each not in whole), tracing.observe), tracing


def request_in(context: Any) -> Any:
    """Return the request that a Django template's context was made for, or holds."""
    request = static_attribute(context, "request")
    if request is None:
        scopes = static_attribute(context, "dicts", ())
        request = next((each["request"] for each in reversed(scopes) if "request" in each), None)
    return request


def view_of(request: Any) -> str:
    """Return the name of a request's view; nothing for what is no request.

    A template's variable called ``request`` may be anything.
    """
    known = attributes(request)
    if "resolver_match" not in known and is_a(known.get("_wrapped"), HttpRequest):
        known = attributes(known["_wrapped"])  # a lazy object that has been looked at
    if "resolver_match" not in known and is_a(known.get("_request"), HttpRequest):
        known = attributes(known["_request"])  # Django REST framework's
    return static_text(static_attribute(known.get("resolver_match"), "view_name"))
