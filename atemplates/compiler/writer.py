"""Writing the source of one plan function.

The source is Python, but nothing of a template's text gets into it except through ``repr()`` of
an exact ``str`` (the text between tags) and attribute names that are plain ASCII identifiers and
no keywords. Everything else - literals, names, nodes, filters - is a constant that the source
refers to by a name of ours.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.template.base import Node

from .scope import OPAQUE, Effects, Frame, Local

identifier = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)


def is_attribute_name(bit: str) -> bool:
    """Whether ``bit`` may stand behind a dot in generated source."""
    return identifier.fullmatch(bit) is not None and not keyword.iskeyword(bit)


Made = TypeVar("Made")

DEEP = 8
"""The indentation at which a function that must not nest deeply goes on in another."""


def is_temporary(name: str) -> bool:
    """Whether a local holds the result of one expression, so that it may be changed."""
    return name.startswith(("t_", "v_"))


class Constants:
    """The objects that generated source refers to, by name; shared by a module's functions."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.made: dict[int, tuple[Callable[..., Any], Any]] = {}
        """The identity of an object -> the function that made it, and of what."""
        self._names: dict[int, str] = {}

    def name(self, value: Any, prefix: str = "k") -> str:
        """Return the name under which the source can refer to ``value``."""
        known = self._names.get(id(value))
        if known is None:
            known = f"{prefix}{len(self.values)}"
            self._names[id(value)] = known
            self.values[known] = value
        return known

    def make(self, function: Callable[[Any], Made], value: Any) -> Made:
        """Call a function of ours or of Django's for a constant, or for a part of one.

        Code that is kept for other processes tells them what was called; for an object that cannot
        be told by itself.
        """
        made = function(value)
        self.made[id(made)] = function, value
        return made


