"""Turning an environment into one whose templates are plans, whoever has configured it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, ClassVar

import jinja2
from jinja2.ext import Extension

from . import filters, tests
from .bytecode import PlanBytecodeCache
from .codegen import generator_for
from .contexts import Context
from .defer import DeferExtension
from .flush import FlushExtension
from .parallel import ParallelExtension
from .state import RelationsSource, seam
from .template_texts import TextExtension
from .templates import PlanTemplate

ADDED_EXTENSIONS: tuple[type[Extension], ...] = (
    TextExtension,
    ParallelExtension,
    FlushExtension,
    DeferExtension,
)


class ReplacingMap(MutableMapping[str, Callable[..., Any]]):
    """An environment's functions of one kind, with ours in the place of Jinja2's own.

    What the user has registered is left alone, also when it is registered later.
    """

    replaced: ClassVar[dict[Any, Any]]

    def __init__(self, registered: MutableMapping[str, Callable[..., Any]]) -> None:
        self.registered = registered

    def __getitem__(self, name: str) -> Callable[..., Any]:
        function = self.registered[name]
        try:
            return self.replaced.get(function, function)  # type: ignore[no-any-return]
        except TypeError:  # a callable object without a hash is the user's own
            return function

    def __setitem__(self, name: str, function: Callable[..., Any]) -> None:
        self.registered[name] = function

    def __delitem__(self, name: str) -> None:
        del self.registered[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.registered)

    def __len__(self) -> int:
        return len(self.registered)

    def copy(self) -> dict[str, Callable[..., Any]]:
        """A dict of what is registered."""
        return dict(self.registered)


class FilterMap(ReplacingMap):
    """An environment's filters."""

    replaced = filters.REPLACED_FILTERS


class TestMap(ReplacingMap):
    """An environment's tests."""

    replaced = tests.REPLACED_TESTS


def combined(ours: type[Any], users: type[Any]) -> type[Any]:
    """Our class, under the user's own overrides if there are any."""
    if issubclass(users, ours):
        return users
    if users.__module__.partition(".")[0] == "jinja2":
        return ours if issubclass(ours, users) else type(ours.__name__, (ours, users), {})
    return type(users.__name__, (users, ours), {})


def asked_of(environment: Any) -> Any:
    """What code asks a sandbox about: it must not be run by one that wants to be asked more."""
    if not environment.sandboxed:
        return None
    return sorted(environment.intercepted_binops), sorted(environment.intercepted_unops)


def compile_to_plans(environment: jinja2.Environment, relations: RelationsSource) -> None:
    """Make an environment compile its templates to plans from now on.

    Args:
        environment: any environment; it is changed.
        relations: makes what renders do about relations.
    """
    seam.relations = relations
    env: Any = environment
    for extension in ADDED_EXTENSIONS:
        if extension.identifier not in env.extensions:
            env.add_extension(extension)
    env.code_generator_class = generator_for(env.code_generator_class)
    env.template_class = combined(PlanTemplate, env.template_class)
    env.context_class = combined(Context, env.context_class)
    if not isinstance(env.filters, ReplacingMap):
        env.filters = FilterMap(env.filters)
        env.tests = TestMap(env.tests)
    if env.bytecode_cache is not None and not isinstance(env.bytecode_cache, PlanBytecodeCache):
        env.bytecode_cache = PlanBytecodeCache(
            env.bytecode_cache,
            f"{env.code_generator_class.__qualname__} {env.is_async} {type(env).__qualname__}"
            f" {asked_of(env)}",
        )
