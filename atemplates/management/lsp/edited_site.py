"""The templates of a site while somebody edits them: read once, and again what an edit touches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from os.path import realpath
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template import engines

from ...analysis.site.sources import ENDINGS, template_names
from ...analysis.site.syntax import template_file
from ...analysis.site.templates import SiteTemplates, read_site
from ...engines.django import DjangoTemplates
from ...inference.types import ValueType
from ...inference.views import ViewRendering, renderings
from ...lint.processors import names_of_processors
from ...lint.surroundings import Surroundings
from ...problems import Problem, is_installed
from ...site_settings import site_setting
from ..checking import Wanted, context_processors_of
from .open_texts import OpenTexts, engine_for_editor

MOST_PAGES = 16
"""How many other templates that a file is part of are read anew when it is edited; all of them when
it is saved."""


@dataclass
class EditedEngine:
    """One engine's templates, each as it was last read, by itself."""

    alias: str
    backend: Any
    engine: Any
    """A Django engine, or a Jinja2 environment, that takes the texts of the editor."""
    loader: Any
    read: dict[str, SiteTemplates] = field(default_factory=dict)
    used: dict[str, set[str]] = field(default_factory=dict)
    """Template -> the files that it is made of: its own, and those it includes and extends."""
    readable: dict[str, SiteTemplates] = field(default_factory=dict)
    """Each template as it was read when it last parsed."""
    given: dict[str, ValueType] = field(default_factory=dict)
    """What the context processors give, as far as that can be told."""
    known_names: dict[str, list[str]] = field(default_factory=dict)
    """File -> the names under which the loaders find it."""

    @property
    def is_django(self) -> bool:
        """Whether its language is Django's."""
        return isinstance(self.backend, DjangoTemplates)

    def names(self) -> list[str]:
        """The templates that the engine's loaders list, but for those of installed packages."""
        if self.is_django:
            listed = template_names(self.engine)[0]
            return [name for name in listed if not is_installed(template_file(self.engine, name))]
        self.loader.listed = None
        try:
            listed = self.engine.list_templates()
        except Exception:  # One that cannot list them: those that are opened are read.
            return []
        return [name for name in listed if name.lower().endswith(ENDINGS)]

    def update(self, name: str) -> SiteTemplates:
        """Read a template again."""
        self.loader.used = set()
        if self.is_django:
            found = read_site(self.engine, [name])
        else:
            from ...analysis.site.jinja2_templates import read_jinja2_site

            found = read_jinja2_site(self.engine, [name])
        self.read[name], self.used[name] = found, set(self.loader.used)
        own = found.files.get(name)
        if own:
            self.used[name].add(realpath(own))
            names = self.known_names.setdefault(realpath(own), [])
            if name not in names:
                names.append(name)
        if name in found.paths:
            self.readable[name] = found
        return found

    def names_of(self, file: str) -> list[str]:
        """The names under which the loaders find a file; empty when they find it under none."""
        if file not in self.known_names:
            found = [name for name in self._possible_names(file) if self._finds(name, file)]
            if not found:
                return []
            self.known_names[file] = found
        return self.known_names[file]

    def _possible_names(self, file: str) -> Iterator[str]:
        """The names that a file has below the folders of the loaders."""
        path = Path(file)
        for folder in folders_of(self.loader):
            if path.is_relative_to(realpath(folder)):
                yield path.relative_to(realpath(folder)).as_posix()

    def _finds(self, name: str, file: str) -> bool:
        found = self.update(name)
        if is_file(found.files.get(name), file):
            return True
        # A text that does not parse is known by its problem alone.
        if any(is_file(each.path or each.file, file) for each in found.problems):
            return True
        del self.read[name], self.used[name]
        return False

    def pages_with(self, file: str) -> list[str]:
        """The templates that a file is part of."""
        return [name for name, files in self.used.items() if file in files]

    def file_named(self, name: str) -> str:
        """The file of a template; empty when there is no such template, or no file."""
        try:
            if self.is_django:
                return str(self.engine.get_template(name).origin.name)
            return str(self.loader.get_source(self.engine, name)[1] or "")
        except Exception:  # One that does not exist, or does not parse.
            return ""

    def together(self, names: Iterable[str]) -> SiteTemplates:
        """What was read of some templates, as one."""
        site = SiteTemplates()
        for name in names:
            for each in fields(SiteTemplates):
                mine, other = getattr(site, each.name), getattr(self.read[name], each.name)
                if isinstance(mine, dict):
                    mine.update(other)
                else:
                    mine.extend(other)
        return site


