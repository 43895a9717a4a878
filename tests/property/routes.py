"""One generated case rendered on each route, and what came out of it in a comparable form."""

from __future__ import annotations

import asyncio
import functools
import logging
import random
import re
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, QueryDict
from django.template import Context, RequestContext
from django.template.engine import Engine
from django.test import override_settings
from django.utils import timezone, translation

from atemplates.engines.django import arender_template, render_template
from atemplates.engines.native import set_policy
from atemplates.placement import records
from atemplates.runtime.policy import Policy
from tests.rendering import run_async, stream_template
from tests.streaming.eager import eager, pausing

from .keeping import Asking
from .library import build_library
from .objects import Spy
from .values import namespace

BUILTINS = [
    "django.contrib.humanize.templatetags.humanize",
    "django.templatetags.cache",
    "django.templatetags.i18n",
    "django.templatetags.l10n",
    "django.templatetags.static",
    "django.templatetags.tz",
]
ADDRESS = re.compile(r"0x[0-9a-f]{6,}", re.IGNORECASE)
# A tag that returns no string is found out when the output is joined, and the error says how many
# pieces of output came before; a plan joins pieces at once that stock joins one by one.
PIECE = re.compile(r"\bsequence item \d+: expected str instance")
logger = logging.getLogger("django.template")


@dataclass(frozen=True)
class Case:
    """A template with its context, and how both are to be rendered."""

    templates: dict[str, str]
    context: str
    """The source of an expression, for `values.namespace`."""
    string_if_invalid: str = ""
    debug: bool = False
    autoescape: bool = True
    cached: bool = False
    """Whether the cached loader finds the templates."""
    language: str = "en-us"
    use_l10n: bool | None = None
    use_tz: bool | None = None
    thousands: bool = False
    request: bool = False
    """Whether the context is a RequestContext."""
    asynchronous: bool = False
    """Whether functions, tags and values called "later" are to be awaited."""
    logs: bool = False
    """Whether log records are compared as well."""

    def __repr__(self) -> str:
        """Only what is not as usual; can be pasted into a test."""
        given = [
            f"{item.name}={getattr(self, item.name)!r}"
            for item in fields(self)
            if item.default is MISSING or getattr(self, item.name) != item.default
        ]
        return f"Case({', '.join(given)})"


@dataclass
class Outcome:
    """What can be observed of one render."""

    output: str | None = None
    output_type: str = ""
    error: str = ""
    debug: dict[str, Any] | None = None
    left: dict[str, Any] = field(default_factory=dict)
    """What the render left behind in the context and the thread."""
    records: list[str] = field(default_factory=list)
    journal: list[str] = field(default_factory=list)
    """What the spies among the values were asked."""
    balanced: bool = field(default=True, compare=False)
    """Whether the context has as many dicts as before."""
    exception: Exception | None = field(default=None, compare=False, repr=False)


def neutral(text: str) -> str:
    """Take out of a text what no two objects have in common."""
    return PIECE.sub("sequence item N: expected str instance", ADDRESS.sub("0x…", text))


class Kitchen:
    """An engine whose templates are changed with every case, and the library that belongs to it."""

    def __init__(self, asynchronous: bool, **options: Any) -> None:
        self.templates: dict[str, str] = {}
        loaders: list[Any] = [("django.template.loaders.locmem.Loader", self.templates)]
        if options.pop("cached"):
            loaders = [("django.template.loaders.cached.Loader", loaders)]
        self.engine = Engine(
            loaders=loaders,
            builtins=BUILTINS,
            libraries={"humanize": BUILTINS[0]},
            context_processors=["tests.property.routes.processor"],
            **options,
        )
        self.engine.template_builtins.append(build_library(asynchronous))

    def serve(self, templates: dict[str, str]) -> None:
        """Replace the templates."""
        self.templates.clear()
        self.templates.update(templates)
        for loader in self.engine.template_loaders:
            loader.reset()


@functools.lru_cache
def kitchen(side: str, asynchronous: bool, **options: Any) -> Kitchen:
    """An engine for one side: they never share parsed templates.

    Args:
        side: "stock"; "ours", where code of others earns its place; "eager", where it does so in
            pages that are sent at each write; or "trusting", where it runs on the loop from the
            beginning.
    """
    made = Kitchen(asynchronous, **options)
    if side == "trusting":
        set_policy(made.engine, Policy(trusted_after=0))
    return made


def processor(request: Any) -> dict[str, Any]:
    """A context processor."""
    return {"from_processor": "<processor>", "csrf_token": "not random", "n": 3}


