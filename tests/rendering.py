"""One template through every way there is to render it, and what came out compared.

Stock Django is the oracle. It renders a template that was parsed for it alone, since compiling
changes parsed nodes; ours is rendered by blocking and by awaiting, in each of SETUPS, and sent
piece by piece in some.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from asgiref.sync import async_to_sync
from django.template import Context, RequestContext, TemplateDoesNotExist
from django.template.backends.django import get_installed_libraries
from django.template.base import Template
from django.template.engine import Engine
from django.utils.safestring import SafeString

from atemplates.compiler.module import CACHE_ATTRIBUTE
from atemplates.compiler.plan import plan_of
from atemplates.compiler.plan_cache import PlanCache
from atemplates.compiler.templates import render_plan
from atemplates.engines.django import arender_template, render_template
from atemplates.engines.native import new_state, set_policy
from atemplates.engines.streaming import chunks_of
from atemplates.runtime import drivers, hops
from atemplates.runtime.policy import Policy
from atemplates.runtime.waits import Kind, Wait
from tests.streaming.eager import eager, pausing

MAIN = "main"
"""The name under which a test's template is loaded."""

NEVER = 10**9
"""For ``Policy(trusted_after=...)``: code of others stays in the thread."""


class Setup(NamedTuple):
    """The options of an engine that every case is rendered with."""

    debug: bool
    cached: bool
    string_if_invalid: str

    @property
    def times(self) -> int:
        """How often a case is rendered: only a cached template remembers anything."""
        return 2 if self.cached else 1


SETUPS = (
    Setup(debug=False, cached=True, string_if_invalid=""),
    Setup(debug=True, cached=False, string_if_invalid=""),
    Setup(debug=False, cached=False, string_if_invalid="INVALID"),
    Setup(debug=True, cached=True, string_if_invalid="bad %s"),
)
"""Debug and caching in each combination. The first is what a test's literals are about."""

STREAMED = SETUPS[0], SETUPS[3]
"""Those in which a case is also sent piece by piece: what the first compiles of it, the second is
given as from another process."""
IS_SENT = os.environ.get("TEST_SENT") != "0"
"""Whether cases are sent at all: it takes a third of the time, so CI does it on one pair."""
EAGER = SETUPS[1]
"""The one in which it is sent at each write, and waits before each node: nothing is kept of it."""


@cache
def all_libraries() -> dict[str, str]:
    """The tag libraries of the installed apps, by the name for ``{% load %}``."""
    return dict(get_installed_libraries())


def new_engine(
    templates: dict[str, str],
    setup: Setup = SETUPS[0],
    *,
    libraries: dict[str, str] | None = None,
    policy: Policy | None = None,
    **options: Any,
) -> Engine:
    """Make an engine with templates in memory."""
    loaders: list[Any] = [("django.template.loaders.locmem.Loader", templates)]
    if setup.cached:
        loaders = [("django.template.loaders.cached.Loader", loaders)]
    engine = Engine(
        loaders=loaders,
        debug=setup.debug,
        string_if_invalid=setup.string_if_invalid,
        libraries={**all_libraries(), **(libraries or {})},
        **options,
    )
    if policy is not None:
        set_policy(engine, policy)
    return engine


def parse(source: str, templates: dict[str, str] | None = None, **options: Any) -> Template:
    """Parse one template, with others to include or extend; options as for `new_engine`."""
    return new_engine({**(templates or {}), MAIN: source}, **options).get_template(MAIN)


def trusted_after(policy: Policy, runs: int) -> Policy:
    """Return the same policy, under which code of others is trusted after so many quick runs."""
    names = ("sync_tags", "inline_modules", "inline", "relations")
    return Policy(**{name: getattr(policy, name) for name in names}, trusted_after=runs)


def counted(plan: Any, waits: list[Wait]) -> Iterator[Wait]:
    """Run a plan inside another generator that notes its waits."""
    answer: Any = None
    error: BaseException | None = None
    while True:
        try:
            wait = plan.send(answer) if error is None else plan.throw(error)
        except StopIteration as stop:
            return stop.value  # type: ignore[return-value]
        answer = error = None
        if wait.subject is not plan_of and wait.kind is not Kind.TURN:
            waits.append(wait)
        try:
            answer = yield wait
        except BaseException as raised:  # every exception belongs to the plan
            error = raised


