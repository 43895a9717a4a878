"""What generated code of Jinja2 does with other templates: includes, imports, parents."""

from __future__ import annotations

import weakref
from typing import Any

import jinja2
from jinja2.environment import Template as StockTemplate

from ..runtime.waits import Kind, Plan, Wait
from .callables import render_function_plan
from .contexts import gathered
from .tracebacks import internal

AHEAD = "atemplates_ahead"
"""The attribute of an environment that holds a function which begins to load what a template will
certainly need, given the context and the template; it has none where nothing is loaded ahead."""


def begin_ahead(context: Any, template: Any) -> None:
    """Begin to load what a template that begins will certainly need, if its environment does so."""
    ahead = context.environment.__dict__.get(AHEAD)
    if ahead is not None:
        ahead(context, template)


def cached_jinja2_template(environment: jinja2.Environment, name: Any) -> StockTemplate | None:
    """The template if it is loaded and needs no look at the disk, else None."""
    if environment.cache is None or not isinstance(name, str) or environment.loader is None:
        return None
    template = environment.cache.get((weakref.ref(environment.loader), name))
    if template is None or (environment.auto_reload and template._uptodate is not None):
        return None
    return template


@internal
def load_named(environment: jinja2.Environment, method: str, name: Any, parent: Any) -> Plan:
    """Load the template of an ``{% extends %}`` or ``{% include %}``, not on the event loop.

    Args:
        environment: where to load it from.
        method: the environment's method: one template, the first of several, or either.
        name: a template's name or names, or a template.
        parent: the name of the template that asks.

    Raises:
        TemplateNotFound: there is none of that name.
    """
    load = getattr(environment, method)
    if (
        isinstance(name, StockTemplate)
        and name.environment is not environment
        and name.environment.loader is environment.loader
        and name.name is not None
    ):
        # A template of the environment that this one was made from: the same one, as a plan.
        name, parent = name.name, None
    if not environment.is_async or not reads_disk(environment, name, parent):
        return load(name, parent)
    return (yield Wait(Kind.CALL, load, (name, parent)))


def reads_disk(environment: jinja2.Environment, name: Any, parent: str | None) -> bool:
    """Whether loading a template may read the disk (or whatever the loader reads)."""
    if type(environment.loader) is jinja2.DictLoader:
        return False
    first = name[0] if isinstance(name, (list, tuple)) and name else name
    if not isinstance(first, str):
        return False  # a template, or an error
    if parent is not None:
        first = environment.join_path(first, parent)
    return cached_jinja2_template(environment, first) is None


@internal
def include(context: Any, template: Any, values: Any, pieces: list[str]) -> Plan:
    """Render an included template in the context of the including one."""
    inner = template.new_context(context.get_all(), True, values)
    inner.begun = context.begun
    yield from gathered(inner, template)
    yield from render_function_plan(template.root_render_func)(inner, pieces)


@internal
def include_plain(template: Any, pieces: list[str]) -> Plan:
    """Render an included template without context."""
    module = yield from template._default_module()
    pieces.extend(module._body_stream)


@internal
def import_template(context: Any, name: Any, parent: Any, values: Any) -> Plan:
    """Import a template: with the context and the values given, or without if they are None."""
    template = yield from load_named(context.environment, "get_template", name, parent)
    if values is None:
        return (yield from template._default_module(context))
    inner = template.new_context(context.get_all(), True, values)
    inner.begun = context.begun
    yield from gathered(inner, template)
    return (yield from template._module_made(inner))


@internal
def extend(context: Any, template: Any) -> Plan:
    """Make a template the parent of the one that is being rendered."""
    for name, block in template.blocks.items():
        context.blocks.setdefault(name, []).append(block)
    yield from gathered(context, template)


def run_root(template: Any, context: Any, pieces: list[str]) -> Plan:
    """The plan of a template's code, which another one extends."""
    begin_ahead(context, template)
    return render_function_plan(template.root_render_func)(context, pieces)


def run_block(context: Any, block: Any, pieces: list[str]) -> Plan:
    """The plan of a block's code."""
    return render_function_plan(block)(context, pieces)
