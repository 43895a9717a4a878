"""Collecting what one render does: what engines and plans tell, put into its `RenderTrace`."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from threading import get_ident
from time import perf_counter, time
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

from ..errors import logger
from ..placement.python_code import SOMEBODYS
from ..placement.records import record_name
from ..relations.events import Event
from ..runtime.tracing import RenderStart, watched_plan
from ..runtime.waits import Plan
from .feeds import NotedChunks
from .parts import NotedPart
from .places import (
    NOWHERE,
    TracePlace,
    calling_frame,
    place_of_node,
    place_on_stack,
)
from .records import (
    CacheRecord,
    CodeRecord,
    HopRecord,
    LoadRecord,
    QueryRecord,
    RenderTrace,
)
from .stock_queries import queries_noted
from .waiting import RunWatch

if TYPE_CHECKING:
    from .observers import Tracer

collecting: ContextVar[RenderCollector | None] = ContextVar("atemplates_collecting", default=None)
"""What collects the render that runs: a render in its midst is a part of it."""


NEAR_FRAMES = 4
"""How many frames away the code is, at most, that begins a part which was met before."""


class Guarded:
    """Keeps a mistake in noting from the page that is noted: it is logged, once."""

    def __init__(self) -> None:
        # Any thread may set it: at worst a mistake is logged twice.
        self.is_logged = False

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        if not self.is_logged:
            self.is_logged = True
            logger.error("A render cannot be traced: %s", error, exc_info=error)
        return True


GUARDED_NOTES = Guarded()


class RenderCollector:
    """One render that is traced.

    Args:
        tracers: who is told of it.
        start: what is known of it.
    """

    guarded = GUARDED_NOTES

    def __init__(self, tracers: Sequence[Tracer], start: RenderStart) -> None:
        self.tracers = tuple(tracers)
        outer = collecting.get()
        self.render: RenderTrace = RenderTrace(
            name=start.name,
            file=start.file,
            engine=start.engine,
            view=start.view,
            mode="async" if start.is_async else "sync",
            is_native=start.is_native,
            start=time(),
            variables=start.variables,
            parent=None if outer is None else outer.render,
        )
        self.began = perf_counter()
        self.has_root = False
        """Whether the outermost template has begun."""
        self.is_sent = False
        """Whether the page is sent while it is rendered."""
        self._parts: dict[tuple[str, int, int], NotedPart] = {}
        self._code: dict[Any, CodeRecord] = {}
        self._run: Callable[..., Any] = _not_driven
        self._arun: Callable[[Plan, Any], Awaitable[Any]] = _not_driven
        for tracer in self.tracers:
            tracer.begin(self.render)

    def offset(self, now: float) -> float:
        """Return the milliseconds between the beginning of the render and a time."""
        return (now - self.began) * 1000

    # -- running -----------------------------------------------------------------------------------

    def driven_by(
        self, run: Callable[..., Any], arun: Callable[[Plan, Any], Awaitable[Any]]
    ) -> None:
        """Take the render's own ways to run a plan."""
        self._run, self._arun = run, arun

    def run(self, plan: Plan, *driver: Any) -> Any:
        """Run a plan by blocking."""
        before = collecting.get()
        collecting.set(self)
        try:
            return self._run(watched_plan(plan, RunWatch(self, None)), *driver)
        finally:
            collecting.set(before)

    async def arun(self, plan: Plan, state: Any) -> Any:
        """Run a plan by awaiting."""
        before = collecting.get()
        collecting.set(self)
        watch = RunWatch(self, get_ident())
        try:
            return await self._arun(watched_plan(plan, watch), state)
        finally:
            watch.close()
            collecting.set(before)

    def whole(self, render: Callable[[], Any], in_hop: bool) -> Any:
        """Run what Django's own code renders, in this thread, and note its queries.

        Args:
            in_hop: whether the render came here from an event loop.
        """
        before = collecting.get()
        collecting.set(self)
        error: BaseException | None = None
        hop = HopRecord(self.render.name, None, "", self.offset(perf_counter()))
        if in_hop:
            self.render.hops.append(hop)
        try:
            with queries_noted(self):
                return render()
        except BaseException as raised:
            error = raised
            raise
        finally:
            collecting.set(before)
            hop.ms = self.offset(perf_counter()) - hop.at_ms
            self.render.computing_ms = hop.ms
            self.end(error)

    def watched(self, plan: Plan, on_loop: bool) -> Plan:
        """Return a plan that does the same, for who runs it himself: it may end in another thread
        than it begins."""
        before = collecting.get()
        collecting.set(self)
        watch = RunWatch(self, get_ident() if on_loop else None)
        try:
            return (yield from watched_plan(plan, watch))
        finally:
            watch.close()
            collecting.set(before)

    # -- what the render tells ---------------------------------------------------------------------

    def observe(self, event: Event) -> None:
        """Note a load or query."""
        with self.guarded:
            at = max(0.0, self.offset(perf_counter()) - event.milliseconds)
            if event.kind == "load":
                self.render.loads.append(load_record(event, at))
            else:
                self.render.queries.append(query_record(event, at))

    def enter(self, name: str, frame: FrameType | None) -> Any:
        """Note that a part of the page begins."""
        if not self.has_root:
            self.has_root = True
            return None
        # In a loop the same part begins again and again: it is found at once.
        parts, near = self._parts, frame
        for _ in range(NEAR_FRAMES):
            if near is None:
                break
            part = parts.get((name, id(near.f_code), near.f_lasti))
            if part is not None:
                part.count += 1
                return part, perf_counter()
            near = near.f_back
        with self.guarded:
            caller = calling_frame(frame)
            if caller is not None:
                now = perf_counter()
                return self._new_part(name, caller, self.offset(now)), now
        return None

    def _new_part(
        self, name: str, caller: FrameType, at_ms: float, is_timed: bool = True
    ) -> NotedPart:
        part = NotedPart(name, caller, at_ms, is_timed)
        self._parts[name, id(part.code), part.instruction] = part
        self.render.noted_parts.append(part)
        return part

    def leave(self, entered: Any) -> None:
        """Note that a part has ended."""
        if entered is not None:
            part, start = entered
            part.ms += (perf_counter() - start) * 1000

    def meets(self, template: Any, frame: FrameType | None) -> None:
        """Note that a Jinja2 template begins: the page itself, or one that it refers to."""
        with self.guarded:
            if not self.has_root:
                self.has_root = True
                name = template.filename or ""
                self.render.file = "" if name.startswith("<") else name
                return
            caller = calling_frame(frame)
            if caller is None:
                return
            name = template.name or ""
            part = self._parts.get((name, id(caller.f_code), caller.f_lasti))
            if part is None:
                self._new_part(name, caller, self.offset(perf_counter()), is_timed=False)
            else:
                part.count += 1

    def asked_cache(self, node: Any, hit: bool) -> None:
        """Note whether a fragment was in the cache."""
        with self.guarded:
            place = place_of_node(node)
            found = next(
                (
                    each
                    for each in self.render.cache
                    if (each.fragment, each.line, each.template)
                    == (node.fragment_name, place.line, place.template)
                ),
                None,
            )
            if found is None:
                found = CacheRecord(node.fragment_name, place.template, place.line)
                self.render.cache.append(found)
            if hit:
                found.hits += 1
            else:
                found.misses += 1

    def ran(self, code: Any, kind: str, seconds: float, on_loop: bool, node: Any = None) -> None:
        """Note that code of others has run."""
        if code is None or code is SOMEBODYS:
            return
        with self.guarded:
            place = NOWHERE
            if node is not None:
                place = place_of_node(node)
            elif kind == "python":
                place = place_on_stack(sys._getframe(1))
            where = "loop" if on_loop else "thread"
            self.note_code(code, kind, seconds * 1000, where, place)

    def note_code(self, code: Any, kind: str, ms: float, where: str, place: TracePlace) -> None:
        """Note that code of others has run at a place."""
        key = id(code), kind, where, place.template, place.line
        record = self._code.get(key)
        if record is None:
            name = record_name(code)
            record = CodeRecord(kind, name, place.template, place.line, where)
            self._code[key] = record
            self.render.code.append(record)
        record.count += 1
        record.ms += ms

    # -- the end -----------------------------------------------------------------------------------

    def sends(self, feed: Any) -> None:
        """Note that the page is sent while it is rendered."""
        with self.guarded:
            self.render.mode = "stream"
            self.is_sent = True
            feed.chunks = NotedChunks(feed, self)

    def end(self, error: BaseException | None) -> None:
        """Note that the render has ended."""
        render = self.render
        if render.ms is not None:
            return
        render.ms = self.offset(perf_counter())
        if error is not None:
            text = type(error).__name__
            render.exception = error
            with self.guarded:
                text = f"{text}: {error}" if str(error) else text
            render.error = text
        for tracer in self.tracers:
            tracer.leave(render)
        if not self.is_sent or error is not None:
            self.finish()

    def finish(self) -> None:
        """Tell who traces it that nothing more is to come."""
        tracers, self.tracers = self.tracers, ()
        for tracer in tracers:
            tracer.end(self.render)
        self.render.exception = None
        self.render.variables = dict


def _not_driven(*args: Any) -> Any:
    raise RuntimeError("the ways to run a plan were not given")


def query_record(event: Event, at: float) -> QueryRecord:
    """Return what is kept of an event."""
    return QueryRecord(
        kind=event.kind,
        template=event.template,
        line=event.line,
        expression=event.expression,
        at_ms=at,
        ms=event.milliseconds,
        rows=event.rows,
        model=event.model,
        batch=event.batch,
        lazy=event.is_lazy,
        suggestion=event.suggestion,
        source=event.source,
        file=event.file,
    )


def load_record(event: Event, at: float) -> LoadRecord:
    """Return what is kept of a load beside the page."""
    return LoadRecord(
        event.expression, event.model, at, event.milliseconds, event.rows, event.reason
    )
