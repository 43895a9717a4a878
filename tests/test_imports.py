"""The arrows of the package: which room may import which, read from the source itself."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import atemplates

PACKAGE = "atemplates"
ROOT = Path(atemplates.__file__).parent

# room -> the rooms (or single modules of rooms) it may import. A room always sees itself.
BELOW_ENGINES = {"errors", "placement", "runtime", "compiler", "tags", "jinja2", "relations"}
ARROWS = {
    "errors": set(),
    "problems": set(),
    "site_settings": {"problems"},
    "placement": {"errors"},
    "runtime": {"errors", "placement"},
    "compiler": {"errors", "placement", "runtime"},
    "tags": {"errors", "placement", "runtime", "compiler", "streaming"},
    "jinja2": {"errors", "placement", "runtime", "streaming"},
    "relations": {
        "errors",
        "runtime.policy",
        "runtime.relations",
        "runtime.running_steps",
        "runtime.types",
        "runtime.waits",
    },
    "parallel": {"errors", "placement", "runtime", "relations.events", "relations.policy"},
    "streaming": {"errors", "runtime"},
    # A backend that records imports the writer when it is made, and no other does.
    "engines": BELOW_ENGINES | {"migration.recorder", "parallel", "streaming"},
    "forms": {"engines"},
    "shortcuts": {"engines", "runtime"},
    "delivery": {"errors", "placement.guard", "runtime", "streaming", "engines", "shortcuts"},
    "response": {"runtime", "shortcuts"},
    "views": {"errors", "runtime", "shortcuts", "response"},
    "analysis": {
        *("errors", "problems", "relations.labels", "relations.paths", "runtime.types"),
        # Classes of nodes, which it has entries for.
        *("compiler.foreign", "jinja2.parallel"),
        *("tags.defer", "tags.parallel", "tags.relations"),
    },
    # What Python says of the values that views give to templates.
    "inference": {"errors", "problems", "relations", "runtime.types", "analysis"},
    # Mistakes in templates, as far as these and what Python says of the values tell.
    "lint": {
        *("problems", "runtime.types", "jinja2.function_marks", "relations", "analysis"),
        "inference",
    },
    "migration": {"analysis", "errors", "problems", "inference", "relations"},
    # What renders tell whoever traces them: the engines know it by a seam.
    "trace": {
        *("errors", "site_settings", "placement", "runtime", "relations"),
        *("compiler.plan", "compiler.running_nodes", "streaming.feed"),
    },
    # The edges: each is where a part of Django, pytest or a test calls in.
    "__init__": {"delivery", "parallel", "shortcuts", "trace"},
    "apps": {"checks", "site_settings", "trace"},
    "templatetags": {"tags"},
    "checks": {"views"},
    "management": BELOW_ENGINES
    | {"engines", "problems", "site_settings"}
    | {"analysis", "inference", "lint", "migration"},
    # Shows what a trace and the clocks of lines have collected of a request.
    "toolbar": {
        *("errors", "relations.events", "relations.policy", "runtime.line_times"),
        *("compiler.explain", "engines", "trace"),
    },
    "pytest_plugin": {"relations", "problems", "migration", "testing"},
    "testing": {"relations", "runtime.drivers"},
}
ONLY_IN = {
    # The response holds a lock, and makes a task of what it cannot await. A load begins in a task.
    "asyncio": {
        *("response", "parallel", "streaming", "delivery"),
        *("management.lsp.server", "management.lsp.worker_process"),
        *("runtime.answers", "runtime.branches", "runtime.drivers", "runtime.hops"),
        "runtime.shared_awaitables",
        *("runtime.apart", "runtime.errands", "runtime.turns"),
    },
    "asgiref": {"runtime.errands", "runtime.hops", "runtime.lasting_thread"},
    # Settings stop at the edge: everything below takes arguments.
    "django.conf": {
        "engines",
        "delivery",
        "checks",
        "management",
        "pytest_plugin",
        "site_settings",
        "testing",
        "trace.server_timing",
        "views.defaults",
    },
    "jinja2": {"engines", "jinja2", "analysis", "lint", "migration"}
    | {"management.lsp.open_jinja2_texts"},
    # Installed with the extra that the language server has.
    "lsprotocol": {"management.lsp.server"},
    "pygls": {"management.lsp.server"},
    "pytest": {"pytest_plugin", "testing"},
}


class Import(NamedTuple):
    """One name that a module imports."""

    module: str
    """The importing module, without the package's name: ``engines.django``."""
    line: int
    target: str
    """What is imported, with its package: ``atemplates.runtime.drivers.run``, ``asyncio``."""

    @property
    def room(self) -> str:
        return self.module.partition(".")[0]

    def __str__(self) -> str:
        return f"{self.module} (line {self.line}) imports {self.target}"


def imports_of(root: Path, package: str) -> Iterator[Import]:
    """Every import in every file below ``root``, also those inside functions."""
    for file in sorted(root.rglob("*.py")):
        parts = file.relative_to(root).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
        folder = (package, *parts[:-1])
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), str(file))):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(module, node.lineno, alias.name)
            elif isinstance(node, ast.ImportFrom):
                start = folder[: len(folder) - node.level + 1] if node.level else ()
                source = ".".join((*start, *([node.module] if node.module else [])))
                for alias in node.names:
                    yield Import(module, node.lineno, f"{source}.{alias.name}")


