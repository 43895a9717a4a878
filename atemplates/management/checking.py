"""What ``check`` finds: mistakes in templates, what does not compile, what leaves the loop."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template import Engine, engines

from ..analysis.site.templates import SiteTemplates
from ..inference.views import SiteViews, ViewRendering, read_views
from ..lint.attributes_set import set_from_outside
from ..lint.ignores import DJANGO_COMMENTS, Ignores, heeding, ignores_of
from ..lint.processors import names_of_processors
from ..lint.site_names import site_name_problems
from ..lint.surroundings import Surroundings
from ..problems import Problem, is_installed, printable, relative
from .compiling import Compiled

WARNINGS = frozenset({"catches-everything", "leaves-the-loop"})
"""Rules of which nothing is wrong in the template itself."""


@dataclass(slots=True)
class Wanted:
    """Which templates and rules a check is about."""

    names: list[str] = field(default_factory=list)
    """Templates that are asked for by name; none for all."""
    exclude: tuple[str, ...] = ()
    """Patterns of names and files that are left out."""
    ignore: frozenset[str] = frozenset()
    """Rules that are not asked, and functions that may catch every exception."""
    with_installed: bool = False
    """Whether templates of installed packages are looked at."""
    is_strict: bool = False
    """Whether what is only possible fails as well."""

    def left_out(self, name: str, file: str) -> bool:
        """Whether a template is none of those that are checked."""
        if self.names:
            return name not in self.names
        if not self.with_installed and is_installed(file):
            return True
        path = relative(file)
        return any(fnmatchcase(each, pattern) for pattern in self.exclude for each in (name, path))


@dataclass(slots=True)
class Checked:
    """What was found."""

    compiled: dict[str, Compiled]
    """Engine's alias -> what compiling its templates says."""
    problems: list[Problem]
    """Sorted by file, line and column."""
    left_out: int
    """How many templates were not looked at."""
    wanted: Wanted
    sources: Callable[[Problem], str]
    """Returns the text of a problem's template; empty when it cannot be read."""

    @property
    def failing(self) -> list[Problem]:
        """The problems that the command fails for."""
        return [each for each in self.problems if level_of(each, self.wanted) == "error"]


def level_of(problem: Problem, wanted: Wanted) -> str:
    """Return how serious a problem is: ``"error"``, ``"warning"`` or ``"note"``.

    A template of a package is no failure, unless it was asked for by its name.
    """
    if (problem.is_optional and not wanted.names) or problem.rule == "line-cost":
        return "note"
    is_warning = problem.rule in WARNINGS or (problem.is_possible and not wanted.is_strict)
    return "warning" if is_warning else "error"


def wanted_problems(
    sites: dict[str, SiteTemplates], problems: Iterable[Problem], wanted: Wanted
) -> tuple[list[Problem], Callable[[Problem], str]]:
    """Return the problems that are wanted, each once and in order, and what reads their sources."""
    source_of = _sources(sites)
    files = {file: name for site in sites.values() for name, file in site.files.items()}

    def is_wanted(problem: Problem) -> bool:
        if problem.rule in wanted.ignore:
            return False
        if wanted.names or not problem.file:
            return True
        file = problem.path or problem.file
        return not wanted.left_out(files.get(file, problem.file), file)

    found: dict[tuple[Any, ...], Problem] = {}
    for each in filter(is_wanted, problems):
        found.setdefault((each.path or each.file, each), each)
    noted: dict[str, Ignores] = {}

    def ignores(problem: Problem) -> Ignores:
        file = problem.path or problem.file
        if file not in noted:
            noted[file] = ignores_of(source_of(problem), _comments(sites, problem))
        return noted[file]

    return sorted(heeding(found.values(), ignores), key=_order), source_of


def _order(problem: Problem) -> tuple[Any, ...]:
    return (
        relative(problem.path or problem.file),
        problem.line or 0,
        problem.column or 0,
        problem.rule,
        problem.message,
    )


def _sources(sites: dict[str, SiteTemplates]) -> Callable[[Problem], str]:
    known: dict[str, str] = {}
    for site in sites.values():
        for file, template in site.walked.items():
            known.setdefault(file, str(template.source))
        for name, source in site.sources.items():
            known.setdefault(site.files.get(name, name), source)

    def source_of(problem: Problem) -> str:
        file = problem.path or problem.file
        if file not in known:
            try:
                known[file] = Path(file).read_text(encoding="utf-8")
            except (OSError, ValueError):
                # A template of another loader, or one in another encoding: its lines are not shown.
                known[file] = ""
        return known[file]

    return source_of


