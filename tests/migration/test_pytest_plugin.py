"""The pytest plugin, in runs of pytest of their own.

A run serves all the tests that can tell from it: it takes seconds to start. What pytest refuses
before the first test needs no Django, and so no process either.
"""

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from atemplates.migration.recordings import read_recordings

pytest_plugins = ["pytester"]
ROOT = Path(__file__).resolve().parents[2]

TESTS = """
import pytest
from django.contrib.auth.models import Permission
from django.template import engines
from asgiref.sync import sync_to_async

PAGE = "{% for p in permissions %}{{ p.content_type.model }} {% endfor %}"

def page():
    return engines["django"].from_string(PAGE)

def lazy():
    return {"permissions": Permission.objects.all()}

def loaded():
    return {"permissions": Permission.objects.select_related("content_type")}

pytestmark = pytest.mark.django_db
"""
SETTINGS = """
SECRET_KEY = "x"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
TEMPLATES = [{"BACKEND": "atemplates.engines.django.DjangoTemplates", "APP_DIRS": True}]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""
INI = """
[pytest]
DJANGO_SETTINGS_MODULE = a_settings
django_find_project = false
pythonpath = .
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
filterwarnings = error
addopts = --strict-markers -p no:cacheprovider
"""
REPORTED = "*line 1: {{ p.content_type.model }} loads permissions[[][]].content_type*"


def plugin():
    """The option that loads the plugin where pytest does not find it by itself."""
    found = any(each.value == "atemplates.pytest_plugin" for each in entry_points(group="pytest11"))
    return [] if found else ["-p", "atemplates.pytest_plugin"]


class Run:
    """A run of pytest.

    Attributes:
        folder: where it ran.
        stdout: its output, to match lines with.
        failures: the text of each test that failed, by its name.
        passed: the names of the tests that passed, in the order in which they ran.
    """

    def __init__(self, folder, tests, *arguments):
        self.folder = folder
        (folder / "pytest.ini").write_text(INI)
        (folder / "a_settings.py").write_text(SETTINGS)
        (folder / "test_page.py").write_text(TESTS + tests)
        ours = ("PYTEST_", "DJANGO_SETTINGS_MODULE")
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *plugin(), "--junitxml=results.xml", *arguments],
            cwd=folder,
            env=inherited | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        print(done.stdout, done.stderr)
        self.stdout = pytest.LineMatcher(done.stdout.splitlines())
        cases = [*ElementTree.parse(folder / "results.xml").iter("testcase")]
        unhappy = {case.get("name"): [*case] for case in cases if len(case)}
        self.failures = {
            name: "".join(each.text for each in found if each.tag == "failure")
            for name, found in unhappy.items()
        }
        self.passed = [case.get("name") for case in cases if not len(case)]


@pytest.fixture
def run(tmp_path):
    """Return a function: the text of a test module, arguments -> the result of its run."""
    return lambda tests, *arguments: Run(tmp_path, tests, *arguments)


@pytest.mark.processes
def test_without_options_it_does_what_tests_ask_for_and_nothing_else(run):
    result = run(
        """
def test_nothing(): page().render(lazy())

from atemplates.testing import LazyAccessError, LazyAccessWarning
@pytest.mark.lazy("raise")
def test_raise():
    with pytest.raises(LazyAccessError): page().render(lazy())
@pytest.mark.lazy("raise")
async def test_raise_async():
    with pytest.raises(LazyAccessError):
        await page().render_async(await sync_to_async(lazy)())
@pytest.mark.lazy("warn")
class TestWarn:
    def test_warn(self):
        with pytest.warns(LazyAccessWarning): page().render(lazy())
    @pytest.mark.lazy("allow")
    def test_nearest(self): page().render(lazy())
def test_after(): page().render(lazy())

def test_log(lazy_log):
    page().render(loaded())
    assert not lazy_log.lazy
    page().render(lazy())
    (event,) = lazy_log.lazy
    assert event.path == ("[]", "content_type")
async def test_log_async(lazy_log):
    await page().render_async(await sync_to_async(lazy)())
    assert len(lazy_log.lazy) == 1
def test_log_empty(lazy_log): assert lazy_log == []
"""
    )
    assert result.failures == {}
    assert len(result.passed) == 9
    result.stdout.no_fnmatch_line("*lazy access*")


@pytest.mark.processes
def test_a_report_at_the_end(run):
    result = run(
        "def test_it(): page().render(lazy())\ndef test_again(): page().render(lazy())",
        "--lazy-report",
    )
    assert result.passed == ["test_it", "test_again"]
    result.stdout.fnmatch_lines(["*lazy access in templates*", f"{REPORTED}2x*"])


@pytest.mark.processes
def test_a_report_without_anything_says_so(run):
    result = run("def test_it(): page().render(loaded())", "--lazy-report")
    assert result.passed == ["test_it"]
    result.stdout.fnmatch_lines(["*lazy access in templates*", "Nothing: *"])


@pytest.mark.processes
def test_a_report_to_a_file_is_a_recording(run):
    result = run("def test_it(): page().render(lazy())", "--lazy-report=found.jsonl")
    assert result.passed == ["test_it"]
    recording = read_recordings([result.folder / "found.jsonl"])
    assert recording.problems == []
    assert {record.path for record in recording if record.is_lazy} == {("[]", "content_type")}


LAZY_FAIL_TESTS = """
from threading import Thread
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import TestCase

