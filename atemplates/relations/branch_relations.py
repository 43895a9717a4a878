"""What parts of a render that run at the same time do about relations: they load together.

Each part has loops of its own; what was loaded is known to all. A part that needs what another one
is about to load waits for the request's thread, which by then has loaded it.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Model, QuerySet

from ..runtime.relations import KnownValue
from ..runtime.waits import A_TURN, Kind, Wait
from .loop_peers import StepPlace
from .models import Relation
from .querysets import Origin, origin_of
from .render_relations import RenderRelations


class BranchRelations(RenderRelations):
    """What one of these parts does about relations.

    Args:
        outer: that of the render around the parts.
        underway: what they are about to load: instance's identity and relation's name.
    """

    def __init__(self, outer: RenderRelations, underway: set[tuple[int, str]]) -> None:
        super().__init__(outer.policy, outer.observers, outer.view, outer.rendered)
        # The loop adds, and the thread takes away again, each in one step. To see an entry too long
        # costs a turn in the thread.
        self.underway = underway
        known = vars(self)
        known["absent"] = outer.absent
        known["single"] = outer.single
        known["counts"] = outer.counts
        known["loaded_many"] = outer.loaded_many
        known["groups"] = outer.groups
        self.loops.origins.update(outer.loops.origins)

    def for_branch(self) -> RenderRelations:
        """Make the same for a part inside this one."""
        return BranchRelations(self, self.underway)

    def _load_step(self, instance: Model, relation: Relation, place: StepPlace) -> Wait | None:
        if (id(instance), relation.name) in self.underway:
            return A_TURN
        return self._once(super()._load_step(instance, relation, place))

    def _count_step(self, kind: str, origin: Origin, site: Any) -> Wait | KnownValue | None:
        assert origin.relation is not None  # these are all rows of one
        if (id(origin.instance), f"{origin.relation.name} count") in self.underway:
            return A_TURN
        found = super()._count_step(kind, origin, site)
        return self._once(found, " count") if isinstance(found, Wait) else found

    def whole(self, queryset: QuerySet[Any], site: Any = None, root: Any = None) -> Wait | None:
        """Decide what evaluating a whole queryset needs first; as `RenderRelations.whole`."""
        origin = origin_of(queryset)
        if (
            origin is not None
            and origin.relation is not None
            and origin.whole
            and (id(origin.instance), origin.relation.name) in self.underway
        ):
            return A_TURN
        return self._once(super().whole(queryset, site, root))

    def _once(self, wait: Wait | None, suffix: str = "") -> Wait | None:
        """Note what a wait is going to load until it has."""
        if wait is None or wait.kind is not Kind.CALL:
            return wait
        peers, relation = wait.args
        keys = {(id(peer), relation.name + suffix) for peer in peers}
        self.underway |= keys
        return Wait(
            Kind.CALL, self._load_noted, (keys, wait.subject, *wait.args), None, wait.notify
        )

    def _load_noted(self, keys: set[tuple[int, str]], load: Any, *args: Any) -> None:
        try:
            load(*args)
        finally:
            self.underway -= keys

    def prepare(self, instance: Model, site: Any = None, root: Any = None, index: int = 1) -> None:
        """Get ready for code of a model; as `RenderRelations.prepare`."""
        self.groups.reporter = self.reporter
        super().prepare(instance, site, root, index)

    def prepare_value(self, value: Any, site: Any = None, root: Any = None) -> None:
        """The same for a value; as `RenderRelations.prepare_value`."""
        self.groups.reporter = self.reporter
        super().prepare_value(value, site, root)

    def finish(self) -> None:
        """Leave what was changed on objects to the render around: the other parts use them."""
