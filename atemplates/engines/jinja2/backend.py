"""The backend itself: one configured environment that gives a sync and an async mode."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from functools import cached_property, partial
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, NoReturn

import jinja2
from django.core.checks import CheckMessage
from django.http import HttpRequest
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.backends import jinja2 as stock
from django.utils.module_loading import import_string

from ...jinja2.other_templates import AHEAD, cached_jinja2_template
from ...jinja2.state import YIELD_AFTER_ATTRIBUTE
from ...relations.policy import relations as policy_for_this_render
from ...runtime.drivers import in_request_thread
from ..base import discard_awaitables
from ..options import ALIAS, RECORDER, complete_for, let_load, new_recorder, read_options
from ..refusals import refusal_of, told_by_checks
from .plans import use_plans
from .processors import add_request, aprocess, copied, process
from .relations import POLICY

if TYPE_CHECKING:
    from ...streaming.feed import Feed
    from ...streaming.stream import TemplateChunks

default_environment = "atemplates.engines.jinja2.environment.environment"


class Jinja2(stock.Jinja2):
    """Django's own Jinja2 backend, whose templates can also be rendered from async code.

    Takes the OPTIONS of ``django.template.backends.jinja2.Jinja2``: ``context_processors``, and
    ``environment``, which is called with all others. When there is no ``environment``, it is
    `atemplates.engines.jinja2.environment.environment`.

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
    ``yield_after``
        After how many seconds of computing ``render_async()`` gives the event loop its turn, in the
        midst of a loop of the template. 0.01 by default; None: not before it has to wait.

    `env` is the configured environment as it was made, for whoever wants to add to it or to
    render without the backend. Templates of the backend are compiled by two overlays of it:
    `sync_env` for ``render()``, and `async_env`, in Jinja2's async mode, for ``render_async()``.

    Raises:
        ImproperlyConfigured: an option is unknown.
    """

    async_mode = "async"

    @told_by_checks
    def __init__(self, params: dict[str, Any]) -> None:
        params, own = read_options(params, {}, environment_options, environment=default_environment)
        super().__init__(params)
        self.sync_env = use_plans(self.env.overlay(enable_async=False))
        self.async_env = use_plans(self.env.overlay(enable_async=True))
        self.complete_for = complete_for(own["stream"])
        let_load(own["parallel"])
        if own["parallel"] > 1:
            from .beginning import begin_page  # only where something is loaded ahead

            setattr(self.async_env, AHEAD, begin_page)
        recorder = new_recorder(own["recorder"])
        for environment in (self.sync_env, self.async_env):
            setattr(environment, POLICY, own["relations"])
            setattr(environment, YIELD_AFTER_ATTRIBUTE, own["yield_after"])
            setattr(environment, RECORDER, recorder)
            setattr(environment, ALIAS, self.name)

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        """Check the engine, for Django's system checks."""
        refused = refusal_of(self)
        return refused if refused is not None else super().check(**kwargs)

    def from_string(self, template_code: str) -> Jinja2Template:
        """Return a template made from ``template_code``."""
        return Jinja2Template(self, self.sync_env.from_string(template_code), source=template_code)

    def get_template(self, template_name: str) -> Jinja2Template:
        """Load a template.

        Raises:
            TemplateDoesNotExist: there is none of that name.
            TemplateSyntaxError: it does not parse.
        """
        return Jinja2Template(self, self.load(self.sync_env, template_name))

    async def aget_template(self, template_name: str) -> Jinja2Template:
        """Load a template without reading a disk on the event loop; errors as `get_template`."""
        loaded = cached_jinja2_template(self.async_env, template_name)
        if loaded is None:
            loaded = await in_request_thread(self.load, self.async_env, template_name)
        return Jinja2Template(self, loaded)

    def load(self, environment: jinja2.Environment, name: str) -> jinja2.Template:
        """Load a template from one of the environments, with Django's errors."""
        try:
            return environment.get_template(name)
        except jinja2.TemplateNotFound as error:
            raise TemplateDoesNotExist(str(error.name), backend=self) from error
        except jinja2.TemplateSyntaxError as error:
            raise_as_django(error)


