"""Jinja2's template class over plans, and what generated code does with other templates."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping
from functools import partial
from typing import Any

import jinja2
from jinja2 import runtime
from jinja2.environment import Template as StockTemplate
from jinja2.environment import TemplateModule
from jinja2.exceptions import TemplateError

from ..errors import LocatedError, Location
from ..runtime.drivers import arun, on_event_loop, run_noticing
from ..runtime.line_times import timing
from ..runtime.waits import Plan
from ..streaming.blocking import chunks_in_loop
from ..streaming.feed import Feed
from ..streaming.pieces import TemplatePieces
from ..streaming.sink import Sink
from .callables import render_function_plan
from .contexts import begun, gathered, rendering, traced
from .nested import finish, is_nested, outer_render
from .other_templates import begin_ahead, cached_jinja2_template, load_named
from .placed import carrying
from .sending import PageBeside, pieces_given, write_pieces
from .state import active, running_state
from .tracebacks import internal


class PlanTemplate(StockTemplate):
    """A compiled template whose code is a plan: it renders with and without an event loop."""

    _own_names: frozenset[str] = frozenset()
    _references: tuple[str, ...] = ()
    _certain: tuple[Any, ...] | None = None
    _has_defer = False
    _defers = False
    """Whether the page has parts that are rendered beside it, as far as that is known."""
    _timed_module: TemplateModule | None = None
    """What imports without context share where lines are timed."""
    _looks = 3
    """How often it is still looked whether it has. Threads may race: one looks once more."""

    @classmethod
    def _from_namespace(
        cls, environment: jinja2.Environment, namespace: Any, globals: Any
    ) -> StockTemplate:
        template: Any = super()._from_namespace(environment, namespace, globals)
        template._own_names = namespace.get("own_names", frozenset())
        template._references = namespace.get("references", ())
        template._certain = namespace.get("certain")
        template._has_defer = namespace.get("defers", False)
        return template  # type: ignore[no-any-return]

    def _names_used(self) -> set[str]:
        """Every name that this template, or a loaded one that it names, may use."""
        return {name for template in self._known_templates() for name in template._own_names}

    def _known_templates(self) -> Iterator[Any]:
        """This template, and those that it names, and they in turn, as far as they are loaded."""
        seen: set[int] = set()
        waiting: list[Any] = [self]
        while waiting:
            template = waiting.pop()
            if template is None or id(template) in seen:
                continue
            seen.add(id(template))
            yield template
            waiting.extend(
                cached_jinja2_template(
                    self.environment, self.environment.join_path(name, template.name)
                )
                for name in template._references
            )

    @internal
    def _load_references(self) -> Plan:
        """Load the templates that this one names, and those that they name, as far as there are.

        What is wrong with one is for the render to say, if it gets there.
        """
        seen: set[str] = set()
        waiting: list[Any] = [self]
        while waiting:
            template = waiting.pop()
            for name in template._references:
                name = self.environment.join_path(name, template.name)
                if name in seen:
                    continue
                seen.add(name)
                try:
                    loaded = yield from load_named(self.environment, "get_template", name, None)
                except TemplateError:
                    continue
                waiting.append(loaded)

    @internal
    def _rendered(self, context: runtime.Context) -> Plan:
        """The plan of a whole render; returns the output."""
        return self.environment.concat((yield from self._pieces(context)))

    def render(self, *args: Any, **kwargs: Any) -> Any:
        """Render without an event loop (in an async environment: with one of its own).

        For Python code that an async render calls, this is a part of that render.
        """
        if self.environment.is_async and outer_render() is None:
            return StockTemplate.render(self, *args, **kwargs)
        context = self.new_context(dict(*args, **kwargs))
        try:
            return run_noticing(self._rendered(context), finish)
        except Exception:
            self.environment.handle_exception()

    async def render_async(self, *args: Any, **kwargs: Any) -> Any:
        """Render on the event loop."""
        self._require_async()
        context = self.new_context(dict(*args, **kwargs))
        try:
            if (self._looks or self._defers) and self._defers_parts() and not self._is_whole():
                sink = Sink()
                await self._write(context, sink)
                return sink.take()
            return await arun(self._rendered(context), carrying)
        except Exception:
            self.environment.handle_exception()

    def _require_async(self) -> None:
        """Raise stock Jinja2's error in an environment that is not async."""
        if not self.environment.is_async:
            raise RuntimeError("The environment was not created with async mode enabled.")

    @internal
    def _pieces(self, context: runtime.Context) -> Plan:
        """The plan of a render that returns the pieces of the output."""
        pieces: list[str] = []
        with rendering(context) as state:
            try:
                if state.told:
                    yield from traced(state, self._filled(context, pieces))
                    return pieces
                begin_ahead(context, self)
                yield from gathered(context, self)
                plan = render_function_plan(self.root_render_func)(context, pieces)
                yield from plan if state.lines is None else state.lines.timed(plan)
            except LocatedError as error:
                locate_error(error)
                raise
        return pieces

    @internal
    def _filled(self, context: runtime.Context, pieces: list[str]) -> Plan:
        """The plan of a render that somebody is told of."""
        state = running_state()
        begin_ahead(context, self)
        yield from gathered(context, self)
        plan = render_function_plan(self.root_render_func)(context, pieces)
        yield from plan if state.lines is None else state.lines.timed(plan)

    @internal
    def _sent(
        self,
        context: runtime.Context,
        pieces: list[str],
        beside: PageBeside | None = None,
    ) -> Plan:
        """The plan of a render that writes each piece of the output as soon as it is there.

        Args:
            context: what the template sees.
            pieces: what is written to.
            beside: what goes on beside the plan.
        """
        with rendering(context) as state:
            if beside is not None:
                beside.enter(state)
            try:
                sent = self._written(context, pieces, beside)
                if state.told:
                    sent = traced(state, sent, None if beside is None else beside.feed)
                yield from sent
            except LocatedError as error:
                locate_error(error)
                raise

    @internal
    def _written(
        self, context: runtime.Context, pieces: list[str], beside: PageBeside | None
    ) -> Plan:
        state = running_state()
        begin_ahead(context, self)
        yield from begun(context, self)
        plan = write_pieces(context, self.root_render_func, pieces)
        yield from plan if state.lines is None else state.lines.timed(plan)
        if beside is not None:
            yield from beside.end()

    def _is_whole(self) -> bool:
        """Whether the output is no text, so that nothing can be sent before its end."""
        return self.environment.concat is not jinja2.Environment.concat

    async def _send(self, values: dict[str, Any], feed: Feed) -> None:
        """Render into a feed."""
        context = self.new_context(values)
        try:
            if self._is_whole():
                feed.sink.append(str(await arun(self._rendered(context), carrying)))
            else:
                await self._write(context, feed.sink, feed)
        except Exception:
            self.environment.handle_exception()

    async def _write(self, context: runtime.Context, sink: Sink, feed: Feed | None = None) -> None:
        """Render into a sink, with the parts of the page that are rendered beside it."""
        beside = PageBeside(feed)
        try:
            await arun(self._sent(context, sink, beside), carrying)
        finally:
            await beside.leave()

    def _defers_parts(self) -> bool:
        """Whether there is a ``{% defer %}`` in this template, or in one that it refers to."""
        if self._looks > 0:
            self._looks -= 1  # those that it refers to are loaded while it is rendered
            self._defers = any(template._has_defer for template in self._known_templates())
        return self._defers

    def generate(self, *args: Any, **kwargs: Any) -> Iterator[str]:
        """Give the output in pieces, as they are there: what follows is rendered after that.

        In an async environment each piece is what there is when the template has to wait.
        """
        if self.environment.is_async and outer_render() is None:
            yield from self._generate_in_loop(dict(*args, **kwargs))
            return
        context = self.new_context(dict(*args, **kwargs))
        try:
            if self._is_whole() or self.environment.is_async or is_nested():
                yield from finish(self._pieces(context))
            else:
                pieces: list[str] = []
                yield from pieces_given(self._sent(context, pieces), pieces)
        except Exception:
            self.environment.handle_exception()

    def _generate_in_loop(self, values: dict[str, Any]) -> Iterator[str]:
        """Give the pieces of an async environment's template from sync code."""
        yield from chunks_in_loop(lambda: self.generate_async(values))

    async def generate_async(self, *args: Any, **kwargs: Any) -> AsyncGenerator[str, object]:
        """Give the output in pieces: those that there are when the template has to wait."""
        self._require_async()
        values = dict(*args, **kwargs)
        if self._is_whole() or not on_event_loop():  # another library's loop, perhaps
            try:
                pieces = await arun(self._pieces(self.new_context(values)), carrying)
            except Exception:
                self.environment.handle_exception()
            for piece in pieces:
                yield piece
            return
        sent = TemplatePieces(partial(self._send, values))
        try:
            async for piece in sent:
                yield piece
        finally:
            await sent.aclose()

    @internal
    def _module_made(self, context: runtime.Context) -> Plan:
        """The plan that makes a module (what ``{% import %}`` gives) of a context."""
        pieces: list[str] = []
        if active.get() is None:
            pieces = yield from self._pieces(context)
        else:
            yield from gathered(context, self)
            yield from render_function_plan(self.root_render_func)(context, pieces)
        return TemplateModule(self, context, pieces)

    @internal
    def _default_module(self, context: runtime.Context | None = None) -> Plan:
        """The plan of the module that imports without context share.

        A module that sees globals of the importing template is made anew each time.
        """
        if context is not None:
            names = context.globals_keys - self.globals.keys()
            if names:
                values = {name: context.parent[name] for name in names}
                return (yield from self._module_made(self.new_context(values)))
        if timing.used and running_state().lines is not None:
            if self._timed_module is None:
                self._timed_module = yield from self._module_made(self.new_context())
            return self._timed_module
        if self._module is None:
            self._module = yield from self._module_made(self.new_context())
        return self._module

    def make_module(
        self, vars: Any = None, shared: bool = False, locals: Mapping[str, Any] | None = None
    ) -> TemplateModule:
        """Make a module without an event loop."""
        return finish(self._module_made(self.new_context(vars, shared, locals)))  # type: ignore[no-any-return]

    async def make_module_async(
        self, vars: Any = None, shared: bool = False, locals: Mapping[str, Any] | None = None
    ) -> TemplateModule:
        """Make a module on the event loop."""
        return await arun(self._module_made(self.new_context(vars, shared, locals)))  # type: ignore[no-any-return]

    @internal
    def _get_default_module(self, ctx: Any = None) -> TemplateModule:
        if self.environment.is_async and outer_render() is None:
            raise RuntimeError("Module is not available in async mode.")
        return finish(self._default_module(ctx))  # type: ignore[no-any-return]

    async def _get_default_module_async(self, ctx: Any = None) -> TemplateModule:
        return await arun(self._default_module(ctx))  # type: ignore[no-any-return]


def locate_error(error: LocatedError) -> None:
    """Note the template's line in an error of ours, from its traceback."""
    if error.location is not None:
        return
    trace = error.__traceback__
    while trace is not None:
        template = trace.tb_frame.f_globals.get("__jinja_template__")
        if template is not None:
            line = template.get_corresponding_lineno(trace.tb_lineno)
            file = template.filename or ""
            error.location = Location(template.name or "<template>", line, file=file)
        trace = trace.tb_next
