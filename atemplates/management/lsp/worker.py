"""The process that holds the site: it answers questions about files, one at a time.

A question and its answer are a line of JSON each. The site's own code may print what it likes: the
answers have a channel of their own. When Python files have changed the worker says so, and is
replaced by one that has read them.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from os.path import realpath
from typing import Any, BinaryIO, TypeAlias

from ...problems import INSTALLED
from .completion import completions_at
from .definitions import definition_at
from .diagnostics import diagnostics_of
from .edited_site import EditedSite
from .hover import hover_at
from .open_texts import OpenTexts

FileState: TypeAlias = tuple[int, int]
"""When a file was changed, in nanoseconds, and its size; zeros for one that is gone."""
PYTHON_CHANGED = "python-changed"
"""The answer of a worker that has to be replaced."""


class Worker:
    """Answers questions."""

    def __init__(self) -> None:
        self.texts: OpenTexts = {}
        self.site: EditedSite | None = None
        self.python = python_files()

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """Answer one question: its result, an error in words, or that Python has changed."""
        if self.python_has_changed():
            return {"changed": PYTHON_CHANGED}
        self.texts.clear()
        self.texts.update(question.get("texts", {}))
        try:
            return {"result": QUESTIONS[question["ask"]](self, question)}
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            return {"error": f"{type(error).__name__}: {error}"}

    def read_site(self) -> EditedSite:
        """Return the site, read when it is first asked for."""
        if self.site is None:
            site = EditedSite(self.texts)
            site.read()
            self.site = site
            # The URLconf has imported the views. Of files known before the earlier state counts:
            # they may have changed while the site was read.
            self.python = {**python_files(), **self.python}
        return self.site

    def python_has_changed(self) -> bool:
        """Whether a file of the site's Python is not what this process has imported."""
        return any(_state_of(file) != state for file, state in self.python.items())


def python_files() -> dict[str, FileState]:
    """The Python files of the site's own, and the state of each.

    Those of its modules and those beside them: one that does not import is no module.
    """
    folders: set[str] = set()
    own = os.path.dirname(os.path.dirname(realpath(__file__)))
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if not isinstance(file, str) or not file.endswith(".py"):
            continue
        path = realpath(file)
        parts = set(path.split(os.sep))
        if path.startswith((sys.base_prefix + os.sep, own + os.sep)) or parts & INSTALLED:
            continue
        folders.add(os.path.dirname(path))
    return {
        entry.path: _state_of(entry.path)
        for folder in folders
        for entry in os.scandir(folder)
        if entry.name.endswith(".py")
    }


def _state_of(file: str) -> FileState:
    try:
        found = os.stat(file)
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)


# -- questions -------------------------------------------------------------------------------------


def read(worker: Worker, question: dict[str, Any]) -> dict[str, Any]:
    """Read the site; say how much there is, and what of the views cannot be read."""
    site = worker.read_site()
    return {
        "templates": sum(len(engine.read) for engine in site.engines),
        "engines": [engine.alias for engine in site.engines],
        "views": len({each.view for each in site.renderings}),
        "problems": [str(each) for each in site.problems],
    }


def problems(worker: Worker, question: dict[str, Any]) -> dict[str, Any]:
    """The problems of a file, and whether a loader finds it."""
    site, file = worker.read_site(), question["file"]
    found = site.refresh(file, **({"most": None} if question.get("saved") else {}))
    return {
        "is_template": bool(found),
        "diagnostics": [each.as_data() for each in diagnostics_of(site, file, found)],
    }


def hover(worker: Worker, question: dict[str, Any]) -> Any:
    """What is known of what stands at a place of a file."""
    return hover_at(worker.read_site(), question["file"], question["line"], question["column"])


def complete(worker: Worker, question: dict[str, Any]) -> Any:
    """What may be written at a place of a file."""
    site = worker.read_site()
    return completions_at(site, question["file"], question["line"], question["column"])


def define(worker: Worker, question: dict[str, Any]) -> Any:
    """Where that is defined what stands at a place of a file."""
    site = worker.read_site()
    return definition_at(site, question["file"], question["line"], question["column"])


QUESTIONS: dict[str, Callable[[Worker, dict[str, Any]], Any]] = {
    "read": read,
    "problems": problems,
    "hover": hover,
    "complete": complete,
    "define": define,
}


def work(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer questions until there are no more."""
    worker = Worker()
    for line in questions:
        question = json.loads(line)
        answer = {"id": question["id"], **worker.answer(question)}
        answers.write(f"{json.dumps(answer)}\n".encode())
        answers.flush()
