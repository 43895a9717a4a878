"""Virtual environments for the scripts: one for each purpose, Python and Django.

They live in ``.venv/`` of the work tree, for example ``.venv/demo-py3.11``, or
``.venv/test-py3.13-django6.0`` when ``DJANGO=6.0`` pins a series, and are made when first needed.
What was installed is remembered in a stamp (a hash of what it was made from), so that the second
run installs nothing. Each purpose has its own: installing for one does not pull the package from
under another that is running.

Standard library only: this runs before anything is installed.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ROOT / ".venv"

# What a shell may have set for another project and would change what runs here.
FOREIGN_VARIABLES = (
    "DJANGO_SETTINGS_MODULE",
    # Some tests start Python again; without bytecode each of these compiles everything again.
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHOME",
    "PYTHONPATH",
    "VIRTUAL_ENV",
)


class SetupError(Exception):
    """The environment cannot be made; the text says why and what to do next."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment that is ready to use.

    Attributes:
        name: what tells it from the others, such as ``test-py3.11-django5.2``.
        folder: where it is.
    """

    name: str
    folder: Path

    @property
    def python(self) -> Path:
        """The interpreter in it."""
        return self.folder / "bin" / "python"

    def command(self, *arguments: str | Path) -> list[str]:
        """The command line that runs this environment's Python with the arguments."""
        return [str(self.python), *map(str, arguments)]

    def run(
        self,
        *arguments: str | Path,
        cwd: Path = ROOT,
        variables: Mapping[str, str] | None = None,
    ) -> int:
        """Run this environment's Python with the arguments and wait for it.

        Args:
            arguments: what follows ``python``.
            cwd: the working directory.
            variables: environment variables to set beside the inherited ones.

        Returns:
            The exit code.
        """
        sys.stdout.flush()
        return subprocess.run(
            self.command(*arguments),
            cwd=cwd,
            env=variables_for_child(variables),
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode

    def output(self, *arguments: str | Path) -> str:
        """What this environment's Python prints when run with the arguments.

        Raises:
            SetupError: it failed.
        """
        completed = subprocess.run(
            self.command(*arguments),
            env=variables_for_child(),
            capture_output=True,
            text=True,
            check=False,
        )
        if completed.returncode:
            raise SetupError(f"{self.command(*arguments)} failed:\n{completed.stderr}")
        return completed.stdout


def run_to_file(
    command: list[str], log: Path, cwd: Path = ROOT, variables: Mapping[str, str] | None = None
) -> int:
    """Run a command with its output in a file.

    Returns:
        The exit code.
    """
    with log.open("wb") as output:
        return subprocess.run(
            command,
            cwd=cwd,
            env=variables_for_child(variables),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode


def variables_for_child(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment variables for a program of ours: inherited, less foreign ones, plus extra."""
    inherited = {name: value for name, value in os.environ.items() if name not in FOREIGN_VARIABLES}
    return {**inherited, "PYTHONUNBUFFERED": "1", **(extra or {})}


def django_series() -> str | None:
    """The Django series that ``DJANGO`` pins, such as ``"5.2"``, or None for the newest.

    Raises:
        SetupError: ``DJANGO`` is not of the form ``5.2``.
    """
    series = os.environ.get("DJANGO", "").strip()
    if series and not re.fullmatch(r"\d+\.\d+", series):
        raise SetupError(f"DJANGO={series}: give a series such as DJANGO=5.2")
    return series or None


def environment_for(extra: str) -> Environment:
    """The virtual environment with the package (editable) and one of its extras installed.

    It belongs to the running interpreter and to the Django that ``DJANGO`` names.

    Args:
        extra: a name of ``[project.optional-dependencies]``, such as ``"test"``.

    Returns:
        The environment, ready to use.

    Raises:
        SetupError: it cannot be made, or pip failed.
    """
    series = django_series()
    name = "{}-py{}.{}".format(extra, *sys.version_info) + (f"-django{series}" if series else "")
    environment = Environment(name, ENVIRONMENTS / name)
    made_from = (sys.version, sys.base_prefix, (ROOT / "pyproject.toml").read_text("utf-8"))
    digest = hashlib.sha256("\0".join(made_from).encode()).hexdigest()
    stamp = environment.folder / "stamp"
    ENVIRONMENTS.mkdir(exist_ok=True)
    with _locked(ENVIRONMENTS / f"{name}.lock"):
        if not stamp.is_file() or stamp.read_text("utf-8") != digest:
            print(f"Setting up .venv/{name} ...", flush=True)
            create(environment.folder)
            extras = ",".join(extras_for(extra, series))
            install(environment, "--editable", f"{ROOT}[{extras}]", *pins(series))
            stamp.write_text(digest, "utf-8")
    return environment


def extras_for(extra: str, series: str | None) -> list[str]:
    """An extra, and what is installed beside it where Django's series allows that.

    Args:
        extra: a name of ``[project.optional-dependencies]``.
        series: the Django series that is pinned, or None for the newest.
    """
    if extra != "test" or (series is not None and numbers(series) < (6, 1)):
        return [extra]
    return [extra, "async-backend"]


def numbers(series: str) -> tuple[int, ...]:
    """A series as numbers: ``(5, 2)``."""
    return tuple(map(int, series.split(".")))


def pins(series: str | None) -> list[str]:
    """The pip requirements that hold Django to a series."""
    return [f"django=={series}.*"] if series else []


def create(folder: Path) -> None:
    """Make an empty virtual environment, in place of whatever is there.

    Raises:
        SetupError: this Python has no ``venv`` or ``ensurepip``, or making it failed.
    """
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    advice = (
        "On Debian and Ubuntu these are a package of their own: "
        "apt install python{}.{}-venv".format(*sys.version_info)
    )
    if missing:
        raise SetupError(f"{sys.executable} comes without {' and '.join(missing)}. {advice}")
    command = [sys.executable, "-m", "venv", "--clear", str(folder)]
    if subprocess.run(command, env=variables_for_child(), check=False).returncode:
        raise SetupError(f"{sys.executable} could not make the environment {folder}. {advice}")


def install(environment: Environment, *arguments: str) -> None:
    """Run ``pip install`` in the environment.

    Raises:
        SetupError: pip failed; its own messages are above.
    """
    # What is imported is compiled then; the rest, most of it, need not be.
    options = ("-qq", "--disable-pip-version-check", "--no-input", "--no-compile")
    if environment.run("-m", "pip", "install", *options, *arguments):
        raise SetupError(
            f"pip could not install {' '.join(arguments)} with Python {sys.version.split()[0]}; "
            "its messages are above. (Django 6.0 and later need Python 3.12 or newer.)"
        )


@contextlib.contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold a lock, so that two scripts at the same time do not install into each other."""
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
