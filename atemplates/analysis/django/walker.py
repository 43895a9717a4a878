"""Walking a Django template's nodes: expressions with their filters, and other templates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import NoneType
from typing import Any, TypeAlias

from django.template import TemplateDoesNotExist, defaultfilters
from django.template.base import FilterExpression, Node, Origin, TextNode, Variable
from django.template.defaulttags import TemplateLiteral
from django.template.smartif import OPERATORS
from django.utils.safestring import SafeString

from ...relations.paths import Consumption
from ..filters import Arguments, effect_of_function
from ..reads import ReadStep
from ..scope import Names
from ..values import UNKNOWN, MadeValue, PathValue, Value, several
from ..walker import DEEPEST_RECURSION, AccessWalker

Follow: TypeAlias = Callable[[str, Sequence[Origin]], Any]
"""Loads a template by its name, passing over some origins (``{% extends %}`` never goes back to
itself); raises ``TemplateDoesNotExist`` or ``TemplateSyntaxError``."""

NodeHandler: TypeAlias = "Callable[[NodeWalker, Any], None]"
"""Notes what a node reads and binds the names that it sets."""

CONDITION_WORDS = {kind: word for word, kind in OPERATORS.items()}
BUILTINS = {"True": MadeValue(bool), "False": MadeValue(bool), "None": MadeValue(NoneType)}
REPLACING_FILTERS = frozenset({defaultfilters.default, defaultfilters.default_if_none})
"""Filters that put something else in the place of what is not there."""


@dataclass(frozen=True, slots=True)
class Block(Value):
    """The context's ``block`` inside a block; equal only to that of the same node."""

    node: Any


