"""The queries that the expressions of a page may send: as in stock Django, and in batch.

An expression pays for what no expression before it has paid for in any case: an object keeps a
relation that was read, a queryset keeps its rows. What a view's queryset loads costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import django
from django.db.models import Model, QuerySet

from ..inference.python_reads import hidden_reads
from ..relations.labels import model_named
from ..relations.path_steps import ONE_ROW
from ..relations.paths import ITEM, AccessPath, dotted, own_bits
from ..relations.querysets import FREE, is_deferred
from .entries import KnownVariable, normal, prefix_of
from .matching import Match, covers, match_path

READ_WHOLE = frozenset({"loop", "truth", "length"})
"""What becomes of a queryset whose rows are all read, and kept."""
READ_PARTLY = frozenset({"slice", "item", "output"})
"""What becomes of one that is asked for some rows: by a query each time."""
GROUPED = frozenset({"count", "exists"})
"""What is asked for all rows of a loop by one query."""

SAME_ROWS = ((ITEM,), ("object_list", ITEM))
"""The ways from a variable to rows that it keeps."""
OTHER_ROWS = (
    *((name, ITEM) for name in ("all", "filter", "exclude", "order_by", "reverse", "distinct")),
    *((name,) for name in sorted(ONE_ROW)),
)
"""The ways from a queryset to rows that are read anew."""
PYTHON_IN_BATCH = django.VERSION >= (6, 1)
"""Whether what code of models reads of a relation is loaded for the whole loop."""

Key: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class QueryCost:
    """What one expression may cost."""

    template: str
    line: int | None
    expression: str
    what: str
    """The path that is read: ``books[].author``."""
    kind: str
    """``"relation"``, ``"rows"``, ``"count"``, ``"exists"``, ``"deferred"``, ``"call"``, or
    ``"python"`` for what a property or method reads: the words of `relations.events.Event`."""
    stock: int
    """How many queries: of each row if ``per_row``, else of each render."""
    per_row: bool
    """Whether they are sent once a row where nothing loads together."""
    is_batched: bool
    """Whether one query answers for all rows of a loop."""
    batched: int
    """How many of them are left in batch, which keeps more of what was loaded."""
    conditional: bool = False
    note: str = ""
    """What is to be known beside it."""

    @property
    def in_batch(self) -> int:
        """How many queries a render sends for it in batch, beside those of `per_row_in_batch`."""
        return 0 if self.per_row_in_batch else self.batched

    @property
    def per_row_in_batch(self) -> int:
        """How many queries each row sends although relations are loaded in batch."""
        return self.batched if self.per_row and not self.is_batched else 0


class PageCosts:
    """Goes through the paths of one page, in the order in which a render meets them.

    Args:
        variables: what the view gives.
        lazy: the variables that are querysets whose rows nobody has read yet, and what makes two of
            them the same queryset.
    """

    def __init__(self, variables: dict[str, KnownVariable], lazy: dict[str, Any]) -> None:
        self.variables = {
            name: replace(each, prefixes=(*each.prefixes, *OTHER_ROWS)) if name in lazy else each
            for name, each in variables.items()
        }
        self.lazy = lazy
        self.costs: list[QueryCost] = []
        self._paid: dict[Key, list[tuple[int, ...]]] = {}
        """What was loaded -> the parts of the template in which it is."""
        self._on_lines: set[Key] = set()
        """What one line may load, which is loaded once wherever in the line that happens."""

    def add(self, paths: Iterable[AccessPath]) -> list[QueryCost]:
        """Return what some paths may cost, in their order."""
        for path in paths:
            known = self.variables.get(path.root)
            if known is not None:
                self._add(path, known)
        return self.costs

    def _add(self, path: AccessPath, known: KnownVariable) -> None:
        steps = normal(path.path)
        prefix, model = prefix_of(known, steps), model_named(known.model)
        self._own_rows(path)
        if prefix is None or model is None:
            return
        match = match_path(model, steps[len(prefix) :], known.lists)
        for need in match.needs:
            end = len(prefix) + need.at
            if covers(known.loads, need.lookup):
                self._loaded(path, end, match)
            elif need.many:
                self._to_many(path, end)
            else:
                self._once(path, "relation", path.path[:end])
        if is_deferred(model, known.mask, steps[len(prefix) :]):
            self._once(path, "deferred", path.path)
        self._hidden(path, len(prefix), model, match)

    # -- the view's own querysets ------------------------------------------------------------------

    def _own_rows(self, path: AccessPath) -> None:
        """What a queryset that the view has not evaluated costs."""
        if path.root not in self.lazy:
            return
        steps = path.path
        if steps[:1] == ("object_list",):  # of a page
            steps = steps[1:]
        key = ("rows", self.lazy[path.root])
        if not steps:
            self._rows(path, key, path.consumption)
        elif steps[0] == "all" or is_method_of_rows(steps[0]):
            self._method(path, key, steps)
        elif steps[0].lstrip("-").isdecimal() and not self._is_paid(key, path):
            self._cost(path, "call", path.path[: path.path.index(steps[0]) + 1])

    def _rows(self, path: AccessPath, key: Key, consumption: str) -> None:
        if self._is_paid(key, path):
            return
        if consumption in READ_WHOLE:
            # It keeps its rows, so a loop around it reads them once.
            self._cost(path, "rows", path.path, per_row=False)
            self._pay(key, path)
        elif consumption in READ_PARTLY:
            self._cost(path, "rows", path.path)

    def _method(self, path: AccessPath, key: Key, steps: tuple[str, ...]) -> None:
        """``books.all``, ``books.count``: a method of the queryset."""
        name, *rest = steps
        if name in FREE and name != "all" and self._is_paid(key, path):
            return
        if ITEM in rest or not self._is_own(path, len(path.path) - len(steps)):
            return  # the loop that this is an item of has paid, or who gave it the name
        at = path.path[: len(path.path) - len(rest)]
        if name in GROUPED:
            self._cost(path, name, at)
        elif name in ONE_ROW or name in ("aggregate", "in_bulk"):
            self._cost(path, "call", at)
        elif path.consumption in READ_WHOLE | READ_PARTLY or rest:
            # Each time another queryset, which asks anew.
            self._cost(path, "rows", at)

    # -- relations ---------------------------------------------------------------------------------

    def _loaded(self, path: AccessPath, end: int, match: Match) -> None:
        """A relation that the view loads: a manager's method may ask all the same."""
        if match.unhelped and path.path[end:][:1] == (match.unhelped,):
            self._cost(path, "call", path.path[: end + 1])

    def _to_many(self, path: AccessPath, end: int) -> None:
        steps = path.path[end:]
        whole = path.path[:end]
        key = ("many", *self._place(path.root, whole))
        rest = [step for step in steps if step != "all"]
        if rest[:1] == [ITEM] or (rest and not self._is_own(path, path.path.index(rest[0], end))):
            return  # the loop that this is an item of has paid, or who gave it the name
        if rest and rest[0] in GROUPED:
            if self._is_paid(key, path):
                self._cost(path, rest[0], (*whole, rest[0]), batched=0)
            else:
                self._cost(path, rest[0], (*whole, rest[0]), is_batched=True)
        elif rest and rest[0].lstrip("-").isdecimal() and self._is_paid(key, path):
            self._cost(path, "rows", (*whole, rest[0]), batched=0)
        elif rest:
            self._cost(path, "call", path.path[: path.path.index(rest[0], end) + 1])
        elif steps and path.consumption in READ_WHOLE:
            self._read_whole(path, key)
        elif steps and path.consumption in READ_PARTLY:
            paid = self._is_paid(key, path)
            self._cost(path, "rows", path.path, batched=0 if paid else None)

    @staticmethod
    def _is_own(path: AccessPath, at: int) -> bool:
        """Whether an expression takes a step itself, and not by a name for what is behind it."""
        return at >= len(path.path) - len(own_bits(path.expression)[1])

    def _read_whole(self, path: AccessPath, key: Key) -> None:
        """``book.tags.all``: stock Django asks each time, unless a name holds the rows."""
        bits = own_bits(path.expression)[1]
        named = ("named", path.expression.partition("|")[0], *key)
        by_name = not bits or bits[-1] != "all"
        if by_name and self._is_paid(named, path):
            return
        paid = self._is_paid(key, path)
        self._cost(path, "rows", path.path, is_batched=True, batched=0 if paid else None)
        self._pay(key, path)
        if by_name:
            self._pay(named, path)

    def _once(self, path: AccessPath, kind: str, whole: tuple[str, ...], note: str = "") -> None:
        """What an object keeps, once it was read."""
        key = ("one", *self._place(path.root, whole))
        on_line = (path.template, path.line, *key)
        if self._is_paid(key, path) or on_line in self._on_lines:
            return
        self._on_lines.add(on_line)
        together = kind != "python" or PYTHON_IN_BATCH
        self._cost(path, kind, whole, is_batched=together, note=note)
        self._pay(key, path)

    # -- code of models ----------------------------------------------------------------------------

    def _hidden(self, path: AccessPath, at: int, model: type[Model], match: Match) -> None:
        """What a property, a method or ``__str__`` of a model reads, as far as its source says."""
        for read in hidden_reads(model, path.path[at:], printed=path.consumption == "output"):
            known = self.variables[path.root]
            place = (*path.path[: at + read.at], *read.steps)
            found = match_path(model, normal(place[at:]), known.lists)
            for need in found.needs:
                if need.at <= read.at or covers(known.loads, need.lookup):
                    continue
                if need.many:
                    self._cost(path, "python", place, note=f"read by {read.name}")
                else:
                    self._once(path, "python", place[: at + need.at], f"read by {read.name}")

    # -- what is paid ------------------------------------------------------------------------------

    def _place(self, root: str, steps: tuple[str, ...]) -> Key:
        """Where something is: the same for two names of one queryset."""
        known = self.variables[root]
        prefix = prefix_of(known, normal(steps)) or ()
        inner = steps[len(prefix) - 1 :] if prefix in SAME_ROWS else steps
        return (self.lazy.get(root, root), *inner)

    def _is_paid(self, key: Key, path: AccessPath) -> bool:
        """Whether something was loaded before in any case, by itself or with all rows."""
        for each in {key, tuple(_any_row(step) for step in key)}:
            for arms in self._paid.get(each, ()):
                if path.arms[: len(arms)] == arms:
                    return True
        return False

    def _pay(self, key: Key, path: AccessPath) -> None:
        self._paid.setdefault(key, []).append(path.arms)

    def _cost(
        self,
        path: AccessPath,
        kind: str,
        whole: tuple[str, ...],
        *,
        per_row: bool | None = None,
        is_batched: bool = False,
        batched: int | None = None,
        note: str = "",
    ) -> None:
        if per_row is None:
            # The rows' own, or a queryset that is made anew in each row.
            own = ITEM in whole[:-1] or kind in ("rows", "call", "count", "exists")
            per_row = path.in_rows and own
        self.costs.append(
            QueryCost(
                template=path.template,
                line=path.line,
                expression=path.expression,
                what=dotted(path.root, whole),
                kind=kind,
                stock=1,
                per_row=per_row,
                is_batched=is_batched,
                batched=1 if batched is None else batched,
                conditional=path.conditional,
                note=note,
            )
        )


def _any_row(step: Any) -> Any:
    return ITEM if isinstance(step, str) and step.lstrip("-").isdecimal() else step


def is_method_of_rows(name: str) -> bool:
    """Whether a step is a method of querysets."""
    return callable(getattr(QuerySet, name, None))
