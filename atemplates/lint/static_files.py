"""Static files that templates name, and no finder has."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.core.files.storage import FileSystemStorage

from ..problems import is_installed

MOST_FILES = 20_000
"""Of the files that may have been meant: a folder of node modules has any number."""
MOST_PARENTS_LOOKED_AT = 3
"""How many folders above one of static files may be the site's own."""

MADE_OF = {".css": (".scss", ".sass", ".less", ".styl"), ".js": (".ts", ".tsx", ".jsx", ".mjs")}
"""Ending of a file -> those of what a build makes it of."""


@dataclass(frozen=True, slots=True)
class StaticFault:
    """Why a static file is not found."""

    message: str
    hint: str = ""
    is_possible: bool = False
    """Whether it may be there where the site runs: a build makes it, say."""


class StaticFiles:
    """What the finders of ``django.contrib.staticfiles`` find.

    Args:
        finders: the finders.
        storage: where ``collectstatic`` puts the files.
    """

    def __init__(self, finders: Sequence[Any], storage: Any) -> None:
        self.finders = finders
        self.storage = storage

    @classmethod
    def of_site(cls) -> StaticFiles | None:
        """Return those of the site; None where nothing is known of its static files."""
        if not apps.is_installed("django.contrib.staticfiles"):
            return None
        from django.contrib.staticfiles.finders import get_finders
        from django.contrib.staticfiles.storage import staticfiles_storage

        return cls(list(get_finders()), staticfiles_storage)

    def fault(self, path: str) -> StaticFault | None:
        """Return why ``{% static path %}`` leads nowhere; None if a file is there, or may be."""
        parts = urlsplit(path)
        wanted = parts.path.lstrip("/")
        if parts.scheme or parts.netloc or not wanted or ".." in wanted.split("/"):
            return None
        try:
            if self._has(wanted) or self._is_collected(wanted):
                return None
            message = f"no finder has the static file {wanted!r}"
            if not isinstance(self.storage, FileSystemStorage):
                return StaticFault(message, self._meant(wanted), True)
            made = self._may_be_made(wanted)
        except Exception:
            return None  # Finders and storages are anybody's code: what one cannot say is not said.
        if made:
            return StaticFault(message, made, True)
        return StaticFault(message, self._meant(wanted))

    def _has(self, path: str) -> bool:
        # A folder that a finder puts under a prefix is found with the slash only.
        return any(finder.find(path) or finder.find(f"{path}/") for finder in self.finders)

    def _is_collected(self, path: str) -> bool:
        """Whether a file is where ``collectstatic`` puts them, whoever has put it there."""
        storage = self.storage
        if not isinstance(storage, FileSystemStorage) or not storage.base_location:
            return False
        return storage.exists(path)

    def _may_be_made(self, path: str) -> str:
        """Say what speaks for a file that a build makes; nothing where nothing does."""
        folder, _, file = path.rpartition("/")
        top = path.partition("/")[0]
        if folder and not self._has(top):
            return f"there is no folder {top!r}: is it made by a build?"
        stem, dot, ending = file.rpartition(".")
        for source in MADE_OF.get(dot + ending, ()):
            for part in dict.fromkeys((stem, stem.removesuffix(".min"))):
                if self._has(f"{folder}/{part}{source}".lstrip("/")):
                    return f"is it made of {part + source!r} by a build?"
        if any(fnmatchcase(f"/{path}", f"*/{each}") for each in self._left_to_builds):
            return "the site's .gitignore names it: is it made by a build?"
        return ""

    @cached_property
    def _left_to_builds(self) -> list[str]:
        """The ends of the paths that ``.gitignore`` files around the site's static files name."""
        folders: dict[Path, None] = {}
        for finder in self.finders:
            for storage in getattr(finder, "storages", {}).values():
                here = Path(storage.location)
                if not is_installed(str(here)):
                    folders.update(
                        dict.fromkeys((here, *islice(here.parents, MOST_PARENTS_LOOKED_AT)))
                    )
        ends = []
        for folder in folders:
            file = folder / ".gitignore"
            if not file.is_file():
                continue
            for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
                pattern = line.strip()
                if pattern and pattern[0] not in "#!" and not pattern.endswith("/"):
                    # A pattern names a file from its own folder on, which a template does not know.
                    parts = pattern.split("/")
                    ends.append("/".join(parts[-2:] if "*" in parts[-1] else parts[-1:]))
        return [each for each in ends if each.strip("*./")]

    @cached_property
    def files(self) -> list[str]:
        """The files that the finders have."""
        found: dict[str, None] = {}
        for finder in self.finders:
            for path, storage in islice(finder.list([]), MOST_FILES):
                prefix = getattr(storage, "prefix", None)
                found[(f"{prefix}/{path}" if prefix else path).replace(os.sep, "/")] = None
        return list(found)

    def _meant(self, path: str) -> str:
        """What was perhaps meant."""
        name = path.rpartition("/")[2]
        same_name = [each for each in self.files if each.rpartition("/")[2] == name]
        close = same_name or get_close_matches(path, self.files, n=1, cutoff=0.7)
        return f"did you mean {close[0]!r}?" if close else ""
