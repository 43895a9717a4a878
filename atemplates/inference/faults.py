"""Why a step of a path surely fails, and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

LEAST_LIKENESS = 0.6
"""How alike two names are for one to be proposed for the other, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a step surely fails, whatever the data are."""

    code: str
    """The rule: ``"unknown-attribute"``, ``"unknown-key"``, ``"needs-arguments"``,
    ``"alters-data"``, ``"not-iterable"``, ``"not-callable"``."""
    message: str
    """What is wrong: ``"Book has no attribute 'titel'"``."""
    hint: str = ""
    """What to do: ``"did you mean 'title'?"``; empty where nothing is near."""
    name: str = ""
    """The step itself: ``"titel"``. Whoever knows that the site's code sets such a name on objects
    can tell by it that this is none."""
    owner: type | None = None
    """The class that has no such attribute, where it is one of plain Python."""

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


def nearest(name: str, names: Iterable[str]) -> str:
    """Return the one of ``names`` that is most like ``name``, or an empty text."""
    by_key: dict[str, str] = {}
    for each in sorted(names):
        if each != name:
            by_key.setdefault(_key(each), each)
    found = get_close_matches(_key(name), by_key, 1, LEAST_LIKENESS)
    return by_key[found[0]] if found else ""


def _key(name: str) -> str:
    """A name without what spellings differ in: ``isActive`` and ``is_active``."""
    return name.replace("_", "").lower()


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return the hint for a name that is not there; empty when nothing is like it."""
    found = nearest(name, names)
    return f"did you mean {found!r}?" if found else ""
