"""scripts/conformance [SUITE]: run a library's own tests through atemplates.

SUITE is one of these. The library's source distribution, of the version installed in this
environment, is fetched with pip and kept in .venv/sources/.

django (default)  Django's tests of templates: as they are, with every render routed through the
                  async driver on a running event loop, through the sync driver, and through a
                  stream whose chunks are joined, usual and sent at each write
views             Django's tests of class-based views, template responses and error handlers: with
                  its classes and with ours, the test client's requests through WSGI and ASGI
jinja2            Jinja2's tests: with its environments and with ours, in sync and in async mode,
                  rendered whole and sent in pieces that are joined

A failure that the stock library does not show on this machine makes the exit code 1.

DJANGO=5.2 scripts/conformance             another Django series
PYTHON=python3.13 scripts/conformance      another interpreter
"""

import sys
import tarfile
import tempfile
import textwrap
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from comparison import Excuse, Outcomes, compare
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
        excuses: for ids of tests that may fail with ours, why.
    """

    distribution: str
    routes: dict[str, str]
    command: Callable[[Path], tuple[list[str], Path]]
    variables: dict[str, str]
    excuses: dict[str, Excuse] = field(default_factory=dict)


DJANGO_LABELS = (
    "template_tests",
    "template_backends",
    "template_loader",
    "shortcuts",
    "forms_tests",
    "humanize_tests",
    "i18n",
)

VIEWS_LABELS = (
    "generic_views",
    "template_tests.test_response",
    "auth_tests.test_mixins",
    "auth_tests.test_views",
    "view_tests.tests.test_defaults",
    "view_tests.tests.test_i18n",
    "async",
    "cache.tests.TestWithTemplateResponse",
    "handlers",
    "messages_tests",
    "middleware_exceptions",
    "sitemaps_tests",
    "test_client",
    "test_client_regress",
    "utils_tests.test_decorators",
)


def django_command(source: Path) -> tuple[list[str], Path]:
    """Django's own tests of templates."""
    return runtests(source, "conformance_settings", DJANGO_LABELS)


def views_command(source: Path) -> tuple[list[str], Path]:
    """Django's own tests of class-based views and responses."""
    return runtests(source, "views_settings", VIEWS_LABELS)


def runtests(source: Path, settings: str, labels: tuple[str, ...]) -> tuple[list[str], Path]:
    """Django's ``runtests.py``, in one process so that results stay together."""
    options = [f"--settings={settings}", "--parallel=1", "--noinput", "--verbosity=1"]
    return ["runtests.py", *options, *labels], source / "tests"


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


CALLED_IN_A_THREAD = (
    "It calls a method of an async view where no event loop is running. There ours gives the "
    "response itself and no coroutine; on a loop it is awaited, as Django's."
)
VIEWS_EXCUSES = {
    "async.tests.ViewTests.test_options_handler_responds_correctly": Excuse(
        "AssertionError: False is not True", CALLED_IN_A_THREAD
    ),
    "async.tests.ViewTests.test_http_method_not_allowed_responds_correctly": Excuse(
        "AssertionError: False is not True", CALLED_IN_A_THREAD
    ),
    "auth_tests.test_views.LoginTest.test_login_csrf_rotate": Excuse(
        "AttributeError: 'coroutine' object has no attribute 'cookies'",
        "It wraps the view itself in a middleware. Ours is an async view, for which Django's "
        "middleware is async.",
    ),
}

SUITES = {
    "django": Suite(
        distribution="django",
        routes=dict.fromkeys(("async", "sync", "stream", "eager"), "stock"),
        command=django_command,
        variables={"PYTHONPATH": str(SUPPORT / "django_suite")},
    ),
    "views": Suite(
        distribution="django",
        routes={"wsgi": "stock", "asgi": "stock-asgi", "asgi-hops": "stock-asgi"},
        command=views_command,
        variables={"PYTHONPATH": str(SUPPORT / "django_suite")},
        excuses=VIEWS_EXCUSES,
    ),
    "jinja2": Suite(
        distribution="jinja2",
        routes={
            "sync": "stock",
            "async": "stock-async",
            "pieces": "stock",
            "pieces-async": "stock-async",
        },
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
            results.append(report(route, stock[compared_with], routed, suite.excuses))
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


def report(
    route: str, stock: Outcomes, routed: Outcomes, excuses: Mapping[str, Excuse] | None = None
) -> bool:
    """Print one route's comparison with stock; the result says whether nothing differs."""
    comparison = compare(stock, routed, excuses)
    print(
        f"  {route}: {comparison.ran} run, {comparison.passed} passed, "
        f"{comparison.ran - comparison.passed} failed, "
        f"{len(comparison.shared)} of these in stock too; {listed(routed.routed)} routed",
        flush=True,
    )
    for test in sorted(comparison.missing):
        print(f"    did not run: {test}")
    for test in sorted(comparison.shared):
        print(f"    failed in stock too: {test}")
    for test, reason in sorted(comparison.excused.items()):
        print(f"    failed only here, which is right: {test}\n      {reason}")
    for number, test in enumerate(sorted(comparison.ours)):
        print(f"    failed only here: {test}\n      {routed.last_line(test)}")
        if number < DETAILS_SHOWN:
            print(textwrap.indent(routed.details[test].strip(), "      | ", lambda line: True))
    for kind in routed.untaken:
        print(f"    no {kind} took this route, so the run shows nothing")
    return comparison.holds and not routed.untaken


def listed(routed: dict[str, int]) -> str:
    """How often each kind of thing took a route, in words."""
    return ", ".join(f"{count} {kind}" for kind, count in routed.items())


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
