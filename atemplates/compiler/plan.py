"""From a node list to its plan: a generator function ``plan(context, state)``."""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import nullcontext
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, TypeAlias

from django.template.base import Node, NodeList, Template, TextNode
from django.template.context import Context
from django.utils.safestring import SafeString

from ..runtime.line_times import TIMED_PLAN, TIMED_STREAMED_PLAN
from ..runtime.paths import engine_of
from ..runtime.running_steps import COMPILED_STEP, LocalValues, RunningStep
from ..runtime.state import PLAN_ATTRIBUTE as PLAN_ATTRIBUTE
from ..runtime.state import STATE_ATTRIBUTE, STREAMED_ATTRIBUTE, State, state_of
from ..runtime.tracing import tracing_of
from ..runtime.waits import Kind, Plan, Wait, resume_plan
from .cached_loader import template_at_hand
from .failures import InstructionNodes, find_stop_iteration
from .lines import with_lines
from .nodes import effects_of, write_nodes
from .runtime_names import RUNTIME
from .scope import OPAQUE, Effects
from .texts import TextOf, template_text
from .writer import Constants, Writer

PlanFunction: TypeAlias = Callable[[Context, State], Generator[Wait, Any, Any]]

REPEATED_ATTRIBUTE = "atemplates_repeated_plan"
"""Where a node list has the same plan once more if it was compiled for being run many times."""
TRACED_REPEATED_ATTRIBUTE = "atemplates_traced_repeated_plan"
"""Where it keeps that for renders that are traced."""
ASKED_ATTRIBUTE = "atemplates_repeats"
"""Where a node list notes that a loop has asked for its plan. Any thread may set it; at worst it is
compiled for loops one time later."""
OUTPUT_ATTRIBUTE = "atemplates_output"
"""Where the node list of a template that was compiled keeps its output if it has only text."""
compiling: dict[int, threading.RLock] = {}
"""A lock for each node list that is being compiled, by its identity. Any thread may add and drop
one, each in a single step; to drop one early costs that something is compiled twice."""
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


class PlannedNodeList(NodeList):
    """A node list of a foreign node: rendering it runs our plan."""

    def render(self, context: Context) -> SafeString:
        """Render the nodes; what a foreign tag's own ``render()`` calls."""
        state = vars(context).get(STATE_ATTRIBUTE)
        if type(state) is not State:
            return super().render(context)
        state.engine = engine_of(context)
        if state.sink is not None:
            sink = state.hold_back()
            try:
                return self.render(context)
            finally:
                state.write_to(sink)
        known = vars(self).get(state.wanted)
        if known is None:
            is_timed = state.lines is not None
            known = plan_of(self, may_wait=not state.on_loop, timed=is_timed)
        plan = known(context, state)
        if state.lines is not None:
            plan = state.lines.timed(plan)
        # Begun right here: each level of nesting costs frames, and Python has not many.
        try:
            wait = plan.send(None)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]
        except RuntimeError as error:
            stop = find_stop_iteration(error)
            if stop is None:
                raise
        else:
            return state.run(resume_plan(plan, wait))  # type: ignore[no-any-return]
        raise stop

    async def render_async(self, context: Context) -> SafeString:
        """Render the nodes from a tag's ``async def render_async(self, context)``."""
        state = state_of(context)
        if state is None:
            return super().render(context)
        state.engine = engine_of(context)
        sink = state.hold_back()
        known = vars(self).get(state.wanted)
        plan = _first_run(self, context, state) if known is None else known(context, state)
        if state.lines is not None:
            plan = state.lines.timed(plan)
        before = state.stand_on(True)
        try:
            return await state.arun(plan, state)  # type: ignore[no-any-return]
        finally:
            state.stand_on(before)
            state.write_to(sink)


def plan_of(
    nodelist: Any,
    template: Template | None = None,
    name: str = "",
    *,
    may_wait: bool = True,
    repeated: bool = False,
    streamed: bool = False,
    timed: bool = False,
) -> PlanFunction:
    """Return the plan of a node list, compiling it the first time.

    Threads that want the same one compile it once; those that want another do not wait.

    Args:
        nodelist: a template's, block's or tag's node list. The plan is kept on it.
        template: the template it belongs to, if that is known; its source shows in tracebacks.
        name: what to call the plan in tracebacks.
        may_wait: whether to wait for a thread that compiles the same node list; the event loop may
            not, and compiles it too.
        repeated: whether a loop renders it for each row, so that longer and faster code pays. It
            takes the place of other code.
        streamed: whether the plan writes to the sink of the page that is sent (`State.sink`).
        timed: whether it tells a clock which line it is at (`State.lines`).
    """
    if timed:
        wanted = TIMED_STREAMED_PLAN if streamed else TIMED_PLAN
    elif streamed:
        wanted = STREAMED_ATTRIBUTE
    else:
        wanted = REPEATED_ATTRIBUTE if repeated else PLAN_ATTRIBUTE
    plan = nodelist.__dict__.get(wanted)
    if plan is not None:
        return plan  # type: ignore[no-any-return]
    lock = compiling.setdefault(id(nodelist), threading.RLock())
    if not lock.acquire(blocking=may_wait):
        if timed:
            return _timed_plan(nodelist, template, name, streamed)
        return Module(nodelist, template, name, streamed=streamed).function()
    try:
        plan = nodelist.__dict__.get(wanted)
        if plan is None and timed:
            plan = _timed_plan(nodelist, template, name, streamed)
            setattr(nodelist, wanted, plan)
        if plan is None:
            plan = text_plan(nodelist)
            if plan is None:
                made = Module(nodelist, template, name, repeated=repeated, streamed=streamed)
                plan = made.function()
            elif template is not None:
                setattr(nodelist, OUTPUT_ATTRIBUTE, sole_text(nodelist))
            setattr(nodelist, STREAMED_ATTRIBUTE if streamed else PLAN_ATTRIBUTE, plan)
            if repeated:
                setattr(nodelist, REPEATED_ATTRIBUTE, plan)
        return plan  # type: ignore[no-any-return]
    finally:
        compiling.pop(id(nodelist), None)
        lock.release()


