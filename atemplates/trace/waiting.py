"""Watching a plan that is run: its waits, its hops to the request's thread, the time between.

The clock is read where a plan waits and where it goes on, and nowhere else.
"""

from __future__ import annotations

from threading import get_ident
from time import perf_counter
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet

from ..compiler.plan import plan_of
from ..placement.python_code import SOMEBODYS
from ..placement.records import observed, record_name
from ..relations.models import Relation, attributes, is_a, loaded_rows
from ..runtime.answers import is_answered_in_thread
from ..runtime.shared_awaitables import SharedResult
from ..runtime.turns import running_loop
from ..runtime.waits import Kind, Wait
from .places import NOWHERE, TracePlace, place_of_plan
from .records import HopRecord, Stretch, WaitRecord

if TYPE_CHECKING:
    from .collecting import RenderCollector

ROW_TYPES = (QuerySet, list, tuple)
"""What an answer may be that brings rows."""


class RunWatch:
    """What is noted of one plan that a driver runs: a render, or a part of one beside others.

    Args:
        collector: the render.
        loop: the thread of the event loop; None where the plan is run by blocking.
    """

    def __init__(self, collector: RenderCollector, loop: int | None) -> None:
        self.collector = collector
        self.loop = loop
        self.hop: HopRecord | None = None
        self.wait: WaitRecord | None = None
        self.waited_at = 0.0
        self.known_queries = 0
        self.code: tuple[Any, str] | None = None
        """Code of others that the thread runs for the wait, and its kind."""
        self.resumed = self.since = perf_counter()
        """When the plan went on last, and when the loop had its turn last."""
        self.turned: list[bool] = []
        """Holds something once the loop has had its turn after the last look."""
        self.is_marked = False
        self.place = NOWHERE

    # -- what the plan tells -----------------------------------------------------------------------

    def goes_on(self, wait: Wait | None, answer: Any, has_failed: bool) -> None:
        """The plan goes on."""
        now = perf_counter()
        with self.collector.guarded:
            on_loop = get_ident() == self.loop
            if self.loop is not None:
                if on_loop:
                    self.end_hop(now)
                    if self.turned or wait is None:
                        self.since = now
                elif self.hop is None:
                    self.begin_hop(self.resumed if wait is None else self.waited_at)
            if wait is not None and self.wait is not None:
                self._answered(wait, answer, has_failed, now)
        self.resumed = perf_counter()

    def waits(self, plan: Any, wait: Wait) -> None:
        """The plan waits."""
        now = perf_counter()
        with self.collector.guarded:
            if self.loop is None and name_of_function(wait.subject) == "do_nothing":
                self.wait = None  # a piece of the page is written, which is no waiting
                return
            render, on_loop = self.collector.render, get_ident() == self.loop
            self.place = place_of_plan(plan)
            self._computed(now, on_loop)
            in_thread = is_answered_in_thread(wait)
            where = "blocking" if self.loop is None else "thread" if in_thread else "loop"
            self.code = code_of_wait(wait, self.place) if in_thread else None
            self.wait = WaitRecord(
                kind=wait.kind.name.lower(),
                template=self.place.template,
                line=self.place.line,
                expression=self.place.expression,
                what=subject_of_wait(wait),
                at_ms=self.collector.offset(now),
                where=where,
                file=self.place.file,
            )
            render.waits.append(self.wait)
            self.known_queries = len(render.queries)
            self.waited_at = now
            if on_loop:
                self._mark()
                if in_thread:
                    self.begin_hop(now)
            elif not in_thread:
                self.end_hop(now)

    def ends(self) -> None:
        """The plan has ended; its last part may have run in the thread."""
        with self.collector.guarded:
            if self.wait is not None and self.wait.ms == 0.0 and self.resumed <= self.waited_at:
                self.wait.ms = (perf_counter() - self.waited_at) * 1000  # given up
                self.wait.error = "GeneratorExit"
            else:
                self._computed(perf_counter(), get_ident() == self.loop)

    def close(self) -> None:
        """Whoever ran the plan is done: back on the loop, if it came from there."""
        self.end_hop(perf_counter())

    # -- what is made of it ------------------------------------------------------------------------

    def _computed(self, now: float, on_loop: bool) -> None:
        render = self.collector.render
        spent = (now - self.resumed) * 1000
        render.computing_ms += spent
        if on_loop:
            render.loop_ms += spent
            stretch = (now - self.since) * 1000
            if stretch > render.longest.ms:
                at = self.collector.offset(self.since)
                render.longest = Stretch(stretch, self.place.template, self.place.line, at)

    def _mark(self) -> None:
        """Leave a mark in the loop: what is awaited need not give it its turn."""
        if self.turned:
            self.turned, self.is_marked = [], False
        loop = running_loop()
        if loop is not None and not self.is_marked:
            self.is_marked = True
            loop.call_soon(self.turned.append, True)

    def _answered(self, wait: Wait, answer: Any, has_failed: bool, now: float) -> None:
        record = self.wait
        assert record is not None
        record.ms = (now - self.waited_at) * 1000
        if has_failed:
            record.error = type(answer).__name__
        elif is_a(answer, ROW_TYPES) and wait.kind is not Kind.BRANCHES:
            record.rows = len(loaded_rows(answer))
        elif wait.notify is not None:
            found = self.collector.render.queries[self.known_queries :]
            record.rows = sum(each.rows for each in found) if found else None
        if self.code is not None:
            code, kind = self.code
            self.collector.note_code(code, kind, record.ms, "thread", self.place)
            self.code = None

    def begin_hop(self, at: float) -> None:
        """Note that the plan leaves the loop for the thread."""
        if self.hop is None:
            place = self.place
            self.hop = HopRecord(
                template=place.template or self.collector.render.name,
                line=place.line,
                expression=place.expression,
                at_ms=self.collector.offset(at),
            )
            self.collector.render.hops.append(self.hop)

    def end_hop(self, now: float) -> None:
        """Note that it has come back, if it was away."""
        if self.hop is not None:
            self.hop.ms = self.collector.offset(now) - self.hop.at_ms
            self.hop = None