def context_of(
    case: Case, kitchen: Kitchen, code: Any, asynchronous: bool, asks: bool = True
) -> Context:
    """A new context, with values of its own."""
    Asking.does, Asking.around = asks, asks_database(case)
    values = eval(code, namespace(asynchronous, kitchen.engine.from_string, asks))
    flags = {
        "autoescape": case.autoescape,
        "use_l10n": case.use_l10n,
        "use_tz": case.use_tz,
    }
    if not case.request:
        return Context(values, **flags)
    request = HttpRequest()
    request.GET = QueryDict("a=1&b=2&a=3&q=%3C%26")
    return RequestContext(request, values, **flags)


@contextmanager
def records_of(case: Case) -> Iterator[list[str]]:
    """The log records of what runs inside."""
    records: list[str] = []
    if not case.logs:
        yield records
        return

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            kind = record.exc_info[0] if record.exc_info else None
            raised = "" if kind is None else f" ({kind.__qualname__})"
            records.append(neutral(f"{record.levelname} {record.getMessage()}{raised}"))

    handler = Handler()
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    try:
        yield records
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate


def left_behind(case: Case, context: Any) -> dict[str, Any]:
    """What a render has left in the context and in the thread."""
    names = {}
    # What an awaitable stands for is in the context on the one side, the awaitable on the other.
    scopes = () if case.asynchronous else context.dicts
    for depth, scope in enumerate(scopes):
        for name, value in scope.items():
            plain = isinstance(value, (str, int, float))
            names[f"{depth} {name}"] = f"{type(value).__name__} {value!r}" if plain else "something"
    return {
        "autoescape": context.autoescape,
        "language": translation.get_language(),
        "names": names,
        "template": context.template,
        "template_name": context.template_name,
        "time zone": timezone.get_current_timezone_name(),
        "use_l10n": context.use_l10n,
        "use_tz": context.use_tz,
    }


class Finish:
    """Turns a render into an outcome."""

    def __init__(self, case: Case, context: Context, records: list[str]) -> None:
        self.case, self.context, self.outcome = case, context, Outcome(records=records)
        self.depth = len(context.dicts)

    def __enter__(self) -> Finish:
        return self

    def gave(self, output: Any) -> None:
        """Note the output."""
        self.outcome.output = neutral(str(output))
        self.outcome.output_type = type(output).__name__
        self.outcome.left = left_behind(self.case, self.context)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        if error is None:
            return True
        if not isinstance(error, Exception):
            return False
        self.outcome.exception = error
        debug = getattr(error, "template_debug", None)
        if debug is not None:
            self.outcome.debug = {
                name: neutral(value) if isinstance(value, str) else value
                for name, value in debug.items()
            }
        self.outcome.left = {
            "language": translation.get_language(),
            "template": self.context.template,
            "time zone": timezone.get_current_timezone_name(),
        }
        return True

    def result(self) -> Outcome:
        """The outcome, once no event loop is running: the text of an error may do anything."""
        self.outcome.journal = list(Spy.journal)
        self.outcome.balanced = len(self.context.dicts) == self.depth
        error = self.outcome.exception
        if error is not None:
            try:
                text = str(error)
            except Exception as raised:
                text = f"str() raises {type(raised).__qualname__}: {raised}"
            name = f"{type(error).__module__}.{type(error).__qualname__}"
            if isinstance(error, RecursionError):
                text = "where the stack ends is said in several ways"
            self.outcome.error = neutral(f"{name}: {text}")
        return self.outcome


class NotParsed(Exception):
    """Django's parser refuses the main template: there is nothing to compare."""


def repeatable(case: Case) -> bool:
    """Whether stock Django gives the same twice; not so when it writes an object's address."""
    with _surroundings(case):
        stock = kitchen("stock", False, **_options(case))
        code = compile(case.context, "<context>", "eval")
        # The first context lives as long as the second, so that no address is used twice.
        contexts: list[Any] = []
        found = []
        for _ in range(2):
            stock.serve(case.templates)
            found.append(_stock(case, stock, code, contexts))
    return found[0] == found[1]


