"""The Django template backend: a drop-in for ``django.template.backends.django``."""

from __future__ import annotations

from functools import partial
from inspect import signature
from typing import TYPE_CHECKING, Any, NoReturn

from django.core.checks import CheckMessage
from django.http import HttpRequest
from django.template import TemplateDoesNotExist
from django.template.backends import django as stock
from django.template.base import Template as ParsedTemplate
from django.template.context import Context
from django.template.engine import Engine

from ..compiler.cached_loader import cached_template
from ..placement.records import carry
from ..runtime.drivers import in_request_thread
from ..runtime.forms import FormTemplates
from . import native, threaded
from .context import build_context
from .native import answer_toolbar, set_policy, set_recorder
from .options import (
    ALIAS,
    Option,
    complete_for,
    let_load,
    list_of_strings,
    new_recorder,
    path_or_none,
    read_options,
    set_plan_cache,
)
from .policies import new_policy
from .refusals import refusal_of, told_by_checks

if TYPE_CHECKING:
    from ..streaming.stream import TemplateChunks

DJANGO_OPTIONS = {
    "async_mode": Option("native", allowed=("native", "thread")),
    "inline_tags": Option((), check=list_of_strings, expected="a list of tag libraries"),
    "learned": Option(None, check=path_or_none, expected="None or the path of a file"),
    "plan_cache": Option(None, check=path_or_none, expected="None or the path of a folder"),
    "sync_tags": Option("auto", allowed=("auto", "thread", "inline")),
}


def engine_options(options: dict[str, Any]) -> set[str]:
    """The engine's arguments, less those that have settings of their own beside OPTIONS."""
    return set(signature(Engine).parameters) - {"dirs", "app_dirs"}


class DjangoTemplates(stock.DjangoTemplates):
    """Django's own backend, whose templates can also be rendered from async code.

    Takes the OPTIONS of ``django.template.backends.django.DjangoTemplates`` and:

    ``async_mode``
        ``"native"`` (default): templates are compiled, and rendered on the event loop by
        ``render_async()``. ``"thread"``: ``render()`` is Django's own, and ``render_async()`` runs
        it in the request's thread.
    ``sync_tags``
        Where tags, filters and context processors of others run. ``"auto"`` (default): in the
        request's thread, and on the loop once they have shown that they are quick and ask for no
        database. ``"thread"``: never on the loop. ``"inline"``: on the loop, until one asks for the
        database or takes long.
    ``inline_tags``
        Tag libraries (their names or modules) for which ``sync_tags`` is ``"inline"``.
    ``learned``
        The path of a file that carries what was learned of such code from one process to the
        next: read when the backend is made, written when the process ends. None (default): each
        process learns by itself.
    ``plan_cache``
        The path of a folder in which compiled templates are kept, for other processes: filled by
        ``manage.py atemplates compile``, and by every process that compiles one which is not there.
        None (default): each process compiles its own.
    ``parallel``
        How many querysets may be loaded at the same time, each on a database connection of its own.
        Above 1, ``render_async()`` begins with starting those of the context that the template
        certainly loads. 1 (default): each is loaded where the template needs it.
    ``relations``
        What to do about a relation that was not loaded: ``"batch"`` (default), ``"fetch"``,
        ``"warn"`` or ``"raise"``.
    ``stream``
        ``{"complete_for": function}``: which requests get their page whole from `astream`, given
        the request; also the path to import the function by, or None for no request. By default
        those of known crawlers do.
    ``recorder``
        ``{"file": path, "rate": 0.01}``: write what a share of the renders loads to a file, for
        ``manage.py atemplates lazy``. None (default): nothing is recorded.

    Raises:
        ImproperlyConfigured: an option is unknown or has a wrong value.
    """

    @told_by_checks
    def __init__(self, params: dict[str, Any]) -> None:
        params, own = read_options(params, DJANGO_OPTIONS, engine_options)
        self.async_mode: str = own["async_mode"]
        super().__init__(params)
        self.policy = new_policy(self.engine, own, self.name)
        let_load(self.policy.parallel)
        set_policy(self.engine, self.policy)
        setattr(self.engine, ALIAS, self.name)
        set_recorder(self.engine, new_recorder(own["recorder"]))
        set_plan_cache(self.engine, own["plan_cache"])
        self.complete_for = complete_for(own["stream"])
        if own["learned"] is not None:
            carry(own["learned"])
        answer_toolbar()

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        """Check the engine, for Django's system checks."""
        refused = refusal_of(self)
        return refused if refused is not None else super().check(**kwargs)

    def from_string(self, template_code: str) -> Template:
        """Return a template made from ``template_code``."""
        return Template(self.engine.from_string(template_code), self)

    def get_template(self, template_name: str) -> Template:
        """Load a template.

        Raises:
            TemplateDoesNotExist: with what was tried.
        """
        try:
            return Template(self.engine.get_template(template_name), self)
        except TemplateDoesNotExist as error:
            reraise(error, self)

    async def aget_template(self, template_name: str) -> Template:
        """Load a template without reading a disk on the event loop.

        Raises:
            TemplateDoesNotExist: with what was tried.
        """
        loaded = cached_template(self.engine, template_name)
        if loaded is not None:
            return Template(loaded, self)
        return await in_request_thread(self.get_template, template_name)


