"""``async_mode="native"``: the plan of a template, run by a driver."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.conf import settings
from django.template.base import Template
from django.template.context import Context
from django.template.engine import Engine

from ..compiler.failures import find_stop_iteration
from ..compiler.foreign import write_back
from ..compiler.mentions import mentioned_first, mentions_of
from ..compiler.nodes import use_families
from ..compiler.plan import OUTPUT_ATTRIBUTE, compiled_template
from ..compiler.templates import is_as_shipped, outermost_plan, repeated_template_plan
from ..placement.routes import route_of
from ..relations.policy import check_policy, current_policy, observers
from ..runtime import drivers
from ..runtime.forms import FormTemplates
from ..runtime.line_times import line_times, timing
from ..runtime.loading import forget_loadings, is_loading
from ..runtime.policy import POLICIES, STRICT, Policy
from ..runtime.state import State
from ..runtime.tracing import tracing_of
from ..runtime.types import INERT, is_awaitable
from ..runtime.waits import Plan
from ..tags import FAMILIES
from ..tags.defer import note_deferred
from ..tags.inheritance import block_super
from .base import discard_awaitables
from .beside import load_beside
from .options import RECORDER

if TYPE_CHECKING:
    from ..migration.recorder import Recorder
    from ..relations.policy import Observer
    from ..relations.render_relations import RenderRelations
    from ..runtime.tracing import Tracing

use_families(FAMILIES)
FormTemplates.plan = repeated_template_plan
FormTemplates.compiled = compiled_template
load_beside()

POLICY_ATTRIBUTE = "atemplates_policy"
DEFAULT = Policy()
TOOLBAR = "debug_toolbar"

loop_driver: Callable[[Plan, State], Awaitable[Any]] = drivers.arun
"""Runs plans on the event loop. A thread that makes a backend may put the toolbar's in its place;
a render keeps the one that it began with."""


def answer_toolbar() -> None:
    """Have django-debug-toolbar ask us, where it is installed. Called when a backend is made."""
    global loop_driver
    if apps.models_ready and apps.is_installed(TOOLBAR):
        from . import toolbar  # only where there is one

        if toolbar.answer_modules():
            loop_driver = toolbar.arun_shown


def set_policy(engine: Engine, policy: Policy) -> None:
    """Keep a backend's OPTIONS where templates of its engine find them."""
    setattr(engine, POLICY_ATTRIBUTE, policy)


def set_recorder(engine: Engine, recorder: Recorder | None) -> None:
    """Have renders of an engine's templates recorded."""
    setattr(engine, RECORDER, recorder)


def is_debugging() -> bool:
    """Whether the site has DEBUG on: few pages ask."""
    return bool(settings.DEBUG)


def new_state(
    template: Template, context: Context, on_loop: bool, relations: str | None = None
) -> State:
    """Make the state of one render.

    Args:
        relations: a policy for this render, in place of the configured one.
    """
    engine = context.template.engine if context.template is not None else template.engine
    policy: Policy = getattr(engine, POLICY_ATTRIBUTE, DEFAULT)
    relations = relations or current_policy(policy.relations)
    told, view, name = observers(), "", ""
    run: Callable[..., Any] = run_plan
    arun = loop_driver
    is_told: bool | Tracing = relations in STRICT
    recorder = getattr(engine, RECORDER, None)
    if told or recorder is not None:
        # Only where somebody wants to know.
        from .recording import begin_django_trace, observers_for, request_in

        name = getattr(template, "name", None) or ""
        told, view = observers_for(recorder, name, lambda: request_in(context))
        told, tracing = begin_django_trace(told, template, context, view, on_loop)
        is_told = tracing or is_told or bool(told)
        if tracing is not None:
            tracing.driven_by(run, arun)
            run, arun = tracing.run, tracing.arun
    state = State(
        engine=engine,
        policy=policy,
        run=run,
        arun=arun,
        new_relations=(
            partial(new_relations, relations, told, view, name) if told else UNTOLD[relations]
        ),
        block_super=block_super,
        on_loop=on_loop,
        plain_integers=not settings.USE_THOUSAND_SEPARATOR,
        use_tz=settings.USE_TZ,
        is_debugging=is_debugging,
        told=is_told,
    )
    if timing.used and (times := line_times()) is not None:
        times.new_clock().lead(state)
    if on_loop and policy.parallel > 1:
        from .beginning import begin_loads  # only where something is loaded ahead

        state.ahead = begin_loads
    if state.told:
        _ = state.relations  # there from the start, to see each query
        state.write_to(None)
    return state


def new_relations(
    policy: str, told: tuple[Observer, ...], view: str = "", rendered: str = ""
) -> RenderRelations:
    """Make what a render does about relations, when it meets the first one."""
    global relations_class
    if relations_class is None:
        from ..relations.render_relations import RenderRelations  # many a process never needs it

        relations_class = RenderRelations
    return relations_class(policy, told, view, rendered)


relations_class: type[RenderRelations] | None = None
"""The class, once it was needed: importing it each time takes as long as a page's first lookups.
Threads may race for it: they write the same."""


UNTOLD = {policy: partial(new_relations, policy, ()) for policy in POLICIES}
"""The same for each policy, where nobody is told of loads."""


