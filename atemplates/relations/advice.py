"""What templates do with a relation to many objects, and what is better than a prefetch for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .paths import AccessPath
from .steps import PathStep, is_item

Chain: TypeAlias = tuple[PathStep, ...]
"""The relations on the way from a root, without items and ``all``."""
StepNames: TypeAlias = tuple[str, ...]

WHOLE_USE = "whole"
"""The use of a to-many relation whose rows are all read."""
COUNTS = (".count", ".exists")
ADVISED_CUTS = {"slice": "a slice", "item": "an item by position", ".first": ".first"}


@dataclass(slots=True)
class Many:
    """A relation to many objects, and what templates do with it."""

    chain: Chain
    uses: dict[str, None] = field(default_factory=dict)
    """`WHOLE_USE`, ``"slice"``, ``"item"``, or a method with its dot: ``".count"``."""
    behind: list[StepNames] = field(default_factory=list)
    """What is read of the rows, as paths from one of them, when they are not all loaded."""

    def use(self, use: str | None) -> None:
        """Note a use; None is none."""
        if use is not None:
            self.uses[use] = None

    @property
    def is_whole(self) -> bool:
        """Whether a prefetch reads no more than what templates read anyway."""
        return WHOLE_USE in self.uses

    def served(self, use: str) -> bool:
        """Whether the rows of a prefetch answer this too, when they are all loaded anyway."""
        if not self.is_whole:
            return False
        if use == ".first":
            # On rows without an order, first() asks the database for one.
            target = self.chain[-1].target
            return target is not None and bool(target._meta.ordering)
        return use in (WHOLE_USE, *COUNTS, *ADVISED_CUTS)

    def notes(self, call: Callable[[Any, list[StepNames]], str]) -> Iterable[str]:
        """Say which uses a prefetch does not help, and what does.

        Args:
            call: gives the calls that a model's queryset needs for some paths.
        """
        step = self.chain[-1]
        left = [use for use in self.uses if not self.served(use) and use != WHOLE_USE]
        if step.target is None or not left:
            return
        name = f"{step.model_label}.{step.name}"
        if counts := [use for use in left if use in COUNTS]:
            yield self._count_note(name, step, counts)
        if cuts := [use for use in left if use in ADVISED_CUTS]:
            end = ".order_by(...)[:3]" if "slice" in cuts else ".order_by(...)[:1]"
            yield (
                f"{' and '.join(ADVISED_CUTS[use] for use in cuts)} of {name} asks the database "
                "for each row, and a plain prefetch would load them all: use "
                f"{self._to_attr(step, call, end)} and read that attribute."
            )
        for use in left:
            if use not in COUNTS and use not in ADVISED_CUTS:
                yield (
                    f"A prefetch does not help {name}{use}, a query of its own for each row: use "
                    f"{self._to_attr(step, call, f'{use}(...)')} and read that attribute."
                )

    def _count_note(self, name: str, step: PathStep, uses: list[str]) -> str:
        relation = step.field
        lookup = relation.name if relation.auto_created and not relation.concrete else step.name
        if uses == [".exists"]:
            return (
                f"{name}.exists asks the database for each row, and a prefetch would load the rows "
                f"only to see whether there are any: add .annotate(has_{step.name}=Exists(...)) to "
                f"the queryset of {step.model_label} and read has_{step.name}."
            )
        return (
            f"{name}{' and '.join(uses)} asks the database for each row, and a prefetch would load "
            f'the rows only to count them: add .annotate({step.name}_count=Count("{lookup}", '
            f"distinct=True)) to the queryset of {step.model_label} and read {step.name}_count."
        )

    def _to_attr(
        self, step: PathStep, call: Callable[[Any, list[StepNames]], str], end: str
    ) -> str:
        target: Any = step.target
        manager = target._default_manager.name
        lookup = "__".join(each.name for each in self.chain)
        rows = f"{target.__name__}.{manager}{call(target, self.behind)}{end}"
        return f'Prefetch("{lookup}", queryset={rows}, to_attr="some_{step.name}")'


def use_of(path: AccessPath | None) -> str | None:
    """What becomes of the rows at the end of a path; None if they are only named or given away."""
    if path is None:
        return WHOLE_USE
    if path.consumption in ("slice", "item"):
        return path.consumption
    if path.consumption == "name" or path.lost:
        return None
    return WHOLE_USE


def strip_items(steps: StepNames) -> StepNames:
    """Leave out leading steps to an item."""
    while steps and is_item(steps[0]):
        steps = steps[1:]
    return steps
