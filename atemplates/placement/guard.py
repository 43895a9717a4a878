"""Noticing Django's guard: the check that nothing asks the database on a running event loop.

Django raises ``SynchronousOnlyOperation`` where code asks the database on the loop, and whoever
catches every exception hides that. Here the guard is noticed whatever becomes of its exception:
``django.utils.asyncio`` asks its own ``get_running_loop`` first, which is wrapped once. As long as
nobody watches, that costs one look at a dict per query.

On trial (`atemplates.placement.trials`) the guard raises `LeaveLoop`, which ``except Exception``
does not catch.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from threading import get_ident
from typing import Any

import django.utils.asyncio
from django.core.exceptions import SynchronousOnlyOperation


class LeaveLoop(BaseException):
    """Code that runs on the event loop on trial has to run in the request's thread instead.

    No ``Exception``: code that catches every one of these must not hide that it asked.
    """


class NeedsLoop(Exception):
    """Code of others that ran in the request's thread has to run on the event loop.

    Args:
        call: calls it.
    """

    def __init__(self, call: Callable[[], Any]) -> None:
        super().__init__(call)
        self.call = call


NO_LOOP = (
    "no running event loop",
    "There is no current event loop",
    "Cannot create an async connection without a running event loop",
)
"""How asyncio, and django-async-backend, refuse code that works on an event loop only."""


def needs_loop(error: BaseException) -> bool:
    """Whether an exception says that code runs on an event loop only."""
    return isinstance(error, RuntimeError) and str(error).startswith(NO_LOOP)


class GuardWatch:
    """Notices whether code asks for the database while it runs in this thread.

    A context manager, which may be entered inside another.

    Args:
        leave: whether asking on a running event loop raises `LeaveLoop` instead of Django's own
            exception.
    """

    __slots__ = ("asked", "leave", "line", "outer", "template", "thread")

    def __init__(self, leave: bool = False) -> None:
        self.asked = False
        """Whether something asked for the database."""
        self.leave = leave
        self.template = ""
        """The file or name of the template that asked first, where that is known."""
        self.line: int | None = None
        self.outer: GuardWatch | None = None
        self.thread = 0

    def __enter__(self) -> GuardWatch:
        self.begin()
        return self

    def __exit__(self, *details: Any) -> None:
        self.end()

    def begin(self) -> None:
        """Watch this thread, until `end`."""
        self.thread = thread = get_ident()
        self.outer = WATCHES.get(thread)
        WATCHES[thread] = self

    def end(self) -> None:
        """Leave the thread to the watch that was there before, which learns what was asked."""
        if self.outer is None:
            del WATCHES[self.thread]
        else:
            WATCHES[self.thread] = self.outer
            self.outer.asked = self.outer.asked or self.asked


WATCHES: dict[int, GuardWatch] = {}
"""Thread -> the innermost watch. Each thread reads and writes only its own entry."""

original: Any = django.utils.asyncio.get_running_loop  # type: ignore[attr-defined]


def get_running_loop() -> Any:
    """Do what ``asyncio.get_running_loop`` does, and tell the thread's watch.

    Raises:
        RuntimeError: no loop runs in this thread, so that Django's guard lets the query pass.
        LeaveLoop: one runs, and the code that asks is on trial.
    """
    watch = WATCHES.get(get_ident())
    if watch is None:
        return original()
    if not watch.asked:
        watch.asked = True
        watch.template, watch.line = asking_template()
    loop = original()
    if watch.leave:
        raise LeaveLoop
    return loop


def tell() -> None:
    """Tell the thread's watch that code needs what cannot be had on the loop.

    Raises:
        LeaveLoop: the code is on trial.
    """
    watch = WATCHES.get(get_ident())
    if watch is not None:
        watch.asked = True
        if watch.leave:
            raise LeaveLoop


def asking_template() -> tuple[str, int | None]:
    """Return the file or name and the line of the innermost template on the stack."""
    frame = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals
        if str(module.get("__name__")).startswith(COMPILED):
            return frame.f_code.co_filename, frame.f_lineno
        if "__jinja_template__" in module:
            template = module["__jinja_template__"]
            name = getattr(template, "name", None) or "<template>"
            return name, template.get_corresponding_lineno(frame.f_lineno)
        frame = frame.f_back  # type: ignore[assignment]
    return "", None


COMPILED = f"{__name__.partition('.')[0]}.compiled."


def install_guard() -> None:
    """Put `get_running_loop` where Django's guard asks. Doing it again changes nothing."""
    django.utils.asyncio.get_running_loop = get_running_loop  # type: ignore[attr-defined]


install_guard()

BLOCKED: tuple[type[BaseException], ...] = (SynchronousOnlyOperation, LeaveLoop)
"""What says that a step needs the request's thread."""
