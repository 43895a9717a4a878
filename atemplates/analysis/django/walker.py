"""Walking a template's nodes with the names that are in scope, as a render would, without data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from django.template import TemplateDoesNotExist
from django.template.base import FilterExpression, Node, Origin, TextNode, Variable
from django.template.defaulttags import TemplateLiteral
from django.template.smartif import OPERATORS

from ...relations.paths import AccessPath, Consumption
from .filters import Argument, effect_of
from .values import UNKNOWN, PathValue, Value, several

Follow: TypeAlias = Callable[[str, Sequence[Origin]], Any]
"""Loads a template by its name, passing over some origins (``{% extends %}`` never goes back to
itself); raises ``TemplateDoesNotExist`` or ``TemplateSyntaxError``."""

DjangoFrames: TypeAlias = list[dict[str, Value]]
NodeHandler: TypeAlias = "Callable[[NodeWalker, Any], None]"

DEEPEST_INCLUDE = 3
"""How often a template may stand inside itself."""
CONDITION_WORDS = {kind: name for name, kind in OPERATORS.items()}
BUILTIN_NAMES = frozenset({"True", "False", "None"})
# Filled by imports, and by a library's own `register_access`, in single steps.
NODE_HANDLERS: dict[type[Node], NodeHandler] = {}


def register_access(kind: type[Node], handler: NodeHandler) -> None:
    """Say what nodes of exactly this type read, and which names they set."""
    NODE_HANDLERS[kind] = handler


@dataclass(frozen=True, slots=True)
class Block(Value):
    """The context's ``block`` inside a block; equal only to that of the same node."""

    node: Any


@dataclass(slots=True)
class TemplateRendering:
    """What one template and those it extends share, and an included one does not."""

    blocks: dict[str, list[Any]] | None = None
    """Block name -> the nodes that define it, the innermost override last, as in Django's own
    ``BlockContext``; None outside inheritance."""
    history: list[Origin] = field(default_factory=list)

    def add_blocks(self, blocks: dict[str, Any]) -> None:
        """Add the blocks of a template further up."""
        if self.blocks is None:
            self.blocks = defaultdict(list)
        for name, node in blocks.items():
            self.blocks[name].insert(0, node)


