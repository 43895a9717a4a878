"""The pytest plugin: which tests make templates reach for what their views did not load.

Does nothing until it is asked: by ``--lazy-report``, by ``--lazy-fail``, by the marker
``@pytest.mark.lazy(...)`` or by the fixture ``lazy_log``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .relations.events import Event
    from .testing import Log

PLUGIN_POLICIES = {"raise": "raise", "warn": "warn", "allow": None}
MARKER = (
    "lazy(policy): what a template of this test may do about relations that its view did not load: "
    '"raise" (an error), "warn" (a LazyAccessWarning) or "allow" (--lazy-fail lets it pass).'
)
TERMINAL = "-"
SENT = "atemplates_lazy"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the two options."""
    group = parser.getgroup("atemplates", "lazy access in templates (atemplates)")
    group.addoption(
        "--lazy-report",
        nargs="?",
        const=TERMINAL,
        metavar="FILE",
        help="List what templates loaded that their views could have loaded; with =FILE, also "
        "write it as a recording for 'manage.py atemplates lazy --recording FILE'.",
    )
    group.addoption(
        "--lazy-fail",
        action="store_true",
        help="Fail each test in which a template loads what its view could have loaded.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and the reporter when a report is asked for.

    Raises:
        pytest.UsageError: ``--lazy-report`` names a folder, or a folder that is not there.
    """
    config.addinivalue_line("markers", MARKER)
    wanted = config.getoption("lazy_report")
    if wanted is None:
        return
    if wanted != TERMINAL:
        check_file(Path(wanted))
    config.pluginmanager.register(AccessReporter(config, wanted), "atemplates_lazy_reporter")


def check_file(file: Path) -> None:
    """Refuse what cannot be written, before the tests run.

    Raises:
        pytest.UsageError: it is a folder, or its folder is not there.
    """
    if file.is_dir() or "::" in file.name or (file.exists() and file.suffix == ".py"):
        raise pytest.UsageError(
            f"--lazy-report got {str(file)!r} for the file to write. Write --lazy-report=FILE, or "
            "put a bare --lazy-report behind the tests."
        )
    if not file.parent.is_dir():
        raise pytest.UsageError(f"--lazy-report={file}: there is no folder {file.parent}.")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Check every marker before the first test runs."""
    for item in items:
        marked_policy(item)


def marked_policy(item: pytest.Item) -> str:
    """Return what a test's nearest ``lazy`` marker says, or an empty string.

    Raises:
        pytest.UsageError: it says something else than the three allowed words.
    """
    marker = item.get_closest_marker("lazy")
    if marker is None:
        return ""
    if len(marker.args) == 1 and not marker.kwargs and marker.args[0] in [*PLUGIN_POLICIES]:
        return str(marker.args[0])
    given = ", ".join([*map(repr, marker.args), *(f"{k}={v!r}" for k, v in marker.kwargs.items())])
    raise pytest.UsageError(
        f"{item.nodeid}: @pytest.mark.lazy({given}): expected one of "
        f"{', '.join(map(repr, PLUGIN_POLICIES))}."
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Run a test under its marker's policy, and with ``--lazy-fail`` look at what it loaded."""
    marked = marked_policy(item)
    failing = item.config.getoption("lazy_fail") and marked != "allow"
    if not failing and PLUGIN_POLICIES.get(marked) is None:
        return (yield)
    # Not before: a test run that does not ask must not pay for importing Django's models.
    from .relations.policy import observe_everywhere, relations_everywhere

    seen: list[Event] = []
    with ExitStack() as stack:
        if failing:
            stack.callback(observe_everywhere(seen.append))
        policy = PLUGIN_POLICIES.get(marked)
        if policy is not None:
            stack.enter_context(relations_everywhere(policy))
        result = yield
    lazy = [event for event in seen if event.is_lazy]
    if lazy:
        pytest.fail(failure_text(lazy), pytrace=False)
    return result


def failure_text(events: list[Event]) -> str:
    """Say what a test's templates loaded, and which calls would have loaded it."""
    from .migration.recordings import Recording, access_record
    from .migration.summary import summary_lines

    recording = Recording()
    files: dict[str, dict[str, None]] = {}
    suggestions = {}
    for event in events:
        record = access_record(event)
        recording.add(record)
        suggestions[record.place_key] = event.suggestion
        if event.file:
            files.setdefault(event.template, {})[event.file] = None
    named = {template: " or ".join(found) for template, found in files.items()}
    lines = summary_lines(recording, named, suggestions)
    return "\n".join(["Templates loaded what their views did not:", *lines])


@pytest.fixture
def lazy_log() -> Iterator[Log]:
    """The events of every render in this test, from any thread; ``lazy_log.lazy`` those to fix."""
    from .relations.policy import observe_everywhere
    from .testing import Log

    log = Log()
    end = observe_everywhere(log.append)
    yield log
    end()


class AccessReporter:
    """Collects the events of a whole run, in this process and in the workers of xdist."""

    def __init__(self, config: pytest.Config, wanted: str) -> None:
        from .migration.recordings import Recording

        self.config = config
        self.file = None if wanted == TERMINAL else Path(wanted)
        self.recording = Recording()
        self.lost: list[str] = []
        self.end: Callable[[], None] | None = None

    @property
    def is_worker(self) -> bool:
        """Whether this process runs tests for another one that reports."""
        return hasattr(self.config, "workerinput")

    def pytest_sessionstart(self) -> None:
        """Begin to observe."""
        from .migration.recordings import access_record
        from .relations.policy import observe_everywhere

        def note(event: Event) -> None:
            if event.kind != "load":  # which no template caused
                self.recording.add(access_record(event))

        self.end = observe_everywhere(note)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Stop; send what was seen to the controller, or write the file."""
        if self.end is not None:
            self.end()
        if self.is_worker:
            lines = [json.loads(record.as_line()) for record in self.recording]
            output: dict[str, Any] = vars(self.config)["workeroutput"]
            output[SENT] = lines
        elif self.file is not None:
            from .migration.recordings import write_recordings

            write_recordings(self.file, self.recording)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: Any) -> None:
        """Take over what a worker has seen."""
        from .migration.recordings import record_from

        sent = getattr(node, "workeroutput", {}).get(SENT)
        if sent is None:
            self.lost.append(node.gateway.id)
            return
        for values in sent:
            self.recording.add(record_from(values))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the report."""
        from .migration.summary import summary_lines

        write = terminalreporter.write_line
        terminalreporter.section("lazy access in templates")
        for worker in self.lost:
            write(f"Worker {worker} ended early: what its tests loaded is missing here.")
        lines = summary_lines(self.recording)
        for line in lines or ["Nothing: every template found what it needed."]:
            write(line)
        if self.file is not None:
            write(f"Written to {self.file}; see 'manage.py atemplates lazy --recording FILE'.")
