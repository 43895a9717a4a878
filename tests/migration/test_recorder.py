"""The recorder: what renders load, as lines of a file that several processes may share."""

import json
import os
import socket
import subprocess
import sys
from inspect import getsource
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import resolve

from atemplates.engines.django import DjangoTemplates
from atemplates.migration.recorder import Recorder
from atemplates.migration.recordings import read_recordings
from atemplates.relations.batch_loading import HAS_FETCH_MODES
from atemplates.relations.events import Event
from tests.testapp.models import Animal

pytestmark = pytest.mark.django_db(databases=["default", "other"])

PAGE = "{% for animal in animals %}{{ animal.home.name }}\n{{ animal.label }}{% endfor %}"


def backend(file, **recorder):
    return DjangoTemplates(
        {
            "NAME": "recorded",
            "DIRS": [],
            "APP_DIRS": False,
            "OPTIONS": {
                "recorder": {"file": file, **recorder},
                "loaders": [("django.template.loaders.locmem.Loader", {"page.html": PAGE})],
            },
        }
    )


def event(number=1, **values):
    defaults = {
        "template": "a.html",
        "line": 3,
        "expression": "b.author",
        "root": "b",
        "path": ("author",),
        "kind": "relation",
        "model": "shop.Book",
        "rows": number,
        "milliseconds": 0.5,
    }
    return Event(**{**defaults, **values})


@pytest.fixture
def file(tmp_path):
    return tmp_path / "recording.jsonl"


def request_to(path: str) -> HttpRequest:
    request = RequestFactory().get(path)
    request.resolver_match = resolve(path)
    return request


async def test_an_access_with_its_place_its_path_and_its_view(zoo, file):
    page = backend(file).get_template("page.html")
    await page.render_async({"animals": Animal.objects.all()}, request_to("/search/"))
    found = {record.path: record for record in read_recordings([file])}
    record = found["[]", "home"]
    assert (record.template, record.line, record.expression) == (
        "page.html",
        1,
        "animal.home.name",
    )
    assert (record.root, record.kind, record.model) == ("animals", "relation", "testapp.Animal")
    assert record.view == resolve("/search/").view_name
    assert record.rows > 1
    assert record.batch
    assert record.is_lazy
    assert not found[()].is_lazy, "the queryset itself is the view's"


@pytest.mark.skipif(
    not HAS_FETCH_MODES, reason="fetch modes, which know the property's line, came with Django 6.1"
)
async def test_lazy_access_inside_python_names_the_propertys_own_line(zoo, file):
    page = backend(file).get_template("page.html")
    await page.render_async({"animals": Animal.objects.all()})
    sources = [record.source for record in read_recordings([file]) if record.kind == "python"]
    lines = getsource(sys.modules[Animal.__module__]).splitlines()
    assert sources
    for source in sources:
        name, _, line = source.rpartition(":")
        assert name.endswith("testapp/models.py")
        assert "self.mother" in lines[int(line) - 1]


async def test_the_same_access_is_one_line_and_its_count(zoo, file):
    one = backend(file)
    page = one.get_template("page.html")
    for _ in range(3):
        await page.render_async({"animals": Animal.objects.all()})
    lines = file.read_bytes().splitlines()
    assert len(lines) == len(set(lines))
    one.engine.atemplates_recorder.close()
    times = {record.path: record.times for record in read_recordings([file])}
    assert times["[]", "home"] == 3


async def test_nothing_is_recorded_at_rate_0(zoo, file):
    page = backend(file, rate=0).get_template("page.html")
    await page.render_async({"animals": Animal.objects.all()})
    assert not file.exists()


@pytest.mark.parametrize("rate", [None, 0, 1])
def test_without_a_recorder_nothing_of_it_runs(zoo, file, rate):
    """Counted by Python itself: which of our modules a render calls into."""
    options = {"recorder": None} if rate is None else {"recorder": {"file": file, "rate": rate}}
    loaders = [("django.template.loaders.locmem.Loader", {"page.html": PAGE})]
    params = {
        "NAME": "x",
        "DIRS": [],
        "APP_DIRS": False,
        "OPTIONS": {**options, "loaders": loaders},
    }
    page = DjangoTemplates(params).get_template("page.html")
    page.render({"animals": Animal.objects.all()})
    called = set()
    sys.setprofile(lambda frame, event, argument: called.add(Path(frame.f_code.co_filename)))
    try:
        page.render({"animals": Animal.objects.all()})
    finally:
        sys.setprofile(None)
    ours = {each.stem for each in called if each.parts[-3:-1] == ("atemplates", "migration")}
    assert ours == {None: set(), 0: {"recorder"}, 1: {"recorder", "recordings"}}[rate]


