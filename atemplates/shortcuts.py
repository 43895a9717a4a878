"""Async twins of ``django.shortcuts.render`` and of ``django.template.loader``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Protocol

from django.http import HttpRequest, HttpResponse
from django.template import TemplateDoesNotExist, engines
from django.template.utils import InvalidTemplateEngineError
from django.utils.functional import Promise

from .engines.base import await_values
from .runtime.drivers import in_request_thread

type_names = "a string, or a list or tuple of strings"


class AsyncTemplate(Protocol):
    """A loaded template of any backend: what `aget_template` and `aselect_template` give.

    A template of a backend that knows no async (Django's own, say) is given a ``render_async``
    that renders in the request's thread.
    """

    def render(self, context: Any = None, request: HttpRequest | None = None) -> str:
        """Render from sync code."""
        ...

    async def render_async(self, context: Any = None, request: HttpRequest | None = None) -> str:
        """Render from async code; awaitables in the context are awaited."""
        ...


async def arender(
    request: HttpRequest | None,
    template_name: str | list[str] | tuple[str, ...],
    context: Mapping[str, Any] | None = None,
    content_type: str | None = None,
    status: int | None = None,
    using: str | None = None,
) -> HttpResponse:
    """Render a template to a response without blocking the event loop.

    The async twin of ``django.shortcuts.render``, with the same signature. Any configured
    backend serves; one that has no ``render_async`` of its own renders in the request's thread.

    Args:
        request: the current request; context processors receive it.
        template_name: a template's name, or a list of names of which the first found is used.
        context: the template's variables. It is never changed; awaitables in it are awaited.
        content_type: the response's MIME type, by default ``text/html``.
        status: the response's status code, by default 200.
        using: the alias of the engine to load with; by default every engine is tried in turn.

    Raises:
        TemplateDoesNotExist: with the whole chain of what each engine tried.
        TypeError: when ``template_name`` is neither a string nor a list of strings.
    """
    content = await arender_to_string(template_name, context, request, using=using)
    return HttpResponse(content, content_type, status)


async def arender_to_string(
    template_name: str | list[str] | tuple[str, ...],
    context: Mapping[str, Any] | None = None,
    request: HttpRequest | None = None,
    using: str | None = None,
) -> str:
    """Load a template and render it to a string: the twin of ``loader.render_to_string``.

    Arguments and errors are those of `arender`.
    """
    if isinstance(template_name, (list, tuple)):
        template = await aselect_template(template_name, using=using)
    else:
        template = await aget_template(template_name, using=using)
    return await arender_loaded(template, context, request)


async def arender_loaded(
    template: Any, context: Mapping[str, Any] | None, request: HttpRequest | None
) -> str:
    """Render a backend template of any backend: on the event loop if it can, else in the thread."""
    if hasattr(template, "render_async"):
        return await template.render_async(context, request)  # type: ignore[no-any-return]
    return await _render_in_thread(template, context, request)


async def _render_in_thread(
    template: Any, context: Mapping[str, Any] | None = None, request: HttpRequest | None = None
) -> str:
    if isinstance(context, Mapping):
        # A copy: other backends write into the dict they get.
        context = await await_values(context, None)
    return await in_request_thread(template.render, context, request)


async def aget_template(template_name: str, using: str | None = None) -> AsyncTemplate:
    """Load the backend template called ``template_name`` without reading a disk on the loop.

    Raises:
        TemplateDoesNotExist: no engine has it; ``chain`` holds each engine's own error.
        TypeError: ``template_name`` is not a string.
        django.template.utils.InvalidTemplateEngineError: ``using`` names no engine.
    """
    if not isinstance(template_name, (str, Promise)):
        raise TypeError(
            f"A template name must be {type_names}, not "
            f"{type(template_name).__name__}: {template_name!r}."
        )
    chain = []
    # A lazy string: backends join names to paths, which takes a real one.
    template_name = str(template_name)
    for engine in await _engine_list(using):
        try:
            return await _load(engine, template_name)
        except TemplateDoesNotExist as error:
            chain.append(error)
    raise TemplateDoesNotExist(template_name, chain=chain)


async def aselect_template(
    template_names: Iterable[str], using: str | None = None
) -> AsyncTemplate:
    """Load the first of ``template_names`` that an engine has.

    Raises:
        TemplateDoesNotExist: none was found; ``chain`` holds what each engine tried.
        TypeError: ``template_names`` is a single string, or holds something else than strings.
    """
    if isinstance(template_names, str):
        raise TypeError(
            "aselect_template() takes an iterable of template names but got the string "
            f"{template_names!r}. Use aget_template() to load one template by its name."
        )
    if not isinstance(template_names, Iterable):
        raise TypeError(
            "aselect_template() takes an iterable of template names, not "
            f"{type(template_names).__name__}: {template_names!r}."
        )
    names = list(template_names)
    for name in names:
        if not isinstance(name, (str, Promise)):
            raise TypeError(
                f"A template name must be {type_names}; the list holds "
                f"{type(name).__name__}: {name!r}."
            )
    names = [str(name) for name in names]
    if not names:
        raise TemplateDoesNotExist("No template names provided")
    chain = []
    engine_list = await _engine_list(using)
    for name in names:
        for engine in engine_list:
            try:
                return await _load(engine, name)
            except TemplateDoesNotExist as error:
                chain.append(error)
    raise TemplateDoesNotExist(", ".join(names), chain=chain)


async def _load(engine: Any, template_name: str) -> AsyncTemplate:
    """Load with the engine's own coroutine, or in the request's thread if it has none."""
    aget = getattr(engine, "aget_template", None)
    if aget is not None:
        template = await aget(template_name)
    else:
        template = await in_request_thread(engine.get_template, template_name)
    return template if hasattr(template, "render_async") else _with_render_async(template)


def _with_render_async(template: Any) -> AsyncTemplate:
    """Give a template of a backend that knows no async what renders it in the thread."""
    render_async = partial(_render_in_thread, template)
    try:
        template.render_async = render_async
    except AttributeError:  # its class has slots
        return _ThreadedTemplate(template, render_async)
    return template  # type: ignore[no-any-return]


class _ThreadedTemplate:
    """A template whose object takes no attributes, and what renders it in the thread."""

    def __init__(self, template: Any, render_async: Any) -> None:
        self.template = template
        self.render_async = render_async

    def __getattr__(self, name: str) -> Any:
        return getattr(self.template, name)

    def render(self, context: Any = None, request: HttpRequest | None = None) -> str:
        return self.template.render(context, request)  # type: ignore[no-any-return]


async def _engine_list(using: str | None) -> list[Any]:
    """Return the engine called ``using``, or all; making one imports modules, so in the thread.

    Raises:
        InvalidTemplateEngineError: no engine has that name; the message lists those there are.
    """
    wanted = list(engines) if using is None else [using]
    if using is not None and using not in engines.templates:
        raise InvalidTemplateEngineError(
            f"There is no template engine {using!r} in settings.TEMPLATES. "
            f"Configured: {', '.join(map(repr, engines)) or 'none'}."
        )
    made = getattr(engines, "_engines", {})
    if all(alias in made for alias in wanted):
        return [made[alias] for alias in wanted]
    return await in_request_thread(lambda: [engines[alias] for alias in wanted])