def run_async(function: Callable[..., Any], *args: Any) -> Any:
    """Run a coroutine function for a test that is not async itself.

    On a loop of its own, in a thread of its own, with the language and the time zone that the test
    has set; sync work comes back to the test's thread, whose transaction it must see.
    """
    return async_to_sync(function)(*args)


async def arender_counted(template: Any, context: Context, waits: list[Wait]) -> str:
    """Render by awaiting; note the waits that the plan yields, but for those for compiling, and for
    turns of the loop, which are the machine's affair.

    The plan comes back to the loop after each step in the thread.
    """
    state = new_state(template, context, on_loop=True)
    plan = counted(render_plan(state, template, context), waits)
    return await drivers.arun(plan)  # type: ignore[no-any-return, arg-type]


async def arender_hops(template: Any, context: Context) -> tuple[str, int]:
    """Render by awaiting, as `arender_template`; return the output and the number of hops."""
    made: list[Any] = []

    class Counting(hops.Hop):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            made.append(args)
            super().__init__(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drivers, "Hop", Counting)
        patch.setattr(hops, "Hop", Counting)
        output = await arender_template(template, context)
    return output, len(made)


async def stream_template(template: Template, context: Context) -> str:
    """Render piece by piece; return the pieces joined.

    Raises:
        AssertionError: a piece is no plain string, or an empty one.
    """
    chunks = [chunk async for chunk in chunks_of(template, context, None)]
    assert all(type(chunk) is str and chunk for chunk in chunks), chunks
    return SafeString("".join(chunks))


async def stream_eagerly(template: Template, context: Context) -> str:
    """Do the same, sent at each write, with a wait before each node."""
    with eager(), pausing():
        return await stream_template(template, context)


def precompiled(template: Template) -> Template:
    """Compile a template, so that rendering it does not begin with a hop; return it."""
    plan_of(template.nodelist, template)
    return template


class PlansInMemory(PlanCache):
    """Keeps compiled code as a folder does."""

    def __init__(self) -> None:
        super().__init__(Path("nowhere"))
        self.files: dict[Path, bytes] = {}

    def read(self, path: Path) -> bytes | None:
        return self.files.get(path)

    def write(self, path: Path, content: bytes) -> None:
        self.files[path] = content


# -- outcomes --------------------------------------------------------------------------------------

address = re.compile(r"0x[0-9a-f]+")


def plain(text: str) -> str:
    """Replace the addresses of objects, which differ from run to run."""
    return address.sub("0x", text)


@dataclass
class Outcome:
    """What a render gave: the output, or the exception; and how it left the context."""

    output: str | None = None
    error: Exception | None = None
    context: Any = field(default=None)

    def facts(self) -> dict[str, Any]:
        """Return everything that has to be equal."""
        facts: dict[str, Any] = {"left": left(self.context)} if self.context is not None else {}
        if self.error is None:
            return {**facts, "output": plain(self.output or ""), "type": type(self.output)}
        error = self.error
        facts |= {
            "error": type(error),
            "message": plain(str(error)),
            "args": plain(f"{error.args}"),
        }
        facts["template_debug"] = plain(repr(getattr(error, "template_debug", None)))
        if isinstance(error, TemplateDoesNotExist):
            facts["tried"] = [(str(origin), reason) for origin, reason in error.tried]
            facts["chain"] = [str(item) for item in error.chain]
        return facts


def left(context: Context) -> dict[str, Any]:
    """What a template may leave behind in a context."""
    return {
        "dicts": plain(repr(context.dicts[1:])),
        "template": context.template,
        "template_name": context.template_name,
        "render_context": len(context.render_context.dicts),
        "settings": (context.autoescape, context.use_l10n, context.use_tz),
    }


def attempt(load: Callable[[], Any], make: Callable[[Any], Context], render: Any) -> Outcome:
    """Load a template and render it."""
    context = None
    try:
        template = load()
        context = make(template)
        return Outcome(output=render(template, context), context=context)
    except Exception as error:
        return Outcome(error=error, context=context)


