"""What a node does to the context's names, and which names the compiled code keeps itself."""

from __future__ import annotations

from typing import Any

# Plain classes: making a dataclass takes longer than importing most modules.


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

    __slots__ = ("elsewhere", "foreign", "reads", "upward", "writes")

    def __init__(
        self,
        reads: bool = False,
        writes: frozenset[str] | None = frozenset(),
        foreign: frozenset[str] = frozenset(),
        upward: frozenset[str] = frozenset(),
        elsewhere: bool = False,
    ) -> None:
        self.reads = reads
        self.writes = writes
        self.foreign = foreign
        self.upward = upward
        self.elsewhere = elsewhere

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
        return Effects(self.reads, frozenset(), self.foreign, self.upward, self.elsewhere)

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


class Frame:
    """One level of names around the code being written.

    Args:
        names: the context's name -> the binding that holds its value.
        changing: names that are set inside this frame, so that only the context knows their value.
        opaque: whether any name may be set inside.
        elsewhere: whether code compiled elsewhere runs inside, which may set names of any frame.

    ``scope`` is the local that holds the context's dict of a loop with one variable, if it has one:
    nothing but the variable and ``forloop`` is in it, unless a tag inside sets something.
    """

    __slots__ = ("changing", "elsewhere", "names", "opaque", "scope")

    def __init__(
        self,
        names: dict[str, Any] | None = None,
        changing: frozenset[str] = frozenset(),
        opaque: bool = False,
        elsewhere: bool = False,
    ) -> None:
        self.names = {} if names is None else names
        self.changing = changing
        self.opaque = opaque
        self.elsewhere = elsewhere
        self.scope = ""


class Local:
    """A context variable that the function keeps in a local variable."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class WrittenLoop:
    """A ``{% for %}`` being written, as seen from its body."""

    __slots__ = (
        "changes",
        "cycles",
        "dictionary",
        "hoisted",
        "index",
        "length",
        "parent",
        "preamble",
        "uses_dictionary",
        "uses_index",
    )

    def __init__(
        self,
        *,
        index: str,
        length: str,
        parent: WrittenLoop | None,
        dictionary: str,
        uses_dictionary: bool = False,
    ) -> None:
        self.index = index
        self.length = length
        self.parent = parent
        self.dictionary = dictionary
        self.uses_index = False
        self.uses_dictionary = uses_dictionary
        self.changes = ""
        """The local for the dict in which ``{% ifchanged %}`` keeps what it saw, if one stands in
        the loop."""
        self.cycles = ""
        """The local for the dict in which ``{% cycle %}`` keeps its position, if one was made."""
        self.preamble: list[str] = []
        """Lines to run once before the loop."""
        self.hoisted: dict[str, str] = {}
        """What is found out once, before the loop -> local variables: names of the context, and
        (with a space in the key) what lasts as long as their values."""
