"""Reading a site: its templates, what they read, their annotations, and what could not be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.engine import Engine

from ...problems import Problem
from ..django import remembering, walk_of
from ..reads import WalkReads
from .annotations import annotations_of
from .missing_templates import TemplateNames, missing_templates
from .sources import template_names
from .syntax import library_problems, short, syntax_problem, template_file, unregistered_library

Progress = Callable[[int, int, str], None]
"""Is told how many templates are done, of how many, and the next one's name."""


LeftOut = Callable[[str, str], bool]
"""Whether a template is left out, by its name and file."""


def none_left_out(name: str, file: str) -> bool:
    """Leave out no template."""
    return False


@dataclass
class SiteTemplates:
    """What the templates of one engine say."""

    paths: dict[str, list[Any]] = field(default_factory=dict)
    """Template -> its access paths."""
    reads: dict[str, WalkReads] = field(default_factory=dict)
    """Template -> its reads."""
    walked: dict[str, Any] = field(default_factory=dict)
    """Django template's file, as `Read.file` names it -> what was parsed from it."""
    parsed: dict[str, Any] = field(default_factory=dict)
    """Django template -> what its engine makes of it."""
    trees: dict[str, Any] = field(default_factory=dict)
    """Jinja2 template -> its syntax tree; also of templates that these name."""
    sources: dict[str, str] = field(default_factory=dict)
    """Template -> its text."""
    annotations: dict[str, dict[str, str]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    """Template -> the file that holds it, or its name."""
    problems: list[Problem] = field(default_factory=list)
    unregistered: dict[str, list[Problem]] = field(default_factory=dict)
    """Tag library that no engine knows -> where it is loaded."""
    left_out: list[str] = field(default_factory=list)
    """The templates that nobody wants to hear of."""

    def leave_out(self, names: list[str], left_out: LeftOut, file_of: Callable[[str], str]) -> None:
        """Take the templates out of ``names`` that are left out."""
        if left_out is not none_left_out:
            self.left_out = [each for each in names if left_out(each, file_of(each))]
            names[:] = [each for each in names if each not in set(self.left_out)]


def read_site(
    engine: Engine,
    names: Iterable[str] = (),
    progress: Progress | None = None,
    left_out: LeftOut = none_left_out,
) -> SiteTemplates:
    """Parse templates and find what they read. What fails is noted, and the rest goes on.

    Args:
        engine: the engine of a Django backend.
        names: the templates; none for all that the loaders find.
        progress: is called before each template.
        left_out: which of those that the loaders find are not read.
    """
    site = SiteTemplates()
    wanted = list(names)
    if not wanted:
        wanted, site.problems = template_names(engine)
        site.leave_out(wanted, left_out, lambda name: template_file(engine, name))
    known = TemplateNames(engine)
    load = remembering(engine)
    for number, name in enumerate(wanted):
        if progress is not None:
            progress(number, len(wanted), name)
        try:
            template = load(name, ())
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
        site.sources[name] = str(template.source)
        found, problems = annotations_of(site.files[name], site.sources[name])
        site.problems += problems
        if found:
            site.annotations[name] = found
        site.problems += missing_templates(name, template, known)
        try:
            walk = walk_of(template, follow=load)
            site.paths[name], site.reads[name] = walk.paths, walk.reads
            site.walked |= walk.templates
        except Exception as error:
            what = f"cannot be analysed: {type(error).__name__}: {short(engine, error)}"
            site.problems.append(Problem(what, name, path=site.files[name]))
    for library, places in site.unregistered.items():
        site.problems += library_problems(engine, library, places)
    if progress is not None and wanted:
        progress(len(wanted), len(wanted), "")
    return site
