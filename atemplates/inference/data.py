"""What a queryset that a view makes loads, for the rows and the single objects that come of it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet

from ..relations.querysets import Mask, lists_of, loaded_by, mask_of


@dataclass(frozen=True, slots=True)
class Data:
    """Rows of a model, one row, or a page of rows."""

    queryset: QuerySet[Any]
    shape: str = "rows"
    """``"rows"``, ``"row"`` or ``"page"``."""
    certain: bool = True
    """Whether all that it loads is known: not when a method took more than literals."""
    expression: ast.expr | None = None
    """The expression of the queryset, to which a call can be appended; None when it is not in the
    source of the site."""
    form: str = "queryset"
    """What ``expression`` is: ``"queryset"``, or a manager; ``"model"``: the model itself where a
    queryset does as well, as in ``get_object_or_404(Book, …)``; ``"attribute"``: the model in the
    class attribute ``model = Book`` of a generic view, which has no ``queryset``."""
    file: str = ""
    """The file where ``expression`` stands, when that is not the view's own."""
    call: ast.expr | None = None
    """For a row: the call that loads it: ``get_object_or_404(…)``, ``….get(…)``."""
    also_loaded: tuple[str, ...] = ()
    """Lookups that are there without being asked for: the way back of a related manager."""

    @property
    def model(self) -> type[Model]:
        """The model of the rows."""
        return self.queryset.model

    @property
    def loads(self) -> tuple[str, ...]:
        """The lookups that are loaded with the rows."""
        return tuple(sorted({*loaded_by(self.queryset), *self.also_loaded}))

    @property
    def lists(self) -> dict[str, type[Model]]:
        """The lists of ``Prefetch(to_attr=...)``, and the models in them."""
        return lists_of(self.queryset)

    @property
    def mask(self) -> Mask:
        """The columns that ``only()`` and ``defer()`` leave."""
        return mask_of(self.queryset)