def run_plan(plan: Plan, driver: Callable[[Plan], Any] = drivers.run) -> Any:
    """Run a plan by blocking; a `StopIteration` of a site's code gets out, as in stock Django."""
    try:
        return driver(plan)
    except RuntimeError as error:
        stop = find_stop_iteration(error)
        if stop is None:
            raise
    raise stop


class NativeRender:
    """What is around the plan of one render, whoever runs it: a context manager.

    Args:
        values: the caller's dict, whose unused coroutines are closed at the end.
        relations: a policy for this render, in place of the configured one.
        on_loop: whether it begins on an event loop.
    """

    __slots__ = ("context", "state", "template", "unused", "values")

    def __init__(
        self,
        template: Template,
        context: Context,
        values: dict[str, Any] | None,
        relations: str | None,
        on_loop: bool,
    ) -> None:
        self.template = template
        self.context = context
        self.values = values
        state = new_state(template, context, on_loop, relations and check_policy(relations))
        self.state = state
        self.unused = note_awaitables(state, template, values) if values else False
        """Whether the caller's dict holds awaitables, which may not be used."""

    def plan(self) -> Plan:
        """Return the template's plan."""
        plan = outermost_plan(self.state, self.template, self.context)
        if self.state.unmentioned:
            plan = mentioned_first(self.state, self.template, plan)
        lines = self.state.lines
        return plan if lines is None else lines.timed(plan)

    def __enter__(self) -> State:
        return self.state

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        """Take back what the render has changed, and close what it has not awaited.

        Raises:
            LazyAccessError: under ``relations="raise"``, where Python code has caught it.
        """
        self.end(error)

    def end(self, error: BaseException | None = None) -> None:
        """Do the same where there is no ``with``, which takes longer."""
        state = self.state
        try:
            if error is None and state.uses_relations:
                state.relations.check()
        except BaseException as refused:
            error = refused
            raise
        finally:
            if state.uses_relations:
                state.relations.finish()
                if state.told:
                    self.end_trace(error)
            if state.started:
                # What an error has left: the next page that has the queryset asks anew.
                forget_loadings(state.started)
            if state.awaited:
                write_back(state, self.context)  # what the test client shows as response.context
            if self.values and self.unused:
                discard_awaitables(self.values)

    def end_trace(self, error: BaseException | None) -> None:
        """Tell what traces the render that it has ended, and what was raised."""
        tracing = tracing_of(self.state.told)
        if tracing is not None:
            tracing.end(error)


def render_natively(
    template: Template,
    context: Context,
    values: dict[str, Any] | None = None,
    relations: str | None = None,
) -> str:
    """Render by blocking; arguments as for `NativeRender`."""
    render = NativeRender(template, context, values, relations, on_loop=False)
    state = render.state
    try:
        if state.uses_relations:
            tracing = tracing_of(state.told)
            run = run_plan if tracing is None else tracing.run
            with state.in_thread():
                text: str = run(render.plan(), drivers.run_noticing)
        else:
            text = run_plan(render.plan(), drivers.run_noticing)
    except BaseException as error:
        render.end(error)
        raise
    render.end()
    return text


async def arender_natively(
    template: Template,
    context: Context,
    values: dict[str, Any] | None = None,
    relations: str | None = None,
) -> str:
    """Render by awaiting; arguments as for `NativeRender`."""
    render = NativeRender(template, context, values, relations, on_loop=True)
    state = render.state
    route = route_of(template)
    if route.has_parts is not False and (route.has_parts or note_deferred(template)):
        from .streaming import write_parts  # only where there are some

        return await write_parts(render)
    try:
        begins_in_thread = state.begins_in_thread = route.begins_in_thread()
        state.lesson = not begins_in_thread and route.is_lesson()
        text: str = await state.arun(render.plan(), state)
        if not begins_in_thread:
            route.note(state.went, state.learning)
    except BaseException as error:
        render.end(error)
        raise
    render.end()
    return text


def constant_text(
    template: Template, values: dict[str, Any] | None, request: Any, relations: str | None
) -> str | None:
    """Return the output of a template that has nothing but text; None for any other.

    Args:
        values: the caller's dict.
    """
    text: str | None = template.nodelist.__dict__.get(OUTPUT_ATTRIBUTE)
    if text is None or request is not None or relations is not None:
        return None
    if not (values is None or type(values) is dict) or not is_as_shipped(template):
        return None
    engine = template.engine
    if getattr(engine, RECORDER, None) is not None or observers() or line_times() is not None:
        return None
    if values and not INERT.issuperset(map(type, values.values())):
        discard_awaitables(values)
    return text


def note_awaitables(state: State, template: Any, values: dict[str, Any]) -> bool:
    """Find the awaitables that the template mentions, to await them at the same time.

    The templates that it refers to are asked for the others, before the plan begins or when they
    are met.

    Returns:
        Whether there are awaitables at all.
    """
    if INERT.issuperset(map(type, values.values())):
        return False
    awaitables = {
        name: value
        for name, value in values.items()
        if type(value) not in INERT and is_awaitable(value)
    }
    if awaitables:
        words = mentions_of(template).words
        # A load is under way by itself, and waited for where it is needed.
        awaited = {name: value for name, value in awaitables.items() if not is_loading(value)}
        state.upcoming = {id(value): value for name, value in awaited.items() if name in words}
        if len(awaited) > 1:  # there is something to be awaited together with
            state.unmentioned = {
                name: value for name, value in awaited.items() if name not in words
            }
    return bool(awaitables)
