"""What may be in the wheel and the sdist, and what must be."""

import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

# What a package of Python, templates, translations and a script is made of. Anything else in the
# wheel is something that was generated, or a new kind of file: then add its suffix here.
PACKAGE_SUFFIXES = {".py", ".typed", ".html", ".txt", ".jinja", ".po", ".mo", ".js", ".css"}
GENERATED_SUFFIXES = {".pyc", ".sqlite3", ".egg-info", ".so", ".log"}
GENERATED_FOLDERS = {"__pycache__", ".venv", ".git", ".hypothesis", ".pytest_cache", ".mypy_cache"}

WHEEL_MUST_HAVE = (
    "atemplates/__init__.py",
    "atemplates/py.typed",
    "atemplates/streaming/polyfill.js",
)
SDIST_MUST_HAVE = (
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "atemplates/__init__.py",
    "example/manage.py",
    "pyproject.toml",
    "scripts/test",
    "tests/settings.py",
)


def unexpected_in_wheel(wheel: Path) -> list[str]:
    """What is wrong with the names in a wheel, in words; nothing when all is right.

    A wheel's top level lands in the user's site-packages: only the package and its metadata may
    stand there.
    """
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    complaints = list(_missing(WHEEL_MUST_HAVE, names))
    for name in names:
        path = PurePosixPath(name)
        top = path.parts[0]
        if top.startswith("atemplates-") and top.endswith(".dist-info"):
            continue
        if top != "atemplates":
            complaints.append(f"{name} would land at the top level of site-packages")
        elif path.suffix not in PACKAGE_SUFFIXES or GENERATED_FOLDERS & set(path.parts):
            complaints.append(f"{name} is not a file of the package's source")
    if not any(name.endswith(".dist-info/licenses/LICENSE") for name in names):
        complaints.append("the licence is missing")
    return complaints


def unexpected_in_sdist(sdist: Path) -> list[str]:
    """What is wrong with the names in an sdist, in words; nothing when all is right."""
    with tarfile.open(sdist) as archive:
        # Every name begins with one folder, such as atemplates-0.1.0.
        names = [name.partition("/")[2] for name in archive.getnames()]
    complaints = list(_missing(SDIST_MUST_HAVE, names))
    for name in names:
        path = PurePosixPath(name)
        if path.suffix in GENERATED_SUFFIXES or GENERATED_FOLDERS & set(path.parts):
            complaints.append(f"{name} is generated")
    return complaints


def _missing(wanted: Iterable[str], names: Iterable[str]) -> Iterator[str]:
    present = set(names)
    return (f"{name} is missing" for name in wanted if name not in present)
