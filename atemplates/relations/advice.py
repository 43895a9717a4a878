"""Which ``select_related`` and ``prefetch_related`` a queryset needs for what templates read.

A relation is joined where that cannot change the output, and prefetched otherwise; what neither
of them helps is named in the notes, with what does help.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from django.db.models import Model

from .path_steps import TO_MANY, TO_ONE, PathStep, is_item, steps_of, why_not_join
from .paths import AccessPath

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


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What to add to a queryset."""

    select: tuple[str, ...] = ()
    """Lookups for ``select_related``."""
    prefetch: tuple[str, ...] = ()
    """Lookups for ``prefetch_related``."""
    notes: tuple[str, ...] = ()
    """What these calls do not solve, and what does; why something is not joined."""

    def __bool__(self) -> bool:
        return bool(self.select or self.prefetch or self.notes)

    def call(self) -> str:
        """Return the text to put behind the queryset; empty if there is nothing to add."""
        text = ""
        for method, lookups in (
            ("select_related", self.select),
            ("prefetch_related", self.prefetch),
        ):
            if lookups:
                text += f".{method}({', '.join(map(string_literal, lookups))})"
        return text


def suggest(
    model: type[Model],
    paths: Iterable[AccessPath | Sequence[str]],
    *,
    only: Collection[str] | None = None,
) -> Suggestion:
    """Say what a queryset must load so that the paths need no further query.

    Args:
        model: what the root of the paths is: an instance, or a list, queryset, page or dict of
            instances.
        paths: access paths, or just their steps; rows at the end of bare steps are all read.
        only: the fields that the queryset loads, if it has an ``only()``.

    Returns:
        The lookups in the order of the paths, none of them the beginning of another.
    """
    needs = _Needs(model)
    for path in paths:
        needs.add(path)
    return needs.suggestion(only)


def string_literal(text: str) -> str:
    """Return a Python string literal, with the quotes that formatters prefer."""
    return f'"{text}"'


