"""The state of one render: what stays the same from the first node to the last.

Only `atemplates.engines` makes one. Everything that comes from settings or OPTIONS reaches the
rooms below through it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .kinds import PLAIN, PLAIN_OR_MODEL
from .surroundings import Surroundings

POLICIES = ("batch", "fetch", "warn", "raise")
"""What can be done about a relation or deferred field that was not loaded."""

ATTRIBUTE = "_atemplates_state"
"""Where a ``Context`` carries the state, for nodes that only get the context."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The OPTIONS of a backend that a render needs to know."""

    sync_tags: str = "thread"
    inline_modules: frozenset[str] = frozenset()
    relations: str = "batch"

    def runs_inline(self, module: str) -> bool:
        """Whether third-party code of ``module`` may run on the event loop."""
        return self.sync_tags == "inline" or module in self.inline_modules


@dataclass(slots=True, eq=False)
class State:
    """One render. Never shared between two renders, nor used by two coroutines at a time."""

    engine: Any
    policy: Policy
    run: Callable[[Any], Any]
    """Runs a plan by blocking."""
    arun: Callable[[Any], Any]
    """Runs a plan by awaiting."""
    relations: Any
    """What is done about relations: the policy, the loops, the observers."""
    block_super: Callable[[State, Any], Any]
    """Gives the plan of ``{{ block.super }}`` for a block node."""
    on_loop: bool
    """Whether the code that runs now stands on an event loop. Set with `stand_on`."""
    plain_integers: bool = True
    """Whether an int is written as ``str()`` writes it: no thousand separators are configured."""
    reached_out: bool = False
    """Whether a tag may have set a name in any frame of the context, not just in its own."""
    use_tz: bool = True
    """Whether datetimes are shown in the current time zone where nothing else is said."""
    awaited: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    """Awaitable's identity -> (the awaitable, its result): each is awaited once."""
    upcoming: dict[int, Any] = field(default_factory=dict)
    """The context's awaitables that the template mentions: the first wait awaits them all."""
    surroundings: Surroundings = field(default_factory=Surroundings)
    """The language, the time zone and the like, and what was found out under them."""
    asked: list[tuple[Any, str]] = field(default_factory=list)
    """The templates that a method which is not Django's own is rendering, and the method."""
    plain: set[type] = field(init=False)
    """The types whose attributes may be read without asking anybody."""

    def __post_init__(self) -> None:
        self.stand_on(self.on_loop)

    def stand_on(self, loop: bool) -> bool:
        """Say whether what runs next stands on an event loop; return how it was before."""
        before = self.on_loop
        self.on_loop = loop
        # Off the loop no guard stops a query, so a model's attributes are looked at first.
        self.plain = PLAIN_OR_MODEL if loop else PLAIN
        return before


def state_of(context: Any) -> State | None:
    """Return the state that a context carries, or None when a stock render made it."""
    state = vars(context).get(ATTRIBUTE)
    return state if isinstance(state, State) else None
