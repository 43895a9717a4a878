"""The pytest plugin, in runs of pytest of their own."""

import sys
from pathlib import Path

import pytest

from atemplates.migration.recordings import read

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


@pytest.fixture
def run(pytester, monkeypatch):
    """Return a function: the text of a test module, arguments -> the result of its run."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    for name in ("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER"):
        monkeypatch.delenv(name, raising=False)
    pytester.makepyfile(a_settings=SETTINGS)
    pytester.makeini(
        """
        [pytest]
        DJANGO_SETTINGS_MODULE = a_settings
        django_find_project = false
        pythonpath = .
        asyncio_mode = auto
        asyncio_default_fixture_loop_scope = function
        filterwarnings = error
        addopts = --strict-markers -p no:cacheprovider
        """
    )

    def run(tests, *arguments):
        pytester.makepyfile(test_page=TESTS + tests)
        plugin = [] if is_installed() else ["-p", "atemplates.pytest_plugin"]
        return pytester.run(sys.executable, "-m", "pytest", *plugin, *arguments)

    return run


def is_installed():
    """Whether pytest finds the plugin by itself."""
    from importlib.metadata import entry_points

    return any(each.value == "atemplates.pytest_plugin" for each in entry_points(group="pytest11"))


def test_it_does_nothing_until_asked(run):
    result = run("def test_it(): page().render(lazy())")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*lazy access*")


def test_a_report_at_the_end(run):
    result = run(
        "def test_it(): page().render(lazy())\ndef test_again(): page().render(lazy())",
        "--lazy-report",
    )
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "*lazy access in templates*",
            "*line 1: {{ p.content_type.model }} loads permissions[[][]].content_type*2x*",
        ]
    )


def test_a_report_without_anything_says_so(run):
    result = run("def test_it(): page().render(loaded())", "--lazy-report")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*lazy access in templates*", "Nothing: *"])


def test_a_report_to_a_file_is_a_recording(run, pytester):
    result = run("def test_it(): page().render(lazy())", "--lazy-report=found.jsonl")
    result.assert_outcomes(passed=1)
    recording = read([pytester.path / "found.jsonl"])
    assert recording.problems == []
    assert {record.path for record in recording if record.is_lazy} == {("[]", "content_type")}


@pytest.mark.parametrize("value", [".", "test_page.py", "test_page.py::test_it", "no/such/x.jsonl"])
def test_a_report_file_that_cannot_be_meant(run, value):
    result = run("def test_it(): pass", f"--lazy-report={value}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--lazy-report*"])


ASYNC = "async def test_async(): await page().render_async(await sync_to_async(lazy)())\n"


@pytest.mark.parametrize(
    "tests",
    [
        "def test_it(): page().render(lazy())\n",
        ASYNC,
        "from django.test import TestCase\n"
        "class Test(TestCase):\n    def test_it(self): page().render(lazy())\n",
        "from django.test import TestCase\n"
        "class Test(TestCase):\n"
        "    async def test_it(self): await page().render_async(lazy())\n",
        "from threading import Thread\n"
        "from django.db import connection\n"
        "from asgiref.sync import async_to_sync\n"
        "def test_it(): async_to_sync(page().render_async)(lazy())\n",
    ],
    ids=["sync", "async", "TestCase", "async TestCase", "other thread"],
)
def test_lazy_fail(run, tests):
    result = run(tests, "--lazy-fail")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["Templates loaded what their views did not:", "*line 1: *", "*Add .select_related(*"]
    )


def test_lazy_fail_lets_pass_what_is_loaded_or_allowed(run):
    result = run(
        """
def test_loaded(): page().render(loaded())
@pytest.mark.lazy("allow")
def test_allowed(): page().render(lazy())
def test_own_failure():
    page().render(lazy())
    assert 0, "its own"
""",
        "--lazy-fail",
    )
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*its own*"])
    result.stdout.no_fnmatch_line("*their views did not*")


def test_the_marker_raises_and_warns(run):
    result = run(
        """
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
"""
    )
    result.assert_outcomes(passed=5)


@pytest.mark.parametrize("arguments", ['"no"', "", '"raise", "warn"', 'policy="raise"', "[]"])
def test_a_marker_that_says_something_else(run, arguments):
    result = run(f"@pytest.mark.lazy({arguments})\ndef test_it(): pass")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*test_it: @pytest.mark.lazy(*): expected one of 'raise', *"])


def test_the_log(run):
    result = run(
        """
def test_sync(lazy_log):
    page().render(loaded())
    assert not lazy_log.lazy
    page().render(lazy())
    (event,) = lazy_log.lazy
    assert event.path == ("[]", "content_type")
async def test_async(lazy_log):
    await page().render_async(await sync_to_async(lazy)())
    assert len(lazy_log.lazy) == 1
def test_empty(lazy_log): assert lazy_log == []
"""
    )
    result.assert_outcomes(passed=3)


def test_with_xdist_the_controller_reports(run, pytester):
    tests = "".join(f"def test_{number}(): page().render(lazy())\n" for number in range(4))
    result = run(tests, "-n2", "--dist=each", "--lazy-report=found.jsonl")
    result.assert_outcomes(passed=8)
    result.stdout.fnmatch_lines(["*lazy access in templates*", "*content_type*8x*"])
    (record,) = [record for record in read([pytester.path / "found.jsonl"]) if record.is_lazy]
    assert record.times == 8


def test_a_worker_that_dies_is_named(run):
    result = run(
        "import os\ndef test_dies(): os._exit(3)\n",
        "-n1",
        "--max-worker-restart=0",
        "--lazy-report",
    )
    result.stdout.fnmatch_lines(["*lazy access in templates*", "Worker gw0 ended early*"])