# -- what a wait is about: nothing of the site's is asked ------------------------------------------


def subject_of_wait(wait: Wait) -> str:
    """Say what is waited for, in words."""
    subject = wait.subject
    if wait.kind is Kind.ROWS:
        model = attributes(subject).get("model")
        options = getattr(model, "_meta", None)
        return f"a {options.label} queryset" if options is not None else name_of_type(subject)
    if wait.kind is Kind.GATHER:
        return ", ".join(map(name_of_awaitable, subject.values()))
    if wait.kind is Kind.BRANCHES:
        return f"{len(subject.parts)} parts at the same time"
    if wait.kind is Kind.TURN:
        return "a turn of the event loop"
    if wait.kind is Kind.AWAIT:
        return name_of_awaitable(subject)
    relation = next((each for each in wait.args if type(each) is Relation), None)
    if relation is not None:
        return f"a load of {relation.name!r}"
    if subject is plan_of:
        return "compiling"
    code = observed_code(wait)
    return name_of_function(subject) if code is None else record_name(code)


def name_of_awaitable(value: Any) -> str:
    """Name what is awaited: the function of a coroutine, or the type."""
    if type(value) is SharedResult:
        value = value.awaitable
    return value.__qualname__ if type(value) is CoroutineType else name_of_type(value)


def name_of_type(value: Any) -> str:
    """Name the type of a value."""
    return f"{type(value).__module__}.{type(value).__qualname__}"


def name_of_function(function: Any) -> str:
    """Name a function or method."""
    name = getattr(function, "__qualname__", None) if callable(function) else None
    return name if isinstance(name, str) else name_of_type(function)


def observed_code(wait: Wait) -> Any:
    """Return the code of others that a wait runs in the thread, if that is known; or None."""
    if wait.kind is not Kind.CALL or wait.subject is not observed or not wait.args:
        return None
    code = wait.args[0]
    return None if code is SOMEBODYS else code


def code_of_wait(wait: Wait, place: TracePlace) -> tuple[Any, str] | None:
    """Return the code of others that a wait runs in the thread, and what kind that is."""
    code = observed_code(wait)
    if code is None:
        return None
    if place is NOWHERE:
        return code, "processor"
    function = wait.args[1] if len(wait.args) > 1 else None
    if function is code:
        return code, "filter"
    return code, "tag" if name_of_function(function) == "off_loop" else "python"
