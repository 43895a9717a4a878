"""What `check` says of one file that is edited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from os.path import realpath
from typing import Any

from ...analysis.site.templates import SiteTemplates
from ...compiler.explain import explain_template
from ...problems import Problem, printable
from ..checking import engine_mistakes, level_of, wanted_problems
from .edited_site import EditedEngine, EditedFile, EditedSite

EDITOR_LEVELS = {"error": 1, "warning": 2, "note": 3}
"""The levels of `check`, as the protocol numbers them."""


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


def diagnostics_of(site: EditedSite, file: str, found: Iterable[EditedFile]) -> list[Diagnostic]:
    """Return the problems of a file.

    Args:
        file: its real path.
        found: how the engines find it, as `EditedSite.refresh` returns that.
    """
    kept: dict[Diagnostic, None] = {}
    for each in found:
        for problem in problems_of(site, each, file):
            level = EDITOR_LEVELS[level_of(problem, site.wanted)]
            kept.setdefault(diagnostic(problem, level))
    return sorted(kept, key=lambda each: (each.line, each.column or 0, each.message))


def problems_of(site: EditedSite, edited: EditedFile, file: str) -> list[Problem]:
    """Return the problems of a file as one engine finds it, in the pages that it is part of."""
    engine, name = edited.engine, edited.name
    templates = engine.together(edited.pages)
    own = site.renderings_of(engine)
    problems = [*templates.problems, *does_not_compile(engine, templates, name)]
    problems += engine_mistakes(
        engine.alias, templates, own, site.surroundings, engine.engine, [name]
    )
    about = [each for each in problems if is_about(each, name, file)]
    return wanted_problems({engine.alias: templates}, about, site.wanted)[0]


def does_not_compile(
    engine: EditedEngine, templates: SiteTemplates, name: str
) -> Iterator[Problem]:
    """Say why a template that parses cannot be compiled, if that is so."""
    if name in templates.parsed:
        try:
            explain_template(templates.parsed[name], engine.backend.policy)
        except Exception as error:
            what = f"does not compile: {type(error).__name__}: {error}"
            path = templates.files.get(name, "")
            yield Problem(what, name, path=path, code="does-not-compile")
    elif not engine.is_django and name in templates.paths:
        from ...migration.jinja2_functions import compile_template

        problem = compile_template(engine.engine, name, templates.files[name])[1]
        if problem is not None:
            yield problem


def is_about(problem: Problem, name: str, file: str) -> bool:
    """Whether a problem is one of the file."""
    if problem.path:
        return realpath(problem.path) == file
    return problem.file == name or realpath(problem.file) == file


def diagnostic(problem: Problem, severity: int) -> Diagnostic:
    """Return a problem as an editor shows it."""
    message = problem.message + (f"; {problem.hint}" if problem.hint else "")
    return Diagnostic(
        line=problem.line or 1,
        column=problem.column,
        width=problem.width,
        severity=severity,
        code=problem.rule,
        message=printable(f"possibly: {message}" if problem.is_possible else message),
    )