def test_rate_is_a_share_of_the_renders(file, monkeypatch):
    drawn = iter([0.05, 0.5, 0.0999, 0.1])
    monkeypatch.setattr("atemplates.migration.recorder.random", lambda: next(drawn))
    recorder = Recorder(file, rate=0.1)
    assert [recorder.takes() for _ in range(4)] == [True, False, True, False]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"rate": 1},
        {"file": ""},
        {"file": 3},
        {"file": "x", "rate": 2},
        {"file": "x", "rate": -1},
        {"file": "x", "rate": True},
        {"file": "x", "rate": "1"},
        {"file": "x", "colour": 1},
        "x",
        True,
    ],
)
def test_wrong_options(wrong):
    options = {"recorder": wrong}
    with pytest.raises(ImproperlyConfigured, match=r"'recorder'.*'file'"):
        DjangoTemplates({"NAME": "x", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})


def test_counts_are_written_after_the_interval_and_when_it_closes(file):
    recorder = Recorder(file, interval=1000)
    for _ in range(3):
        recorder.observe(event())
    assert len(file.read_bytes().splitlines()) == 1
    recorder.interval = 0
    recorder.observe(event())
    assert [record.times for record in read_recordings([file])] == [4]
    recorder.interval = 1000
    recorder.observe(event(number=9))
    recorder.close()
    (record,) = read_recordings([file])
    assert (record.times, record.rows) == (5, 9)
    recorder.close()


def unwritable(tmp_path, kind):
    """The name of something that nothing can be recorded to."""
    file = tmp_path / "recording\n::error::.jsonl"
    if kind == "no folder":
        return tmp_path / "no" / "folder.jsonl"
    if kind == "FIFO":
        os.mkfifo(file)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(file))
    elif kind == "folder":
        file.mkdir()
    elif kind == "link to a FIFO":
        os.mkfifo(tmp_path / "fifo")
        file.symlink_to(tmp_path / "fifo")
    elif kind == "device":
        return Path("/dev/full")
    elif kind == "null character":
        return tmp_path / "a\0b"
    return file


UNWRITABLE = {
    "no folder": "No such file",
    "FIFO": "a FIFO",
    "link to a FIFO": "a FIFO",
    "socket": "a socket",
    "folder": "a folder",
    "device": "a device",
    "null character": "null",
}


@pytest.mark.skipif(os.name != "posix", reason="FIFOs and devices are files of POSIX")
@pytest.mark.parametrize("kind", UNWRITABLE)
def test_a_file_that_cannot_be_written_is_logged_once_and_stops_no_page(
    zoo, tmp_path, caplog, kind
):
    page = backend(unwritable(tmp_path, kind)).get_template("page.html")
    for _ in range(2):
        assert "\n" in page.render({"animals": Animal.objects.all()})
    (said,) = [each for each in caplog.records if each.name == "atemplates"]
    assert "has stopped" in said.getMessage()
    assert UNWRITABLE[kind] in said.getMessage()
    assert "\n" not in said.getMessage()
    assert "\0" not in said.getMessage()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a system without FIFOs")
def test_a_fifo_that_is_read_is_not_written_to(tmp_path, caplog):
    """Its buffer would be full some day, and the page wait for the reader."""
    os.mkfifo(tmp_path / "fifo")
    reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    try:
        Recorder(tmp_path / "fifo").observe(event())
        assert os.read(reader, 100) == b""
    finally:
        os.close(reader)
    assert "a FIFO" in caplog.text


def test_a_record_that_is_no_json_is_logged(file, caplog):
    recorder = Recorder(file)
    recorder.observe(event(expression=b"bytes"))
    assert "not JSON serializable" in caplog.text


MANY = """
import sys
from pathlib import Path
from atemplates.migration.recorder import Recorder
from atemplates.relations.events import Event
from atemplates.relations.batch_loading import HAS_FETCH_MODES
recorder = Recorder(Path(sys.argv[1]))
for number in range(300):
    recorder.observe(Event("t" * 200 + ".html", number, "e" * 500, "b", ("[]", "x"), "relation"))
    recorder.observe(Event("t" * 200 + ".html", number, "e" * 500, "b", ("[]", "x"), "relation"))
"""


def test_several_processes_share_a_file(file):
    command = [sys.executable, "-c", MANY, str(file)]
    root = Path(__file__).resolve().parents[2]
    running = [subprocess.Popen(command, cwd=root) for _ in range(3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    recording = read_recordings([file])
    assert recording.problems == []
    assert len(recording) == 300
    assert {record.times for record in recording} == {6}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a system without fork() has no such children")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_does_not_write_its_parents_counts_again(file):
    recorder = Recorder(file)
    recorder.observe(event())
    recorder.observe(event())
    child = os.fork()
    if child == 0:
        recorder.close()
        os._exit(0)
    os.waitpid(child, 0)
    recorder.close()
    assert [record.times for record in read_recordings([file])] == [2]


def test_a_line_is_ascii_json(file):
    recorder = Recorder(file)
    recorder.observe(event(template="bücher.html", expression='a|default:"\n"'))
    line = file.read_bytes()
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert json.loads(line)["template"] == "bücher.html"
    recorder.close()