@dataclass(frozen=True, slots=True)
class EditedFile:
    """A file as one engine finds it."""

    engine: EditedEngine
    name: str
    pages: tuple[str, ...]
    """The templates that were read again: itself, and some or all of those that it is part of."""


class EditedSite:
    """All engines of ours, with what views give to their templates.

    Args:
        texts: the open files; the caller keeps them up to date.
    """

    def __init__(self, texts: OpenTexts) -> None:
        self.texts = texts
        self.engines = [each for backend in engines.all() if (each := edited(backend, texts))]
        self.renderings: list[ViewRendering] = []
        self.problems: list[Problem] = []
        """What could not be read of the views."""
        self.surroundings = Surroundings(None, None)
        given = site_setting("check")
        self.wanted = Wanted(
            exclude=tuple(given.get("exclude", ())),
            ignore=frozenset(given.get("ignore", ())),
            with_installed=True,
        )

    def read(self) -> None:
        """Read everything: views, and every template of the site's own."""
        self.renderings, self.problems = renderings()
        self.surroundings = Surroundings.of_site(settings.MIDDLEWARE)
        for engine in self.engines:
            for processor in context_processors_of(engine.alias) or ():
                engine.given |= names_of_processors([processor]) or {}
            for name in engine.names():
                engine.update(name)

    def refresh(self, file: str, most: int | None = MOST_PAGES) -> list[EditedFile]:
        """Read a file again, with the templates that it is part of.

        Args:
            most: how many of these, those that views render first; None for all.

        Returns:
            How the engines find it; nothing where none does.
        """
        rendered = {each.template for each in self.renderings}
        edited_files = []
        for engine in self.engines:
            names = engine.names_of(file)
            others = set(engine.pages_with(file)) - set(names)
            pages = sorted(others, key=lambda name: (name not in rendered, name))[:most]
            for name in [*names, *pages]:
                engine.update(name)
            edited_files += [EditedFile(engine, name, (name, *pages)) for name in names]
        return edited_files

    def found(self, file: str) -> list[tuple[EditedEngine, str]]:
        """The engines that find a file, and its name there."""
        return [(engine, name) for engine in self.engines for name in engine.names_of(file)]

    def source_of(self, file: str) -> str:
        """The text of a file: in the editor, or on the disk."""
        if file in self.texts:
            return self.texts[file]
        try:
            return Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return ""

    def renderings_of(self, engine: EditedEngine) -> list[ViewRendering]:
        """What the views render with an engine; with the first one where they do not say."""
        first = self.engines[0].alias
        return [each for each in self.renderings if (each.using or first) == engine.alias]


def edited(backend: Any, texts: OpenTexts) -> EditedEngine | None:
    """Return an engine of ours for editing; None for one of others."""
    if isinstance(backend, DjangoTemplates):
        engine, loader = engine_for_editor(backend.engine, texts)
        return EditedEngine(backend.name, backend, engine, loader)
    environment = getattr(backend, "sync_env", None) or getattr(backend, "env", None)
    if environment is None or environment.loader is None:
        return None
    from .open_jinja2_texts import environment_for_editor

    own, own_loader = environment_for_editor(environment, texts)
    return EditedEngine(backend.name, backend, own, own_loader)


def is_file(found: str | None, file: str) -> bool:
    """Whether a loader's name for a file means that file."""
    return bool(found) and realpath(str(found)) == file


def folders_of(loader: Any) -> Iterator[str]:
    """The folders in which loaders look, of either language."""
    if hasattr(loader, "get_dirs"):
        yield from map(str, loader.get_dirs())
    path = getattr(loader, "searchpath", ())
    yield from map(str, path)
    inner = getattr(loader, "loaders", None)
    if isinstance(inner, dict):
        inner = inner.values()
    for each in inner or ():
        yield from folders_of(each)
    if getattr(loader, "loader", None) is not None:
        yield from folders_of(loader.loader)