class Writer:
    """The lines of one plan function, each with the node it was written for."""

    def __init__(self, module: Any, *, effects: Effects = OPAQUE, streamed: bool = False) -> None:
        self.module = module
        self.streamed = streamed
        """Whether the function writes what its page sends, so that nothing may stay pending."""
        self.constants: Constants = module.constants
        self.shallow: bool = module.shallow
        self.repeated: bool = module.repeated
        self.effects = effects
        """What the whole function may do to the context."""
        self.roots: dict[str, str] = {}
        """Names of the context that were looked up already, for good -> local variables."""
        self.prologue: list[str] = []
        self.lines: list[str] = []
        self.owners: list[Node | None] = []
        self.indent = 1
        self.nesting = 0
        """How many calls of `nest` are under way: some tags nest without indenting."""
        self.node: Node | None = None
        self.frames: list[Frame] = []
        self.loops: list[Any] = []
        self.access: tuple[str, str] | None = None
        """The root and the site of the variable written last, if it was one."""
        self.out = "write"
        self.odd: str | None = None
        """The local for a result that is no string, inside a node that joins its contents."""
        self._pending: list[str] = []
        self._dynamic = False
        self._odd_used = False
        self._count = 0

    # -- lines ---------------------------------------------------------------------------------

    def line(self, text: str) -> None:
        """Add a line of source at the present indentation."""
        self.lines.append("    " * self.indent + text)
        self.owners.append(self.node)

    def holds(self, code: str) -> bool:
        """Whether a line has ``code`` in it (or a text that looks the same)."""
        return any(code in line for line in (*self.prologue, *self.lines))

    def lines_of(self, *texts: str) -> None:
        """Add several lines."""
        for text in texts:
            self.line(text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Add ``head`` and indent what is written inside; an empty block gets a ``pass``."""
        self.flush()
        self.line(head)
        before = len(self.lines)
        self.indent += 1
        yield
        self.flush()
        if len(self.lines) == before:
            self.line("pass")
        self.indent -= 1

    @contextmanager
    def branch(self, head: str) -> Iterator[None]:
        """Do the same inside the code of one value: what is to be written before stays pending."""
        self.line(head)
        self.indent += 1
        yield
        self.indent -= 1

    @contextmanager
    def aside(self) -> Iterator[list[tuple[str, Node | None]]]:
        """Collect the lines written inside instead of adding them; `paste` puts them back."""
        self.flush()
        lines, owners = self.lines, self.owners
        self.lines, self.owners = [], []
        collected: list[tuple[str, Node | None]] = []
        yield collected
        self.flush()
        collected.extend(zip(self.lines, self.owners, strict=True))
        self.lines, self.owners = lines, owners

    def paste(self, collected: list[tuple[str, Node | None]]) -> None:
        """Add lines that `aside` collected, at the indentation they were written with."""
        self.flush()
        for text, owner in collected:
            self.lines.append(text)
            self.owners.append(owner)

    @contextmanager
    def writing_for(self, node: Node) -> Iterator[None]:
        """Note that what is written inside belongs to ``node``."""
        outer, self.node = self.node, node
        yield
        self.node = outer

    # -- names ---------------------------------------------------------------------------------

    def temporary(self, prefix: str = "v") -> str:
        """Return a local name not used before in this function."""
        self._count += 1
        return f"{prefix}_{self._count}"

    def constant(self, value: Any, prefix: str = "k") -> str:
        """Return the name of a constant."""
        return self.constants.name(value, prefix)

    # -- output --------------------------------------------------------------------------------

    def text(self, text: str) -> None:
        """Write text that is known now."""
        if text:
            self._pending.append(repr(str(text)))

    def value(self, name: str) -> None:
        """Write the string in the local variable ``name``, which must not change until then."""
        self._pending.append(f"f'{{{name}}}'")
        self._dynamic = True

    def append(self, name: str, *, foreign: bool = False) -> None:
        """Write what ``name`` holds as it is; it has to be a string, as a node's result has.

        Args:
            foreign: whether code of a third party made it, which may not know that.
        """
        self.flush()
        if foreign and self.sends:  # somebody joins what is there at any time
            self.odd_result(name)
            self.line(f"{self.out}({name})")
            return
        self.line(f"{self.out}({name})")
        if foreign and self.odd is not None:
            self._odd_used = True
            self.line(f"if not issubclass(type({name}), str):")
            self.line(f"    {self.odd} = ({name},)")

    def foreign_value(self, name: str) -> None:
        """Write what ``name`` holds, which may be no string: code of a third party made it."""
        if self.odd is None or not self.in_loop:
            self.append(name, foreign=True)
            return
        self.flush()
        self.odd_result(name)
        self.value(name)

    def odd_result(self, name: str) -> None:
        """Let what ``name`` holds be written by `value`, although it may be any object.

        Code of a third party made it. Only the characters of another kind of string count, and what
        is no string fails where the node being written ends.
        """
        assert self.odd is not None, "only inside a node that joins its contents"
        self._odd_used = True
        self.line(f"if type({name}) is not str and type({name}) is not SafeString:")
        self.line(f"    if issubclass(type({name}), str):")
        self.line(f"        {name} = ''.join(({name},))")
        self.line("    else:")
        self.line(f"        {self.odd}, {name} = ({name},), ''")

    @contextmanager
    def joining(self) -> Iterator[None]:
        """Let a result inside that is no string fail where the node being written ends.

        Django's nodes join their contents there, so that is the place its errors name, and what
        stands behind the node is not rendered any more.
        """
        start, indent = len(self.lines), self.indent
        outer, used = self.odd, self._odd_used
        self.odd, self._odd_used = self.temporary("odd"), False
        yield
        if self._odd_used:
            self.lines.insert(start, "    " * indent + f"{self.odd} = ()")
            self.owners.insert(start, self.node)
            self.line(f"''.join({self.odd})")
        self.odd, self._odd_used = outer, used

    def flush(self) -> None:
        """Put the pending output into one call."""
        if not self._pending:
            return
        pending, self._pending = self._pending, []
        single = len(pending) == 1 and self._dynamic
        self._dynamic = False
        if single:
            self.line(f"{self.out}({pending[0][3:-2]})")
        else:
            self.line(f"{self.out}({' '.join(pending)})")

    @contextmanager
    def capture(self) -> Iterator[str]:
        """Collect the output written inside; the value is the list's name."""
        self.flush()
        name = self.temporary("captured")
        self.line(f"{name} = []")
        held = self.temporary("held") if self.sends else ""
        if held:
            self.line(f"{held} = state.hold_back()")
        outer, self.out = self.out, f"{name}.append"
        yield name
        self.flush()
        self.out = outer
        if held:
            self.line(f"state.write_to({held})")

    @property
    def texts(self) -> str:
        """The list that is written to; ``None`` where there is none."""
        if self.out == "write":
            return "None" if self.streamed else "out"
        return self.out.removesuffix(".append")

    @property
    def sends(self) -> bool:
        """Whether what is written now is sent while the plan waits."""
        return self.streamed and self.out == "write"

    # -- waits ---------------------------------------------------------------------------------

    def wait(self, name: str) -> None:
        """Let the plan wait if ``name`` holds a wait, and put the answer there."""
        self.line(f"if type({name}) is Pending:")
        self.line(f"    {name} = yield from {name}.plan")

    def wait_for(self, name: str, call: str) -> None:
        """Write a call whose result, put into ``name``, may have to be waited for."""
        self.line(f"{name} = {call}")
        self.wait(name)

    def wait_for_result(self, name: str, condition: str = "") -> None:
        """Write that ``name`` is awaited where it holds what others' code may have made awaitable.

        Args:
            condition: what has to hold, too.
        """
        with self.branch(f"if type({name}) not in inert{condition}:"):
            self.wait_for(name, f"await_value(state, {name})")

    def refresh(self) -> None:
        """Read the context's dicts and names again, after code compiled elsewhere has run.

        Those that a frame inside may hide are read when that frame has ended.
        """
        self.flush()
        names = dict.fromkeys(name for frame in self.frames for name in frame.names)
        locals_ = {name: self.binding(name) for name in names}
        lines = [
            f"    {binding.name} = lookup_name(dicts, {self.constant(name)})"
            for name, binding in locals_.items()
            if isinstance(binding, Local)
        ]
        reread = ["    dicts = reread_dicts(state, context)"]
        if self.in_loop:  # the same, without a call
            usual = "context.dicts if type(context) in usual_contexts else dicts_of(context)"
            reread = ["    state.engine = context.template.engine", f"    dicts = {usual}"]
        self.lines_of("if state.reached_out:", *reread, *lines)

    def nest(self, write: Callable[[Writer], None]) -> None:
        """Write something right here, or, where the code nests too deeply, as a function."""
        if not self.shallow or max(self.indent, self.nesting) < DEEP:
            self.nesting += 1
            write(self)
            self.nesting -= 1
            return
        node = self.node

        def write_there(inner: Writer) -> None:
            if node is None:
                write(inner)
            else:
                with inner.writing_for(node):
                    write(inner)

        self.call(self.module.new_part(write_there, streamed=self.sends))

    def call(self, function: str) -> None:
        """Write what another function of the module writes."""
        self.flush()
        result = self.temporary("s")
        self.line(f"{result} = yield from {function}(context, state)")
        self.append(result)

    @property
    def can_split(self) -> bool:
        """Whether another function sees all that this one knows here: it keeps no names itself."""
        return not (self.frames or self.loops or self.shallow)

    # -- scopes --------------------------------------------------------------------------------

    @property
    def in_loop(self) -> bool:
        """Whether what is written now runs many times: worth longer and faster code."""
        return bool(self.loops) or self.repeated

    @contextmanager
    def frame(self, frame: Frame) -> Iterator[Frame]:
        """Add a frame of names for what is written inside."""
        if self.shallow:
            frame = Frame(opaque=True)
        self.frames.append(frame)
        yield frame
        self.frames.pop()

    def binding(self, name: str) -> Any:
        """Return what is known now of the context's ``name``: a `Local`, or None."""
        for frame in reversed(self.frames):
            if name in frame.changing or frame.opaque:
                return None
            if name in frame.names:
                return frame.names[name]
        return None
