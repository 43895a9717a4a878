"""The templates that the loaders of an engine can find."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.template.engine import Engine
from django.template.loaders.base import Loader

from ...problems import Problem

ENDINGS = (".html", ".htm", ".txt", ".xml", ".svg", ".dtl", ".djhtml", ".jinja", ".jinja2", ".j2")
"""Of the files that are looked at; a folder of templates may hold others."""


def template_names(engine: Engine) -> tuple[list[str], list[Problem]]:
    """Return the names of the templates that an engine's loaders find, in order.

    Returns:
        The names, and the loaders that cannot be listed.
    """
    names: dict[str, None] = {}
    problems: list[Problem] = []
    for loader in flat_loaders(engine.template_loaders):
        try:
            names.update(dict.fromkeys(_names_of(loader, problems)))
        except Exception as error:
            kind = type(loader)
            problems.append(
                Problem(
                    f"the loader {kind.__module__}.{kind.__qualname__} failed: "
                    f"{type(error).__name__}: {error}"
                )
            )
    return sorted(names), problems


def flat_loaders(loaders: Any) -> Iterator[Loader]:
    """The loaders that find templates themselves, in order; not those that keep what they find."""
    for loader in loaders:
        inner = getattr(loader, "loaders", None)
        if inner is not None:
            yield from flat_loaders(inner)
        else:
            yield loader


def _names_of(loader: Any, problems: list[Problem]) -> Iterator[str]:
    if hasattr(loader, "get_dirs"):
        for folder in loader.get_dirs():
            yield from files_below(Path(folder))
    elif isinstance(getattr(loader, "templates_dict", None), dict):
        yield from loader.templates_dict
    else:
        kind = type(loader)
        problems.append(
            Problem(
                f"the loader {kind.__module__}.{kind.__qualname__} cannot list its templates: "
                "name them with --template"
            )
        )


def files_below(folder: Path) -> Iterator[str]:
    """The names of the templates in a folder, with slashes."""
    for file in sorted(folder.rglob("*")):
        if file.suffix.lower() in ENDINGS and file.is_file():
            yield file.relative_to(folder).as_posix()
