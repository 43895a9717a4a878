"""Reading recordings back, whatever state they are in."""

import json

import pytest

from atemplates.migration.recordings import (
    RECORDING_VERSION,
    AccessRecord,
    read_recordings,
    write_recordings,
)

GOOD = AccessRecord("a.html", 3, "b.author.name", "b", ("author",), "relation", "shop.Book", rows=2)


def test_what_is_written_is_read(tmp_path):
    file = tmp_path / "r.jsonl"
    other = AccessRecord(
        "a.html", None, "b.author.name", "b", ("author",), "python", source="m.py:3"
    )
    write_recordings(file, [GOOD, other])
    assert list(read_recordings([file])) == [GOOD, other]


def test_files_add_up(tmp_path):
    for name in "ab":
        write_recordings(tmp_path / name, [GOOD])
    recording = read_recordings([tmp_path / "a", tmp_path / "b"])
    assert [record.times for record in recording] == [2]


def test_a_line_that_is_cut_off_is_named_and_the_rest_is_read(tmp_path):
    file = tmp_path / "r.jsonl"
    line = GOOD.as_line()
    file.write_bytes(line[:40] + b"\n" + line + line[:50])
    recording = read_recordings([file])
    assert len(recording) == 1
    assert [(problem.file, problem.line) for problem in recording.problems] == [
        (str(file), 1),
        (str(file), 3),
    ]
    assert "cut off" not in str(recording.problems[0])
    assert "cut off" in str(recording.problems[1])
    assert f"{file}:3: " in str(recording.problems[1])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([], "expected a JSON object"),
        ({}, "version None"),
        ({"version": RECORDING_VERSION + 1}, f"this release reads {RECORDING_VERSION}"),
        ({"version": RECORDING_VERSION, "kind": "rows"}, "'path' is None"),
        ({"version": RECORDING_VERSION, "kind": "rows", "path": [1]}, "'path' is"),
        ({"version": RECORDING_VERSION, "path": []}, "'kind' is missing"),
        ({"version": RECORDING_VERSION, "path": [], "kind": "rows", "line": "3"}, "'line' is '3'"),
        (
            {"version": RECORDING_VERSION, "path": [], "kind": "rows", "times": None},
            "'times' is None",
        ),
    ],
)
def test_an_object_that_is_no_record(tmp_path, values, said):
    file = tmp_path / "r.jsonl"
    file.write_bytes(json.dumps(values).encode() + b"\n" + GOOD.as_line())
    recording = read_recordings([file])
    assert list(recording) == [GOOD]
    (problem,) = recording.problems
    assert said in str(problem)
    assert problem.line == 1


def test_bytes_that_are_no_text(tmp_path):
    file = tmp_path / "r.jsonl"
    file.write_bytes(b"\xff\xfe\x00\n\n" + GOOD.as_line())
    recording = read_recordings([file])
    assert len(recording) == 1
    assert len(recording.problems) == 1


def test_a_file_that_is_not_there(tmp_path):
    recording = read_recordings([tmp_path / "none.jsonl"])
    assert not recording
    assert "cannot read" in str(recording.problems[0])
    assert "none.jsonl" in str(recording.problems[0])
