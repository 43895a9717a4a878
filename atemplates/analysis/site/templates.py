"""Reading a site: its templates, what they read, their annotations, and what could not be read."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import django
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.engine import Engine

from ...problems import Problem
from ..django import access_paths, following
from .annotations import annotations_of
from .sources import template_names

FORM_TEMPLATES = Path(django.__file__).resolve().parent / "forms" / "templates"
"""Templates of widgets extend these; an engine of the form renderer finds them, not the site's."""

Progress = Callable[[int, int, str], None]
"""Is told how many templates are done, of how many, and the next one's name."""


@dataclass
class SiteTemplates:
    """What the templates of one engine say."""

    paths: dict[str, list[Any]] = field(default_factory=dict)
    """Template -> its access paths."""
    parsed: dict[str, Any] = field(default_factory=dict)
    annotations: dict[str, dict[str, str]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    unregistered: dict[str, list[Problem]] = field(default_factory=dict)
    """Tag library that no engine knows -> where it is loaded."""


def read_site(
    engine: Engine, names: Iterable[str] = (), progress: Progress | None = None
) -> SiteTemplates:
    """Parse templates and find what they read. What fails is noted, and the rest goes on.

    Args:
        engine: the engine of a Django backend.
        names: the templates; none for all that the loaders find.
        progress: is called before each template.
    """
    site = SiteTemplates()
    wanted = list(names)
    if not wanted:
        wanted, site.problems = template_names(engine)
    for number, name in enumerate(wanted):
        if progress is not None:
            progress(number, len(wanted), name)
        try:
            template = engine.get_template(name)
        except TemplateDoesNotExist as error:
            what = f"needs {error}, which does not exist" if str(error) != name else "is not found"
            path = template_file(engine, name)
            site.problems.append(Problem(f"the template {what}", name, path=path))
            continue
        except TemplateSyntaxError as error:
            problem = syntax_problem(engine, name, error)
            library = unregistered_library(error)
            if library:
                site.unregistered.setdefault(library, []).append(problem)
            else:
                site.problems.append(problem)
            continue
        except Exception as error:
            what = f"cannot be loaded: {type(error).__name__}: {error}"
            site.problems.append(Problem(what, name, path=template_file(engine, name)))
            continue
        site.parsed[name] = template
        site.files[name] = str(template.origin.name)
        found, problems = annotations_of(site.files[name], str(template.source))
        site.problems += problems
        if found:
            site.annotations[name] = found
        try:
            site.paths[name] = access_paths(template, follow=noting(engine, site, name))
        except Exception as error:
            what = f"cannot be analysed: {type(error).__name__}: {short(engine, error)}"
            site.problems.append(Problem(what, name, path=site.files[name]))
    for library, places in site.unregistered.items():
        site.problems += library_problems(engine, library, places)
    if progress is not None and wanted:
        progress(len(wanted), len(wanted), "")
    return site


def noting(engine: Engine, site: SiteTemplates, name: str) -> Any:
    """Return what loads templates that a template names, and notes those that do not exist."""
    load = following(engine)

    def follow(wanted: str, skip: Any = ()) -> Any:
        try:
            return load(wanted, skip)
        except TemplateDoesNotExist as error:
            what = f"names the template {wanted!r}, which does not exist"
            problem = Problem(what, name, path=site.files[name])
            of_forms = os.path.isfile(os.path.join(FORM_TEMPLATES, wanted))
            if str(error) == wanted and not of_forms and problem not in site.problems:
                site.problems.append(problem)
            raise

    return follow


def syntax_problem(engine: Engine, name: str, error: TemplateSyntaxError) -> Problem:
    """Describe a template that does not parse, with its file and line."""
    token: Any = getattr(error, "token", None)
    line = getattr(token, "lineno", None)
    return Problem(f"does not parse: {short(engine, error)}", template_file(engine, name), line)


UNREGISTERED = re.compile(r"'(.*)' is not a registered tag library\. Must be one of:\n")
"""How Django says so; a list of all libraries follows."""
MOST_SHOWN_NAMES = 3


def unregistered_library(error: Exception) -> str:
    """The name of the tag library that is not registered, if that is the error; or nothing."""
    found = UNREGISTERED.search(str(error))
    return found[1] if found else ""


def short(engine: Engine, error: Exception) -> str:
    """Return an error's text without the list of all tag libraries."""
    library = unregistered_library(error)
    return not_registered(engine, library) if library else str(error)


def not_registered(engine: Engine, library: str) -> str:
    """Say that a tag library is not registered, and which one was perhaps meant."""
    close = get_close_matches(library, [*engine.libraries], n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"the tag library {library!r} is not registered.{hint}"


def library_problems(engine: Engine, library: str, places: list[Problem]) -> list[Problem]:
    """Say once of an unregistered tag library where it is loaded: what is serious, what is not."""
    problems = []
    for kind in (False, True):
        chosen = [each for each in places if each.is_optional is kind]
        if not chosen:
            continue
        first, *others = chosen
        text = f"does not parse: {not_registered(engine, library)}"
        if others:
            shown = [_place(each) for each in others[:MOST_SHOWN_NAMES]]
            rest = len(others) - len(shown)
            text += f" Also at {', '.join(shown)}" + (f" and {rest} more" if rest else "") + "."
        problems.append(replace(first, message=text))
    return problems


def _place(problem: Problem) -> str:
    return problem.file if problem.line is None else f"{problem.file}:{problem.line}"


def template_file(engine: Engine, name: str) -> str:
    """The file that holds a template, or its name when no loader says."""
    for loader in engine.template_loaders:
        for origin in loader.get_template_sources(name):
            if Path(str(origin.name)).is_file():
                return str(origin.name)
    return name