def _comments(sites: dict[str, SiteTemplates], problem: Problem) -> tuple[str, str]:
    """How comments begin and end in a problem's template."""
    for alias, site in sites.items():
        environment = environment_of(alias)
        names = {problem.file, problem.path} - {""}
        if environment is not None and names & {*site.files, *site.files.values()}:
            return environment.comment_start_string, environment.comment_end_string
    return DJANGO_COMMENTS


def environment_of(alias: str) -> Any:
    """The Jinja2 environment of an engine; None for one of Django's templates."""
    backend: Any = engines[alias]
    return getattr(backend, "sync_env", None) or getattr(backend, "env", None)


def mistakes(sites: dict[str, SiteTemplates]) -> list[Problem]:
    """Return the mistakes in the templates of some engines.

    Args:
        sites: the engine's alias -> its templates.
    """
    views = read_views()
    found = views.renderings
    surroundings = Surroundings.of_site(settings.MIDDLEWARE)
    problems: list[Problem] = [*surroundings.faults]
    for alias, site in sites.items():
        own = [_judged(each, views) for each in of_engine(alias, sites, found)]
        problems += site.problems
        engine = environment_of(alias) or getattr(engines[alias], "engine", None)
        problems += engine_mistakes(alias, site, own, surroundings, engine)
    return problems


def engine_mistakes(
    alias: str,
    site: SiteTemplates,
    own: Iterable[ViewRendering],
    surroundings: Surroundings,
    engine: Any,
    names: Iterable[str] | None = None,
) -> Iterator[Problem]:
    """Yield the mistakes in templates of one engine, beside what could not be read.

    Args:
        alias: of the backend, which says which context processors there are.
        own: what views render with it.
        surroundings: what the rest of the site has: addresses, files.
        engine: Django's engine or Jinja2's environment that loads the templates.
        names: the templates whose links are looked at; None for all.
    """
    environment = None if isinstance(engine, Engine) else engine
    yield from site_name_problems(
        site, own, names_of_processors(context_processors_of(alias)), environment, set_from_outside
    )
    for name in site.files if names is None else names:
        yield from surroundings.problems(site, name, engine)


def _judged(rendering: ViewRendering, views: SiteViews) -> ViewRendering:
    """A rendering that gives all names only where nobody else may render its template."""
    name = rendering.template
    is_lost = name in views.lost_names or any(
        re.fullmatch(each, name) for each in views.patterns if not _says_nothing(each)
    )
    return replace(rendering, is_complete=rendering.is_complete and not is_lost)


def _says_nothing(pattern: str) -> bool:
    """Whether any name at all would match."""
    return re.fullmatch(pattern, "") is not None


def context_processors_of(alias: str) -> list[Any] | None:
    """Return the context processors of a backend; None for one that does not say them.

    Such a backend is of others, and its environment is read: django-jinja's.
    """
    backend: Any = engines[alias]
    engine = getattr(backend, "engine", backend)
    found = getattr(engine, "template_context_processors", None)
    return None if found is None else list(found)


def of_engine(
    alias: str, sites: dict[str, SiteTemplates], found: Iterable[ViewRendering]
) -> Iterator[ViewRendering]:
    """What views render with an engine: where they do not say, with the first that has it."""
    for each in found:
        if each.using:
            if each.using == alias:
                yield each
            continue
        first = next((name for name, site in sites.items() if each.template in site.files), None)
        if first == alias:
            yield each


def warnings_of(
    compiled: dict[str, Compiled], sites: dict[str, SiteTemplates], with_hops: bool
) -> Iterator[Problem]:
    """Return as problems what compiling says of Python behind templates.

    Args:
        with_hops: whether what runs in the request's thread is one.
    """
    for alias, each in compiled.items():
        for one in each.swallowers:
            yield Problem(
                f"{one.name} catches every exception, also the one by which Django says on the "
                "event loop that a query is needed",
                one.file,
                one.line,
                code="catches-everything",
                hint="catch what is expected, or raise SynchronousOnlyOperation again",
            )
        if not with_hops:
            continue
        for tag, places in each.hops.items():
            name, _, line = places[0].rpartition(":")
            yield Problem(
                f"{{% {tag.name} %}} of {tag.module} runs {tag.where}, in "
                f"{len(places)} place{'' if len(places) == 1 else 's'}",
                name or places[0],
                int(line) if line.isdecimal() else None,
                path=sites[alias].files.get(name, ""),
                code="leaves-the-loop",
            )
        for processor, where in each.processors.items():
            yield Problem(f"{alias}: {processor} runs {where}", code="leaves-the-loop")


def as_shown(problem: Problem) -> Problem:
    """A problem as it is printed: with its file from the current folder, and in one line."""
    file = relative(problem.path or problem.file) if problem.file else ""
    return replace(problem, file=file, message=printable(problem.message))
