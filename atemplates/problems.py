"""What is wrong with a site, or could not be analysed: named with its place; the rest goes on."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePath

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


def relative(file: str) -> str:
    """A path from the current folder, with slashes; as it is when the file is elsewhere."""
    try:
        return Path(file).resolve().relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        return file


PROBLEM_RULES = {
    "unknown-attribute": "A value does not have the attribute that is looked up on it.",
    "unknown-key": "A dict does not have the key that is looked up in it.",
    "unknown-name": "Nothing gives the template a variable of this name.",
    "needs-arguments": "What is called cannot be called without arguments.",
    "not-callable": "What is called cannot be called.",
    "not-iterable": "What is looped over has no items.",
    "alters-data": "A template calls what alters data.",
    "unknown-filter": "No filter of this name is loaded.",
    "filter-arguments": "A filter is given too many or too few arguments.",
    "test-arguments": "A test of Jinja2 is given too many or too few arguments.",
    "call-arguments": "A function or macro is given arguments that it does not take.",
    "unknown-test": "No test of this name is there.",
    "unknown-tag": "No tag of this name is loaded.",
    "tag-arguments": "A tag is given arguments that it does not take.",
    "no-such-url": "An address cannot be made of a name and arguments.",
    "no-such-template": "A template that another one names does not exist.",
    "no-such-static-file": "No finder has a static file.",
    "no-such-block": "A block is not there: it overrides none, or is called or required.",
    "bad-annotation": "A comment for atemplates cannot be read.",
    "does-not-parse": "A template does not parse.",
    "does-not-compile": "A template does not compile.",
    "not-analysed": "Something could not be analysed.",
    "catches-everything": "Python behind a template catches every exception.",
    "line-cost": "A line of a template may send queries, or leave the event loop.",
    "leaves-the-loop": "A tag or context processor runs in the request's thread.",
}
"""Rule, as `Problem.code` names it -> what it says is wrong."""


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
    def rule(self) -> str:
        """The code, also where none was named: then something could not be analysed."""
        return self.code or "not-analysed"

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
