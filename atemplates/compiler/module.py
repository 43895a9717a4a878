"""The generated source of one node list, and the code that it compiles to."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Sequence
from contextlib import nullcontext
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, TypeAlias

from django.template.base import Node, NodeList, Template
from django.template.context import Context

from ..runtime.running_steps import COMPILED_STEP, LocalValues, RunningStep
from ..runtime.state import State
from ..runtime.waits import Wait
from .failures import InstructionNodes
from .lines import with_lines
from .nodes import effects_of, write_nodes
from .runtime_names import RUNTIME
from .scope import OPAQUE, Effects
from .texts import TextOf, template_text
from .writer import Constants, Writer

PlanFunction: TypeAlias = Callable[[Context, State], Generator[Wait, Any, Any]]

plan_numbers = itertools.count(1)
"""Any thread may take the next one: that is one step."""

SHARED_LOCALS = {
    "(dicts": "dicts = dicts_of(context)",
    " in plain": "plain = state.plain",
    "(loops)": "loops = state.loops",
    "turning:": "turning = state.turning",
    " if plain_integers": "plain_integers = state.plain_integers",
}
"""How code looks that needs a local which only some plans have -> the line that sets it."""

CompiledPart: TypeAlias = "tuple[str, CodeType, tuple[int, ...], tuple[Node | None, ...]]"
"""One function of a module: its name and code, where the instructions of a node end, in bytes, and
the node of each."""


class CompiledModule(NamedTuple):
    """The code of a node list, apart from what each process has of its own."""

    parts: list[CompiledPart]
    constants: dict[str, Any]
    prepared: list[tuple[Callable[[Node], None], Node]]
    """What was done to nodes when these were written."""
    made: dict[int, tuple[Callable[[Any], Any], Any]]
    """How some of the constants were made; see `Constants.make`."""


if TYPE_CHECKING:

    class KeptPlans(Protocol):
        """What keeps compiled code from one process to the next; see `PlanCache`."""

        def key(self, nodelist: Any, *names: str) -> Any:
            """Return what the code of a node list is kept under; None if it cannot be kept."""

        def load(self, key: Any) -> CompiledModule | None:
            """Return the code that is kept under a key, or None."""

        def store(self, key: Any, module: CompiledModule) -> None:
            """Keep code, if that is possible."""


CACHE_ATTRIBUTE = "atemplates_plan_cache"
"""The attribute of an engine that holds what keeps the code of its templates. A template that no
loader has found (one made from a string) is not kept."""


class Module:
    """The generated source of one node list: a plan function, and its parts."""

    writer: ClassVar[type[Writer]] = Writer
    """What writes each of its functions."""

    def __init__(
        self,
        nodelist: NodeList,
        template: Template | None,
        name: str,
        *,
        shallow: bool = False,
        repeated: bool = False,
        streamed: bool = False,
    ) -> None:
        self.streamed = streamed
        """Whether the plan writes to the sink of the page that is sent."""
        self.repeated = repeated
        """Whether all of the code is written as that of a loop is."""
        self.shallow = shallow
        """Whether code that is nested deeply goes to functions of its own.

        CPython nests 20 blocks and indents 100 levels; all frames are real then, since one
        function does not see another's locals."""
        self.nodelist = nodelist
        self.template = template
        self.name = name or "template"
        self.constants = Constants()
        self.lines: list[str] = []
        self.owners: list[Node | None] = []
        self.functions: list[tuple[str, int, int]] = []
        """Each function's name, and where its lines begin and end."""
        self.pieces: set[str] = set()
        """The functions that hold a piece of a node list which is too long for one."""
        self.pending: list[Callable[[], None]] = []
        """Functions to write when the present one is done: Python's stack is not deep either."""
        self.prepared: list[tuple[Callable[[Node], None], Node]] = []
        """What was done to nodes when their code was written."""
        self.origin = _origin(nodelist, template)

    def source(self) -> str:
        """Write the source."""
        if not self.lines:
            self.add_function(
                "plan",
                lambda w: write_nodes(w, self.nodelist),
                effects=effects_of(self.nodelist),
                streamed=self.streamed,
            )
            while self.pending:
                self.pending.pop()()
        return "\n".join(self.lines) + "\n"

    def add_function(
        self,
        name: str,
        write: Callable[[Writer], None],
        *,
        effects: Effects = OPAQUE,
        streamed: bool = False,
    ) -> None:
        """Write one plan function.

        Args:
            effects: what all of it may do to the context, if that is known.
            streamed: whether it writes to the page's sink, and returns no text.
        """
        w = self.writer(self, effects=effects, streamed=streamed)
        # Elsewhere the text that the function returns is joined at its end.
        with w.joining() if streamed else nullcontext():
            write(w)
        w.flush()
        if w.holds(" in plain"):
            _look_again_after_waits(w, "plain = state.plain")
        head = [
            f"def {name}(context, state):",
            *(f"    {line}" for code, line in SHARED_LOCALS.items() if w.holds(code)),
            "    write = state.sink.append" if streamed else "    out = []",
            *([] if streamed else ["    write = out.append"]),
            "    try:",
            *("        " + text for text in w.prologue),
        ]
        body = ["    " + text for text in w.lines]
        tail = [
            "        return SafeString('')"
            if streamed
            else "        return SafeString(''.join(out))",
            "    except Exception:",
            f"        noting = note_error_place(state, context, exception(), places_{name})",
            "        if noting is not None:",
            "            yield noting",
            "        raise",
            "    yield",
        ]
        start = len(self.lines)
        self.lines += [*head, *body, *tail]
        self.functions.append((name, start, len(self.lines)))
        self.owners += [None] * len(head) + w.owners + [None] * len(tail)

    def new_part(self, write: Callable[[Writer], None], *, streamed: bool = False) -> str:
        """Write a function beside the plan; ``streamed`` as for `add_function`."""
        name = f"plan_{next(plan_numbers)}"
        if self.shallow:
            self.pending.append(lambda: self.add_function(name, write, streamed=streamed))
        else:
            self.add_function(name, write, streamed=streamed)
        return name

    def new_piece(self, nodes: Sequence[Node], *, streamed: bool = False) -> str:
        """Write a function for some of the nodes of a long node list."""
        name = f"plan_{next(plan_numbers)}"
        self.pieces.add(name)
        effects = effects_of(nodes)
        self.add_function(name, lambda w: write_nodes(w, nodes), effects=effects, streamed=streamed)
        return name

    def prepare(self, do: Callable[[Node], None], node: Node) -> None:
        """Change a node for good so that its code works; code that was kept does the same."""
        do(node)
        self.prepared.append((do, node))

    def function(self) -> PlanFunction:
        """Return the plan function: compiled now, or kept by another process."""
        text = template_text(self.origin, self.template)
        engine = getattr(getattr(self.origin, "loader", None), "engine", None)
        cache: KeptPlans | None = getattr(engine, CACHE_ATTRIBUTE, None)
        purpose = ("repeated",) if self.repeated else ("streamed",) if self.streamed else ()
        key = None if cache is None else cache.key(self.nodelist, text.name, self.name, *purpose)
        if cache is None or key is None:
            return self._linked(self._compiled_at_all(text.name), text)
        compiled = cache.load(key)
        if compiled is None:
            compiled = self._compiled_at_all(text.name)
            cache.store(key, compiled)
        else:
            for do, node in compiled.prepared:
                do(node)
        return self._linked(compiled, text)

    def _compiled_at_all(self, filename: str) -> CompiledModule:
        try:
            return self._compiled(filename)
        except (SyntaxError, RecursionError):
            if self.shallow:
                raise
        return self.shallow_twin()._compiled(filename)

    def shallow_twin(self) -> Module:
        """Return what writes the same with parts that nest deeply as functions."""
        return Module(
            self.nodelist,
            self.template,
            self.name,
            shallow=True,
            repeated=self.repeated,
            streamed=self.streamed,
        )

    def _compiled(self, filename: str) -> CompiledModule:
        self.source()
        parts: list[CompiledPart] = []
        for name, start, end in self.functions:
            # One by one: what CPython needs for much source at a time grows faster than the source.
            source = "\n".join(self.lines[start:end]) + "\n"
            # A template's name may be any text, also one that compile() refuses as a file's name.
            module = compile(source, "atemplates", "exec", dont_inherit=True)
            (code,) = (each for each in module.co_consts if type(each) is CodeType)
            owners = self.owners[start:end]
            lines = [None, *map(line_of_node, owners)]
            whole = name == "plan" or name in self.pieces
            title = self.name if whole else f"{self.name} (loop)"
            code, places = with_lines(code, lines, filename, title)
            nodes = tuple([owners[line - 1] if line else None for _, line in places])
            parts.append((name, code, tuple([stop for stop, _ in places]), nodes))
        return CompiledModule(parts, self.constants.values, self.prepared, self.constants.made)

    def _linked(self, compiled: CompiledModule, text: TextOf) -> PlanFunction:
        """Make functions of compiled code."""
        namespace: dict[str, Any] = {
            **RUNTIME,
            **compiled.constants,
            "__name__": f"atemplates.compiled.{text.name}",
            "__loader__": text,
            COMPILED_STEP: _compiled_step,
        }
        for name, code, ends, nodes in compiled.parts:
            function = FunctionType(code, namespace, name)
            function.__qualname__ = name
            namespace[name] = function
            namespace[f"places_{name}"] = InstructionNodes(self.template, ends, nodes)
        return namespace["plan"]  # type: ignore[no-any-return]


def _compiled_step(values: LocalValues) -> RunningStep:
    """Describe what compiled code does by itself: a comparison, say."""
    state = values.get("state")  # a comprehension in it has none
    relations = None if state is None else state.relations
    return RunningStep("template", relations, context=values.get("context"))


def _look_again_after_waits(w: Writer, line: str) -> None:
    """Add a line after each wait of a function, which may go on in another thread then."""
    lines, owners = w.lines, w.owners
    w.lines, w.owners = [], []
    for text, owner in zip(lines, owners, strict=True):
        w.lines.append(text)
        w.owners.append(owner)
        if " = yield " in text:
            w.lines.append(text[: len(text) - len(text.lstrip())] + line)
            w.owners.append(owner)


def _origin(nodelist: NodeList, template: Template | None) -> Any:
    if template is not None:
        return template.origin
    return next((node.origin for node in nodelist if hasattr(node, "origin")), None)


def line_of_node(node: Node | None) -> int | None:
    """Return the template's line of a node, if it has one."""
    if node is None:
        return None
    token = getattr(node, "token", None)
    return getattr(token, "lineno", None)