async def aattempt(load: Callable[[], Any], make: Callable[[Any], Context], render: Any) -> Outcome:
    """Do what `attempt` does with a coroutine function."""
    context = None
    try:
        template = load()
        context = make(template)
        return Outcome(output=await render(template, context), context=context)
    except Exception as error:
        return Outcome(error=error, context=context)


# -- the fixture -----------------------------------------------------------------------------------


class Rendering:
    """The ``render`` fixture: call it to render, compare everything, and get the output."""

    def __call__(self, source: str, context: Any = None, **options: Any) -> str:
        """Return the output of SETUPS[0], the same in stock Django and each of our ways.

        Args:
            source: the template.
            context: a dict, or a function that makes one: then each render gets its own.
            templates: other templates, by name.
            stock: what stock Django gets as context, where ours holds awaitables.
            waits: how many waits the render by awaiting may take, templates being loaded and
                compiled and code of others being trusted (None: any number).
            hops: how often the render by awaiting may go to the thread, templates being loaded
                and compiled and code of others not being trusted (None: any number).
            request: makes it a ``RequestContext``.
            autoescape: the context's.
            libraries: tag libraries beside the installed ones.
            policy: the OPTIONS of our backend.
            options: the rest goes to ``Engine``.

        Raises:
            AssertionError: the ways differ.
            Exception: what all of them raised.
        """
        outcome = self.outcome(source, context, **options)
        if outcome.error is not None:
            raise outcome.error
        assert outcome.output is not None
        return outcome.output

    def outcome(
        self,
        source: str,
        context: Any = None,
        *,
        templates: dict[str, str] | None = None,
        stock: Any = None,
        waits: int | None = 0,
        hops: int | None = None,
        request: Any = None,
        autoescape: bool = True,
        policy: Policy | None = None,
        **options: Any,
    ) -> Outcome:
        """Return the outcome of SETUPS[0] instead of its output; arguments as for a call."""
        texts = {**(templates or {}), MAIN: source}

        def make(values: Any, template: Any) -> Context:
            values = dict(values() if callable(values) else values or {})
            if request is None:
                return Context(values, autoescape=autoescape)
            return RequestContext(request, values, autoescape=autoescape)

        def render_stock(template: Any, context: Context) -> str:
            return template.render(context)  # type: ignore[no-any-return]

        oracle = context if stock is None else stock
        ours: list[tuple[str, Setup, list[Outcome]]] = []
        expected: dict[Setup, list[Outcome]] = {}
        seen_waits: list[Wait] = []
        for setup in SETUPS:
            engine = new_engine(texts, setup, **options)
            # As often as ours: a cached loader remembers what it has not found.
            expected[setup] = [
                attempt(
                    lambda engine=engine: engine.get_template(MAIN),
                    lambda template: make(oracle, template),
                    render_stock,
                )
                for _ in range(3 * setup.times)
            ]

        # In the first, code of others is trusted from the beginning, and runs on the loop; in the
        # others it has to earn that, and runs in the thread.
        policy = policy or Policy()
        trusting = trusted_after(policy, 0)
        engines = [
            new_engine(texts, setup, policy=trusting if number == 0 else policy, **options)
            for number, setup in enumerate(SETUPS)
        ]
        # What the first compiles of a template, the last two are given as from another process.
        kept = PlansInMemory()
        for engine, setup in zip(engines, SETUPS, strict=True):
            if setup is not SETUPS[1]:
                setattr(engine, CACHE_ATTRIBUTE, kept)
        loads = [lambda engine=engine: engine.get_template(MAIN) for engine in engines]

        def ours_for(template: Any) -> Context:
            return make(context, template)

        for setup, load in zip(SETUPS, loads, strict=True):
            outcomes = [attempt(load, ours_for, render_template) for _ in range(setup.times)]
            ours.append(("render", setup, outcomes))

        async def by_awaiting() -> None:
            async def counting(template: Any, context: Context) -> str:
                seen_waits.clear()
                return await arender_counted(template, context, seen_waits)

            for setup, load in zip(SETUPS, loads, strict=True):
                arender = counting if setup is SETUPS[0] else arender_template
                outcomes = [await aattempt(load, ours_for, arender) for _ in range(setup.times)]
                ours.append(("render_async", setup, outcomes))
            for setup, load in zip(SETUPS, loads, strict=True):
                if IS_SENT and (setup in STREAMED or setup is EAGER):
                    stream = stream_eagerly if setup is EAGER else stream_template
                    way = "eager stream" if setup is EAGER else "stream"
                    outcomes = [await aattempt(load, ours_for, stream) for _ in range(setup.times)]
                    ours.append((way, setup, outcomes))

        async def by_hopping() -> tuple[str, int]:
            engine = new_engine(texts, policy=trusted_after(policy, NEVER), **options)
            template = engine.get_template(MAIN)
            await arender_template(template, ours_for(template))
            return await arender_hops(template, ours_for(template))

        run_async(by_awaiting)
        first = expected[SETUPS[0]][0]
        for way, setup, outcomes in ours:
            for number, outcome in enumerate(outcomes):
                want = expected[setup].pop(0)
                compare(outcome, want, stock is None, f"{way}, time {number + 1}, {setup}")
        if waits is not None and first.error is None:
            assert len(seen_waits) == waits, f"waited for {seen_waits}"
        if hops is not None and first.error is None:
            assert run_async(by_hopping) == (first.output, hops)
        return first


