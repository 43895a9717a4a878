"""``async_mode="native"``: the plan of a template, run by a driver."""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable, Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.template.base import Template
from django.template.context import Context
from django.template.engine import Engine
from django.template.library import Library

from ..compiler.failures import stop_of
from ..compiler.foreign import write_back
from ..compiler.templates import callers, render_plan
from ..placement.routes import route_of
from ..relations.policy import check_policy, current_policy
from ..relations.render_relations import RenderRelations
from ..runtime import drivers
from ..runtime.state import Policy, State
from ..runtime.types import INERT, is_awaitable
from ..tags.inheritance import block_super
from .base import discard_awaitables, words_of
from .recording import RECORDER, observers_for, request_in
from .toolbar import driver

if TYPE_CHECKING:
    from ..migration.recorder import Recorder

POLICY_ATTRIBUTE = "atemplates_policy"
DEFAULT = Policy()


def set_policy(engine: Engine, policy: Policy) -> None:
    """Keep a backend's OPTIONS where templates of its engine find them."""
    setattr(engine, POLICY_ATTRIBUTE, policy)


def set_recorder(engine: Engine, recorder: Recorder | None) -> None:
    """Have renders of an engine's templates recorded."""
    setattr(engine, RECORDER, recorder)


def new_policy(engine: Engine, options: Mapping[str, Any], alias: str) -> Policy:
    """Make the policy of a backend from its OPTIONS.

    Raises:
        ImproperlyConfigured: ``inline_tags`` names no tag library.
    """
    modules = inline_modules(engine, options["inline_tags"], alias)
    return Policy(
        sync_tags=options["sync_tags"],
        inline_modules=modules,
        inline=registered_in(engine, modules),
        relations=options["relations"],
    )


def inline_modules(engine: Engine, names: Iterable[str], alias: str) -> frozenset[str]:
    """Return the modules of tag libraries, given by ``{% load %}`` name or by module.

    Raises:
        ImproperlyConfigured: there is no such library.
    """
    modules = set()
    for name in names:
        if name in engine.libraries:
            modules.add(engine.libraries[name])
        elif "." in name:
            modules.add(name)
        else:
            close = get_close_matches(name, engine.libraries, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise ImproperlyConfigured(
                f"TEMPLATES engine {alias!r}: OPTIONS['inline_tags'] names {name!r}, which is no "
                f"tag library.{hint} Known: {', '.join(sorted(engine.libraries))}."
            )
    return frozenset(modules)


def registered_in(engine: Engine, modules: frozenset[str]) -> frozenset[Any]:
    """Return what libraries register: the names of their tags, the functions of their filters.

    The class of a tag's node may be defined anywhere. A name that another library registers as
    well is left out, since a node does not tell which of them made it.

    Args:
        modules: the libraries' modules.
    """
    libraries: dict[str, Library] = {
        module: engine.template_libraries[name] for name, module in engine.libraries.items()
    }
    libraries.update(zip(engine.builtins, engine.template_builtins, strict=True))
    for module in modules - libraries.keys():
        library = getattr(sys.modules.get(module), "register", None)
        if isinstance(library, Library):
            libraries[module] = library
    chosen = [libraries[module] for module in modules if module in libraries]
    tags = {name: make for library in chosen for name, make in library.tags.items()}
    for library in libraries.values():
        for name, make in library.tags.items():
            if tags.get(name, make) is not make:
                del tags[name]
    filters = [function for library in chosen for function in library.filters.values()]
    return frozenset((*tags, *(each for each in filters if isinstance(each, Hashable))))


def new_state(
    template: Template, context: Context, on_loop: bool, relations: str | None = None
) -> State:
    """Make the state of one render."""
    engine = context.template.engine if context.template is not None else template.engine
    policy: Policy = getattr(engine, POLICY_ATTRIBUTE, DEFAULT)
    told, view = observers_for(
        getattr(engine, RECORDER, None),
        getattr(template, "name", None) or "",
        lambda: request_in(context),
    )
    return State(
        engine=engine,
        policy=policy,
        run=run_plan,
        arun=driver(),
        relations=RenderRelations(relations or current_policy(policy.relations), told, view),
        block_super=block_super,
        on_loop=on_loop,
        plain_integers=not settings.USE_THOUSAND_SEPARATOR,
        use_tz=settings.USE_TZ,
    )


def run_plan(plan: Any, driver: Callable[[Any], Any] = drivers.run) -> Any:
    """Run a plan by blocking; a `StopIteration` of a site's code gets out, as in stock Django."""
    try:
        return driver(plan)
    except RuntimeError as error:
        stop = stop_of(error)
        if stop is None:
            raise
    raise stop


def render_natively(
    template: Template,
    context: Context,
    values: dict[str, Any] | None = None,
    relations: str | None = None,
) -> str:
    """Render by blocking.

    Args:
        values: the caller's dict, whose unused coroutines are closed at the end.
        relations: a policy for this render, in place of the configured one.
    """
    state = new_state(template, context, False, relations and check_policy(relations))
    holds_awaitables = note_awaitables(state, template, values)
    try:
        with state.relations.watch.watching():
            plan = render_plan(state, template, context, callers(template, context))
            text: str = run_plan(plan, drivers.run_noticing)
        state.relations.check()
        return text
    finally:
        state.relations.finish()
        if state.awaited:
            write_back(state, context)  # what the test client shows as response.context
        if values and holds_awaitables:
            discard_awaitables(values)


async def arender_natively(
    template: Template,
    context: Context,
    values: dict[str, Any] | None = None,
    relations: str | None = None,
) -> str:
    """Render by awaiting; arguments as for `render_natively`."""
    state = new_state(template, context, True, relations and check_policy(relations))
    holds_awaitables = note_awaitables(state, template, values)
    try:
        route = route_of(template)
        begins_in_thread = state.begins_in_thread = route.begins_in_thread()
        state.lesson = not begins_in_thread and route.is_lesson()
        plan = render_plan(state, template, context, callers(template, context))
        text: str = await state.arun(plan, state)
        if not begins_in_thread:
            route.note(state.went, state.learning)
        state.relations.check()
        return text
    finally:
        state.relations.finish()
        if state.awaited:
            write_back(state, context)  # what the test client shows as response.context
        if values and holds_awaitables:
            discard_awaitables(values)


def note_awaitables(state: State, template: Any, values: dict[str, Any] | None) -> bool:
    """Find the awaitables that the template mentions, to await them at the same time.

    Returns:
        Whether there are awaitables at all.
    """
    if not values:
        return False
    awaitables = {
        name: value
        for name, value in values.items()
        if type(value) not in INERT and is_awaitable(value)
    }
    if awaitables:
        # A partial has no source of its own; what it mentions is awaited one after the other.
        words = words_of(str(template.source)) if isinstance(template, Template) else set()
        state.upcoming = {id(value): value for name, value in awaitables.items() if name in words}
    return bool(awaitables)
