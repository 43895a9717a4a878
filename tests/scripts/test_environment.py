"""What the scripts say on a machine that lacks something, before anything is installed."""

import shutil
import subprocess
import sys
from pathlib import Path

import environment
import pytest

SCRIPTS = Path(environment.__file__).resolve().parents[1]


@pytest.fixture
def machine(tmp_path):
    """A machine with a shell and the Pythons that a test gives it: run(script, **variables)."""
    for tool in ("sh", "dirname", "head"):
        (tmp_path / tool).symlink_to(shutil.which(tool))

    def run(script, python3="", **variables):
        if python3:
            (tmp_path / "python3").write_text(f"#!{tmp_path}/sh\n{python3}\n")
            (tmp_path / "python3").chmod(0o755)
        return subprocess.run(
            [SCRIPTS / script, "--help"],
            env={"PATH": str(tmp_path), **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


# An old Python: it fails the question for its version, and tells it when asked by --version.
OLD = 'case $1 in --version) echo "Python 3.9.2" ;; *) exit 1 ;; esac'
THIS = f'exec "{sys.executable}" "$@"'


@pytest.mark.parametrize("script", ["check", "conformance", "demo", "test"])
def test_every_script_runs_with_python_alone(machine, script):
    ended = machine(script, python3=THIS)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith(f"scripts/{script}")


def test_a_machine_without_python(machine):
    ended = machine("test")
    assert ended.returncode == 2
    assert "This needs Python 3.11 or newer, and none is on the PATH" in ended.stderr


def test_a_machine_with_an_old_python_only(machine):
    ended = machine("test", python3=OLD)
    assert ended.returncode == 2
    assert "(python3 is Python 3.9.2)" in ended.stderr
    assert "PYTHON=" in ended.stderr


def test_the_named_python_is_taken_even_if_python3_is_old(machine):
    assert machine("test", python3=OLD, PYTHON=sys.executable).returncode == 0


def test_a_named_python_that_is_old(machine):
    ended = machine("test", python3=OLD, PYTHON="python3")
    assert ended.returncode == 2
    assert "PYTHON=python3: this needs Python 3.11 or newer" in ended.stderr
    assert "Python 3.9.2" in ended.stderr


def test_a_named_python_that_does_not_exist(machine):
    ended = machine("test", python3=THIS, PYTHON="python9")
    assert ended.returncode == 2
    assert "PYTHON=python9: there is no such program" in ended.stderr


@pytest.mark.parametrize("series", ["5", "6.0.1", "newest", "6.x"])
def test_a_django_that_is_no_series(monkeypatch, series):
    monkeypatch.setenv("DJANGO", series)
    with pytest.raises(environment.SetupError, match=r"give a series such as DJANGO=5\.2"):
        environment.django_series()


@pytest.mark.parametrize(("value", "series"), [("5.2", "5.2"), ("", None)])
def test_a_django_series(monkeypatch, value, series):
    monkeypatch.setenv("DJANGO", value)
    assert environment.django_series() == series


@pytest.mark.parametrize(
    ("extra", "series", "found"),
    [
        ("test", None, ["test", "async-backend"]),
        ("test", "6.1", ["test", "async-backend"]),
        ("test", "10.0", ["test", "async-backend"]),
        ("test", "6.0", ["test"]),
        ("test", "5.2", ["test"]),
        ("demo", None, ["demo"]),
    ],
)
def test_the_async_backend_is_there_where_it_can_be_installed(extra, series, found):
    assert environment.extras_for(extra, series) == found


def test_variables_of_another_project_do_not_reach_what_is_run(monkeypatch):
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "theirs.settings")
    monkeypatch.setenv("PYTHONPATH", "/theirs")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    variables = environment.variables_for_child({"DATABASE_POOL": "1"})
    assert "DJANGO_SETTINGS_MODULE" not in variables
    assert "PYTHONPATH" not in variables
    assert "PYTHONDONTWRITEBYTECODE" not in variables
    assert variables["DATABASE_POOL"] == "1"
    assert "PATH" in variables


def test_a_python_without_venv(monkeypatch, tmp_path):
    # Such as Debian's before python3-venv is installed.
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(environment.SetupError, match="comes without venv and ensurepip"):
        environment.create(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_an_environment_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(environment.SetupError, match="could not make the environment"):
        environment.create(tmp_path / "file" / "new")