def compare(ours: Outcome, stock: Outcome, same_context: bool, title: str) -> None:
    """Assert that two outcomes are equal in everything that can be seen."""
    have, want = ours.facts(), stock.facts()
    if not same_context or stock.error is not None:
        # After an error, a context is only used to look at it.
        have.pop("left", None)
        want.pop("left", None)
    if have != want:
        error = ours.error if ours.error is not None else stock.error
        differing = {name: (have.get(name), want.get(name)) for name in {*have, *want}}
        lines = [
            f"  {name}:\n    ours:  {pair[0]!r}\n    stock: {pair[1]!r}"
            for name, pair in differing.items()
            if pair[0] != pair[1]
        ]
        raise AssertionError("\n".join([f"differs from stock Django ({title})", *lines])) from error


def agree(
    sources: list[str],
    make: Callable[[], dict[str, Any]],
    *,
    templates: dict[str, str] | None = None,
    later: list[str] | None = None,
    autoescape: bool = True,
    policy: Policy | None = None,
    **options: Any,
) -> list[str | Exception]:
    """Compare the results of many templates: once by each way, which takes less time than `render`.

    Args:
        sources: the templates.
        make: makes the context of one render.
        templates: others, by name.
        later: templates to render by awaiting in the place of ``sources``, and not by blocking.
        options: the rest goes to ``Engine``.

    Returns:
        What stock Django gave.

    Raises:
        AssertionError: the ways differ.
    """

    def seen(outcome: Outcome) -> str | tuple[type, str]:
        if outcome.error is None:
            return plain(outcome.output or "")
        return type(outcome.error), plain(str(outcome.error))

    def load(source: str, policy: Policy | None = None) -> Callable[[], Any]:
        return lambda: parse(source, templates, policy=policy, **options)

    def new(template: Any) -> Context:
        return Context(make(), autoescape=autoescape)

    expected = [
        attempt(load(source), new, lambda template, context: template.render(context))
        for source in sources
    ]
    if later is None:
        for source, want in zip(sources, expected, strict=True):
            have = attempt(load(source, policy), new, render_template)
            assert seen(have) == seen(want), f"render: {source}"

    async def by_awaiting() -> None:
        for source, want in zip(later or sources, expected, strict=True):
            have = await aattempt(load(source, policy), new, arender_template)
            assert seen(have) == seen(want), f"render_async: {source}"

    run_async(by_awaiting)
    return [
        outcome.output or "" if outcome.error is None else outcome.error for outcome in expected
    ]


def safe(text: str) -> SafeString:
    """Shorter than ``SafeString``, in tables of cases."""
    return SafeString(text)
