"""What a plan can wait for: plain data, no behaviour, no I/O.

A step gives a value, or a `Pending`: a plan that gives the value, to run as part of the template's.
Every value is compared with that one class (``type(value) is Pending``), and the comparison is all
that it costs when there is nothing to wait for. What a plan yields is a `Wait`: a driver looks at
`Wait.kind` to know what to do, and sends the answer back into the plan. What the request's thread
answers takes the plan along: it goes on there.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from enum import IntEnum
from typing import Any, TypeAlias, final


class Kind(IntEnum):
    """What the driver does with a wait."""

    AWAIT = 1
    """Await ``subject``; the answer is its result."""

    CALL = 2
    """Call ``subject(*args, **kwargs)`` in the request's thread; the answer is its result."""

    ROWS = 3
    """Evaluate the queryset ``subject`` in the request's thread, filling its result cache; the
    answer is the queryset. Or read it with ``async for`` if it is not Django's."""

    GATHER = 4
    """Await the awaitables in the dict ``subject`` together; the answer maps key to result."""

    BRANCHES = 5
    """Run the plans of ``subject`` at the same time; the answer is the list of their results."""

    TURN = 6
    """Let the event loop run what is ready. Only a plan that stands on it waits for that; code that
    cannot wait goes on at once."""


@final
class Wait:
    """One thing that a plan cannot go on without."""

    __slots__ = ("args", "kind", "kwargs", "notify", "subject")

    def __init__(
        self,
        kind: Kind,
        subject: Any,
        args: tuple[Any, ...] = (),
        kwargs: Any = None,
        notify: Callable[[float, Any], None] | None = None,
    ) -> None:
        self.kind = kind
        self.subject = subject
        self.args = args
        self.kwargs = kwargs
        self.notify = notify
        """Called by the driver with the milliseconds it took, and the answer. If it is a context
        manager as well, a call is made inside it, in the thread that makes the call."""

    def __repr__(self) -> str:
        return f"<Wait {self.kind.name} {self.subject!r}>"


def _nothing() -> None:
    return None


A_TURN = Wait(Kind.CALL, _nothing)
"""Waits for the request's thread, and for nothing there: what was asked of it before is done then,
and the plan goes on there."""

Plan: TypeAlias = Generator[Wait, Any, Any]
"""A generator that yields what it waits for, and returns its result."""


class Pending:
    """A plan in the place of a value: it is run as part of the plan that met it, and returns the
    value. Never reaches a driver."""

    __slots__ = ("plan",)

    def __init__(self, plan: Plan) -> None:
        self.plan = plan


def pending_wait(wait: Wait) -> Pending:
    """Return the plan that waits for one thing."""
    return Pending(_one_wait(wait))


def _one_wait(wait: Wait) -> Plan:
    return (yield wait)


def resume_plan(plan: Plan, wait: Wait) -> Plan:
    """The rest of a plan that was begun and waits."""
    while True:
        try:
            answer = yield wait
        except GeneratorExit:
            plan.close()
            raise
        except BaseException as error:  # every exception belongs to the plan
            step: Any = plan.throw
            given: Any = error
        else:
            step, given = plan.send, answer
        try:
            wait = step(given)
        except StopIteration as done:
            return done.value
