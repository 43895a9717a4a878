"""What a node does to the context's names, and which names the compiled code keeps itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Effects:
    """What rendering some nodes may do with the context, apart from reading known names.

    ``reads``: something may look at the whole context, so every frame around it must be real.
    ``writes``: names that are set in a frame around the nodes; None stands for any name.
    ``foreign``: the modules of the code of others inside.
    ``upward``: names that are set wherever they stand (``{% cycle ... as name %}``), so that no
    frame contains them.
    ``elsewhere``: code compiled elsewhere (an include, a block, the contents of a foreign node)
    runs, and it may do the same with any name.
    """

    reads: bool = False
    writes: frozenset[str] | None = frozenset()
    foreign: frozenset[str] = frozenset()
    upward: frozenset[str] = frozenset()
    elsewhere: bool = False

    def __or__(self, other: Effects) -> Effects:
        if other is NONE or self is NONE:  # as most are
            return self if other is NONE else other
        writes = None
        if self.writes is not None and other.writes is not None:
            writes = self.writes | other.writes
        return Effects(
            self.reads or other.reads,
            writes,
            self.foreign | other.foreign,
            self.upward | other.upward,
            self.elsewhere or other.elsewhere,
        )

    def contained(self) -> Effects:
        """The same effects outside a frame that holds what is written inside it."""
        return replace(self, writes=frozenset())

    @property
    def changing(self) -> frozenset[str]:
        """The names that are known to be set in a frame around the nodes."""
        return self.upward if self.writes is None else self.writes | self.upward

    @property
    def needs_frame(self) -> bool:
        """Whether a frame around the nodes must be a real dict of the context."""
        return self.reads or self.writes is None or bool(self.writes or self.upward)

    def frame(self, names: dict[str, Any] | None = None) -> Frame:
        """Make the frame around the nodes.

        Args:
            names: what the frame binds.
        """
        return Frame(names or {}, self.changing, self.writes is None, self.elsewhere)


NONE = Effects()
READS_CONTEXT = Effects(reads=True)
OPAQUE = Effects(reads=True, writes=None, elsewhere=True)
ELSEWHERE = Effects(reads=True, elsewhere=True)


def foreign_effects(module: str, *, reaches: bool = True) -> Effects:
    """The effects of third-party code from ``module``.

    Args:
        reaches: whether it gets the context: then it, or what stands inside it, may set a name in
            any frame.
    """
    return Effects(True, None, frozenset({module}), elsewhere=reaches)


def assigns(*names: str | None) -> Effects:
    """The effects of a tag with ``as name``."""
    written = frozenset(name for name in names if name)
    return Effects(writes=written)


@dataclass(slots=True)
class Frame:
    """One level of names around the code being written."""

    names: dict[str, Any] = field(default_factory=dict)
    """The context's name -> the binding that holds its value."""
    changing: frozenset[str] = frozenset()
    """Names that are set inside this frame, so that only the context knows their value."""
    opaque: bool = False
    """Whether any name may be set inside."""
    elsewhere: bool = False
    """Whether code compiled elsewhere runs inside, which may set names of any frame."""


@dataclass(frozen=True, slots=True)
class Local:
    """A context variable that the function keeps in a local variable."""

    name: str


@dataclass(slots=True)
class WrittenLoop:
    """A ``{% for %}`` being written, as seen from its body."""

    index: str
    length: str
    parent: WrittenLoop | None
    dictionary: str
    uses_index: bool = False
    uses_dictionary: bool = False
    preamble: list[str] = field(default_factory=list)
    """Lines to run once before the loop."""
    hoisted: dict[str, str] = field(default_factory=dict)
    """Names of the context that are looked up once, before the loop -> local variables."""