class Template(stock.Template):
    """A loaded template: ``render()`` for sync code, ``await render_async()`` for async code."""

    backend: DjangoTemplates  # pyright: ignore[reportIncompatibleVariableOverride]
    template: ParsedTemplate

    def render(
        self,
        context: dict[str, Any] | None = None,
        request: HttpRequest | None = None,
        *,
        relations: str | None = None,
    ) -> Any:
        """Render from sync code.

        Awaitables are awaited on a loop of their own.

        Args:
            relations: a policy for this render, in place of ``OPTIONS["relations"]``.

        Raises:
            TypeError: ``context`` is not a dict.
            ValueError: ``relations`` is no policy.
            RenderBlocked: something needs I/O and a loop is running in this thread.
        """
        try:
            if self.backend.async_mode == "native":
                text = native.constant_text(self.template, context, request, relations)
                if text is not None:
                    return text
                return native.render_natively(
                    self.template, self._context(context, request), context, relations
                )
            return threaded.render_in_thread(self.template, context, request)
        except TemplateDoesNotExist as error:
            reraise(error, self.backend)

    async def render_async(
        self,
        context: dict[str, Any] | None = None,
        request: HttpRequest | None = None,
        *,
        relations: str | None = None,
    ) -> Any:
        """Render from async code, with the same output as `render`.

        Args:
            context: the template's variables, never changed. Awaitables among its values are
                awaited concurrently; those the template does not use are closed.
            request: the current request; context processors receive it.
            relations: a policy for this render, in place of ``OPTIONS["relations"]``.

        Raises:
            TypeError: ``context`` is not a dict.
            ValueError: ``relations`` is no policy.
        """
        try:
            if self.backend.async_mode == "native":
                text = native.constant_text(self.template, context, request, relations)
                if text is not None:
                    return text
                made = self._context(context, request)
                return await native.arender_natively(self.template, made, context, relations)
            return await threaded.arender_in_thread(self.template, context, request)
        except TemplateDoesNotExist as error:
            reraise(error, self.backend)

    def stream_async(
        self,
        context: dict[str, Any] | None = None,
        request: HttpRequest | None = None,
        *,
        relations: str | None = None,
        out_of_order: bool = False,
    ) -> TemplateChunks:
        """Render from async code piece by piece: joined, the pieces are what `render_async` gives.

        A piece is there when the template has to wait. Awaitables of the context are begun
        together, and awaited one by one where the template comes to them.

        Arguments and errors are those of `render_async`, and:

        Args:
            out_of_order: whether what stands in ``{% defer %}`` follows when it is ready, and its
                placeholder stands in its place. Joined, the pieces are another text then.

        Returns:
            An asynchronous iterator of strings, to be read once. Close it (``aclose()``) if it is
            not read to its end.
        """
        from .streaming import chunks_of, only_chunk  # many a site sends its pages whole

        if self.backend.async_mode != "native":
            return only_chunk(partial(self.render_async, context, request), context)
        made = self._context(context, request)
        missing = partial(reraise, backend=self.backend)
        return chunks_of(self.template, made, context, relations, missing, out_of_order)

    async def page_words(self) -> frozenset[str] | None:
        """Return all words that the template mentions, and those that it includes and extends.

        Returns:
            None where some of these are not known before the page is rendered.
        """
        from .streaming import page_words  # only where one is streamed

        return await page_words(self.template)

    def _context(self, context: dict[str, Any] | None, request: HttpRequest | None) -> Context:
        return build_context(context, request, autoescape=self.backend.engine.autoescape)


FormTemplates.is_ours = lambda backend: (
    type(backend) is DjangoTemplates and backend.async_mode == "native"
)


def render_template(template: ParsedTemplate, context: Context) -> str:
    """Render a parsed template through its plan, from sync code.

    Args:
        template: what ``django.template.Template`` or an engine made.
        context: the context to render with; like Django's own ``Template.render``, tags may
            change it.

    Raises:
        RenderBlocked: something needs I/O and a loop is running in this thread.
    """
    return native.render_natively(template, context)


async def arender_template(template: ParsedTemplate, context: Context) -> str:
    """Render a parsed template through its plan, on the event loop.

    Arguments as for `render_template`.
    """
    return await native.arender_natively(template, context)


def reraise(error: TemplateDoesNotExist, backend: DjangoTemplates) -> NoReturn:
    """Raise ``error`` anew with ``backend`` set, keeping its debug information."""
    raise stock.copy_exception(error, backend) from error