def _timed_plan(
    nodelist: Any, template: Template | None, name: str, streamed: bool
) -> PlanFunction:
    from .timed_code import timed_plan  # only where somebody wants to know

    return timed_plan(nodelist, template, name, sole_text(nodelist), streamed)


def sole_text(nodelist: Any) -> SafeString | None:
    """Return the text of a node list that is nothing else, or empty; None for another."""
    if any(type(node) is not TextNode for node in nodelist):
        return None
    return SafeString("".join([node.s for node in nodelist]))


def text_plan(nodelist: Any) -> PlanFunction | None:
    """Return the plan of a node list that is nothing but text; None for another.

    Many blocks are, and there is nothing to compile.
    """
    text = sole_text(nodelist)
    if text is None:
        return None

    def plan(context: Context, state: State) -> Generator[Wait, Any, Any]:
        return text
        yield

    return plan


def compiled_template(engine: Any, name: str) -> Template | None:
    """Return a template that the engine has loaded and that has a plan, or None."""
    found: Template | None = template_at_hand(engine, name)
    return found if found is not None and PLAN_ATTRIBUTE in found.nodelist.__dict__ else None


def compiled(
    state: State, nodelist: Any, template: Template | None = None, name: str = ""
) -> Generator[Wait, Any, PlanFunction]:
    """Compile a node list as `plan_of` does, but never on the event loop, which would stand still.

    Arguments as for `plan_of`.
    """
    streamed, timed = state.sink is not None, state.lines is not None
    plan: PlanFunction | None = None
    untraced = state.untraced
    if state.wanted != untraced:
        plan = nodelist.__dict__.get(untraced)
    if plan is None and state.on_loop:
        kwargs = {"streamed": streamed, "timed": timed} if streamed or timed else None
        plan = yield Wait(Kind.CALL, plan_of, (nodelist, template, name), kwargs)
    elif plan is None:
        plan = plan_of(nodelist, template, name, streamed=streamed, timed=timed)
    assert plan is not None
    if state.wanted != untraced:
        plan = traced_plan(plan, nodelist, template, name, state.wanted)
    return plan


def traced_plan(
    plan: PlanFunction, nodelist: Any, template: Any, name: str, attribute: str
) -> PlanFunction:
    """Return what does the same as a plan, and tells what traces the render of its begin and end.

    Args:
        plan: the plan of the node list.
        attribute: where the node list keeps what is returned. Threads may race for it: they make
            the same. Other arguments as for `plan_of`.
    """
    known = nodelist.__dict__.get(attribute)
    if known is not None and known.plan is plan:
        return known  # type: ignore[no-any-return]
    label = name or str(getattr(template, "name", None) or "")

    def traced(context: Context, state: State) -> Generator[Wait, Any, Any]:
        tracing = tracing_of(state.told)
        if tracing is None:
            return (yield from plan(context, state))
        entered = tracing.enter(label, sys._getframe().f_back)
        try:
            return (yield from plan(context, state))
        finally:
            tracing.leave(entered)

    made: Any = traced
    made.plan = plan
    setattr(nodelist, attribute, made)
    return traced


def repeated_plan(
    state: State, nodelist: Any, template: Template | None = None, name: str = ""
) -> PlanFunction | None:
    """Return the plan of a node list that a loop renders for each row; None if there is none yet.

    Off the event loop it is compiled for that; where there is other code, when it is asked for the
    second time. Arguments as for `compiled`.
    """
    held = nodelist.__dict__
    plan: PlanFunction | None
    streamed, timed = state.sink is not None, state.lines is not None
    if streamed or timed:
        plan = held.get(state.untraced)
        if plan is None and not state.on_loop:
            plan = plan_of(nodelist, template, name, streamed=streamed, timed=timed)
    else:
        plan = held.get(REPEATED_ATTRIBUTE) or held.get(PLAN_ATTRIBUTE)
        if state.on_loop or REPEATED_ATTRIBUTE in held:
            pass
        elif plan is not None and ASKED_ATTRIBUTE not in held:
            # It was compiled for this loop's first row, perhaps. A page that is rendered once has
            # no time to win back what compiling it again takes.
            setattr(nodelist, ASKED_ATTRIBUTE, True)
        else:
            plan = plan_of(nodelist, template, name, repeated=True)
    if state.told and plan is not None and tracing_of(state.told) is not None:
        return traced_plan(plan, nodelist, template, name, TRACED_REPEATED_ATTRIBUTE)
    return plan


def _first_run(nodelist: Any, context: Context, state: State) -> Plan:
    plan = yield from compiled(state, nodelist)
    return (yield from plan(context, state))


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
