"""What a page does with the values of its context, in order, as far as that is certain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeAlias

from django.template.base import TextNode
from django.template.loader_tags import BlockNode, ExtendsNode

from ..compiler.mentions import constant_name, used_partial
from ..compiler.templates import shows_its_nodes
from .certain_steps import (
    EACH,
    MAYBE,
    Ends,
    Includes,
    Inside,
    Passes,
    Path,
    Place,
    Reads,
    Sets,
    Shows,
    ShowsPartial,
    ShowsSuper,
    Steps,
    Uses,
    UseStep,
    certain_steps_of,
)
from .inheritance import blocks_of_base


class Use(NamedTuple):
    """What is done with a value of the context."""

    path: Path
    step: UseStep
    is_certain: bool

    @property
    def place(self) -> Place | None:
        """Where all its rows are certainly read; None if that is not what is done with it."""
        if type(self.step) is not Reads or not self.is_certain or is_vague(self.path):
            return None
        return self.step.place


def is_vague(path: Path) -> bool:
    """Whether a path does not lead to one certain value."""
    return MAYBE in path or EACH in path


class Uncertain(Exception):
    """From here on nothing is certain."""


Find: TypeAlias = Callable[[str], Any]
"""Gives the template of a name; None where it is not at hand."""


def uses_of(find: Find, root: Any, blocks: Mapping[str, Sequence[BlockNode]]) -> list[Use]:
    """Find what a page does with the values of its context, up to where that gets uncertain.

    Args:
        find: gives the templates that it includes.
        root: the template that is rendered in the end: the one that extends no other.
        blocks: the blocks of each name that override each other, the innermost last.
    """
    walk = Walk(find, blocks)
    try:
        walk.follow(certain_steps_of(root.nodelist))
    except Uncertain:
        pass
    return walk.uses


class Walk:
    """One way through a page.

    Args: those of `uses_of`.
    """

    def __init__(self, find: Find, blocks: Mapping[str, Sequence[BlockNode]]) -> None:
        self.find = find
        self.uses: list[Use] = []
        self.is_certain = True
        self.lost: set[str] = set()
        """Names that a tag has set somewhere."""
        self.frames: list[Mapping[str, Path | None]] = []
        """What the names around the present step stand for; the innermost last."""
        self.outermost = 0
        """How many of them an include with ``only`` does not see."""
        self.sees_context = True
        """Whether there is the context beneath them."""
        self.blocks = blocks
        self.block: tuple[str, int] | None = None
        """The name of the block around the present step, and how many it overrides."""
        self.under_way: list[Any] = []
        """The node lists around the present step: one that shows itself is not followed."""

    def follow(self, steps: Steps) -> None:
        """Take some steps.

        Raises:
            Uncertain: one does what is not known.
        """
        for step in steps:
            kind = type(step)
            if kind is Reads or kind is Uses or kind is Passes:
                self._use(step)  # type: ignore[arg-type]
            else:
                FOLLOWED[kind](self, step)

    def _use(self, step: UseStep) -> None:
        path = self._path_in_context(step.path)
        if path is not None:
            self.uses.append(Use(path, step, self.is_certain))

    def _path_in_context(self, path: Path) -> Path | None:
        name, bits = path[0], path[1:]
        if name in self.lost:
            bits = (MAYBE, *bits)  # it may have been set in a frame that is gone
        for frame in reversed(self.frames[self.outermost :]):
            if name in frame:
                known = frame[name]
                return None if known is None else known + bits
        return (name, *bits) if self.sees_context else None

    def _names(self, names: tuple[tuple[str, Path | None], ...]) -> dict[str, Path | None]:
        return {name: None if path is None else self._path_in_context(path) for name, path in names}

    @contextmanager
    def _frame(self, names: Mapping[str, Path | None]) -> Iterator[None]:
        self.frames.append(names)
        yield
        self.frames.pop()

    def set_names(self, step: Sets) -> None:
        self.lost |= step.names

    def go_inside(self, step: Inside) -> None:
        before = self.is_certain
        self.is_certain = before and step.is_certain
        if step.names:
            with self._frame(self._names(step.names)):
                self.follow(step.steps)
        else:
            self.follow(step.steps)
        self.is_certain = before

    def _follow_nodelist(self, nodelist: Any) -> None:
        if any(nodelist is other for other in self.under_way):
            raise Uncertain
        self.under_way.append(nodelist)
        self.follow(certain_steps_of(nodelist))
        self.under_way.pop()

    def show_block(self, step: Shows) -> None:
        overriding = self.blocks.get(step.block.name)
        nodes = overriding or (step.block,)
        self._show(step.block.name, nodes, len(nodes) - 1)

    def _show(self, name: str, nodes: Sequence[BlockNode], index: int) -> None:
        before = self.block
        self.block = name, index
        with self._frame({"block": None}):
            self._follow_nodelist(nodes[index].nodelist)
        self.block = before

    def show_super(self, step: ShowsSuper) -> None:
        if self.block is None or "block" in self.lost:
            raise Uncertain
        name, index = self.block
        if index:
            self._show(name, self.blocks[name], index - 1)

    def show_partial(self, step: ShowsPartial) -> None:
        partial = used_partial(step.node)
        if partial is None or not shows_its_nodes(partial):
            raise Uncertain
        before = self.blocks, self.block
        self.blocks, self.block = {}, None  # Django renders it as a template of its own
        self._follow_nodelist(partial.nodelist)
        self.blocks, self.block = before

    def include(self, step: Includes) -> None:
        template = self.find(step.name)
        found = None if template is None else inherited(self.find, template)
        if found is None:
            raise Uncertain
        names = self._names(step.names)
        before = self.blocks, self.block, self.outermost, self.sees_context
        self.blocks, self.block = found.blocks, None
        if step.is_isolated:
            self.outermost, self.sees_context = len(self.frames), False
        with self._frame(names):
            self._follow_nodelist(found.root.nodelist)
        self.blocks, self.block, self.outermost, self.sees_context = before

    def end(self, step: Ends) -> None:
        raise Uncertain


FOLLOWED: dict[type[Any], Any] = {
    Sets: Walk.set_names,
    Inside: Walk.go_inside,
    Shows: Walk.show_block,
    ShowsSuper: Walk.show_super,
    ShowsPartial: Walk.show_partial,
    Includes: Walk.include,
    Ends: Walk.end,
}
"""How each type of step is taken that is no use of a value."""


class Inherited(NamedTuple):
    """A template with those that it extends."""

    root: Any
    """The one that extends no other."""
    blocks: dict[str, list[BlockNode]]
    """The blocks of each name, the innermost last."""


def extends_node(template: Any) -> ExtendsNode | None:
    """Return the ``{% extends %}`` of a template that has one."""
    for node in template.nodelist:
        if type(node) is not TextNode:
            return node if isinstance(node, ExtendsNode) else None
    return None


def inherited(find: Find, template: Any) -> Inherited | None:
    """Find the templates that one extends.

    Returns:
        None where one is not at hand, or is rendered by a method of its own.
    """
    blocks: dict[str, list[BlockNode]] = {}
    seen = []
    while True:
        if template is None or not shows_its_nodes(template) or template in seen:
            return None
        seen.append(template)
        node: Any = extends_node(template)
        if node is not None or len(seen) > 1:
            own = blocks_of_base(template) if node is None else node.blocks
            for name, block in own.items():
                blocks.setdefault(name, []).insert(0, block)
        if node is None:
            return Inherited(template, blocks)
        parent = constant_name(node.parent_name)
        template = None if parent is None else find(parent)


def certain_reads(find: Find, template: Any) -> dict[str, Place]:
    """Find what a template certainly reads whole, whatever it is, for people.

    Args:
        find: gives the templates that it extends and includes.

    Returns:
        The variables, in order, and where each is read first.
    """
    whole = inherited(find, template)
    found: dict[str, Place] = {}
    theirs: set[Path] = set()
    for use in [] if whole is None else uses_of(find, whole.root, whole.blocks):
        path = use.path
        if use.place is not None:
            if theirs.isdisjoint(path[:end] for end in range(1, len(path) + 1)):
                found.setdefault(".".join(path), use.place)
        elif type(use.step) is Passes:
            theirs.add(path)
    return found