class NodeWalker(AccessWalker):
    """Walks the nodes of Django templates.

    Args:
        follow: loads other templates.
        handlers: what to do about a node, by its exact type.
        foreign: what to do about a node of any other type.
    """

    def __init__(
        self, follow: Follow, handlers: Mapping[type, NodeHandler], foreign: NodeHandler
    ) -> None:
        super().__init__()
        self.follow = follow
        self.handlers = handlers
        self.foreign = foreign
        self.outside: Callable[[str], Value] = PathValue
        """What a name stands for that no frame holds."""
        self.history: list[Origin] = []
        """The templates that extend each other, up to the one whose blocks are known."""
        self._walked: dict[Any, Names] = {}
        """What was walked, with which names -> the names that it has set."""
        self._loaded: dict[tuple[str, ...], Any] = {}
        self.unwritten = ""
        """What a tag such as ``{% regroup %}`` puts before its expression, which is not written."""
        self.token: Any = None
        """The tag or variable that is walked, as Django's parser got it."""

    # -- names -------------------------------------------------------------------------------------

    def find_outside(self, name: str) -> Value:
        return BUILTINS.get(name) or self.outside(name)

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
    def new_context(self, names: Names, outside: Callable[[str], Value]) -> Iterator[None]:
        """A context of its own, as inclusion tags and ``{% include … only %}`` have."""
        before = self.outside, self.is_open
        self.outside, self.is_open = outside, False
        try:
            with self.only_frames([]), self.frame(names):
                yield
        finally:
            self.outside, self.is_open = before

    # -- expressions -------------------------------------------------------------------------------

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
        replaced = any(function in REPLACING_FILTERS for function, _ in expression.filters)
        with self.tolerant("default" if replaced else ""):
            value = self.variable(expression.var)
        waiting = [(text, value)]
        for function, args in expression.filters:
            effect = effect_of_function(function)
            given = [self.variable(arg) if is_variable else UNKNOWN for is_variable, arg in args]
            named = [
                (str(arg.var), argument)
                for (is_variable, arg), argument in zip(args, given, strict=True)
                if is_variable
            ]
            if effect.consumption is None:
                # Whatever becomes of the value becomes of the other one as well.
                waiting.extend(named)
            else:
                self._record_all(waiting, effect.consumption, effect.lost)
                self._record_all(named, "argument", effect.lost)
                waiting = []
            literals = [arg.literal if is_variable else arg for is_variable, arg in args]
            key = literals[0] if literals else None
            value = effect.result(self, text, value, Arguments(given, key))
        self._record_all(waiting, consumption, lost)
        return value

    def read_names(self, expressions: Mapping[str, Any]) -> Names:
        """Note what a tag such as ``{% with %}`` reads; return what its names stand for."""
        return {name: self.read(each, "name") for name, each in expressions.items()}

    def _record_all(
        self, values: list[tuple[str, Value]], consumption: Consumption, lost: str | None
    ) -> None:
        for text, value in values:
            self.record(text, value, consumption, lost)

    def variable(self, variable: Any) -> Value:
        """Return what a variable stands for; it is a read, and no access path yet."""
        if not isinstance(variable, Variable):
            return MadeValue(SafeString) if isinstance(variable, str) else UNKNOWN
        if variable.lookups is None:
            return MadeValue(type(variable.literal))
        first, *rest = variable.lookups
        value = self.find(first)
        self.note_lookups(str(variable.var), first, rest, value)
        if rest and rest[0] == "super" and isinstance(value, Block):
            if self.blocks.get(value.node.name):
                self.walk_one(value.node)
            return UNKNOWN
        for bit in rest:
            value = value.step(bit)
        return value

    def note_lookups(self, text: str, name: str, bits: Iterable[str], value: Value) -> None:
        """Note a name and the lookups after it, as they stand in the tag that is walked."""
        steps = tuple(map(ReadStep, bits))
        text = text.removeprefix(self.unwritten)
        self.note(name, steps, value, calls=True, text=text, token=self.token)

    @contextmanager
    def at(self, token: Any) -> Iterator[None]:
        """What is noted inside stands in a token that no node holds."""
        before = self.token, self.line
        self.token, self.line = token, token.lineno
        try:
            yield
        finally:
            self.token, self.line = before

    @contextmanager
    def standing_after(self, name: str) -> Iterator[None]:
        """The expressions inside begin with a name that the tag itself puts before them."""
        before, self.unwritten = self.unwritten, f"{name}."
        try:
            yield
        finally:
            self.unwritten = before

    def condition(self, condition: Any) -> None:
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

    # -- nodes -------------------------------------------------------------------------------------

    def walk(self, nodes: Iterable[Node]) -> None:
        for node in nodes:
            if type(node) is not TextNode:
                self.walk_one(node)

    def walk_one(self, node: Node) -> None:
        """Walk one node."""
        before = self.template, self.file, self.line, self.token
        origin: Any = getattr(node, "origin", None)
        self.file = str(getattr(origin, "name", ""))
        self.template = str(getattr(origin, "template_name", None) or self.file)
        self.token = getattr(node, "token", None)
        self.line = getattr(self.token, "lineno", None)
        try:
            self.handlers.get(type(node), self.foreign)(self, node)
        finally:
            self.template, self.file, self.line, self.token = before

    # -- templates ---------------------------------------------------------------------------------

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
        key = (name, *(origin.name for origin in skip if origin.template_name == name))
        if key not in self._loaded:
            self._loaded[key] = self.follow(name, skip)
        return self._loaded[key]

    def templates_by_file(self, *others: Any) -> dict[str, Any]:
        """Return the templates that were loaded, and some others, by where they come from."""
        found = [*others, *self._loaded.values()]
        return {str(getattr(each.origin, "name", "")): each for each in reversed(found)}

    def walk_template(self, template: Any) -> None:
        """Walk a whole template or partial with the names in scope, as an include renders it."""
        before = self.visible()
        key = (
            template,
            frozenset(before.items()),
            self.outside,
            self.conditional,
            self.in_rows,
            self.is_open,
        )
        known = self._walked.get(key)
        if known is not None:
            for name, value in known.items():
                self.bind_upward(name, value)
            return
        if self.times_inside(template) >= DEEPEST_RECURSION:
            self.lose(repr(template.name), "the template includes itself any number of times")
            return
        # For as long as the walk lasts, so that an include of itself with the same names ends.
        self._walked[key] = {}
        history, self.history = self.history, []
        with self.included(template):
            self.walk(template.nodelist)
        self.history = history
        after = self.visible().items()
        self._walked[key] = {name: value for name, value in after if before.get(name) != value}