def outcomes(case: Case, loop: asyncio.AbstractEventLoop) -> dict[str, Outcome]:
    """Render a case on every route.

    A cached loader knows the parents and the included templates already when `arender` comes after
    `render`, and asks less of a name then; so stock renders twice as well.

    Returns:
        ``stock``, ``stock again``, ``render`` (ours, by blocking), ``arender`` (ours, on the
        loop), ``stream`` (ours, sent in pieces) and ``eager`` (sent at each write, with a wait
        before each node). Where objects or tags keep state and ask the database, also ``trusted`` (their code
        begins on the loop) and ``surprised`` (it comes there because it did not ask before).

    Raises:
        NotParsed: the main template is no template.
    """
    options = _options(case)
    stock = kitchen("stock", False, **options)
    ours = kitchen("ours", case.asynchronous, **options)
    code = compile(case.context, "<context>", "eval")
    with _surroundings(case):
        stock.serve(case.templates)
        results = {"stock": _stock(case, stock, code)}
        results["stock again"] = _stock(case, stock, code) if case.cached else results["stock"]
        ours.serve(case.templates)
        template = ours.engine.get_template("main.html")
        results["render"] = _render(case, ours, template, code)
        sending = kitchen("eager", case.asynchronous, **options)
        sending.serve(case.templates)
        sent = sending.engine.get_template("main.html")
        if not asks_database(case):
            for route, arender in AWAITED.items():
                given = (sending, sent) if route == "eager" else (ours, template)
                results[route] = loop.run_until_complete(arender(case, *given, code)).result()
            return results
        for route, arender in AWAITED.items():
            given = (sending, sent) if route == "eager" else (ours, template)
            records.RECORDS.clear()
            results[route] = _beside(case, *given, code, arender=arender)
        records.RECORDS.clear()
        for asks in (False, False, False, False, True):
            results["surprised"] = _beside(case, ours, template, code, asks)
        records.RECORDS.clear()
        trusting = kitchen("trusting", case.asynchronous, **options)
        trusting.serve(case.templates)
        template = trusting.engine.get_template("main.html")
        for _ in range(2):
            results["trusted"] = _beside(case, trusting, template, code)
    return results


def asks_database(case: Case) -> bool:
    """Whether there is something in a case that may ask the database."""
    return "kept(" in case.context or any("{% asking" in text for text in case.templates.values())


def _beside(
    case: Case, kitchen: Kitchen, template: Any, code: Any, asks: bool = True, arender: Any = None
) -> Outcome:
    """Render on a loop beside this thread, which has the transaction of the database."""
    finish: Finish = run_async(arender or _arender, case, kitchen, template, code, asks)
    return finish.result()


def _options(case: Case) -> dict[str, Any]:
    return {
        "string_if_invalid": case.string_if_invalid,
        "debug": case.debug,
        "cached": case.cached,
    }


@contextmanager
def _surroundings(case: Case) -> Iterator[None]:
    """The settings, language and time zone of a case."""
    with ExitStack() as stack:
        if case.thousands:
            stack.enter_context(override_settings(USE_THOUSAND_SEPARATOR=True))
        stack.enter_context(translation.override(case.language))
        stack.enter_context(timezone.override("Asia/Kathmandu"))
        yield


def _prepare() -> None:
    Spy.journal.clear()
    cache.clear()
    random.seed(0)


def _stock(case: Case, kitchen: Kitchen, code: Any, contexts: list[Any] | None = None) -> Outcome:
    try:
        template = kitchen.engine.get_template("main.html")
    except Exception as error:  # TemplateSyntaxError, or what a bug in the parser raises
        raise NotParsed(str(error)) from error
    context = context_of(case, kitchen, code, asynchronous=False)
    if contexts is not None:
        contexts.append(context)
    _prepare()
    with records_of(case) as records, Finish(case, context, records) as finish:
        finish.gave(template.render(context))
    return finish.result()


def _render(case: Case, kitchen: Kitchen, template: Any, code: Any) -> Outcome:
    context = context_of(case, kitchen, code, case.asynchronous)
    _prepare()
    with records_of(case) as records, Finish(case, context, records) as finish:
        finish.gave(render_template(template, context))
    return finish.result()


async def _arender(
    case: Case,
    kitchen: Kitchen,
    template: Any,
    code: Any,
    asks: bool = True,
    render: Callable[[Any, Any], Coroutine[Any, Any, str]] = arender_template,
) -> Finish:
    context = context_of(case, kitchen, code, case.asynchronous, asks)
    _prepare()
    with records_of(case) as records, Finish(case, context, records) as finish:
        finish.gave(await render(template, context))
    return finish


async def _stream(
    case: Case, kitchen: Kitchen, template: Any, code: Any, asks: bool = True
) -> Finish:
    return await _arender(case, kitchen, template, code, asks, stream_template)


async def _stream_eagerly(
    case: Case, kitchen: Kitchen, template: Any, code: Any, asks: bool = True
) -> Finish:
    with eager(), pausing():
        return await _stream(case, kitchen, template, code, asks)


AWAITED = {"arender": _arender, "stream": _stream, "eager": _stream_eagerly}
"""What renders on the loop, by its route."""
