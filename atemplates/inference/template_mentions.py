"""Templates that the site's Python names elsewhere than where a view is known to render them.

A mail, a command or a tag may render such a template with names that no view gives. So nobody can
say what all is given to it.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Collection, Iterator
from pathlib import Path, PurePath

from django.apps import apps

from ..problems import is_installed
from .python_sources import parsed_file

FOR_TESTS = re.compile(r"^(tests?|test_.*|.*_tests?|conftest|migrations)$")
"""Files and folders of the site that render nothing for its users."""
TAG_DECORATORS = frozenset({"inclusion_tag"})
"""Decorators that render a template themselves, with what the function below gives."""
OWN_PACKAGE = str(Path(__file__).resolve().parent.parent)
SourcePlace = tuple[str, int, int]
"""File, line and column."""


def mentioned_elsewhere(
    templates: Collection[str], read: Collection[SourcePlace], files: Collection[str] | None = None
) -> set[str]:
    """Return the names among ``templates`` that stand in Python that no view was seen to run.

    Args:
        templates: names of templates that views render.
        read: the texts and names that reading the views has met.
        files: the site's own files of Python; None for those of its apps and loaded modules.
    """
    wanted = set(templates)
    texts = {file: _text_of(file) for file in (site_files() if files is None else files)}
    constants: dict[str, set[str]] = {}
    naming = _files_with(wanted, texts)
    for file in naming:
        for name, template in _constants(parsed_file(file), wanted):
            constants.setdefault(name, set()).add(template)
    found: set[str] = set()
    for file in naming | _files_with(constants, texts):
        tree = parsed_file(file)
        for names, place in _mentions(file, tree, wanted, constants) if tree is not None else ():
            if place not in read:
                found |= names
    return found


def _text_of(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8", errors="replace")
    except OSError:  # it has gone meanwhile
        return ""


def _files_with(words: Collection[str], texts: dict[str, str]) -> set[str]:
    """The files in whose text one of some words stands; to parse the others would take long."""
    if not words:
        return set()
    pattern = re.compile("|".join(map(re.escape, sorted(words))))
    return {file for file, text in texts.items() if pattern.search(text)}


def _constants(tree: ast.Module | None, wanted: set[str]) -> Iterator[tuple[str, str]]:
    """The names that a module gives to names of templates: ``PAGE = "shop/page.html"``."""
    for node in tree.body if tree is not None else ():
        if not isinstance(node, (ast.Assign, ast.AnnAssign)):
            continue
        if not isinstance(node.value, ast.Constant) or node.value.value not in wanted:
            continue
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, ast.Name):
                yield target.id, str(node.value.value)


def _mentions(
    file: str, tree: ast.Module, wanted: set[str], constants: dict[str, set[str]]
) -> Iterator[tuple[set[str], SourcePlace]]:
    """The places of a file that name a template, by its name or by that of a constant."""
    has_addresses = any(
        isinstance(each, (ast.Assign, ast.AnnAssign, ast.AugAssign))
        and any(getattr(part, "id", "") == "urlpatterns" for part in ast.walk(each))
        for each in tree.body
    )
    passed: set[int] = set()
    for statement in tree.body:
        value = statement.value if isinstance(statement, (ast.Assign, ast.AnnAssign)) else None
        defines = isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        if isinstance(value, ast.Constant) or (has_addresses and not defines):
            passed |= {id(each) for each in ast.walk(statement)}
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for decorator in node.decorator_list:
                if not _renders_itself(decorator):
                    passed |= {id(each) for each in ast.walk(decorator)}
    for node in ast.walk(tree):
        if id(node) in passed:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node.value in wanted:
                yield {node.value}, (file, node.lineno, node.col_offset)
        elif isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load):
            name = node.id if isinstance(node, ast.Name) else node.attr
            if name in constants:
                yield constants[name], (file, node.lineno, node.col_offset)


def _renders_itself(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return (getattr(called, "attr", "") or getattr(called, "id", "")) in TAG_DECORATORS


def site_files() -> set[str]:
    """Return the site's own files of Python: of its apps, and whatever else is loaded."""
    found: set[str] = set()
    library = str(Path(re.__file__).resolve().parent.parent)
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and file.endswith(".py"):
            found.add(file)
    for app in apps.get_app_configs():
        if not is_installed(app.path):
            found |= {str(each) for each in Path(app.path).rglob("*.py")}
    return {
        file
        for file in found
        if not is_installed(file)
        and not file.startswith((library, OWN_PACKAGE))
        and not any(FOR_TESTS.match(PurePath(part).stem) for part in PurePath(file).parts[-3:])
    }
