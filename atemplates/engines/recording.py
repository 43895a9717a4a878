"""Who is told of what a render loads: observers, and the recorder of ``OPTIONS["recorder"]``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest

from ..errors import logger
from ..relations.policy import Observer, observers
from ..relations.static_values import attributes, is_a, static_attribute, static_text

if TYPE_CHECKING:
    from ..migration.recorder import Recorder


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
