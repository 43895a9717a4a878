"""The policy of one render at work: deciding what a missing relation means, and loading it.

`RenderRelations` is what a render's state carries. It decides and it describes; the queries are
made by functions that it puts into waits, so that a driver runs them in the request's thread.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.db.models import Model, QuerySet
from django.db.models.manager import BaseManager

from ..runtime.policy import STRICT
from ..runtime.relations import NOT_QUICK, KnownValue, Notify
from ..runtime.waits import Kind, Wait
from . import batch_loading
from .batch_loading import HAS_FETCH_MODES, has_own_mode
from .loop_peers import LoopStack, StepPlace, instances_beside
from .models import (
    Relation,
    fill,
    instance_of,
    is_a,
    is_loaded,
    is_missing,
    is_plain_key,
    is_saved,
    is_stock_relation,
    loaded_rows,
    missing_key,
    relations_of,
)
from .policy import UNWATCHED, Observer
from .querysets import (
    FREE,
    Origin,
    grouped_counts,
    is_djangos_method,
    note_derived,
    note_origin,
    origin_of,
    sends_query,
)

if TYPE_CHECKING:
    from .events import Event
    from .python_batches import PythonBatches
    from .query_attribution import QueryWatcher
    from .reporting import Reporter

# What a render without missing relations does not need is imported where it is needed.


class RenderRelations:
    """What a render does about relations: its policy, its loops, its observers.

    Args:
        view: the name of the view, for events.
        rendered: the name of the template that is rendered, which may include and extend others.
    """

    def __init__(
        self,
        policy: str,
        observers: tuple[Observer, ...] = (),
        view: str = "",
        rendered: str = "",
    ) -> None:
        self._policy = policy
        self.observers = observers
        """Who is told of each load."""
        self.view = view
        self.rendered = rendered
        self._loops: LoopStack | None = None
        self._underway: set[tuple[int, str]] | None = None
        """What parts that run at the same time are about to load, once there are any."""

    @property
    def loops(self) -> LoopStack:
        """The loops around the node that renders now."""
        if self._loops is None:
            self._loops = LoopStack()
        return self._loops

    @cached_property
    def reporter(self) -> Reporter:
        """Makes events of loads, and applies a strict policy to them."""
        from .reporting import Reporter

        return Reporter(self._policy, self.observers, self.loops, self.view, self.rendered)

    @cached_property
    def watch(self) -> QueryWatcher:
        """Sees the queries that nobody announced."""
        from .query_attribution import QueryWatcher

        return QueryWatcher(self.reporter)

    @cached_property
    def groups(self) -> PythonBatches:
        """The objects whose Python code is watched for what it reaches for."""
        from .python_batches import PythonBatches

        return PythonBatches(self.reporter)

    @cached_property
    def absent(self) -> dict[tuple[int, str], tuple[Model, Any]]:
        """What a load did not bring -> the instance, and the exception that says so."""
        return {}

    @cached_property
    def single(self) -> dict[tuple[int, str], Model]:
        """To-many relations that cannot be loaded for several instances at once."""
        return {}

    @cached_property
    def counts(self) -> dict[tuple[int, str], tuple[Model, int]]:
        """The numbers of rows that a grouped query has brought."""
        return {}

    @cached_property
    def loaded_many(self) -> list[tuple[Model, str]]:
        """The to-many relations whose rows were put on instances: `finish` takes them off."""
        return []

    @property
    def policy(self) -> str:
        """What is done about a relation that was not loaded; ``{% relations %}`` changes it."""
        return self._policy

    @policy.setter
    def policy(self, policy: str) -> None:
        self._policy = policy
        if "reporter" in vars(self):
            self.reporter.policy = policy

    @property
    def is_listening(self) -> bool:
        """Whether anybody wants to know of loads; if not, no event is made."""
        return bool(self.observers) or self._policy in STRICT

    def watching(self) -> AbstractContextManager[None]:
        """Watch this thread's queries, if somebody wants to know and they are not watched."""
        return self.watch.watching() if self.is_listening else UNWATCHED

    def is_watched_by(self, watcher: object) -> bool:
        """Whether a watcher of queries is this render's."""
        return vars(self).get("watch") is watcher

    def step(
        self, value: Any, bit: str, site: Any, root: Any, index: int
    ) -> Wait | KnownValue | None:
        """Decide what resolving ``bit`` on a model instance, manager or queryset needs first.

        Args:
            root: the value of the path's first bit.
            index: how many bits of the path are resolved.

        Returns:
            A wait after which the step is to be decided anew, the step's value, or None: go on.

        Raises:
            LazyAccessError: under ``"raise"``.
            ObjectDoesNotExist: a load has shown that there is no such row.
        """
        instance = instance_of(value)
        if instance is not None:
            relation = relations_of(type(instance)).get(bit)
            if relation is None:
                if bit not in instance.__dict__ and not is_plain_key(instance, bit):
                    self.prepare(instance, site, root, index)
                return None
            if not is_missing(instance, relation):
                return None
            return self._load_step(instance, relation, StepPlace(site, root, index, bit))
        if is_a(value, (QuerySet, BaseManager)):
            return self._manager_step(value, StepPlace(site, root, index, bit))
        return None

    def quick_step(self, instance: Model, bit: str, site: Any, root: Any, index: int) -> Any:
        """Read an attribute off the loop where `step` would say: go on.

        Returns:
            Its value, or `NOT_QUICK` where `step` has to be asked.

        Raises:
            Exception: whatever reading it raised.
        """
        relation = relations_of(type(instance)).get(bit)
        if relation is None:
            if id(instance) not in self.groups.members or self.is_listening:
                self.prepare(instance, site, root, index)
            return getattr(instance, bit)
        if relation.kind == "forward" and is_stock_relation(type(instance), bit):
            found = relation.field.get_cached_value(instance, None)
            if found is not None:
                return found
        return NOT_QUICK

    def _load_step(self, instance: Model, relation: Relation, place: StepPlace) -> Wait | None:
        """Decide about a relation or deferred field that is not there."""
        absent = self.absent.get((id(instance), relation.name))
        if absent is not None:
            if absent[1] is not None:
                raise absent[1].with_traceback(None)
            return None
        if has_own_mode(instance) or (self._policy == "fetch" and not self.observers):
            return None
        event = None
        if self.is_listening:
            kind = "deferred" if relation.kind == "deferred" else "relation"
            event = self.reporter.announce(kind, place, type(instance), relation)
        peers = [instance]
        if self._policy != "fetch":
            peers = [
                peer
                for peer in instances_beside(self.loops, instance, place, relation)
                if is_missing(peer, relation) and not has_own_mode(peer)
            ]
        notify = self._completion(event, len(peers), len(peers) > 1)
        return Wait(Kind.CALL, self._load, (peers, relation), notify=notify)

    def _load(self, peers: list[Model], relation: Relation) -> None:
        for instance, error in batch_loading.load(peers, relation):
            self.absent[id(instance), relation.name] = (instance, error)
        if "groups" in vars(self):
            self.groups.add_loaded(peers, relation)

    def _manager_step(self, value: Any, place: StepPlace) -> Wait | KnownValue | None:
        origin = origin_of(value, place.site, place.root, place.done)
        if origin is None:
            return None
        column = None if is_a(value, QuerySet) else missing_key(value)
        if column is not None:
            place = StepPlace(origin.site, origin.root, origin.done, column.attname)
            key = relations_of(type(origin.instance)).get(column.attname)
            return None if key is None else self._load_step(origin.instance, key, place)
        bit = place.bit
        if bit in FREE and not is_djangos_method(value, bit):
            return None
        rows = value if is_a(value, QuerySet) else BaseManager.all(value)
        loaded = is_loaded(rows)
        if origin.whole and not loaded:
            if bit == "all":
                note_origin(rows, origin)
                return KnownValue(rows)
            if bit in ("count", "exists"):
                return self._count_step(bit, origin, place.site)
        if sends_query(value, rows, bit):
            self._apply_policy_to_call(origin, place.site)
        return None

    def _count_step(self, kind: str, origin: Origin, site: Any) -> Wait | KnownValue | None:
        """``count`` and ``exists`` of a to-many relation: one grouped query for a whole loop."""
        instance, relation = origin.instance, origin.relation
        assert relation is not None  # these are all rows of one
        known = self.counts.get((id(instance), relation.name))
        if known is not None:
            return KnownValue(known[1] if kind == "count" else known[1] > 0)
        if self._policy == "fetch":
            return None
        peers = instances_beside(self.loops, instance, origin.place)
        peers = [peer for peer in peers if is_saved(peer)]
        event = self._announce_rows(kind, origin, site)
        if len(peers) < 2:
            return None
        notify = self._completion(event, len(peers), batch=True)
        return Wait(Kind.CALL, self._count, (peers, relation), notify=notify)

    def _apply_policy_to_call(self, origin: Origin, site: Any) -> None:
        """Apply the policy to a call on a related manager, which is recorded elsewhere.

        Raises:
            LazyAccessError: under ``"raise"``.
        """
        if self._policy in STRICT:
            model, relation = type(origin.instance), origin.relation
            event = self.reporter.make_event("call", origin.place, model, relation, at=site)
            self.reporter.apply_policy(event)

    def _count(self, peers: list[Model], relation: Relation) -> None:
        keyed, _ = batch_loading.load_keys(peers, relation)
        found = None
        if keyed and keyed[0] is peers[0]:
            found = grouped_counts(keyed, relation)
        if found is None:
            instance = peers[0]
            found = {id(instance): getattr(instance, relation.name).count()}
        for peer in peers:
            if id(peer) in found:
                self.counts[id(peer), relation.name] = (peer, found[id(peer)])

    def whole(self, queryset: QuerySet[Any], site: Any = None, root: Any = None) -> Wait | None:
        """Decide what evaluating a whole queryset needs first: perhaps a load for a whole loop.

        Args:
            site: the expression whose value the queryset is, if that is known.
            root: the value of its first bit.

        Returns:
            None when the rows are there; a wait of kind ROWS, whose answer has the rows; or one of
            kind CALL, after which `loaded` gives the queryset.

        Raises:
            LazyAccessError: under ``"raise"``, for a to-many relation that was not loaded.
        """
        if is_loaded(queryset):
            return None
        origin = origin_of(queryset)
        if queryset.query.is_empty():  # .none(): evaluating it asks nobody
            return Wait(Kind.ROWS, queryset)
        if origin is None:
            return Wait(Kind.ROWS, queryset, notify=self._notify_rows(queryset, site, root))
        relation = origin.relation
        if relation is None or not origin.whole:
            event = self._announce_rows("call", origin, site)
            return Wait(Kind.ROWS, queryset, notify=self._completion(event))
        event = self._announce_rows("rows", origin, site)
        single = (id(origin.instance), relation.name) in self.single
        # Rows inherit a fetch mode that the user chose; a prefetch would not hand it on.
        if self._policy == "fetch" or single or has_own_mode(origin.instance):
            return Wait(Kind.ROWS, queryset, notify=self._completion(event))
        peers = instances_beside(self.loops, origin.instance, origin.place)
        peers = [peer for peer in peers if not has_own_mode(peer)]
        notify = self._completion(event, len(peers), len(peers) > 1)
        return Wait(Kind.CALL, self._load_many, (peers, relation), notify=notify)

    def _load_many(self, peers: list[Model], relation: Relation) -> None:
        noted = batch_loading.load_many(peers, relation)
        if noted is None:
            self.single.update(((id(peer), relation.name), peer) for peer in peers)
        else:
            self.loaded_many += noted

    def loaded(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Give a queryset the rows that a load for a whole loop has brought for its instance.

        When it brought none for this one, the queryset is to be evaluated by itself.
        """
        origin = origin_of(queryset)
        if origin is not None and origin.relation is not None:
            found = getattr(origin.instance, origin.relation.name).all()
            if is_loaded(found):
                fill(queryset, found)
            else:
                self.single[id(origin.instance), origin.relation.name] = origin.instance
        return queryset

    def derive(
        self, source: Any, queryset: QuerySet[Any], site: Any, root: Any, index: int
    ) -> None:
        """Note that a queryset was made from a manager, queryset or instance: cut, filtered, ...

        Args:
            index: how many bits of the site lead to ``source``.
        """
        if source is not queryset:
            note_derived(source, queryset, site, root, index)

    def prepare(self, instance: Model, site: Any = None, root: Any = None, index: int = 1) -> None:
        """Get ready for code of a model, which may reach for what was not loaded.

        On Django 6.1 and later, an instance and those beside it get a fetch mode of ours: what a
        property or ``__str__`` then reaches for is loaded for all of them, and recorded.
        """
        if not HAS_FETCH_MODES or self._policy == "fetch":
            return
        if id(instance) in self.groups.members and not self.is_listening:
            return  # nobody asks for the place
        place = self.groups.place = StepPlace(site, root, index)
        if id(instance) not in self.groups.members:
            self.groups.add_group(instances_beside(self.loops, instance, place))

    def prepare_value(self, value: Any, site: Any = None, root: Any = None) -> None:
        """The same for a value that is about to be printed or filtered, and may hold instances."""
        if not HAS_FETCH_MODES or self._policy == "fetch":
            return
        if id(value) in self.groups.members and not (self.observers or self._policy in STRICT):
            return
        index = len(site.bits) if site is not None else 1
        instance = instance_of(value)
        if instance is not None:
            self.prepare(instance, site, root, index)
            return
        if is_a(value, QuerySet) and not is_loaded(value):
            return
        if is_a(value, (list, tuple, QuerySet)):
            self.groups.place = StepPlace(site, root, index)
            rows = [row for row in loaded_rows(value) if is_a(row, Model)]
            self.groups.add_group(rows, ("[]",))

    def filter_step(self, function: Any, value: Any, site: Any, root: Any) -> Notify:
        """Describe a filter that is about to be applied where it may query."""
        if not self.is_listening:
            return None
        return self.watch.watched_filter(function, value, site, root)

    def python_step(self, value: Any, bit: str, site: Any, root: Any, index: int) -> Notify:
        """Describe a step that runs code, and is about to be made where it may query.

        Returns:
            What the wait for the step needs as its ``notify``, so that the queries are recorded.
        """
        instance = instance_of(value)
        if instance is not None and bit not in relations_of(type(instance)):
            self.prepare(instance, site, root, index)
        if not self.is_listening:
            return None
        if bit.startswith("__"):  # no template names such a step: the value is used as it is
            return self.watch.watched_value(value, site, root)
        return self.watch.watched_step(value, bit, StepPlace(site, root, index, bit))

    def call_step(self, method: Any, site: Any, root: Any) -> Notify:
        """Describe a call of an ORM method (``.acount``, ``.afirst``) that asks the database."""
        if not self.observers:
            return None
        return self.reporter.completion(self.reporter.make_call_event(method, site, root))

    def for_branch(self) -> RenderRelations:
        """Make the same for a part of the render that runs while others do."""
        from .branch_relations import BranchRelations

        if self._underway is None:
            self._underway = set()
        if HAS_FETCH_MODES:
            self.groups.begin()  # in the context variables that the part will see
        for _ in self.loops.open_loops():
            pass  # the parts share what is found out about the loops around them
        return BranchRelations(self, self._underway)

    def finish(self) -> None:
        """Take back what was changed on the caller's objects. Called when the render ends."""
        made = vars(self)
        if "groups" in made:
            self.groups.finish()
        if "loaded_many" in made:
            batch_loading.forget_rows(self.loaded_many)
            self.loaded_many.clear()

    def check(self) -> None:
        """Raise an error of this render that Python code has caught.

        Raises:
            LazyAccessError: under ``"raise"``.
        """
        if "reporter" in vars(self) and self.reporter.raised is not None:
            raise self.reporter.raised

    def _announce_rows(self, kind: str, origin: Origin, site: Any) -> Event | None:
        if not self.is_listening:
            return None
        model, relation = type(origin.instance), origin.relation
        return self.reporter.announce(kind, origin.place, model, relation, at=site)

    def _notify_rows(self, queryset: QuerySet[Any], site: Any, root: Any) -> Notify:
        """Record a queryset that the view handed over without its rows: nothing lazy."""
        if not self.observers:
            return None
        return self.reporter.completion(self.reporter.make_rows_event(queryset, site, root))

    def _completion(self, event: Event | None, rows: int = 0, batch: bool = False) -> Notify:
        """Return what a driver calls when the wait for an event is over; None without an event."""
        return None if event is None else self.reporter.completion(event, rows, batch)
