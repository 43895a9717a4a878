"""Reading the Jinja2 templates of a site, as `.templates` reads those of Django."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jinja2 import Environment, TemplateError, TemplateSyntaxError

from ...problems import Problem
from ..jinja2 import jinja2_walk_of
from ..jinja2.walker import MissingTemplates
from .annotations import annotations_of
from .missing_templates import not_there
from .sources import ENDINGS
from .templates import LeftOut, Progress, SiteTemplates, none_left_out


def read_jinja2_site(
    environment: Environment,
    names: Iterable[str] = (),
    progress: Progress | None = None,
    left_out: LeftOut = none_left_out,
) -> SiteTemplates:
    """Parse templates and find what they read. What fails is noted, and the rest goes on.

    Args:
        names: the templates; none for all that the environment's loader lists.
        progress: is called before each template.
        left_out: which of those that the loader lists are not read.
    """
    site = SiteTemplates()
    names = list(names)
    known: list[str] = []
    try:
        known = environment.list_templates() if environment.loader is not None else []
    except Exception as error:
        what = f"the Jinja2 loader cannot list its templates: {type(error).__name__}: {error}"
        if not names:
            site.problems.append(Problem(what))
    wanted = names
    if not names:
        wanted = [name for name in known if name.lower().endswith(ENDINGS)]
        site.leave_out(wanted, left_out, lambda name: _file_of(environment, name))
    for number, name in enumerate(wanted):
        if progress is not None:
            progress(number, len(wanted), name)
        _read(site, environment, name, known)
    if progress is not None and wanted:
        progress(len(wanted), len(wanted), "")
    return site


def _file_of(environment: Environment, name: str) -> str:
    """The file that holds a template, or its name when the loader does not say."""
    loader: Any = environment.loader
    try:
        return loader.get_source(environment, name)[1] or name
    except Exception:  # Who reads it notes why it cannot be loaded.
        return name


def _read(site: SiteTemplates, environment: Environment, name: str, names: list[str]) -> None:
    if environment.loader is None:
        return
    try:
        source, filename, _ = environment.loader.get_source(environment, name)
        site.files[name] = filename or name
        missing: MissingTemplates = {}
        site.sources[name] = source
        walk = jinja2_walk_of(environment, name, missing, site.trees)
        site.paths[name], site.reads[name] = walk.paths, walk.reads
        site.problems += [
            not_there(other, name, line, source, names, path=site.files[name])
            for template, line, other in missing
            if template == name  # What others name is said where these are read themselves.
        ]
    except TemplateSyntaxError as error:
        file = error.filename or error.name or name
        site.problems.append(
            Problem(f"does not parse: {error.message}", file, error.lineno, code="does-not-parse")
        )
    except TemplateError as error:
        what = f"cannot be loaded: {type(error).__name__}: {error}"
        site.problems.append(Problem(what, name, path=site.files.get(name, "")))
    except Exception as error:
        what = f"cannot be analysed: {type(error).__name__}: {error}"
        site.problems.append(Problem(what, name, path=site.files.get(name, "")))
    else:
        found, problems = annotations_of(site.files[name], source)
        site.problems += problems
        if found:
            site.annotations[name] = found
