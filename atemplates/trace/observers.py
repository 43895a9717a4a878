"""Who is told of renders: ``subscribe`` for all of the process; and what a failing one does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeAlias, runtime_checkable

from ..errors import logger
from ..relations.events import Event
from ..relations.policy import observe_everywhere, observing
from ..runtime.tracing import RenderObserver, RenderStart, Tracing
from .collecting import RenderCollector, collecting
from .records import RenderTrace


@runtime_checkable
class TraceObserver(Protocol):
    """Who wants to be told of the beginning of a render, too.

    It may also have ``leave(render)``, which is called when nothing more of the render runs, with
    the context variables that it ran with. `end` may come later, and elsewhere: when the last chunk
    of a page that is sent was taken.
    """

    def begin(self, render: RenderTrace) -> None:
        """A render begins: its context variables are seen by all that it runs."""
        ...

    def end(self, render: RenderTrace) -> None:
        """It has ended, and all is known of it."""
        ...


Told: TypeAlias = "TraceObserver | Callable[[RenderTrace], object]"
"""An observer: an object with `begin` and `end`, or a function that is given each render when it
has ended."""


class Tracer(RenderObserver):
    """Stands among the observers of loads for somebody who wants to be told of whole renders.

    Args:
        observer: who is told. An exception of his is logged the first time, and never reaches a
            page.
    """

    def __init__(self, observer: Told) -> None:
        self.observer = observer
        self._begin = getattr(observer, "begin", None)
        self._leave = getattr(observer, "leave", None)
        self._end: Any = getattr(observer, "end", observer)
        # Any thread may set it: at worst a failure is logged twice.
        self._failed = False

    def trace(self, observers: Sequence[RenderObserver], start: RenderStart) -> Tracing:
        """Begin to trace a render, for all of the observers that want to be told of it."""
        return RenderCollector([each for each in observers if isinstance(each, Tracer)], start)

    def here(self) -> Callable[[Any], None]:
        """Return what is told of a load that begins now: the render around it, if there is one."""
        collector = collecting.get()
        return self if collector is None or self not in collector.tracers else collector.observe

    def __call__(self, event: Event) -> None:
        """Be told of a load that belongs to no render."""

    def begin(self, render: RenderTrace) -> None:
        """Tell that a render begins."""
        if self._begin is not None:
            self._tell(self._begin, render)

    def leave(self, render: RenderTrace) -> None:
        """Tell that nothing more runs of a render."""
        if self._leave is not None:
            self._tell(self._leave, render)

    def end(self, render: RenderTrace) -> None:
        """Tell that a render has ended."""
        self._tell(self._end, render)

    def _tell(self, told: Callable[[RenderTrace], object], render: RenderTrace) -> None:
        try:
            told(render)
        except Exception:
            if not self._failed:
                self._failed = True
                logger.exception(
                    "An observer of traces failed, and is not heard of again: %s. The page is "
                    "rendered all the same.",
                    type(self.observer).__qualname__,
                )


def subscribe(observer: Told) -> Callable[[], None]:
    """Tell an observer of every render of this process, from any thread.

    Args:
        observer: an object with ``begin(render)`` and ``end(render)``, or a function that is given
            each `RenderTrace` when the render has ended.

    Returns:
        A function that ends it.

    Raises:
        TypeError: it is neither.
    """
    return observe_everywhere(Tracer(checked_observer(observer)))


@contextmanager
def told_here(observer: Told) -> Iterator[None]:
    """Tell an observer of every render begun inside the block, in this task and thread and those
    begun from it. Arguments and errors as for `subscribe`."""
    with observing(Tracer(checked_observer(observer))):
        yield


def checked_observer(observer: Any) -> Any:
    """Return an observer.

    Raises:
        TypeError: it has not ``begin`` and ``end``, and is no function either.
    """
    if callable(observer) or isinstance(observer, TraceObserver):
        return observer
    raise TypeError(
        f"{observer!r} cannot observe renders: expected an object with begin(render) and "
        f"end(render), or a function that is given each render when it has ended."
    )
