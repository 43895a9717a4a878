"""The file in which a process leaves to the next one what it learned."""

import functools
import json
import logging
import os
import stat
import subprocess
import sys
from types import FunctionType

import pytest

from atemplates.placement import learned_file, records
from atemplates.placement.learned_file import (
    FunctionKey,
    LearnedEntry,
    Refused,
    digest_of,
    key_of,
    merged,
    qualified_name,
    read_learned,
    write_learned,
)
from atemplates.placement.records import (
    BEGUN,
    CARRIED,
    RECORDS,
    FunctionRecord,
    belongs_in_thread,
    carry,
    function_record,
    is_learning,
    is_trusted,
    known_record,
    learned,
    save,
    save_all,
)

ENTRY = LearnedEntry(runs=12, quick=12, slow=0, slowest=0.00008, asked=False, needs_loop=False)


def quick(value):
    return value


def asking(value):
    return value


def slow(value):
    return value


def learn():
    """Learn something of three functions."""
    for _ in range(12):
        function_record(quick).note(0.00008, False)
    function_record(asking).note(0.00001, True)
    for _ in range(records.STRIKES):
        function_record(slow).note(float("inf"), False)
    function_record(slow).slowest = 0.5


def next_process():
    """Forget what a process that ends forgets."""
    save_all()
    for each in (RECORDS, CARRIED, BEGUN):
        each.clear()


@pytest.fixture(autouse=True)
def limits(monkeypatch):
    monkeypatch.setattr(records, "QUICK", 0.0005)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "learned.json"


@pytest.fixture
def full(file):
    """A file of a process that has learned."""
    carry(file)
    learn()
    next_process()
    return file


# -- from one process to the next ------------------------------------------------------------------


def test_the_next_process_begins_with_it(full):
    assert is_learning(quick)
    carry(full)
    assert is_trusted(quick)
    assert not is_learning(quick)
    assert belongs_in_thread(asking)
    assert not is_trusted(asking, 0)
    assert belongs_in_thread(slow)
    assert RECORDS[quick].runs == 12
    assert RECORDS[asking].asked


def test_what_is_carried_loses_its_place_as_all_does(full):
    carry(full)
    function_record(quick).note(0.00001, True)
    next_process()
    carry(full)
    assert belongs_in_thread(quick)


def test_nothing_is_trusted_too_early(file):
    carry(file)
    function_record(quick).note(0.00001, False)
    next_process()
    carry(file)
    assert not is_trusted(quick)
    function_record(quick).note(0.00001, False)
    next_process()
    carry(file)
    function_record(quick).note(0.00001, False)
    assert is_trusted(quick)


def test_more_quick_runs_than_runs_are_not_believed(file):
    write_learned(file, {key_of(quick): ENTRY._replace(runs=1)})
    carry(file)
    assert not is_trusted(quick)


def test_changed_code_is_learned_anew(full, monkeypatch):
    carry(full)
    monkeypatch.setattr(quick, "__code__", (lambda value: value + 1).__code__)
    monkeypatch.setattr(asking, "__code__", (lambda value: value + 1).__code__)
    assert is_learning(quick)
    assert not belongs_in_thread(asking)
    function_record(asking).note(0.00001, False)
    next_process()
    carry(full)
    assert not belongs_in_thread(asking)
    assert key_of(asking) in read_learned(full)
    assert len([key for key in read_learned(full) if key.name == "asking"]) == 1


def test_functions_that_a_process_did_not_meet_stay_in_the_file(full):
    carry(full)
    function_record(learn).note(0.00001, True)
    next_process()
    assert {key.name for key in read_learned(full)} == {"quick", "asking", "slow", "learn"}


def test_what_another_process_wrote_meanwhile_counts(full):
    carry(full)
    entry = read_learned(full)[key_of(quick)]
    write_learned(full, {**read_learned(full), key_of(quick): entry._replace(runs=13, asked=True)})
    function_record(quick).note(0.00001, False)
    next_process()
    assert read_learned(full)[key_of(quick)].asked


def test_a_slow_run_that_was_forgotten_is_not_kept_by_the_file(file):
    one = {key_of(quick): ENTRY._replace(slow=1)}
    now = {key_of(quick): ENTRY._replace(runs=50, slow=0)}
    assert merged(one, now, one) == now
    assert merged(one, now, {})[key_of(quick)].slow == 1


