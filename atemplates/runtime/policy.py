"""The OPTIONS of a backend that a render needs to know."""

from __future__ import annotations

from math import inf
from typing import Any

from ..placement.records import TRUSTED_AFTER, belongs_in_thread, is_trusted, said_of_code

POLICIES = ("batch", "fetch", "warn", "raise")
"""What can be done about a relation or deferred field that was not loaded."""
STRICT = frozenset({"warn", "raise"})
"""Those that have to see each query."""

YIELD_AFTER = 0.01
"""After how many seconds of computing the event loop has its turn where OPTIONS say nothing."""

TRIALS = 60
"""How many trials and objects noted take the loop about as long as going to the thread does: a
render that has had as many goes there, and so never costs much more than it would there."""


class Policy:
    """The OPTIONS of a backend that a render needs to know. Renders share it; nobody changes it.

    Args:
        sync_tags: where tags, filters and context processors of others run.
        inline_modules: the modules of the libraries of ``inline_tags``.
        inline: what these libraries registered: names of tags, functions of filters.
        relations: what is done about a relation that was not loaded.
        parallel: how many querysets may be loaded at the same time, on connections of their own.
        trusted_after: after how many quick runs in the thread code of others runs on the loop.
        yield_after: after how many seconds of computing the event loop has its turn; None: when the
            render has ended, or waits.
    """

    # A plain class, as `State` is: making a dataclass of either takes longer than most imports.
    __slots__ = (
        "inline",
        "inline_modules",
        "parallel",
        "relations",
        "sync_tags",
        "trials",
        "trusted_after",
        "yield_after",
    )

    def __init__(
        self,
        *,
        sync_tags: str = "auto",
        inline_modules: frozenset[str] = frozenset(),
        inline: frozenset[Any] = frozenset(),
        relations: str = "batch",
        parallel: int = 1,
        trusted_after: int = TRUSTED_AFTER,
        yield_after: float | None = YIELD_AFTER,
    ) -> None:
        self.sync_tags = sync_tags
        self.inline_modules = inline_modules
        self.inline = inline
        self.relations = relations
        self.parallel = parallel
        self.trusted_after = trusted_after
        self.yield_after = yield_after
        self.trials: float = TRIALS if self.is_learned and trusted_after else inf
        """How many trials, and objects noted for them, a render may have on the loop."""

    def may_run_here(self, code: Any, tag: Any = None, module: str = "") -> bool:
        """Whether a tag, filter or context processor of others may run on the event loop.

        Args:
            code: the function that runs, or the class of a node.
            tag: what the library registered: a filter's function, or the name of a tag.
            module: where the code was written.
        """
        if belongs_in_thread(code):
            return False
        if self.runs_inline(tag, module):
            return True
        return self.sync_tags == "auto" and self.trusts(code)

    def runs_inline(self, tag: Any, module: str) -> bool:
        """Whether OPTIONS let code of others run on the loop before anything was learned of it.

        Arguments as for `may_run_here`.
        """
        if self.sync_tags == "inline" or module in self.inline_modules:
            return True
        try:
            return tag in self.inline
        except TypeError:  # a callable object without a hash
            return False

    def place_of(self, code: Any, tag: Any = None, module: str = "") -> tuple[bool, str]:
        """Return whether such code runs on the loop, and in words where it does, for people.

        Arguments as for `may_run_here`.
        """
        inline = self.runs_inline(tag, module)
        if inline and not belongs_in_thread(code):
            said = "on the loop, as OPTIONS say"
        elif not inline and self.sync_tags == "thread":
            said = "in the request's thread, as OPTIONS say"
        else:
            said = said_of_code(code)
        return self.may_run_here(code, tag, module), said

    @property
    def is_learned(self) -> bool:
        """Whether nothing but what was learned says where tags and filters of others run."""
        return self.sync_tags == "auto" and not self.inline and not self.inline_modules

    def trusts(self, code: Any) -> bool:
        """Whether code of others has earned to run on the event loop."""
        return is_trusted(code, self.trusted_after)
