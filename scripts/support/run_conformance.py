"""scripts/conformance [SUITE]: run a template library's own tests through atemplates.

SUITE is "django" (default) or "jinja2". The library's source distribution, of the version
installed in this environment, is fetched with pip and kept in .venv/sources/.

Django's tests run once as they are, once with every render routed through the async driver on a
running event loop, and once through the sync driver. Jinja2's run with its own environments and
with ours, each in sync mode and with async mode turned on.

A failure that the stock library does not show on this machine makes the exit code 1.

DJANGO=5.2 scripts/conformance             another Django series
PYTHON=python3.13 scripts/conformance      another interpreter
"""

import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from comparison import Outcomes, compare
from environment import (
    ENVIRONMENTS,
    Environment,
    SetupError,
    environment_for,
    run_to_file,
)

SUPPORT = Path(__file__).resolve().parent
SOURCES = ENVIRONMENTS / "sources"
DETAILS_SHOWN = 10


@dataclass(frozen=True)
class Suite:
    """A library's own tests, and how to run them.

    Attributes:
        distribution: the library's name for pip.
        routes: each route, in the order in which they run, and the stock route that it is
            compared with.
        command: from the unpacked source to Python's arguments and the working directory.
        variables: environment variables of every run.
    """

    distribution: str
    routes: dict[str, str]
    command: Callable[[Path], tuple[list[str], Path]]
    variables: dict[str, str]


DJANGO_LABELS = (
    "template_tests",
    "template_backends",
    "template_loader",
    "shortcuts",
    "forms_tests",
    "humanize_tests",
    "i18n",
)


def django_command(source: Path) -> tuple[list[str], Path]:
    """Django's ``runtests.py`` with our settings, in one process so that results stay together."""
    tests = source / "tests"
    options = ["--settings=conformance_settings", "--parallel=1", "--noinput", "--verbosity=1"]
    return ["runtests.py", *options, *DJANGO_LABELS], tests


def jinja2_command(source: Path) -> tuple[list[str], Path]:
    """Jinja2's tests under pytest, with its own configuration and a plugin of ours."""
    # Its async tests start their own loops.
    options = [
        "-p",
        "conformance_plugin",
        "-p",
        "no:django",
        "-p",
        "no:asyncio",
        "-q",
        "--tb=short",
    ]
    return ["-m", "pytest", *options, "tests"], source


SUITES = {
    "django": Suite(
        distribution="django",
        routes={"async": "stock", "sync": "stock"},
        command=django_command,
        variables={"PYTHONPATH": str(SUPPORT / "django_suite")},
    ),
    "jinja2": Suite(
        distribution="jinja2",
        routes={"sync": "stock", "async": "stock-async"},
        command=jinja2_command,
        variables={"PYTHONPATH": str(SUPPORT / "jinja2_suite")},
    ),
}


def main(arguments: list[str]) -> int:
    """Run one suite; 0 when nothing differs from stock, 1 when something does, 2 for no result."""
    if arguments in (["-h"], ["--help"]):
        print((__doc__ or "").strip())
        return 0
    name = arguments[0] if arguments else "django"
    if len(arguments) > 1 or name not in SUITES:
        print(f"scripts/conformance: one of {', '.join(SUITES)} was expected", file=sys.stderr)
        return 2
    try:
        return run_suite(SUITES[name], environment_for("test"))
    except SetupError as error:
        print(error, file=sys.stderr)
        return 2


def run_suite(suite: Suite, environment: Environment) -> int:
    """Run the suite by every route and print how each compares with stock."""
    version = installed_version(environment, suite.distribution)
    source = fetch_source(environment, suite.distribution, version)
    print(f"{suite.distribution} {version}, its own tests, on Python of {environment.name}")
    with tempfile.TemporaryDirectory(prefix="atemplates-conformance-") as folder:
        stock: dict[str, Outcomes] = {}
        results = []
        for route, compared_with in suite.routes.items():
            if compared_with not in stock:
                stock[compared_with] = run_route(
                    suite, compared_with, source, environment, Path(folder)
                )
                report_stock(compared_with, stock[compared_with])
            routed = run_route(suite, route, source, environment, Path(folder))
            results.append(report(route, stock[compared_with], routed))
    return 0 if all(results) else 1


def report_stock(route: str, stock: Outcomes) -> None:
    """Print what the stock library's own run gave."""
    print(
        f"  {route}: {len(stock.with_outcome('passed', 'failed'))} run, "
        f"{len(stock.with_outcome('passed'))} passed, "
        f"{len(stock.with_outcome('failed'))} failed, "
        f"{len(stock.with_outcome('skipped'))} skipped",
        flush=True,
    )


def report(route: str, stock: Outcomes, routed: Outcomes) -> bool:
    """Print one route's comparison with stock; the result says whether nothing differs."""
    comparison = compare(stock, routed)
    print(
        f"  {route}: {comparison.ran} run, {comparison.passed} passed, "
        f"{len(comparison.shared) + len(comparison.ours)} failed, "
        f"{len(comparison.shared)} of these in stock too; {routed.renders} renders routed",
        flush=True,
    )
    for test in sorted(comparison.missing):
        print(f"    did not run: {test}")
    for number, test in enumerate(sorted(comparison.ours)):
        lines = routed.details[test].strip().splitlines()
        print(f"    failed only here: {test}\n      {lines[-1]}")
        if number < DETAILS_SHOWN:
            print("\n".join(f"      | {line}" for line in lines))
    if routed.renders == 0:
        print("    no render took this route, so the run shows nothing")
    return comparison.holds and routed.renders > 0


def run_route(
    suite: Suite, route: str, source: Path, environment: Environment, folder: Path
) -> Outcomes:
    """Run the suite by one route in a process of its own.

    Raises:
        SetupError: the process ended without results; the end of its output is in the text.
    """
    result, log = folder / f"{route}.json", folder / f"{route}.log"
    arguments, cwd = suite.command(source)
    variables = {"CONFORMANCE_ROUTE": route, "CONFORMANCE_RESULT": str(result), **suite.variables}
    started = time.monotonic()
    code = run_to_file(environment.command(*arguments), log, cwd=cwd, variables=variables)
    if not result.is_file():
        tail = "\n".join(log.read_text("utf-8", "replace").splitlines()[-40:])
        raise SetupError(
            f"The {route} run ended with code {code} after {time.monotonic() - started:.0f} s "
            f"and without results. The end of its output:\n{tail}"
        )
    return Outcomes.read(result)


def installed_version(environment: Environment, distribution: str) -> str:
    """The version of a distribution in the environment."""
    code = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"
    return environment.output("-c", code, distribution).strip()


def fetch_source(environment: Environment, distribution: str, version: str) -> Path:
    """Download and unpack the source distribution, once.

    Returns:
        The folder that it unpacked to.

    Raises:
        SetupError: pip could not download it.
    """
    target = SOURCES / f"{distribution}-{version}"
    if target.is_dir():
        return target
    print(f"Fetching the source of {distribution} {version} ...", flush=True)
    SOURCES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=SOURCES) as folder:
        options = ["-qq", "--disable-pip-version-check", "--no-deps", "--dest", folder]
        wanted = ["--no-binary", distribution, f"{distribution}=={version}"]
        if environment.run("-m", "pip", "download", *options, *wanted):
            raise SetupError(f"pip could not download the source of {distribution} {version}")
        (archive,) = Path(folder).glob("*.tar.gz")
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        (unpacked,) = (each for each in Path(folder).iterdir() if each.is_dir())
        try:
            unpacked.rename(target)
        except OSError:
            # Another run at the same time was first.
            if not target.is_dir():
                raise
    return target


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
