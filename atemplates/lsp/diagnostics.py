"""What `check` says of one file that is edited."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from os.path import realpath
from typing import Any

from ..compiler.explain import explain_template
from ..problems import Problem, printable
from .edited_site import EditedEngine, EditedSite

ERROR, WARNING, INFORMATION = 1, 2, 3
"""The protocol's severities."""
NOT_SURE = "; possible only: other ways through the site may be right"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem, as an editor shows it."""

    line: int
    """From 1."""
    column: int | None
    """In characters, from 1; None for the whole line."""
    width: int
    severity: int
    code: str
    message: str

    def as_data(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {name: getattr(self, name) for name in self.__slots__}


def diagnostics_of(
    site: EditedSite, file: str, found: Iterable[tuple[EditedEngine, str]]
) -> list[Diagnostic]:
    """Return the problems of a file.

    Args:
        file: its real path.
        found: the engines that find it, and its name there, as `EditedSite.refresh` returns them.
    """
    kept: dict[Diagnostic, None] = {}
    for engine, name in found:
        for problem in problems_of(site, engine, name, file):
            if is_about(problem, name, file):
                kept.setdefault(diagnostic(problem))
    return sorted(kept, key=lambda each: (each.line, each.column or 0, each.message))


def problems_of(site: EditedSite, engine: EditedEngine, name: str, file: str) -> Iterator[Problem]:
    """Return the problems of a template and of the pages that it is part of."""
    pages = [name, *(each for each in engine.pages_with(file) if each != name)]
    together = engine.together(pages)
    yield from together.problems
    if name in together.parsed:
        try:
            explain_template(together.parsed[name], engine.backend.policy)
        except Exception as error:
            what = f"does not compile: {type(error).__name__}: {error}"
            yield Problem(what, name, path=file, code="does-not-compile")
    for rule in RULES:
        yield from rule(site, engine, together, name)


Rule = Callable[[EditedSite, EditedEngine, Any, str], Iterable[Problem]]
"""Returns the problems of a kind in a template: ``rule(site, engine, templates, name)``."""
RULES: list[Rule] = []


def is_about(problem: Problem, name: str, file: str) -> bool:
    """Whether a problem is one of the file."""
    if problem.path:
        return realpath(problem.path) == file
    return problem.file == name or realpath(problem.file) == file


def diagnostic(problem: Problem) -> Diagnostic:
    """Return a problem as an editor shows it."""
    message = problem.message + (f" ({problem.hint})" if problem.hint else "")
    if problem.is_possible:
        message += NOT_SURE
    return Diagnostic(
        line=problem.line or 1,
        column=problem.column,
        width=problem.width,
        severity=WARNING if problem.is_possible else ERROR,
        code=problem.code,
        message=printable(message),
    )