def test_nothing_is_written_where_nothing_was_learned(full):
    before = full.stat()
    carry(full)
    assert is_trusted(quick)
    next_process()
    assert (full.stat().st_mtime_ns, full.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    other = full.with_name("other.json")
    carry(other)
    next_process()
    assert not other.exists()


def test_save_at_any_time(file):
    learn()
    save(str(file))
    assert len(read_learned(file)) == 3
    assert BEGUN == {}


def test_two_files(file):
    other = file.with_name("other.json")
    carry(file)
    carry(str(other))
    learn()
    next_process()
    assert read_learned(file) == read_learned(other) != {}


def test_a_file_beside_which_the_process_moves(file, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    carry("learned.json")
    learn()
    monkeypatch.chdir("/")
    next_process()
    assert len(read_learned(file)) == 3


def test_what_is_carried_is_for_people_to_read(full):
    carry(full)
    said = {each.name.rpartition(".")[2]: (each.place, each.said) for each in learned()}
    assert said == {
        "asking": ("thread", "learned: in the thread, because it asks the database"),
        "quick": ("loop", "learned: on the loop (12 runs, slowest 0.08 ms)"),
        "slow": ("thread", "learned: in the thread, because it took long (slowest 500.00 ms)"),
    }
    assert RECORDS == {}
    known_record(quick)
    assert len(learned()) == 3


SCRIPT = """
import asyncio, sys
from django.conf import settings
settings.configure(INSTALLED_APPS=[], TEMPLATES=[])
import django
django.setup()
from atemplates.engines.django import DjangoTemplates
from atemplates.placement import records
records.QUICK = float("inf")
options = {"learned": sys.argv[1], "libraries": {"carried": "tests.carried_tags"}}
backend = DjangoTemplates({"NAME": "x", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})
template = backend.from_string("{% load carried %}{% where %}")
async def main():
    print([await template.render_async() for _ in range(int(sys.argv[2]))])
asyncio.run(main())
"""


def test_two_processes(file):
    def process(renders):
        command = [sys.executable, "-c", SCRIPT, str(file), str(renders)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.stderr == ""
        return done.stdout.strip()

    assert process(4) == "['thread', 'thread', 'thread', 'loop']"
    # The first render goes to the thread for compiling, and stays there.
    assert process(2) == "['thread', 'loop']"


# -- files that cannot be used ---------------------------------------------------------------------


def line(**changed):
    found = {**key_of(quick)._asdict(), **ENTRY._asdict(), **changed}
    return {name: value for name, value in found.items() if value is not None}


def whole(*functions, **changed):
    head = {
        "format": learned_file.FORMAT,
        "version": learned_file.LEARNED_VERSION,
        "functions": list(functions),
    }
    return json.dumps({**head, **changed})


BROKEN = {
    "no JSON": "SECRET_KEY = 1",
    "cut off": whole(line())[:-10],
    "deep": "[" * 100_000,
    "no UTF-8": b"\xff\xfe",
    "a list": "[]",
    "a number": "1",
    "something else": '{"version": 1}',
    "no list": whole(functions={}),
    "no entry": whole(1),
    "too many": whole(*[1] * (learned_file.MOST_FUNCTIONS + 1)),
    "a field too few": whole(line(asked=None)),
    "a field too many": whole(line(trusted=True)),
    "a name that is none": whole(line(name=1)),
    "a negative number": whole(line(quick=-1)),
    "a bool for a number": whole(line(runs=True)),
    "a number for a bool": whole(line(asked=0)),
    "a text for a number": whole(line(slowest="0")),
    "no number": whole(line(slowest=float("nan"))),
}


def warnings_of(caplog):
    return [
        (record.name, record.levelno, record.getMessage())
        for record in caplog.records
        if record.name == "atemplates"
    ]


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_logged_and_left_alone(content, file, caplog):
    content = content if isinstance(content, bytes) else content.encode()
    file.write_bytes(content)
    carry(file)
    assert not is_trusted(quick)
    learn()
    next_process()
    ((name, level, message),) = warnings_of(caplog)
    assert (name, level) == ("atemplates", logging.WARNING)
    assert message.startswith(f"What was learned is not read from {file}: it is no JSON: ") or (
        message.startswith(f"What was learned is not read from {file}: ") and "JSON" not in message
    )
    assert file.read_bytes() == content


def test_a_whole_file_for_comparison(file, caplog):
    file.write_text(whole(line()))
    carry(file)
    assert is_trusted(quick)
    assert warnings_of(caplog) == []


@pytest.mark.parametrize("content", ["", "\n", whole(1, version=2)], ids=["", "newline", "version"])
def test_a_file_without_anything_for_us_is_begun_anew(content, file, caplog):
    file.write_text(content)
    carry(file)
    learn()
    next_process()
    assert len(read_learned(file)) == 3
    assert warnings_of(caplog) == []


def test_a_file_that_everybody_may_write(full, caplog):
    full.chmod(0o646)
    before = full.read_bytes()
    carry(full)
    assert not is_trusted(quick)
    function_record(learn).note(0.0, False)
    next_process()
    ((_, _, message),) = warnings_of(caplog)
    assert message == (
        f"What was learned is not read from {full}: everybody may write it; take that away with "
        "chmod o-w."
    )
    assert full.read_bytes() == before


def test_a_file_that_everybody_may_write_since_it_was_read(full, caplog):
    carry(full)
    full.chmod(0o666)
    before = full.read_bytes()
    function_record(learn).note(0.0, False)
    next_process()
    ((_, _, message),) = warnings_of(caplog)
    assert message.startswith(f"What was learned is not written to {full}: everybody may write it")
    assert full.read_bytes() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user(full, caplog):
    os.chown(full, 12345, -1)
    carry(full)
    assert not is_trusted(quick)
    assert "belongs to another user" in warnings_of(caplog)[0][2]
    os.chown(full.parent, 12345, -1)
    carry(full)
    assert is_trusted(quick)


def test_what_is_no_file(tmp_path, caplog):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (tmp_path, pipe):
        carry(path)
    assert [message.rpartition(": ")[2] for _, _, message in warnings_of(caplog)] == [
        "it is no file."
    ] * 2


def test_a_folder_that_is_not_there(tmp_path, caplog):
    carry(tmp_path / "none" / "learned.json")
    learn()
    next_process()
    ((_, _, message),) = warnings_of(caplog)
    assert message.startswith("What was learned is not written to ")


def test_nobody_else_may_write_what_is_written(full):
    assert stat.S_IMODE(full.stat().st_mode) == 0o644
    assert os.listdir(full.parent) == [full.name]


def test_writing_that_fails_leaves_the_old_file(full, monkeypatch):
    before = full.read_bytes()
    monkeypatch.setattr(os, "replace", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_learned(full, {})
    assert full.read_bytes() == before
    assert os.listdir(full.parent) == [full.name]


def test_the_file_has_its_limit(file, monkeypatch):
    monkeypatch.setattr(learned_file, "MOST_FUNCTIONS", 2)
    write_learned(file, {FunctionKey("m", str(number), "d"): ENTRY for number in range(5)})
    assert [key.name for key in read_learned(file)] == ["3", "4"]


def test_a_file_that_is_too_large(full, monkeypatch):
    monkeypatch.setattr(learned_file, "MOST_BYTES", 10)
    with pytest.raises(Refused, match="more than 10 bytes"):
        read_learned(full)


# -- which functions, and whether they were changed ------------------------------------------------


def decorated(function):
    @functools.wraps(function)
    def wrapper(value):
        return function(value)

    return wrapper


def made(source, **values):
    """A function that stands in a module of its own."""
    namespace = {"__name__": "made", "decorated": decorated, "functools": functools, **values}
    exec(source, namespace)
    return namespace["f"]


class TestFunctions:
    def test_found_by_name(self):
        assert qualified_name(quick) == (__name__, "quick")
        assert qualified_name(FunctionRecord.note) == (
            "atemplates.placement.records",
            "FunctionRecord.note",
        )

    @pytest.mark.parametrize(
        "code",
        [
            lambda: 1,
            decorated.__class__,
            decorated(lambda value: value),
            functools.partial(quick),
            len,
            FunctionRecord,
            "code that cannot be named",
            None,
        ],
    )
    def test_what_cannot_be_found_again(self, code):
        assert key_of(code) is None

    def test_it_is_not_written_either(self, file):
        function_record(lambda: 1).note(0.0, False)
        function_record(FunctionRecord).note(0.0, False)
        save(file)
        assert not file.exists()

    @pytest.mark.parametrize(
        ("source", "other"),
        [
            ("def f(a): return 1", "def f(a): return 2"),
            ("def f(a): return 1", "def f(a): return True"),
            ("def f(a): return a.b", "def f(a): return a.c"),
            ("def f(a): return a", "def f(a, /): return a"),
            ("def f(a=1): return a", "def f(a=2): return a"),
            ("def f(*, a=1): return a", "def f(*, a=2): return a"),
            ("def f(a): return a in {1, 2}", "def f(a): return a in {1, 3}"),
            ("def f(a): return lambda: 1", "def f(a): return lambda: 2"),
            ("@decorated\ndef f(a): return 1", "@decorated\ndef f(a): return 2"),
            ("@decorated\ndef f(a): return 1", "def f(a): return 1"),
        ],
    )
    def test_changes_are_seen(self, source, other):
        assert digest_of(made(source)) != digest_of(made(other))
        assert digest_of(made(source)) == digest_of(made("\n\n" + source))

    def test_a_function_that_holds_itself(self):
        f = made("def f(a): return f")
        held = FunctionType(f.__code__, f.__globals__, "f", (f,))
        held.__defaults__ = (held,)
        assert digest_of(held) == digest_of(held)

    def test_the_same_in_each_process(self):
        source = (
            "from tests.placement.test_learned_file import made, digest_of\n"
            'f = made(\'def f(a, *, b=(1, "x")): return a in {"p", "q", "r", "s", 1.5}\')\n'
            "print(digest_of(f))"
        )
        found = {
            subprocess.run(
                [sys.executable, "-c", source],
                capture_output=True,
                text=True,
                check=True,
                env={**os.environ, "PYTHONHASHSEED": str(number)},
                timeout=60,
            ).stdout
            for number in (1, 2)
        }
        assert len(found) == 1
        assert found != {""}


# -- the option ------------------------------------------------------------------------------------


def test_the_option(full):
    from atemplates.engines.django import DjangoTemplates

    def backend(value):
        return DjangoTemplates(
            {"NAME": "x", "DIRS": [], "APP_DIRS": False, "OPTIONS": {"learned": value}}
        )

    backend(None)
    assert not is_trusted(quick)
    backend(str(full))
    assert is_trusted(quick)
