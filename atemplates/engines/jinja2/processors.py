"""Context processors on the event loop: awaited, run inline, or run in the request's thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Any, TypeAlias

from django.core.exceptions import SynchronousOnlyOperation
from django.http import HttpRequest
from django.template.backends.utils import csrf_input_lazy, csrf_token_lazy

from ...compiler.templates import processor_code
from ...placement.records import is_trusted, noted
from ...placement.trials import LEAVE, attempt
from ...runtime.drivers import in_request_thread, wait_for
from ...runtime.types import is_awaitable, is_coroutine_function, is_django
from ..context import merge_processor_result

Processor: TypeAlias = Callable[[HttpRequest], Any]


def copied(context: Mapping[str, Any] | None) -> dict[str, Any]:
    """Copy a caller's context, so that it is never changed.

    Raises:
        TypeError: it is not a mapping.
    """
    if context is None:
        return {}
    if not isinstance(context, Mapping):
        raise TypeError(f"context must be a dict rather than {type(context).__name__}.")
    return dict(context)


def add_request(values: dict[str, Any], request: HttpRequest) -> None:
    """Add what Django's own Jinja2 backend adds for a request."""
    values["request"] = request
    values["csrf_input"] = csrf_input_lazy(request)
    values["csrf_token"] = csrf_token_lazy(request)


def process(values: dict[str, Any], request: HttpRequest, processors: Iterable[Processor]) -> None:
    """Add what the context processors give, from sync code.

    Raises:
        TypeError: a processor did not give a dictionary.
    """
    for processor in processors:
        result = processor(request)
        if is_awaitable(result):
            result = wait_for(result, f"the context processor {processor!r}")
        merge_processor_result(values, processor, result)


async def aprocess(
    values: dict[str, Any], request: HttpRequest, processors: Iterable[Processor]
) -> None:
    """Add what the context processors give, in their order, without blocking the loop.

    Django's own run inline: they make lazy objects and do not query. Sync ones of others run in the
    request's thread, neighbours of them in one hop, until they have shown that they are quick and
    ask for nothing.

    Raises:
        TypeError: a processor did not give a dictionary.
    """
    for inline, group in groupby(processors, key=runs_inline):
        several = list(group)
        if inline:
            for processor in several:
                await add_result(values, processor, await result_on_loop(processor, request))
            continue
        while several and (result := tried(several[0], request)) is not LEAVE:
            await add_result(values, several.pop(0), result)
        if several:
            for processor, result in await in_request_thread(results_of, several, request):
                await add_result(values, processor, result)


def runs_inline(processor: Processor) -> bool:
    """Whether a processor may be called on the event loop."""
    return is_coroutine_function(processor) or is_django(getattr(processor, "__module__", ""))


async def result_on_loop(processor: Processor, request: HttpRequest) -> Any:
    try:
        return processor(request)
    except SynchronousOnlyOperation:
        return await in_request_thread(processor, request)


def results_of(processors: list[Processor], request: HttpRequest) -> list[tuple[Processor, Any]]:
    """Call processors; one that raises ends the list, as the exception of that place."""
    return [
        (processor, noted(processor_code(processor), processor, request))
        for processor in processors
    ]


def tried(processor: Processor, request: HttpRequest) -> Any:
    """What a context processor gives on the loop, or `LEAVE` if it belongs in the thread."""
    code = processor_code(processor)
    if not is_trusted(code):
        return LEAVE
    return attempt(code, processor, (request,), None, (request,))


async def add_result(values: dict[str, Any], processor: Processor, result: Any) -> None:
    if is_awaitable(result):
        result = await result
    merge_processor_result(values, processor, result)