class NodeWalker:
    """The names in scope while nodes are walked, and the records made so far."""

    def __init__(self, follow: Follow, foreign: NodeHandler) -> None:
        self.follow = follow
        self.foreign = foreign
        """What to do about a node of an unknown type."""
        self.records: list[AccessPath] = []
        self.frames: DjangoFrames = [{}]
        self.outside: Callable[[str], Value] = PathValue
        """What a name stands for that no frame holds."""
        self.conditional = False
        self.rendering = TemplateRendering()
        self.node: Node | None = None
        self.inside: list[Any] = []
        """The templates around the node, as they include each other."""
        self._walked: dict[Any, dict[str, Value]] = {}
        """What was walked, with which names -> the names that it has set."""
        self._loaded: dict[tuple[str, ...], Any] = {}

    # -- records -------------------------------------------------------------------------------

    def record(
        self, text: str, value: Value, consumption: Consumption, lost: str | None = None
    ) -> None:
        """Note that an expression reads a value."""
        for place in value.places():
            self._add(text, place, consumption, place.lost or lost)

    def lose(self, text: str, reason: str) -> None:
        """Note that something may read what the template does not show."""
        self._add(text, PathValue(""), "argument", reason)

    def _add(self, text: str, place: PathValue, consumption: Consumption, lost: str | None) -> None:
        origin: Any = getattr(self.node, "origin", None)
        token = getattr(self.node, "token", None)
        self.records.append(
            AccessPath(
                template=str(getattr(origin, "template_name", None) or getattr(origin, "name", "")),
                line=getattr(token, "lineno", None),
                expression=text,
                root=place.root,
                path=place.path,
                conditional=self.conditional or place.maybe,
                consumption=consumption,
                lost=lost,
            )
        )

    @contextmanager
    def maybe(self, uncertain: bool = True) -> Iterator[None]:
        """What is walked inside may not be rendered."""
        before = self.conditional
        self.conditional = before or uncertain
        try:
            yield
        finally:
            self.conditional = before

    # -- names ---------------------------------------------------------------------------------

    def find(self, name: str, frames: DjangoFrames | None = None) -> Value:
        """Return what a name stands for."""
        for frame in reversed(self.frames if frames is None else frames):
            if name in frame:
                return frame[name]
        return UNKNOWN if name in BUILTIN_NAMES else self.outside(name)

    def visible(self) -> dict[str, Value]:
        """Return every name that some frame holds, with what it stands for."""
        names: dict[str, Value] = {}
        for frame in self.frames:
            names.update(frame)
        return names

    def bind(self, name: str | None, value: Value) -> None:
        """Set a name in the innermost frame; None is the name of nothing."""
        if name:
            self.frames[-1][name] = value.named(name)

    def bind_upward(self, name: str, value: Value) -> None:
        """Set a name in the frame that has it already, else in the innermost one."""
        if len(self.frames) > 1:
            # Whether the view has given a variable of this name, to be set there, is not known.
            self.frames[0][name] = several([value.named(name), self.find(name, self.frames[:1])])
        for frame in reversed(self.frames[1:]):
            if name in frame:
                frame[name] = value.named(name)
                return
        self.bind(name, value)

    @contextmanager
    def frame(self, names: dict[str, Value] | None = None) -> Iterator[None]:
        """A frame of names around what is walked inside."""
        depth = len(self.frames)
        self.frames.append({name: value.named(name) for name, value in (names or {}).items()})
        try:
            yield
        finally:
            del self.frames[depth:]

    def snapshot(self) -> DjangoFrames:
        """Return a copy of all frames, for `merge`."""
        return [dict(frame) for frame in self.frames]

    def merge(self, outcomes: list[DjangoFrames]) -> None:
        """Go on with the names as any of these left them."""
        merged: DjangoFrames = []
        for index in range(len(self.frames)):
            names = dict.fromkeys(name for frames in outcomes for name in frames[index])
            merged.append(
                {
                    name: several(self.find(name, frames[: index + 1]) for frames in outcomes)
                    for name in names
                }
            )
        self.frames[:] = merged

    def branches(self, *parts: Callable[[], None]) -> None:
        """Walk parts of which a render takes one at most."""
        start = self.snapshot()
        outcomes = []
        for part in parts:
            self.frames[:] = [dict(frame) for frame in start]
            part()
            outcomes.append(self.snapshot())
        self.merge(outcomes)

    # -- expressions ---------------------------------------------------------------------------

    def read(self, expression: Any, consumption: Consumption, lost: str | None = None) -> Value:
        """Note what an expression reads, with its filters and their arguments.

        Args:
            expression: a filter expression or a variable; anything else is a constant.

        Returns:
            What the expression may stand for.
        """
        if isinstance(expression, Variable):
            value = self.variable(expression)
            self.record(str(expression.var), value, consumption, lost)
            return value
        if not isinstance(expression, FilterExpression):
            return UNKNOWN
        text = expression.token
        value = self.variable(expression.var)
        waiting = [(text, value)]
        for function, args in expression.filters:
            effect = effect_of(function)
            arguments = [
                Argument(self.variable(arg), arg.literal) if is_variable else Argument(UNKNOWN, arg)
                for is_variable, arg in args
            ]
            named = [
                (str(arg.var), argument.value)
                for (is_variable, arg), argument in zip(args, arguments, strict=True)
                if is_variable
            ]
            if effect.consumption is None:
                # Whatever becomes of the value becomes of the other one as well.
                waiting.extend(named)
            else:
                self._record_all(waiting, effect.consumption, effect.lost)
                self._record_all(named, "argument", effect.lost)
                waiting = []
            value = effect.result(self, text, value, arguments)
        self._record_all(waiting, consumption, lost)
        return value

    def _record_all(
        self, values: list[tuple[str, Value]], consumption: Consumption, lost: str | None
    ) -> None:
        for text, value in values:
            self.record(text, value, consumption, lost)

    def variable(self, variable: Any) -> Value:
        """Return what a variable stands for, without noting that it is read."""
        if not isinstance(variable, Variable) or variable.lookups is None:
            return UNKNOWN
        first, *rest = variable.lookups
        value = self.find(first)
        if rest and rest[0] == "super" and isinstance(value, Block):
            if self.rendering.blocks is not None and self.rendering.blocks[value.node.name]:
                self.walk_one(value.node)
            return UNKNOWN
        for bit in rest:
            value = value.step(bit)
        return value

    def condition(self, condition: Any) -> None:
        """Note what the condition of an ``{% if %}`` reads."""
        self._operand(condition, "truth")

    def _operand(self, condition: Any, consumption: Consumption) -> None:
        if type(condition) is TemplateLiteral:
            self.read(condition.value, consumption)
            return
        operator = CONDITION_WORDS.get(type(condition))
        if operator is None:
            return
        if operator in ("and", "or", "not"):
            self._operand(condition.first, "truth")
            if operator != "not":
                with self.maybe():
                    self._operand(condition.second, "truth")
        else:
            self._operand(condition.first, "operand")
            # A queryset has no test for membership of its own: all its rows are looked through.
            self._operand(condition.second, "loop" if "in" in operator.split() else "operand")

    # -- nodes ---------------------------------------------------------------------------------

    def walk(self, nodes: Iterable[Node]) -> None:
        """Walk some nodes one after the other."""
        for node in nodes:
            if type(node) is not TextNode:
                self.walk_one(node)

    def walk_one(self, node: Node) -> None:
        """Walk one node."""
        before, self.node = self.node, node
        try:
            NODE_HANDLERS.get(type(node), self.foreign)(self, node)
        finally:
            self.node = before

    # -- templates -----------------------------------------------------------------------------

    def load(self, name: str, skip: Sequence[Origin] = ()) -> Any:
        """Load a template; when that fails, note why and return None."""
        try:
            return self._load(name, skip)
        except Exception as error:  # A loader is anybody's code, and the other paths still count.
            text = " ".join(str(error).split())
            self.lose(repr(name), f"{name!r} could not be loaded: {type(error).__name__}: {text}")
            return None

    def load_first(self, names: Sequence[str]) -> Any:
        """Load the first of some templates that exists; when there is none, note it."""
        for name in names:
            try:
                return self._load(name)
            except TemplateDoesNotExist:
                continue
            except Exception:
                return self.load(name)
        self.lose(", ".join(map(repr, names)), "there is no such template")
        return None

    def _load(self, name: str, skip: Sequence[Origin] = ()) -> Any:
        # Kept, so that a template is the same object each time: loaders need not cache.
        key = (name, *(origin.name for origin in skip))
        if key not in self._loaded:
            self._loaded[key] = self.follow(name, skip)
        return self._loaded[key]

    def walk_template(self, template: Any) -> None:
        """Walk a whole template or partial with the names in scope, as an include renders it."""
        before = self.visible()
        key = (template, frozenset(before.items()), self.outside, self.conditional)
        known = self._walked.get(key)
        if known is not None:
            for name, value in known.items():
                self.bind_upward(name, value)
            return
        if sum(each is template for each in self.inside) >= DEEPEST_INCLUDE:
            self.lose(repr(template.name), "the template includes itself any number of times")
            return
        # For as long as the walk lasts, so that an include of itself with the same names ends.
        self._walked[key] = {}
        rendering, self.rendering = self.rendering, TemplateRendering()
        self.inside.append(template)
        try:
            self.walk(template.nodelist)
        finally:
            self.inside.pop()
            self.rendering = rendering
        after = self.visible().items()
        self._walked[key] = {name: value for name, value in after if before.get(name) != value}

    @contextmanager
    def new_context(
        self, names: dict[str, Value], outside: Callable[[str], Value]
    ) -> Iterator[None]:
        """A context of its own, as inclusion tags and ``{% include … only %}`` have."""
        before = self.frames, self.outside
        self.frames = [{name: value.named(name) for name, value in names.items()}]
        self.outside = outside
        try:
            yield
        finally:
            self.frames, self.outside = before
