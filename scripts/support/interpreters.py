"""The pairs of Python and Django that are supported, and where this machine has the interpreters.

interpreters.py 3.12         print where Python 3.12 is; exit with 1 when this machine has none
interpreters.py --version    print which Python runs this

Standard library only: this runs before anything is installed.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PAIRS = (
    ("3.11", "5.2"),
    ("3.12", "5.2"),
    ("3.13", "5.2"),
    ("3.12", "6.0"),
    ("3.13", "6.0"),
    ("3.12", "6.1"),
    ("3.13", "6.1"),
)
"""Every supported Python with every supported Django that runs on it."""


def find_python(version: str) -> str | None:
    """The path of an interpreter, or None when this machine has none.

    A name on the PATH may be a pyenv shim that only says that the version is not selected, so each
    candidate has to prove itself.

    Args:
        version: such as ``"3.12"``.
    """
    return next((path for path in candidates(version) if is_python(path, version)), None)


def candidates(version: str) -> Iterator[str]:
    """Where an interpreter of that version may be."""
    yield sys.executable
    for name in (f"python{version}", "python3"):
        if path := shutil.which(name):
            yield path
    home = Path.home()
    roots = [os.environ.get("PYENV_ROOT", home / ".pyenv"), home / ".pyenv"]
    for root in map(Path, [*roots, "/opt/pyenv", "/usr/local/pyenv"]):
        yield from map(str, sorted(root.glob(f"versions/{version}.*/bin/python")))
    yield from map(str, sorted(Path("/opt").glob(f"python*/bin/python{version}")))
    yield f"/usr/local/bin/python{version}"


def is_python(path: str, version: str) -> bool:
    """Whether the program is a Python of that version."""
    code = "import sys; print('{}.{}'.format(*sys.version_info))"
    try:
        answer = subprocess.run([path, "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return answer.returncode == 0 and answer.stdout.strip() == version


def main(arguments: list[str]) -> int:
    """Print what the argument asks for; 1 when there is no such Python, 2 for a wrong argument."""
    if len(arguments) != 1:
        print((__doc__ or "").strip(), file=sys.stderr)
        return 2
    (wanted,) = arguments
    this = "{}.{}".format(*sys.version_info)
    found = this if wanted == "--version" else find_python(wanted)
    if found is None:
        return 1
    print(found)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