@dataclass(slots=True)
class _Needs:
    """What paths need, collected."""

    model: type[Model]
    chains: dict[str, Chain] = field(default_factory=dict)
    """Everything that is reached, by lookup, in the order of the paths."""
    many: dict[str, Many] = field(default_factory=dict)
    """The relations to many among them."""
    columns: dict[str, None] = field(default_factory=dict)
    """Fields of the root's own model that are read."""
    printed: set[str] = field(default_factory=set)
    """Relations to one whose object is itself written."""
    notes: dict[str, None] = field(default_factory=dict)

    def add(self, path: AccessPath | Sequence[str]) -> None:
        """Collect what one path needs."""
        known = path if isinstance(path, AccessPath) else None
        names = tuple(path.path if isinstance(path, AccessPath) else path)
        chain: Chain = ()
        for index, step in enumerate(steps_of(self.model, names)):
            rest = names[index + 1 :]
            if chain and is_way_back(chain[-1], step):
                # Django sets it when it loads the relation: the paths go on from the object before.
                chain = chain[:-1]
            elif step.kind in TO_ONE or step.kind in TO_MANY or step.kind == "generic foreign key":
                chain = (*chain, step)
                self._add_relation(chain, rest, known)
            elif step.kind == "item":
                self._add_item(chain, step, known)
            elif step.kind == "all":
                if not rest and chain:
                    self.many[lookup_of(chain)].use(use_of(known))
            elif step.kind == "query":
                self._add_query(chain, step, rest)
                return
            elif step.kind != "container":
                self._add_end(chain, step, rest)
                return

    def _add_relation(self, chain: Chain, rest: Sequence[str], known: AccessPath | None) -> None:
        step, lookup = chain[-1], lookup_of(chain)
        if step.kind in TO_MANY:
            self.many.setdefault(lookup, Many(chain))
        elif step.kind == "generic foreign key" and len(rest) > 1:
            self._note(
                f"{step.model_label}.{step.name} points to several models: load what lies behind "
                f"their objects with GenericPrefetch({string_literal(step.name)}, [...])."
            )
        elif not rest and (known is None or known.consumption == "output"):
            self.printed.add(lookup)
        self.chains.setdefault(lookup, chain)

    def _add_item(self, chain: Chain, step: PathStep, known: AccessPath | None) -> None:
        """A step to an item: by position, the database can be asked for just that one."""
        if not chain or chain[-1].kind not in TO_MANY:
            return
        if step.name != "[]":
            self.many[lookup_of(chain)].use("item")
        elif known is None:
            # Of an access path, the loop has a record of its own, that says how it reads the rows.
            self.many[lookup_of(chain)].use(WHOLE_USE)

    def _add_query(self, chain: Chain, step: PathStep, rest: tuple[str, ...]) -> None:
        """A method of a manager or queryset: what follows hangs on a query of its own."""
        if chain:
            many = self.many[lookup_of(chain)]
            many.use(f".{step.name}")
            if step.target is not None and strip_items(rest):
                many.behind.append(strip_items(rest))
        elif step.target is not None:
            # The view's own queryset: the paths go on from what it gives.
            self.add(("[]", *strip_items(rest)))
        elif step.name in ("values", "values_list"):
            self._note(
                f".{step.name}() gives no instances of {step.model_label}: its rows lead to no "
                "relation, name the fields in the call instead."
            )

    def _add_end(self, chain: Chain, step: PathStep, rest: Sequence[str]) -> None:
        """A step that is no relation: nothing behind it can be loaded ahead."""
        if step.kind in ("field", "key column") and not chain:
            self.columns[step.field.name] = None
        elif step.kind in ("property", "method") and any(not is_item(name) for name in rest):
            behind = "".join(f".{name}" for name in rest if not is_item(name))
            self._note(
                f"{step.model_label}.{step.name} is a {step.kind}: what {behind} needs behind it "
                "cannot be seen in the template. Record a render, or load it in the view."
            )

    def _note(self, text: str) -> None:
        self.notes[text] = None

    # -- the answer ----------------------------------------------------------------------------

    def suggestion(self, only: Collection[str] | None) -> Suggestion:
        """Return what to add to the queryset."""
        select: dict[str, None] = {}
        prefetch: dict[str, None] = {}
        for chain in self.chains.values():
            if self._is_reached(chain):
                self._load(without_parent_links(chain), select, prefetch)
        for many in self.many.values():
            if self._is_reached(many.chain[:-1]):
                for note in many.notes(lambda model, paths: suggest(model, paths).call()):
                    self._note(note)
        if only is not None:
            self._note_only(only)
        return Suggestion(without_prefixes(select), without_prefixes(prefetch), tuple(self.notes))

    def _is_reached(self, chain: Chain) -> bool:
        """Whether a chain leads through no relation whose rows are read in part only.

        What lies behind such a one is noted there: it belongs to the queryset of those rows.
        """
        for end, step in enumerate(chain, start=1):
            if step.kind in TO_MANY:
                many = self.many[lookup_of(chain[:end])]
                if not many.is_whole:
                    behind = self._behind(chain, end)
                    if behind and behind not in many.behind:
                        many.behind.append(behind)
                    return False
        return True

    def _behind(self, chain: Chain, start: int) -> tuple[str, ...]:
        """The rest of a chain as a path, as far as its rows are all read."""
        names: list[str] = []
        for end, step in enumerate(chain[start:], start=start + 1):
            if step.kind in TO_MANY:
                if not self.many[lookup_of(chain[:end])].is_whole:
                    break
                names += (step.name, "all")
            else:
                names.append(step.name)
        return tuple(names)

    def _load(self, chain: Chain, select: dict[str, None], prefetch: dict[str, None]) -> None:
        """Join a chain of relations as far as possible, and prefetch it from there."""
        for index, step in enumerate(chain):
            assert step.model is not None  # only steps behind an unknown one have no model
            reason = why_not_join(step.model, step.field)
            if reason is None:
                continue
            if index:
                select[lookup_of(chain[:index], joined=True)] = None
            prefetch[lookup_of(chain)] = None
            if step.kind in TO_ONE:
                self._note_prefetch(chain[: index + 1], reason)
            return
        if chain:
            select[lookup_of(chain, joined=True)] = None

    def _note_prefetch(self, chain: Chain, reason: str) -> None:
        step, lookup = chain[-1], lookup_of(chain)
        note = f"{string_literal(lookup)} is prefetched and not joined: {reason}."
        if getattr(step.field, "null", False) and lookup in self.printed:
            note += (
                " Where there is no such row, the prefetched value is None and is written so; "
                "without the prefetch nothing is written."
            )
        self._note(note)

    def _note_only(self, only: Collection[str]) -> None:
        """A relation's key that only() leaves out cannot be joined; a column comes row by row."""
        loaded = {name.partition("__")[0] for name in only} | {"pk", self.model._meta.pk.name}
        needed = dict(self.columns)
        for first, *_ in self.chains.values():
            if first.kind == "generic foreign key":
                needed.update(dict.fromkeys((first.field.ct_field, first.field.fk_field)))
            elif first.kind in ("foreign key", "one-to-one"):
                needed[first.field.name] = None
        missing = [name for name in needed if name not in loaded]
        if missing:
            self._note(
                f"The queryset's only() leaves out {', '.join(map(string_literal, missing))}, "
                "which would be asked for again for each row: add them to it."
            )


def lookup_of(chain: Chain, joined: bool = False) -> str:
    """The lookup along a chain: for ``prefetch_related``, or for ``select_related``.

    From the other side, a one-to-one relation is joined by its name in queries, which may differ
    from the name of the attribute.
    """
    return "__".join(
        step.field.name if joined and step.kind in ("reverse one-to-one", "child") else step.name
        for step in chain
    )


def is_way_back(last: PathStep, step: PathStep) -> bool:
    """Whether a step only leads back to the object that the one before it came from."""
    if last.kind in ("reverse foreign key", "reverse one-to-one", "child"):
        return step.kind in TO_ONE and step.field == last.field.field
    if last.kind == "one-to-one":
        return step.kind in ("reverse one-to-one", "child") and step.field.field == last.field
    return False


def without_parent_links(chain: Chain) -> Chain:
    """Leave out parent links at the end: Django makes a parent from its child's own columns."""
    while chain and chain[-1].kind == "parent link":
        chain = chain[:-1]
    return chain


def without_prefixes(lookups: Iterable[str]) -> tuple[str, ...]:
    """Leave out lookups that are the beginning of another."""
    known = list(lookups)
    return tuple(
        lookup for lookup in known if not any(each.startswith(f"{lookup}__") for each in known)
    )
