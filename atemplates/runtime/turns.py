"""When a plan that computes for long gives the event loop its turn: the clock, and rows in blocks.

Compiled loops count their rows (`TurningState.rows`). Each time there are `ROWS_BETWEEN_LOOKS` of
them, and before each block of so many rows of a longer loop, a plan on the event loop looks at the
clock. If that says so, the plan yields `A_TURN_OF_THE_LOOP`, and goes on when whatever else was
ready has run. Elsewhere nothing is counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from operator import length_hint
from time import perf_counter
from typing import Any, Protocol, final

from .waits import Kind, Plan, Wait

ROWS_BETWEEN_LOOKS = 128
"""After how many rows the clock is looked at again, at the earliest."""
FEW_ROWS = 8
"""How many rows need not be counted in a loop that holds no other: the loop around it counts."""
LONGEST_BLOCK = 256
"""How many rows a block has as long as the page has not taken long: a loop of a hundred pays for
none."""
UNKNOWN_LENGTH = 2**40
AHEAD_AT_THE_END = 0.5
"""Which share of the limit is left at least for what comes behind a long loop."""
# Where no loop is running, the exception of `asyncio.get_running_loop` takes ten times as long.
running_loop: Callable[[], asyncio.AbstractEventLoop | None] = asyncio._get_running_loop
ROUNDS_OF_A_TURN = 3
"""How many rounds of the event loop are a turn: a timer or a socket is noticed in the first, who
waits for it is woken in the second, and has run before the third ends."""

A_TURN_OF_THE_LOOP = Wait(Kind.TURN, None)
"""Waits for nothing: the event loop runs what is ready, and the plan goes on."""


class TurningState(Protocol):
    """The state of a render, of either engine, as far as the turns of the loop are concerned."""

    on_loop: bool
    """Whether the code that runs now stands on an event loop."""
    rows: int
    """How many rows were counted since the clock was looked at last."""
    clock: LoopClock | None
    """Made when it is first looked at; the parts of a page that run at the same time share it."""

    @property
    def yield_after(self) -> float | None:
        """``OPTIONS["yield_after"]``."""
        ...


@final
class LoopClock:
    """Tells since when the event loop has had no turn. Belongs to one render, on one loop.

    Only the loop knows whether something that was awaited has waited. So the clock leaves a mark in
    the loop, which is gone when the loop has had its turn. A page that takes less than a quarter of
    the limit leaves none.

    Args:
        limit: after how many seconds of computing the loop is to have its turn.
    """

    __slots__ = ("_marked_from", "_until", "is_marked", "limit")

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self._marked_from = 0.0
        """The time from which on the loop is marked; 0: nobody has looked yet."""
        self.is_marked = False
        """Whether there is a mark in the loop, which had no turn since then."""
        self._until = 0.0
        """When the loop is to have its turn, if the mark is still there by then."""

    def is_due(self, ahead: float = 0.0) -> bool:
        """Whether the loop, which runs in this thread, has had no turn for too long.

        Args:
            ahead: for which share of the limit nobody will look again.
        """
        now = perf_counter()
        if self.is_marked:
            return now >= self._until - ahead * self.limit
        if not self._marked_from:
            self._marked_from = now + self.limit / 4
        elif now >= self._marked_from:
            # A function that a plan has called in the thread may run another, which knows nothing.
            loop = running_loop()
            if loop is not None:
                self.is_marked = True
                self._until = now + self.limit
                loop.call_soon(self._had_turn)
        return False

    def _had_turn(self) -> None:
        self.is_marked = False


def is_turn_due(state: TurningState, ahead: float = 0.0) -> bool:
    """Look at the clock, if the plan stands on the event loop; count rows from 0 again.

    ``ahead`` as for `LoopClock.is_due`.
    """
    state.rows = 0
    if not state.on_loop:
        return False
    clock = state.clock or clock_of(state)
    return clock is not None and clock.is_due(ahead)


def clock_of(state: TurningState) -> LoopClock | None:
    """Return the clock of a render; None where the loop has no turns before the end."""
    limit = state.yield_after
    if state.clock is None and limit is not None:
        state.clock = LoopClock(limit)
    return state.clock


def turn_if_due(state: TurningState) -> Plan:
    """The plan that gives the loop its turn, if that is due."""
    if is_turn_due(state):
        yield A_TURN_OF_THE_LOOP


async def give_turn() -> None:
    """Let the event loop run what is ready, and what that has made ready."""
    for _ in range(ROUNDS_OF_A_TURN):
        await asyncio.sleep(0)


@final
class RowBlocks:
    """The rows of a loop in blocks, with a look at the clock after each.

    A row is taken right before it is rendered, as a plain loop takes it. In a page that takes long
    the text of a block is joined when the block ends: a million pieces at the end of the page would
    take longer than a turn may be late.

    Args:
        rows: all rows.
        length: how many there are; `UNKNOWN_LENGTH`: nobody knows.
        numbered: whether the loop numbers its rows, from 0.
        texts: the list that the loop writes to; anything else is left alone.
        is_due: whether a turn is due already.
    """

    __slots__ = (
        "_begin",
        "_is_due",
        "_left",
        "_number",
        "_numbered",
        "_rest",
        "_state",
        "_texts",
        "rows",
    )

    rows: Iterator[Any]
    """The block to go through next, numbered if asked for."""

    def __init__(
        self,
        state: TurningState,
        rows: Iterable[Any],
        length: int,
        numbered: bool,
        texts: Any,
        is_due: bool,
    ) -> None:
        self._state = state
        self._texts: list[Any] | None = texts if type(texts) is list else None
        self._begin = 0 if self._texts is None else len(self._texts)
        self._rest: Iterator[Any] | None = iter(rows)
        self._left = length
        self._numbered = numbered
        self._number = 0
        self._is_due = is_due
        if not self._advance():
            self.rows = iter(())

    def _advance(self) -> bool:
        """Begin the next block; whether there is one."""
        rest, clock = self._rest, self._state.clock
        if rest is None:
            return False
        size = ROWS_BETWEEN_LOOKS if clock is not None and clock.is_marked else LONGEST_BLOCK
        number = self._number
        self._number = number + size
        if self._left == UNKNOWN_LENGTH:
            for first in rest:
                block: Iterator[Any] = chain((first,), islice(rest, size - 1))
                break
            else:
                self._rest = None
                return False
        elif self._left > size:
            self._left -= size
            block = islice(rest, size)
        else:
            # What the length has not told of, too: rows that were added meanwhile.
            self._rest = None
            self.rows = enumerate(rest, number) if self._numbered else rest
            return True
        self.rows = (
            zip(range(number, self._number), block, strict=False) if self._numbered else block
        )
        return True

    def have_ended(self) -> Plan:
        """The plan after a block: gives the loop its turn if that is due, and begins the next.

        Returns:
            Whether there is none.
        """
        self._join()
        # What comes behind the loop may be to join the text of the page.
        ahead = AHEAD_AT_THE_END if self._rest is None else 0.0
        if self._is_due or is_turn_due(self._state, ahead):
            self._is_due = False
            yield A_TURN_OF_THE_LOOP
        return not self._advance()

    def _join(self) -> None:
        texts, clock = self._texts, self._state.clock
        if texts is None or clock is None or not clock.is_marked:
            return
        try:
            texts[self._begin :] = ("".join(texts[self._begin :]),)
        except TypeError:  # not all are text: whoever joins the whole says what is wrong
            self._texts = None
        else:
            self._begin += 1


def row_blocks(
    state: TurningState, rows: Any, length: int, numbered: bool, texts: Any
) -> RowBlocks | None:
    """Look at the clock where a loop begins, since enough rows were counted.

    Args:
        rows: the rows of the loop.
        length: how many there are; `UNKNOWN_LENGTH`: nobody knows.
        numbered: whether the loop numbers its rows.
        texts: the list that the loop writes to, or anything else.

    Returns:
        The rows in blocks; None for a loop that is short, and needs no turn.
    """
    is_due = is_turn_due(state)
    if length <= LONGEST_BLOCK and not is_due:
        return None
    return RowBlocks(state, rows, length, numbered, texts, is_due)


def known_length(rows: Any) -> int:
    """Return how many rows there are, of containers and their iterators; or `UNKNOWN_LENGTH`."""
    return length_hint(rows, UNKNOWN_LENGTH)
