"""What is wrong with a site, or could not be analysed: named with its place; the rest goes on."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePath

INSTALLED = frozenset({"site-packages", "dist-packages"})
"""Folders of packages that somebody else maintains."""

CONTROLS = frozenset({"Cc", "Cf", "Zl", "Zp"})
"""Unicode's categories of control and format characters, and separators of lines."""


def printable(text: str) -> str:
    """Return a text as one line that shows each control character as an escape.

    The name of a file may hold anything: a line's end that is printed as such would begin a line
    of the name's choosing, which a build's log may take for a command.
    """
    if text.isprintable():
        return text
    return "".join(
        char.encode("unicode_escape").decode() if unicodedata.category(char) in CONTROLS else char
        for char in text
    )


def is_installed(file: str) -> bool:
    """Whether a file is of a package that somebody else maintains."""
    return not INSTALLED.isdisjoint(PurePath(file).parts)


@dataclass(frozen=True, slots=True)
class Problem:
    """What was wrong, and where."""

    message: str
    file: str = ""
    """A file, or a template's name."""
    line: int | None = None
    path: str = field(default="", compare=False)
    """The template's file, where ``file`` is a name."""
    code: str = ""
    """The rule that says so, for filters and editors: ``"unknown-attribute"``."""
    column: int | None = None
    """Where in the line it begins, in characters from 1; None where only the line is known."""
    width: int = 1
    """How many characters are meant."""
    hint: str = ""
    """What to do: ``"did you mean 'title'?"``."""
    is_possible: bool = False
    """Whether it is wrong on some ways only, and not for sure."""

    @property
    def is_optional(self) -> bool:
        """Whether it is in a package of somebody else, whose templates the site need not render."""
        return is_installed(self.path or self.file)

    def __str__(self) -> str:
        if not self.file:
            return printable(self.message)
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return printable(f"{place}: {self.message}")


def serious(problems: Iterable[Problem]) -> list[Problem]:
    """The problems that a command fails for."""
    return [each for each in problems if not each.is_optional]