def is_within(target: str, module: str) -> bool:
    return target == module or target.startswith(f"{module}.")


def against_the_arrows(found: Import, package: str) -> bool:
    if not is_within(found.target, package):
        return False
    inside = found.target.removeprefix(package).removeprefix(".")
    allowed = ARROWS.get(found.room, set()) | {found.room}
    return not any(is_within(inside, room) for room in allowed)


def out_of_place(found: Import) -> bool:
    return any(
        is_within(found.target, name) and not any(is_within(found.module, room) for room in rooms)
        for name, rooms in ONLY_IN.items()
    )


def rooms_of(root: Path) -> set[str]:
    """The top-level modules and packages that hold any code."""
    return {
        file.relative_to(root).with_suffix("").parts[0]
        for file in root.rglob("*.py")
        if file.read_text(encoding="utf-8").strip()
    }


def drawn() -> dict[str, set[str]]:
    """The arrows as docs/internals.md draws them: ``room <- what it imports``, line by line."""
    text = (ROOT.parent / "docs" / "internals.md").read_text(encoding="utf-8")
    section = text.partition("## Rooms and arrows")[2]
    block = section.split("```")[1].replace("\n    ", " ")
    arrows = {}
    for line in block.strip().splitlines():
        room, _, imported = line.partition("<-")
        arrows[room.strip()] = set(imported.replace(",", " ").split())
    return arrows


def test_the_documentation_draws_these_arrows():
    assert drawn() == ARROWS


def test_every_room_has_its_place():
    assert rooms_of(ROOT) <= set(ARROWS), "give the new room its arrows here, as in the design"


def test_imports_run_one_way():
    wrong = [
        str(found) for found in imports_of(ROOT, PACKAGE) if against_the_arrows(found, PACKAGE)
    ]
    assert not wrong


def test_loops_threads_and_settings_stay_in_their_rooms():
    assert not [str(found) for found in imports_of(ROOT, PACKAGE) if out_of_place(found)]


def test_the_arrows_hold_no_circle():
    done: set[str] = set()
    while left := {room for room in ARROWS if room not in done}:
        ready = {
            room
            for room in left
            if {each.partition(".")[0] for each in ARROWS[room]} - done == set()
        }
        assert ready, f"these import each other: {sorted(left)}"
        done |= ready


def test_the_walk_sees_the_imports_it_is_about():
    found = {(each.module, each.target) for each in imports_of(ROOT, PACKAGE)}
    assert ("runtime.drivers", "asyncio") in found
    assert ("runtime.hops", "asgiref.sync.sync_to_async") in found
    assert ("__init__", "atemplates.shortcuts.arender") in found
    assert ("engines.django", "atemplates.runtime.drivers.in_request_thread") in found
    assert ("engines.jinja2.backend", "atemplates.runtime.drivers.in_request_thread") in found


@pytest.mark.parametrize(
    ("file", "text", "wrong"),
    [
        ("placement/guard.py", "from .. import runtime", True),
        ("placement/guard.py", "from ..runtime.types import INERT", True),
        ("placement/guard.py", "import atemplates.runtime", True),
        ("runtime/drivers.py", "from ..compiler import plan", True),
        ("runtime/drivers.py", "def f():\n    from .. import engines", True),
        ("compiler/writer.py", "from ..drivers import run", True),
        ("compiler/writer.py", "from .. import drivers", True),
        ("compiler/writer.py", "from ..tags.flow import x", True),
        ("engines/base.py", "from ..shortcuts import arender", True),
        ("engines/jinja2/backend.py", "from ...shortcuts import arender", True),
        ("migration/report.py", "from ..drivers import run", True),
        ("engines/base.py", "from ..migration.report import Report", True),
        ("runtime/values.py", "from atemplates import arender", True),
        ("errors_too.py", "from .errors import Location", True),
        ("compiler/writer.py", "import asyncio", True),
        ("compiler/writer.py", "from asgiref.sync import sync_to_async", True),
        ("engines/base.py", "import asyncio.tasks", True),
        ("runtime/values.py", "from django.conf import settings", True),
        ("runtime/values.py", "from django import conf", True),
        ("compiler/writer.py", "import jinja2", True),
        ("runtime/drivers.py", "import asyncio", False),
        ("runtime/drivers.py", "from .waits import Wait", False),
        ("engines/base.py", "from django.conf import settings", False),
        ("engines/base.py", "from .options import Option", False),
        (
            "engines/jinja2/backend.py",
            "from ..base import x\nfrom ...runtime.drivers import run",
            False,
        ),
        ("migration/report.py", "from ..relations.paths import AccessPath", False),
        ("runtime/values.py", "from django.configuration import x", False),
    ],
)
def test_what_it_finds(tmp_path, file, text, wrong):
    path = tmp_path / PACKAGE / file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    found = list(imports_of(tmp_path / PACKAGE, PACKAGE))
    assert found
    assert any(against_the_arrows(each, PACKAGE) or out_of_place(each) for each in found) is wrong


@pytest.mark.processes
def test_the_engines_are_imported_without_settings():
    # A module that names an engine may be imported before a site's settings are there.
    environment = {
        name: text for name, text in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"
    }
    program = "import atemplates.engines.django, atemplates.engines.jinja2"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=Path(__file__).parent.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
