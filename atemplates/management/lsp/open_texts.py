"""Templates as an editor shows them: loaders that take the text of an open file from there.

What is not open comes from where it is, and is read anew when it has changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from os.path import realpath
from typing import Any

from django.template import Origin, Template, TemplateDoesNotExist
from django.template.engine import Engine
from django.template.loaders.base import Loader

from ...analysis.site.sources import flat_loaders

OpenTexts = dict[str, str]
"""The real path of a file that is open -> its text in the editor."""


class EditorLoader(Loader):
    """Loads what the loaders of an engine find, with the texts of an editor.

    Args:
        engine: the engine that parses.
        loaders: the loaders of the site.
        texts: the open files; whoever changes them need not tell.
    """

    def __init__(self, engine: Engine, loaders: Sequence[Any], texts: OpenTexts) -> None:
        super().__init__(engine)
        self.loaders = list(flat_loaders(loaders))
        self.texts = texts
        self.used: set[str] = set()
        """The files that were loaded since somebody emptied this."""
        self._parsed: dict[str, tuple[str, Template]] = {}
        """Origin -> its text, and what that was parsed to."""

    def get_template_sources(self, template_name: str) -> Iterator[Origin]:
        """Yield where a template may be, in the order of the site's loaders."""
        for loader in self.loaders:
            yield from loader.get_template_sources(template_name)

    def get_contents(self, origin: Origin) -> str:
        """Return the text in the editor, or what the site's loader gives."""
        name = str(origin.name)
        open_text = self.texts.get(realpath(name))
        if open_text is not None:
            return open_text
        loader: Any = origin.loader
        return str(loader.get_contents(origin))

    def get_template(self, template_name: str, skip: Sequence[Origin] | None = None) -> Template:
        """Do as any loader does; a text that was parsed already is not parsed again."""
        tried: list[tuple[Origin, str]] = []
        for origin in self.get_template_sources(template_name):
            if skip is not None and origin in skip:
                tried.append((origin, "Skipped to avoid recursion"))
                continue
            try:
                text = self.get_contents(origin)
            except TemplateDoesNotExist:
                tried.append((origin, "Source does not exist"))
                continue
            self.used.add(realpath(str(origin.name)))
            known = self._parsed.get(str(origin.name))
            if known is None or known[0] != text:
                parsed = Template(text, origin, template_name, self.engine)
                known = self._parsed[str(origin.name)] = text, parsed
            return known[1]
        raise TemplateDoesNotExist(template_name, tried=tried)


def engine_for_editor(engine: Engine, texts: OpenTexts) -> tuple[Engine, EditorLoader]:
    """Return a copy of an engine that loads the texts of an editor.

    It parses as with ``debug``, so that every tag knows where it stands.
    """
    own = copy(engine)
    own.debug = True
    loader = EditorLoader(own, engine.template_loaders, texts)
    vars(own)["template_loaders"] = [loader]
    return own, loader
