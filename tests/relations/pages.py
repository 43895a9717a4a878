"""One page in stock Django and in each of our ways; what it gave, and what it took.

Stock Django is the oracle for the output and the upper limit for the queries. It renders by
blocking, which on an event loop means: in a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connections
from django.template import Context
from django.template.backends.django import DjangoTemplates as StockTemplates

from atemplates.compiler.templates import render_plan
from atemplates.engines.django import DjangoTemplates
from atemplates.engines.native import new_state, set_policy
from atemplates.runtime import drivers
from atemplates.runtime.policy import Policy
from atemplates.runtime.waits import Kind, Wait
from atemplates.testing import Event, record
from tests.rendering import counted, plain, run_async

NAME = "page.html"

WAYS = ("sync", "async")


@dataclass
class Run:
    """One render."""

    text: str = ""
    error: Exception | None = None
    queries: list[str] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def result(self) -> str:
        """Return the output, or raise what was raised."""
        if self.error is not None:
            raise self.error
        return self.text

    @property
    def hops(self) -> int:
        """How often the event loop had to wait for the request's thread, or for anything else."""
        return len(self.waits)

    def kinds(self) -> list[str]:
        """The kinds of the events, with a mark for those in batch."""
        return [event.kind + ("*" if event.batch else "") for event in self.events]


@contextmanager
def counting(queries: list[str]) -> Iterator[None]:
    """Note the SQL of every query sent inside, to any database."""

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        queries.append(sql)
        return execute(sql, params, many, context)

    with ExitStack() as stack:
        for connection in connections.all():
            stack.enter_context(connection.execute_wrapper(note))
        yield


def backend(source: str, others: dict[str, str] | None = None, *, stock: bool = False, **own: Any):
    """Make a backend that has one page, and others to include or extend."""
    loaders = [("django.template.loaders.locmem.Loader", {**(others or {}), NAME: source})]
    kind = StockTemplates if stock else DjangoTemplates
    options = {"loaders": [("django.template.loaders.cached.Loader", loaders)], **own}
    return kind({"NAME": "pages", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})


def render(
    source: str,
    make: Any = dict,
    way: str = "stock",
    policy: str | None = None,
    *,
    others: dict[str, str] | None = None,
    observed: bool = False,
    trusting: bool = False,
    **options: Any,
) -> Run:
    """Render a page once.

    Args:
        make: a dict, or what makes a fresh one.
        way: ``"stock"``, ``"sync"``, ``"async"`` or ``"stream"``: sent in pieces.
        policy: for this render.
        observed: whether events are recorded.
        trusting: whether code of others runs on the loop from the beginning.
        options: OPTIONS of the backend.
    """
    run = Run()
    values = make() if callable(make) else make
    template = backend(source, others, stock=way == "stock", **options).get_template(NAME)
    if trusting and way != "stock":
        set_policy(template.template.engine, Policy(trusted_after=0))
    with ExitStack() as stack:
        if observed:
            run.events = stack.enter_context(record())
        stack.enter_context(counting(run.queries))
        try:
            if way == "stock":
                run.text = template.render(values)
            elif way == "sync":
                run.text = template.render(values, relations=policy)
            elif way == "stream":
                run.text = run_async(_stream, template, values, policy)
            else:
                run.text = run_async(_arender, template, values, policy, run.waits)
        except Exception as error:
            run.error = error
    return run


async def _arender(template: Any, values: Any, policy: str | None, waits: list[Wait]) -> str:
    """Do as ``render_async()``, and note the waits."""
    context = Context(values)
    state = new_state(template.template, context, True, policy)
    try:
        plan = counted(render_plan(state, template.template, context), waits)
        text: str = await drivers.arun(plan)  # type: ignore[arg-type]
        state.relations.check()
        return text
    finally:
        state.relations.finish()


async def _stream(template: Any, values: Any, policy: str | None) -> str:
    return "".join([chunk async for chunk in template.stream_async(values, relations=policy)])


def compare(
    source: str,
    make: Any = dict,
    policy: str | None = None,
    *,
    may_raise: bool = False,
    **options: Any,
) -> Pages:
    """Render a page in stock Django, by blocking, by awaiting and in pieces; the results must be
    equal.

    No way may take more queries than stock Django does.

    Args:
        may_raise: whether stock Django may raise; then ours must raise the same.
    """
    stock = render(source, make, others=options.get("others"))
    if not may_raise:
        stock.result()
    runs = {way: render(source, make, way, policy, **options) for way in (*WAYS, "stream")}
    for way, run in runs.items():
        if stock.error is not None:
            assert type(run.error) is type(stock.error), way
            assert str(run.error) == str(stock.error), way
        else:
            assert (way, plain(run.result())) == (way, plain(stock.text))
        assert (way, len(run.queries)) <= (way, len(stock.queries)), "\n".join(run.queries)
    return Pages(stock, **{"sync": runs["sync"], "async_": runs["async"]})


@dataclass
class Pages:
    """The same page, rendered in each way."""

    stock: Run
    sync: Run
    async_: Run

    @property
    def text(self) -> str:
        return self.stock.text

    @property
    def queries(self) -> tuple[int, int, int]:
        """How many queries each way took: stock, sync, async."""
        return len(self.stock.queries), len(self.sync.queries), len(self.async_.queries)

    @property
    def ours(self) -> tuple[Run, Run]:
        return self.sync, self.async_


def thread_hops(run: Run) -> int:
    """How many of a render's waits went to the request's thread."""
    return sum(wait.kind in (Kind.CALL, Kind.ROWS) for wait in run.waits)
