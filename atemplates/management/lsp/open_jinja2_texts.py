"""Jinja2 templates as an editor shows them."""

from __future__ import annotations

from collections.abc import Callable
from os.path import realpath

from jinja2 import BaseLoader, Environment

from .open_texts import OpenTexts


class EditorJinja2Loader(BaseLoader):
    """Loads what a Jinja2 loader finds, with the texts of an editor."""

    def __init__(self, loader: BaseLoader, texts: OpenTexts) -> None:
        self.loader = loader
        self.texts = texts
        self.used: set[str] = set()
        """The files that were loaded since somebody emptied this."""
        self.listed: list[str] | None = None
        """The names that the site's loader lists; whoever wants them anew empties it."""

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        """Return the text in the editor, or what the site's loader gives."""
        source, file, uptodate = self.loader.get_source(environment, template)
        if file is None:
            return source, file, uptodate
        path = realpath(file)
        self.used.add(path)
        return self.texts.get(path, source), file, lambda: False

    def list_templates(self) -> list[str]:
        """Return the names that the site's loader lists."""
        if self.listed is None:
            self.listed = list(self.loader.list_templates())
        return self.listed


def environment_for_editor(
    environment: Environment, texts: OpenTexts
) -> tuple[Environment, EditorJinja2Loader]:
    """Return a copy of an environment that loads the texts of an editor.

    Raises:
        ValueError: it has no loader.
    """
    if environment.loader is None:
        raise ValueError("an environment without a loader has no files")
    loader = EditorJinja2Loader(environment.loader, texts)
    return environment.overlay(loader=loader, cache_size=0), loader
