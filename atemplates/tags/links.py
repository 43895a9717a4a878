"""``{% url %}``: addresses of views."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends.base import BaseCache
from django.core.exceptions import SynchronousOnlyOperation
from django.template.base import Node
from django.template.context import BaseContext
from django.template.defaulttags import URLNode
from django.urls import NoReverseMatch

from ..compiler.expressions import write_expression
from ..compiler.foreign import call_in_thread
from ..compiler.nodes import NodeWriting, TagFamily
from ..compiler.scope import assigns
from ..compiler.writer import Writer
from ..runtime.escaping import escape
from ..runtime.fast.urls import USUAL, reverse
from ..runtime.sites import MISSING
from ..runtime.state import State
from ..runtime.waits import Pending
from .arguments import tag_arguments_code

# -- url -------------------------------------------------------------------------------------------


def write_url(w: Writer, node: URLNode) -> None:
    """The arguments are resolved in Django's order, then ``reverse()`` is asked."""
    args = [write_expression(w, argument) for argument in node.args]
    kwargs = [
        f"{w.constant(name)}: {write_expression(w, argument)}"
        for name, argument in node.kwargs.items()
    ]
    view_name = write_expression(w, node.view_name)
    positional = "".join(f"{argument}, " for argument in args)
    arguments = f"{view_name}, ({positional}), {{{', '.join(kwargs)}}}"
    url = w.temporary("s")
    if node.asvar:
        w.line(f"{url} = url_or_wait(state, context, url_if_found, {arguments})")
        w.wait(url)
        w.line(f"context[{w.constant(node.asvar)}] = {url}")
    else:
        w.line(f"{url} = url_or_wait(state, context, url_text, {arguments})")
        w.wait(url)
        w.value(url)


def url_of(
    state: State, context: Any, view_name: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> str:
    """Return the address of a view, for the current application of the context's request.

    Raises:
        NoReverseMatch: there is none.
    """
    request = getattr(context, "request", None)
    current_app: Any = getattr(request, "current_app", MISSING)
    if current_app is MISSING:
        current_app = getattr(getattr(request, "resolver_match", None), "namespace", None)
    return reverse(state.ambient, view_name, args, kwargs, current_app)


def url_text(
    state: State, context: Any, view_name: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> str:
    """Return what ``{% url %}`` writes."""
    url = url_of(state, context, view_name, args, kwargs)
    return escape(url) if context.autoescape else url


def url_if_found(
    state: State, context: Any, view_name: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> str:
    """Return what ``{% url … as name %}`` sets."""
    try:
        return url_of(state, context, view_name, args, kwargs)
    except NoReverseMatch:
        return ""


def url_or_wait(
    state: State,
    context: Any,
    function: Any,
    view_name: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Ask for an address; arguments of the usual types run no code of others."""
    usual = type(view_name) in USUAL and USUAL.issuperset(map(type, args or kwargs.values()))
    if usual and not (args and kwargs):
        try:
            return function(state, context, view_name, args, kwargs)
        except SynchronousOnlyOperation:
            if not state.on_loop:
                raise
    return call_or_wait(state, function, state, context, view_name, args, kwargs)


def call_or_wait(state: State, function: Any, *args: Any) -> Any:
    """Call a function of Django's here, or in the thread if its arguments may run others' code."""
    if state.on_loop and link_runs_code(args):
        return Pending(call_in_thread(state, function, *args))
    try:
        return function(*args)
    except SynchronousOnlyOperation:
        if not state.on_loop:
            raise
        return Pending(call_in_thread(state, function, *args))


def link_runs_code(args: tuple[Any, ...]) -> bool:
    """Whether a function of Django's may run code of others for the arguments of a tag."""
    values = [arg for arg in args if not issubclass(type(arg), NO_ARGUMENTS)]
    return tag_arguments_code(values) is not None


NO_ARGUMENTS = (BaseCache, BaseContext, Node, State)
"""Types of what such functions need besides a tag's arguments."""

LINK_TAGS = TagFamily(
    nodes={
        URLNode: NodeWriting(write_url, lambda node: assigns(node.asvar)),
    },
    names={
        "call_or_wait": call_or_wait,
        "url_if_found": url_if_found,
        "url_or_wait": url_or_wait,
        "url_text": url_text,
    },
)
