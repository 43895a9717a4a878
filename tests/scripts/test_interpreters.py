"""Which Pythons a machine has, and the suite on every pair of Python and Django."""

import subprocess
import sys

import interpreters
import pytest
import run_tests

THIS = "{}.{}".format(*sys.version_info)


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Return a function: a name and a line of shell -> a program of that name, alone on the PATH."""

    def program(name, line):
        (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        return str(tmp_path / name)

    return program


def test_the_running_interpreter_is_found():
    assert interpreters.is_python(interpreters.find_python(THIS), THIS)


def test_each_that_is_found_is_what_was_asked_for():
    for version in {version for version, _ in interpreters.PAIRS}:
        path = interpreters.find_python(version)
        assert path is None or interpreters.is_python(path, version)


def test_a_version_that_nobody_has():
    assert interpreters.find_python("3.99") is None


def test_a_program_on_the_path_has_to_prove_itself(program):
    right = program("python3", "echo 3.98")
    shim = program("python3.98", "echo 'pyenv: python3.98: command not found' >&2; exit 127")
    assert {shim, right} <= {*interpreters.candidates("3.98")}
    assert interpreters.find_python("3.98") == right


@pytest.mark.parametrize(
    ("argument", "code", "printed"), [("--version", 0, THIS), ("3.99", 1, ""), ("", 1, "")]
)
def test_the_program(argument, code, printed):
    done = subprocess.run(
        [sys.executable, interpreters.__file__, argument],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (code, printed)


def test_all_pairs_says_how_each_went_and_what_is_missing(monkeypatch, capfd):
    # "--help" ends before an environment is made, and a series that is none cannot have one.
    monkeypatch.setattr(run_tests, "PAIRS", [(THIS, "6.1"), ("3.99", "6.1")])
    assert run_tests.main(["--all-pairs", "--help"]) == 0
    *_, passed, missing, last = capfd.readouterr().out.splitlines()
    assert passed.split() == ["Python", f"{THIS},", "Django", "6.1", "passed"]
    assert missing.endswith("left out: no Python 3.99 on this machine")
    assert last == "pairs: 1 passed, 0 failed, 1 skipped"

    monkeypatch.setattr(run_tests, "PAIRS", [(THIS, "none")])
    assert run_tests.main(["--all-pairs"]) == 1
    assert capfd.readouterr().out.endswith("pairs: 0 passed, 1 failed, 0 skipped\n")


def test_all_pairs_without_any_python_is_no_success(monkeypatch, capfd):
    monkeypatch.setattr(run_tests, "PAIRS", [("3.99", "6.1")])
    assert run_tests.main(["--all-pairs"]) == 1
    assert capfd.readouterr().out.endswith("pairs: 0 passed, 0 failed, 1 skipped\n")