def test_sync(): page().render(lazy())

async def test_async(): await page().render_async(await sync_to_async(lazy)())

class Test(TestCase):
    def test_of_a_class(self): page().render(lazy())
    async def test_of_a_class_async(self): await page().render_async(lazy())

def test_other_thread(): async_to_sync(page().render_async)(lazy())

def test_loaded(): page().render(loaded())
@pytest.mark.lazy("allow")
def test_allowed(): page().render(lazy())
def test_own_failure():
    page().render(lazy())
    assert 0, "its own"
"""
LAZY = [
    "test_sync",
    "test_async",
    "test_of_a_class",
    "test_of_a_class_async",
    "test_other_thread",
]


@pytest.fixture(scope="module")
def lazy_fail(tmp_path_factory):
    """The run of `LAZY_FAIL_TESTS` with ``--lazy-fail``."""
    return Run(tmp_path_factory.mktemp("lazy_fail"), LAZY_FAIL_TESTS, "--lazy-fail")


@pytest.mark.processes
class TestLazyFail:
    @pytest.mark.parametrize("name", LAZY)
    def test_what_loads_fails(self, lazy_fail, name):
        lines = pytest.LineMatcher(lazy_fail.failures[name].splitlines())
        lines.fnmatch_lines(["Templates loaded what their views did not:", "*line 1: *"])

    def test_what_is_loaded_or_allowed_passes(self, lazy_fail):
        assert lazy_fail.passed == ["test_loaded", "test_allowed"]

    def test_a_failure_of_its_own_stays_that(self, lazy_fail):
        assert set(lazy_fail.failures) == {*LAZY, "test_own_failure"}
        own = pytest.LineMatcher(lazy_fail.failures["test_own_failure"].splitlines())
        own.fnmatch_lines(["*its own*"])
        own.no_fnmatch_line("*their views did not*")


@pytest.mark.processes
def test_with_xdist_the_controller_reports(run):
    tests = "".join(f"def test_{number}(): page().render(lazy())\n" for number in range(4))
    result = run(tests, "-n2", "--dist=each", "--lazy-report=found.jsonl")
    assert len(result.passed) == 8
    assert result.failures == {}
    result.stdout.fnmatch_lines(["*lazy access in templates*", "*content_type*8x*"])
    (record,) = [
        record for record in read_recordings([result.folder / "found.jsonl"]) if record.is_lazy
    ]
    assert record.times == 8


@pytest.mark.processes
def test_a_worker_that_dies_is_named(run):
    result = run(
        "import os\ndef test_dies(): os._exit(3)\n",
        "-n1",
        "--max-worker-restart=0",
        "--lazy-report",
    )
    result.stdout.fnmatch_lines(["*lazy access in templates*", "Worker gw0 ended early*"])


@pytest.fixture
def refused(pytester, monkeypatch):
    """Return a function: the text of a test module, arguments -> what pytest says against it."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    pytester.makeini("[pytest]\nfilterwarnings = error\naddopts = --strict-markers\n")
    # This process has a watchdog, settings and an event loop, which a run in it must not touch.
    without = ["faulthandler", "django", "asyncio", "cacheprovider"]

    def refused(tests, *arguments):
        pytester.makepyfile(test_page=f"import pytest\n{tests}")
        disabled = [f"-pno:{name}" for name in without]
        result = pytester.runpytest_inprocess(*plugin(), *disabled, *arguments)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        return result.stderr

    return refused


@pytest.mark.parametrize("value", [".", "test_page.py", "test_page.py::test_it", "no/such/x.jsonl"])
def test_a_report_file_that_cannot_be_meant(refused, value):
    refused("def test_it(): pass", f"--lazy-report={value}").fnmatch_lines(["*--lazy-report*"])


@pytest.mark.parametrize("arguments", ['"no"', "", '"raise", "warn"', 'policy="raise"', "[]"])
def test_a_marker_that_says_something_else(refused, arguments):
    refused(f"@pytest.mark.lazy({arguments})\ndef test_it(): pass").fnmatch_lines(
        ["*test_it: @pytest.mark.lazy(*): expected one of 'raise', *"]
    )
