"""Access paths: what a template reads, from which context variable, through which steps.

One record for three readers: the loader of a render, its events, and the migration tools. Plain
data; nothing of Django is imported here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, TypeAlias, get_args

ITEM = "[]"
"""The step from a list to one of its items."""

Consumption: TypeAlias = Literal[
    "output", "truth", "loop", "length", "slice", "item", "argument", "operand", "name"
]
"""What becomes of the value at the end of a path: it is printed, tested, looped over, counted, cut,
asked for one item by position, given to a tag or filter, compared, or only given a new name."""

CONSUMPTIONS: tuple[str, ...] = get_args(Consumption)
STEP_MARKS = re.compile(r"[.\[\]]")
"""What stands between the steps of an expression."""
OF_ONE_WALK = frozenset({"in_rows", "arms"})
"""What is known of a path only beside the others of the same walk: it is not written down."""


@dataclass(frozen=True, slots=True)
class AccessPath:
    """One expression of a template, as the way from a context variable to what is read.

    ``{{ book.author.name }}`` in ``{% for book in books %}`` has the root ``books`` and the path
    ``("[]", "author", "name")``.
    """

    template: str
    """The name of the template that holds the expression; empty for one made from a string."""
    line: int | None
    expression: str
    """As written, with its filters."""
    root: str
    """The context variable. Empty when no single variable is read (a dynamic include by a literal
    name that does not exist, a tag that takes the whole context)."""
    path: tuple[str, ...] = ()
    """The steps from the root; ``"[]"`` is an item of a list, a number is an item by position."""
    conditional: bool = False
    """Whether a render of the template may do without this access."""
    consumption: Consumption = "output"
    lost: str | None = None
    """Why what is read here, or beyond, cannot be known from the template; None if it is known."""
    in_rows: bool = field(default=False, compare=False)
    """Whether it is read once for each row: it stands in a loop, or is read by a filter that goes
    through the items of a list."""
    arms: tuple[int, ...] = field(default=(), compare=False)
    """The parts around it that a render may do without, the outermost first. Of two expressions the
    first was read in any case before the second if the second's arms begin with the first's."""

    def __str__(self) -> str:
        place = self.template or "<string>"
        if self.line is not None:
            place += f":{self.line}"
        notes: list[str] = [self.consumption]
        if self.conditional:
            notes.append("conditional")
        if self.lost:
            notes.append(f"lost: {self.lost}")
        return f"{place}: {self.expression} - {self.dotted} ({', '.join(notes)})"

    @property
    def dotted(self) -> str:
        """The root and the path in one text: ``books[].author.name``."""
        return dotted(self.root, self.path)

    def as_data(self) -> dict[str, Any]:
        """Return what JSON can hold; `from_data` reads it back."""
        known = {name: value for name, value in asdict(self).items() if name not in OF_ONE_WALK}
        return {**known, "path": list(self.path)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> AccessPath:
        """Read what `as_data` returned.

        Raises:
            ValueError: a key is missing or unknown, or a value is of the wrong type.
        """
        known = {field.name for field in fields(cls)} - OF_ONE_WALK
        wrong = sorted(known.symmetric_difference(data))
        if wrong:
            raise ValueError(f"An access path has the keys {sorted(known)}; see to {wrong}.")
        path = data["path"]
        if not isinstance(path, (list, tuple)) or not all(isinstance(step, str) for step in path):
            raise ValueError(f"The path of an access path is a list of texts, not {path!r}.")
        if data["consumption"] not in CONSUMPTIONS:
            raise ValueError(
                f"consumption={data['consumption']!r}: expected one of {', '.join(CONSUMPTIONS)}."
            )
        return cls(**{**data, "path": tuple(path)})


def dotted(root: str, path: Iterable[str]) -> str:
    """Join a root and steps: ``books[].author.name``, ``books[].tags.all[].name``."""
    text = root
    for step in path:
        text += step if step == ITEM or not text else f".{step}"
    return text


def own_bits(expression: str) -> tuple[str, tuple[str, ...]]:
    """Return the name that an expression begins with, and the steps that it takes itself.

    An expression whose name was set by the template takes fewer steps than its access path has.
    """
    text = expression.partition("|")[0].replace("()", "")
    name, *bits = STEP_MARKS.split(text)
    return name, tuple(bit.strip("'\"") for bit in bits if bit not in ("", ":"))


def orm_lookup(path: Iterable[str]) -> str:
    """The steps as a lookup of the ORM, without items, positions and ``all``: ``author__books``."""
    return "__".join(
        step for step in path if step not in (ITEM, "all") and not step.lstrip("-").isdecimal()
    )


def distinct(paths: Iterable[AccessPath]) -> list[AccessPath]:
    """Drop repeated records, in order; of two that differ in ``conditional``, keep the certain.

    What is read once a row in one of them is read once a row.
    """
    found: dict[AccessPath, AccessPath] = {}
    for path in paths:
        key = replace(path, conditional=True)
        known = found.get(key)
        if known is None or (known.conditional and not path.conditional):
            found[key] = path if known is None else replace(path, in_rows=known.in_rows)
        if path.in_rows and not found[key].in_rows:
            found[key] = replace(found[key], in_rows=True)
    return list(found.values())
