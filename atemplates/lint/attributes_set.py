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
    (?<![\w.]) (?P<object> [\w.\])]+ ) \. (?P<name> {names} )
        \s* (?: : [^=\n]+ )? [|+]? = (?!=)
    | setattr \( \s* [^,\n]+ , \s* ["'] (?P<named> {names} ) ["']
"""
STDLIB = str(Path(re.__file__).resolve().parent.parent)


def set_from_outside(names: Iterable[str]) -> set[str]:
    """Return the attributes among ``names`` that some code sets on objects that it is given."""
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
        if any(each in source for each in wanted):
            found.update(_set_in(source, pattern, is_installed(file)))
    return found


def _set_in(source: str, pattern: re.Pattern[str], of_others: bool) -> Iterator[str]:
    for each in pattern.finditer(source):
        owner = (each["object"] or "").rpartition(".")[2]
        if of_others and owner not in ("request", "req"):
            continue
        if each["object"] not in ("self", "cls"):
            yield each["name"] or each["named"]


def _files() -> Iterator[str]:
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if not isinstance(file, str) or not file.endswith(".py"):
            continue
        if is_installed(file) or not str(Path(file).resolve()).startswith(STDLIB):
            yield file
