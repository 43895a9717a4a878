"""What a render tells whoever traces it: the seam to the room that keeps the trace.

Only a render that somebody traces has a `Tracing`; it stands in `State.told`. No other render asks
for one more than it asks whether it is told at all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import perf_counter
from types import FrameType
from typing import Any, NamedTuple, Protocol

from .waits import Plan, Wait


class RenderStart(NamedTuple):
    """What is known of a render that begins."""

    name: str
    """The template's name; empty for one made from a string."""
    file: str
    engine: str
    """The alias of the backend; empty where the engine belongs to none."""
    view: str
    """The name of the view whose request is rendered, where that is known."""
    is_async: bool
    is_native: bool = True
    """Whether a plan renders it, and not Django's own code."""
    variables: Callable[[], Mapping[str, Any]] = dict
    """Gives the variables of the template."""


class Tracing(Protocol):
    """One render that is traced. Any of its threads and tasks may call it."""

    def run(self, plan: Plan, *driver: Any) -> Any:
        """Run a plan by blocking, as the render's own way to do so does."""
        ...

    async def arun(self, plan: Plan, state: Any) -> Any:
        """Run a plan by awaiting, as the render's own way to do so does."""
        ...

    def driven_by(
        self,
        run: Callable[..., Any],
        arun: Callable[[Plan, Any], Awaitable[Any]],
    ) -> None:
        """Take the render's own ways to run a plan."""
        ...

    def whole(self, render: Callable[[], Any], in_hop: bool) -> Any:
        """Run what Django's own code renders, in this thread, to the end of the render.

        Args:
            in_hop: whether the render came here from an event loop.
        """
        ...

    def watched(self, plan: Plan, on_loop: bool) -> Plan:
        """Return a plan that does the same and whose waits are noted; for who runs it himself."""
        ...

    def enter(self, name: str, frame: FrameType | None) -> Any:
        """Note that a part of the page begins; give what `leave` is to be given.

        Args:
            name: the name of the template, or ``block`` and the name of the block.
            frame: what the part was begun from.
        """
        ...

    def leave(self, entered: Any) -> None:
        """Note that a part has ended."""
        ...

    def meets(self, template: Any, frame: FrameType | None) -> None:
        """Note that a Jinja2 template begins: the page's own, or one that it refers to.

        Args:
            frame: what it was begun from.
        """
        ...

    def asked_cache(self, node: Any, hit: bool) -> None:
        """Note whether a fragment was in the cache."""
        ...

    def ran(self, code: Any, kind: str, seconds: float, on_loop: bool, node: Any = None) -> None:
        """Note that code of others has run.

        Args:
            code: the function, or the class of a node.
            kind: ``tag``, ``filter`` or ``processor``.
            seconds: what it took.
            on_loop: whether that was on the event loop.
            node: the node, or the site, that it belongs to.
        """
        ...

    @property
    def observe(self) -> Callable[[Any], None]:
        """What is told of each load and query."""
        ...

    def sends(self, feed: Any) -> None:
        """Note that the page is sent while it is rendered."""
        ...

    def end(self, error: BaseException | None) -> None:
        """Note that the render has ended."""
        ...


class RenderObserver:
    """An observer of loads that wants to be told of whole renders.

    It is registered as any observer is. Where a render begins, `trace` is asked for what is told in
    the observer's place.
    """

    def __call__(self, event: Any) -> None:
        """Be told of a load that belongs to no render."""

    def trace(self, observers: Sequence[RenderObserver], start: RenderStart) -> Tracing:
        """Begin to trace a render, for all of the observers that want to be told of it."""
        raise NotImplementedError

    def here(self) -> Callable[[Any], None]:
        """Return what is told of a load that begins now: the render around it, if there is one."""
        return self


def tracing_of(told: Any) -> Tracing | None:
    """Return what traces a render, given its ``told``: that may also be a bool."""
    return None if type(told) is bool else told


def ran_traced(
    state: Any, kind: str, code: Any, node: Any, pending: type, function: Callable[[], Any]
) -> Any:
    """Call what runs code of others, in a render that is told; note what it took if it is traced.

    What it leaves to a wait is noted where that is answered.

    Args:
        state: the state of the render.
        kind: as for `Tracing.ran`, as are ``code`` and ``node``.
        pending: the type of a result that stands for a plan.
        function: calls it.
    """
    tracing = tracing_of(state.told)
    if tracing is None:
        return function()
    on_loop = state.on_loop
    result: Any = None
    start = perf_counter()
    try:
        result = function()
    finally:
        if type(result) is not pending:
            tracing.ran(code, kind, perf_counter() - start, on_loop, node)
    return result


class Untimed:
    """No result is of this type: each has taken the time that it took."""


class WaitWatch(Protocol):
    """Sees how a plan that is run goes on and waits; in whichever thread that happens."""

    def goes_on(self, wait: Wait | None, answer: Any, has_failed: bool) -> None:
        """The plan goes on: it begins (no wait), or has the answer to a wait; or an exception."""
        ...

    def waits(self, plan: Plan, wait: Wait) -> None:
        """The plan waits."""
        ...

    def ends(self) -> None:
        """The plan has ended."""
        ...


def watched_plan(plan: Plan, watch: WaitWatch) -> Plan:
    """A plan that does what another one does, and tells how it goes on and waits."""
    step: Any = plan.send
    given: list[Any] = [None]
    known: Wait | None = None
    has_failed = False
    try:
        while True:
            watch.goes_on(known, given[0], has_failed)
            try:
                # Taken out: an exception must not be held by a frame of its own traceback.
                wait: Wait = step(given.pop())
            except StopIteration as done:
                return done.value
            known = wait
            watch.waits(plan, wait)
            try:
                answer = yield wait
            except GeneratorExit:
                plan.close()
                raise
            except BaseException as error:  # every exception belongs to the plan
                step, has_failed = plan.throw, True
                given.append(error)
            else:
                step, has_failed = plan.send, False
                given.append(answer)
                answer = None
    finally:
        watch.ends()