class Jinja2Template(stock.Template):
    """A loaded template: ``render()`` for sync code, ``await render_async()`` for async code."""

    backend: Jinja2  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(self, backend: Jinja2, loaded: jinja2.Template, source: str | None = None) -> None:
        self.backend = backend  # pyright: ignore[reportIncompatibleVariableOverride]
        self.loaded = loaded
        self.source = source
        self.origin = stock.Origin(
            name=loaded.filename,  # type: ignore[arg-type]  # None for one without a file
            template_name=loaded.name,
        )

    @cached_property
    def template(self) -> jinja2.Template:  # type: ignore[override]
        """Jinja2's template for sync code; loaded when it is first asked for."""
        return self.in_environment(self.backend.sync_env)

    @cached_property
    def async_template(self) -> jinja2.Template:
        """Jinja2's template for async code; loaded when it is first asked for."""
        return self.in_environment(self.backend.async_env)

    def in_environment(self, environment: jinja2.Environment) -> jinja2.Template:
        if self.loaded.environment is environment:
            return self.loaded
        if self.source is not None:
            return environment.from_string(self.source)
        assert self.loaded.name is not None
        return self.backend.load(environment, self.loaded.name)

    def render(
        self,
        context: Mapping[str, Any] | None = None,
        request: HttpRequest | None = None,
        relations: str | None = None,
    ) -> Any:
        """Render from sync code; ``context`` is not changed.

        No event loop is started unless something has to be awaited. The arguments are those of
        `render_async`.

        Raises:
            TypeError: ``context`` is not a mapping.
            ValueError: ``relations`` is no policy.
            TemplateSyntaxError: a template it includes or extends does not parse.
            RenderBlocked: something needs I/O and a loop is running in this thread.
        """
        values = copied(context)
        if request is not None:
            add_request(values, request)
            process(values, request, self.backend.template_context_processors)
        try:
            with chosen(relations):
                return self.template.render(values)
        except jinja2.TemplateSyntaxError as error:
            raise_as_django(error)

    async def render_async(
        self,
        context: Mapping[str, Any] | None = None,
        request: HttpRequest | None = None,
        relations: str | None = None,
    ) -> Any:
        """Render on the event loop, with the same output as `render`.

        Args:
            context: the template's variables, never changed. Awaitables among its values are
                awaited concurrently; those the template does not use are closed.
            request: the current request; context processors receive it.
            relations: a policy for this render, in place of ``OPTIONS["relations"]``.

        Raises:
            TypeError: ``context`` is not a mapping.
            ValueError: ``relations`` is no policy.
            TemplateSyntaxError: a template it includes or extends does not parse.
        """
        values = copied(context)
        try:
            if request is not None or "async_template" not in vars(self):
                await self._prepare(values, request)
            with chosen(relations):
                return await self.async_template.render_async(values)
        except jinja2.TemplateSyntaxError as error:
            raise_as_django(error)
        except BaseException:
            discard_awaitables(values)
            raise

    def stream_async(
        self,
        context: Mapping[str, Any] | None = None,
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
        from ...streaming.out_of_order import OutOfOrder
        from ...streaming.stream import TemplateChunks  # many a site sends its pages whole

        values = copied(context)

        async def render(feed: Feed) -> None:
            async with self._errors(values):
                loaded: Any = await self._prepare(values, request)
                with chosen(relations):
                    await loaded._send(values, feed)

        order = OutOfOrder() if out_of_order else None
        return TemplateChunks(render, partial(discard_awaitables, values), order)

    async def page_words(self) -> frozenset[str] | None:
        """Return all words that the template mentions, and those that it refers to.

        Returns:
            None where some of these are not known before the page is rendered.
        """
        from .page_words import WORDS_ATTRIBUTE, words_of_templates  # only where one is streamed

        held = vars(self.loaded)
        if WORDS_ATTRIBUTE not in held:
            held[WORDS_ATTRIBUTE] = await in_request_thread(
                words_of_templates, self.loaded.environment, self.loaded.name, self.source
            )
        return held[WORDS_ATTRIBUTE]  # type: ignore[no-any-return]

    async def _prepare(
        self, values: dict[str, Any], request: HttpRequest | None
    ) -> jinja2.Template:
        """Add what the request brings to a context; return the template to render with it."""
        if request is not None:
            add_request(values, request)
            await aprocess(values, request, self.backend.template_context_processors)
        if "async_template" not in vars(self) and self.loaded.environment.is_async is False:
            await in_request_thread(getattr, self, "async_template")
        return self.async_template

    @asynccontextmanager
    async def _errors(self, values: dict[str, Any]) -> AsyncIterator[None]:
        """Raise Django's errors in the place of Jinja2's; close what an error leaves unused."""
        try:
            yield
        except jinja2.TemplateSyntaxError as error:
            raise_as_django(error)
        except BaseException:
            discard_awaitables(values)
            raise


def chosen(relations: str | None) -> AbstractContextManager[None]:
    """Render with a policy of this render's own, if one was given."""
    return nullcontext() if relations is None else policy_for_this_render(relations)


def environment_options(options: dict[str, Any]) -> set[str] | None:
    """The names of the options that the environment takes.

    A callable with ``**options`` may take options of its own, so nothing is known to be wrong;
    unless it is ours, or Jinja2's class, whose options are known.

    Returns:
        The names, or None when any may be right.
    """
    allowed = {"environment", "context_processors"}
    environment = import_string(options["environment"])
    for name, parameter in signature(environment).parameters.items():
        if parameter.kind is not Parameter.VAR_KEYWORD:
            allowed.add(name)
        elif options["environment"] == default_environment:
            allowed |= signature(jinja2.Environment).parameters.keys()
        else:
            return None
    return allowed


def raise_as_django(error: jinja2.TemplateSyntaxError) -> NoReturn:
    """Raise a Jinja2 syntax error as Django's, with the information for the debug page."""
    new = TemplateSyntaxError(error.args)
    new.template_debug = stock.get_exception_info(error)  # type: ignore[attr-defined,arg-type]
    raise new from error
