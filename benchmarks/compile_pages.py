"""Compiling: what the first render of a template pays once, against parsing it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import django
from django.template.base import Template

from atemplates.compiler.explain import node_lists
from atemplates.compiler.plan import Module

from .engines import TEMPLATES, our_backend
from .measure import Effort, Variant, milliseconds
from .registry import page
from .results import OURS, STOCK, Row, Target

DJANGO = Path(django.__file__).parent
FOLDERS = {
    "the admin's templates": [
        DJANGO / "contrib/admin/templates",
        DJANGO / "contrib/auth/templates",
    ],
    "form templates": [DJANGO / "forms/templates"],
    "the benchmarks' pages": [TEMPLATES / "django"],
}
SMALLEST = 40
"""Bytes; what is smaller says nothing about compiling."""


def sources(folders: list[Path], limit: int) -> list[str]:
    """Return the texts of the templates in some folders."""
    files = sorted(path for folder in folders for path in folder.rglob("*.html"))
    texts = [path.read_text(encoding="utf-8") for path in files]
    return [text for text in texts if len(text) >= SMALLEST][:limit]


def parse(texts: list[str]) -> list[Template]:
    """Parse templates as stock Django does when it loads them."""
    return [Template(text, engine=our_backend().engine) for text in texts]


def compile_all(templates: list[Template]) -> int:
    """Compile every node list of parsed templates; return how many there were."""
    modules: list[Any] = [
        Module(nodelist, template, title)
        for template in templates
        for title, nodelist in node_lists(template)
    ]
    for module in modules:
        module.function()
    return len(modules)


@page("compiling", "our compile time (ours) against stock parse time (stock)")
def compiling(effort: Effort) -> list[Row]:
    """Measure compiling over sets of templates that others wrote, and over our pages."""
    results = []
    for what, folders in FOLDERS.items():
        texts = sources(folders, effort.size(1000, 3))
        templates = parse(texts)
        times = milliseconds(
            {
                STOCK: Variant(lambda texts=texts: parse(texts)),
                OURS: Variant(lambda templates=templates: compile_all(templates)),
            },
            effort,
        )
        row = Row("compiling", f"{len(texts)} files: {what}", "ms", times)
        results.append(row.hold_against((Target(OURS, STOCK, at_most=8),)))
    return results
