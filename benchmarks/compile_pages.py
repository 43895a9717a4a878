"""Compiling: what the first render of a template pays once, against parsing it."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django
from django.template.base import Template

from atemplates.compiler.explain import node_lists
from atemplates.compiler.module import Module
from atemplates.compiler.plan import plan_of

from .engines import TEMPLATES, our_backend
from .measure import Effort, Variant, milliseconds
from .registry import page
from .results import OURS, STOCK, Row, Target, judge

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


def kilobytes(make: Callable[[], Any], count: int) -> float:
    """Return the memory that what ``make`` makes takes, for each of ``count`` templates."""
    make()  # what is made once stays out of it
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        made = make()
        gc.collect()
        size = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    del made
    return size / count / 1000


def compiled_templates(texts: list[str]) -> list[Template]:
    """Parse templates and compile all of them."""
    templates = parse(texts)
    for template in templates:
        for title, nodelist in node_lists(template):
            plan_of(nodelist, template, title)
    return templates


LONG = "".join(
    f"<p>{{{{ v{number}.name }}}}{{% if v{number} %}}a{{% endif %}}" for number in range(100)
)
"""A template of 300 nodes; the page compiles one of 3,000 as well, and one of 30,000."""


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
        memory = {
            STOCK: kilobytes(lambda texts=texts: parse(texts), len(texts)),
            OURS: kilobytes(lambda texts=texts: compiled_templates(texts), len(texts)),
        }
        results.append(Row("compiling", f"{what}: memory of a template", "kB", memory))
    results += long_templates(effort)
    return results


def long_templates(effort: Effort) -> list[Row]:
    """Measure how compiling grows with the nodes of a template."""
    results = []
    for times in (1, effort.size(10, 2), effort.size(100, 4)):
        text = [LONG * times]
        templates = parse(text)
        cells = milliseconds(
            {
                STOCK: Variant(lambda text=text: parse(text)),
                OURS: Variant(lambda templates=templates: compile_all(templates)),
            },
            effort,
            rounds=3,
        )
        nodes = 300 * times
        each = {name: time * 1000 / nodes for name, time in cells.items()}
        results.append(Row("compiling", f"{nodes} nodes", "µs a node", each))
    ratio = results[-1].cells[OURS] / results[0].cells[OURS]
    results[-1].outcomes.append(
        judge("ours, a node of the longest / of the shortest", ratio, at_most=1.5)
    )
    return results
