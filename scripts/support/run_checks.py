"""scripts/check: lint, formatting, types and packaging, without the tests.

Packaging: builds the wheel and the sdist, looks at what is in them, and installs each into an
empty environment: the wheel without extras renders a Django template there, the sdist with
atemplates[jinja2] a Jinja2 template too.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from archives import unexpected_in_sdist, unexpected_in_wheel
from environment import Environment, SetupError, create, django_series, environment_for, pins

SUPPORT = Path(__file__).resolve().parent
INSTALL_OPTIONS = ("-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input")


def main(arguments: list[str]) -> int:
    """Run every check, also after one failed; 0 when all pass, else 1 (2: no environment)."""
    if arguments:
        print((__doc__ or "").strip())
        return 0 if arguments in (["-h"], ["--help"]) else 2
    try:
        environment = environment_for("check")
    except SetupError as error:
        print(error, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="atemplates-check-") as name:
        folder = Path(name)
        checks: dict[str, Callable[[], bool]] = {
            "lint": lambda: succeeds(environment, "-m", "ruff", "check"),
            "format": lambda: succeeds(environment, "-m", "ruff", "format", "--check"),
            "types": lambda: succeeds(environment, "-m", "mypy"),
            "types, pyright": lambda: succeeds(
                environment, "-m", "basedpyright", "--pythonpath", environment.python
            ),
            "build": lambda: succeeds(environment, "-m", "build", "--outdir", folder / "dist"),
            "contents": lambda: contents_are_right(folder / "dist"),
            "wheel alone": lambda: installs(folder / "wheel", only(folder / "dist", "*.whl"), ""),
            "sdist[jinja2]": lambda: installs(
                folder / "sdist", only(folder / "dist", "*.tar.gz"), "[jinja2]"
            ),
        }
        failed = [name for name, check in checks.items() if not passes(name, check)]
    print("scripts/check: " + (f"FAILED: {', '.join(failed)}" if failed else "all checks passed"))
    return 1 if failed else 0


def passes(name: str, check: Callable[[], bool]) -> bool:
    """Run a check under a heading and say how it ended."""
    print(f"--- {name}", flush=True)
    started = time.monotonic()
    try:
        passed = check()
    except SetupError as error:
        print(error)
        passed = False
    print(f"    {'ok' if passed else 'FAILED'} ({time.monotonic() - started:.1f} s)", flush=True)
    return passed


def succeeds(environment: Environment, *arguments: str | Path) -> bool:
    """Whether the environment's Python exits with 0 for these arguments."""
    return environment.run(*arguments) == 0


def only(folder: Path, pattern: str) -> Path:
    """The one file in the folder that matches.

    Raises:
        SetupError: there is none, or more than one.
    """
    files = list(folder.glob(pattern))
    if len(files) != 1:
        raise SetupError(f"One {pattern} was expected from the build, there are {len(files)}.")
    return files[0]


def contents_are_right(dist: Path) -> bool:
    """Print what should not be in the wheel and the sdist, and whether there is nothing such."""
    wheel, sdist = only(dist, "*.whl"), only(dist, "*.tar.gz")
    complaints = [
        *(f"{wheel.name}: {complaint}" for complaint in unexpected_in_wheel(wheel)),
        *(f"{sdist.name}: {complaint}" for complaint in unexpected_in_sdist(sdist)),
    ]
    for complaint in complaints:
        print(complaint)
    return not complaints


def installs(folder: Path, archive: Path, extra: str) -> bool:
    """Whether the archive, installed into an empty environment, imports and renders there."""
    create(folder)
    empty = Environment(archive.name, folder)
    requirement = f"atemplates{extra} @ {archive.as_uri()}"
    if not succeeds(empty, *INSTALL_OPTIONS, requirement, *pins(django_series())):
        return False
    program = SUPPORT / "use_installed.py"
    # -I: nothing of this work tree is on the path, so only what was installed can be imported.
    return empty.run("-I", program, *(["--jinja2"] if extra else []), cwd=folder) == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
