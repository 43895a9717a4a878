"""Attributes that Python sets on objects from outside: ``request.shop = …``, ``book.extra = …``.

No class tells of them. They are looked for in the sources of the modules that are loaded: in those
of the site, whatever the object is called; in those of others only on a request, which is what
middleware sets them on.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..problems import is_installed

SET = r"""
    \. (?P<name> {names} ) \s* (?: : [^=\n]+ )? [|+]? = (?!=)
    | setattr \( \s* (?P<object> [^,\n]+ ) , \s* ["'] (?P<named> {names} ) ["']
"""
ANY_ON_REQUESTS = "request.*"
"""Stands for all attributes of requests: some code sets one whose name is not written there."""
UNNAMED = re.compile(r"setattr\(\s*(?:\w+\.)*(?:request|req)\s*,\s*[^\"'\s]")
OWNER = re.compile(r"[\w.\])]+\Z")
"""What stands before the last dot."""
LONGEST_OWNER = 200
STDLIB = str(Path(re.__file__).resolve().parent.parent)
ATEMPLATES = str(Path(__file__).resolve().parent.parent)
"""This package: what it sets on a request is for itself."""


def set_from_outside(names: Iterable[str]) -> set[str]:
    """Return the attributes among ``names`` that some code sets on objects that it is given.

    `ANY_ON_REQUESTS` is among them where it sets others on a request.
    """
    wanted = sorted({each for each in names if each.isidentifier()})
    if not wanted:
        return set()
    pattern = re.compile(SET.format(names="|".join(wanted)), re.VERBOSE)
    found: set[str] = set()
    for file in _files():
        try:
            source = Path(file).read_text(encoding="utf-8")
        except (OSError, ValueError):
            continue  # A module without a source says nothing.
        if "setattr" in source and UNNAMED.search(source):
            found.add(ANY_ON_REQUESTS)
        others = is_installed(file)
        if _may_set(source, wanted, others):
            found.update(_set_in(source, pattern, others))
    return found


def _may_set(source: str, names: Iterable[str], of_others: bool) -> bool:
    """Whether it is worth while to look closer: most files of packages are passed over here."""
    if of_others and "req" not in source.lower():
        return False
    return any(each in source for each in names)


def _set_in(source: str, pattern: re.Pattern[str], of_others: bool) -> Iterator[str]:
    for each in pattern.finditer(source):
        owner = each["object"]
        if owner is None:
            before = OWNER.search(source, max(0, each.start() - LONGEST_OWNER), each.start())
            owner = before[0] if before is not None else ""
        if of_others and "req" not in owner.rpartition(".")[2].lower():
            continue
        if owner not in ("", "self", "cls"):
            yield each["name"] or each["named"]


def _files() -> Iterator[str]:
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if not isinstance(file, str) or not file.endswith(".py"):
            continue
        place = str(Path(file).resolve())
        if not place.startswith(ATEMPLATES) and (
            is_installed(file) or not place.startswith(STDLIB)
        ):
            yield file
