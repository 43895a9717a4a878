"""Compiling every template of an engine: what does not compile, and what leaves the event loop."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from django.template.base import FilterExpression
from django.template.smartif import TokenBase

from ..analysis.site.templates import SiteTemplates
from ..compiler.explain import explain_template, line_of, nodes_below
from ..compiler.foreign_arguments import expressions_in
from ..compiler.templates import processor_code
from ..engines.django import DjangoTemplates
from ..migration.swallowing import Swallower, swallowers
from ..problems import Problem, is_installed
from ..runtime.types import is_django

if TYPE_CHECKING:
    from ..engines.jinja2 import Jinja2

ONE_HOP = (
    "A page that has to go to the thread goes there once, however many such tags and context "
    "processors it has."
)
RENDER_ASYNC = "A tag of your own that waits for something can define render_async()."

IN_JINJA2 = "in the request's thread; one that does no I/O can be an async def"


class Tag(NamedTuple):
    """A tag of others."""

    name: str
    module: str
    where: str
    """Where it runs, in words."""


TagPlaces: TypeAlias = dict[Tag, list[str]]
"""Tag -> ``template:line`` of each use."""


@dataclass
class Compiled:
    """What compiling the templates of one engine says."""

    templates: int = 0
    """How many compile."""
    waits: int = 0
    """In how many places Django templates may wait."""
    hops: TagPlaces = field(default_factory=dict)
    """The tags of others that run in the request's thread, or do so until they are known."""
    inline: TagPlaces = field(default_factory=dict)
    """The tags of others that run on the event loop, as OPTIONS say or as was learned."""
    hops_of_packages: int = 0
    """In how many places of installed packages' templates tags run in the request's thread."""
    processors: dict[str, str] = field(default_factory=dict)
    """The context processors that run in the request's thread -> where they run, in words."""
    swallowers: list[Swallower] = field(default_factory=list)
    """Code that runs on the loop and catches every exception."""
    in_thread: bool = False
    """Whether all of it runs in the request's thread: ``async_mode="thread"``."""


def compile_django(
    site: SiteTemplates, backend: DjangoTemplates, asked_for: Container[str] = ()
) -> Compiled:
    """Compile the templates of a site; what fails is added to its problems.

    Args:
        asked_for: templates whose hops are told, also if they are an installed package's.
    """
    compiled = Compiled(in_thread=backend.async_mode == "thread")
    hops: TagPlaces = defaultdict(list)
    inline: TagPlaces = defaultdict(list)
    for name, template in site.parsed.items():
        try:
            sections = explain_template(template, backend.policy, with_held=False)
        except Exception as error:
            site.problems.append(
                Problem(
                    f"does not compile: {type(error).__name__}: {error}",
                    site.files[name],
                    code="does-not-compile",
                )
            )
            continue
        compiled.templates += 1
        of_package = is_installed(site.files[name]) and name not in asked_for
        for section in sections:
            compiled.waits += section.waits
            for node in section.foreign:
                if of_package and not node.on_loop:
                    compiled.hops_of_packages += 1
                    continue
                tag = node.tag.strip("{% }").partition(" ")[0]
                chosen = inline if node.on_loop else hops
                chosen[Tag(tag, node.module, node.where)].append(placed(name, node.line))
    if compiled.in_thread:
        return compiled
    compiled.hops, compiled.inline = dict(hops), dict(inline)
    compiled.processors = processors_in_thread(
        backend.engine.template_context_processors,
        lambda each, module: backend.policy.place_of(processor_code(each), None, module),
    )
    compiled.swallowers = swallowers(_paths(site), _filters(site))
    return compiled


def compile_jinja2(site: SiteTemplates, backend: Jinja2) -> Compiled:
    """Compile the templates of a site; what fails is added to its problems."""
    from ..migration.jinja2_functions import compile_template

    compiled = Compiled()
    functions: list[tuple[Any, str]] = []
    for name in site.paths:
        found, problem = compile_template(backend.async_env, name, site.files[name])
        functions += found
        if problem is None:
            compiled.templates += 1
        else:
            site.problems.append(problem)
    processors = backend.template_context_processors
    compiled.processors = processors_in_thread(processors, lambda each, module: (False, IN_JINJA2))
    compiled.swallowers = swallowers(_paths(site), functions)
    return compiled


def processors_in_thread(
    processors: Iterable[Any], place_of: Callable[[Any, str], tuple[bool, str]]
) -> dict[str, str]:
    """Return the context processors that run in the request's thread, and where that is, in words.

    Args:
        place_of: says of one, and the module of it, whether it runs on the loop, and where.
    """
    names = {}
    for each in processors:
        module = getattr(each, "__module__", "")
        if is_django(module) or iscoroutinefunction(each):
            continue
        on_loop, where = place_of(each, module)
        if not on_loop:
            names[f"{module}.{getattr(each, '__qualname__', type(each).__qualname__)}"] = where
    return names


def placed(name: str, line: int | None) -> str:
    """A template and its line in one text."""
    return name if line is None else f"{name}:{line}"


def _paths(site: SiteTemplates) -> list[Any]:
    return [path for paths in site.paths.values() for path in paths]


def _filters(site: SiteTemplates) -> Iterator[tuple[Any, str]]:
    """The filters that Django templates name."""
    for name, template in site.parsed.items():
        for node in nodes_below(template.nodelist):
            for expression in _expressions(list(vars(node).values())):
                for function, _ in expression.filters:
                    yield function, placed(name, line_of(node))


def _expressions(value: Any) -> Iterator[FilterExpression]:
    """The filter expressions that a node holds, also in the conditions of ``{% if %}``."""
    if isinstance(value, TokenBase):
        # An operator has one or two operands; an operand is a literal of the template.
        for name in ("first", "second", "value"):
            yield from _expressions(getattr(value, name, None))
    elif type(value) in (list, tuple):
        for each in value:
            yield from _expressions(each)
    else:
        yield from expressions_in(value)
