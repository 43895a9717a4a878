"""``python -m benchmarks.import_cost``: what importing and making both engines takes.

Each measurement is a process of its own in which Django, Jinja2 and Django's own two backends are
imported already. The shortest of several counts, since whatever else the machine does only adds.
Modules are compiled before; ``--package FOLDER`` measures another checkout in the same run, turn
by turn, and prints the ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
PROGRAM = """
import json, sys, time
import django
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
django.setup()
import django.template.backends.django, django.template.backends.jinja2
import asyncio, jinja2, jinja2.nativetypes, jinja2.sandbox
before = set(sys.modules)
start = time.perf_counter()
from atemplates.engines.django import DjangoTemplates
from atemplates.engines.jinja2 import Jinja2
for backend in (DjangoTemplates, Jinja2):
    backend({"NAME": "x", "DIRS": [], "APP_DIRS": False, "OPTIONS": {}})
seconds = time.perf_counter() - start
modules = set(sys.modules) - before
print(json.dumps([seconds * 1000, sum(name.startswith("atemplates") for name in modules)]))
"""


def measured(package: Path, cache: Path) -> tuple[float, int]:
    """Measure once, in a process.

    Args:
        package: the checkout whose ``atemplates`` is imported.
        cache: where compiled modules are kept.

    Returns:
        Milliseconds, and how many modules of ours were imported.
    """
    environment = {**os.environ, "PYTHONPATH": str(package), "PYTHONPYCACHEPREFIX": str(cache)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, env=environment, cwd=package, capture_output=True, check=True)
    milliseconds, modules = json.loads(done.stdout)
    return float(milliseconds), int(modules)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; always 0, since one machine's milliseconds are not another's."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.import_cost", description=__doc__)
    parser.add_argument("--package", type=Path, metavar="FOLDER", help="a checkout to compare with")
    parser.add_argument("--times", type=int, default=15, help="measurements of each (default: 15)")
    options = parser.parse_args(arguments)
    packages = [HERE, *([options.package.resolve()] if options.package else [])]
    found: dict[Path, list[float]] = {package: [] for package in packages}
    with tempfile.TemporaryDirectory() as cache:
        for number in range(options.times + 1):
            for package in packages:
                milliseconds, modules = measured(package, Path(cache))
                if number:  # the first one compiles the modules
                    found[package].append(milliseconds)
                elif package is HERE:
                    print(f"{modules} modules of atemplates are imported")
    for package, times in found.items():
        name = "this checkout" if package is HERE else "the other"
        print(f"{name}: {min(times):.1f} ms")
    if options.package:
        ours, other = (min(times) for times in found.values())
        print(f"ratio: {ours / other:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
