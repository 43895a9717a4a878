"""The released django-async-backend: its querysets in pages, on PostgreSQL.

The package has a database engine and an app of its own, so each file of `async_backend/` runs in a
process with other settings, and makes databases of its own on the server that ``DATABASE_URL`` names.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = ["reading", "connections", "differential"]


def missing():
    """What these tests need and is not here, or nothing."""
    if importlib.util.find_spec("django_async_backend") is None:
        return (
            "django-async-backend is not installed: it needs Python 3.12 and Django 6.1, and "
            "pip install --editable '.[async-backend]'"
        )
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        return "django-async-backend knows PostgreSQL only: set DATABASE_URL=postgres://..."
    if os.environ.get("DATABASE_POOL") == "1":
        return "seen without DATABASE_POOL: django-async-backend has a pool of its own"
    return ""


@pytest.mark.database
@pytest.mark.processes
@pytest.mark.skipif(bool(missing()), reason=missing() or "nothing is missing")
@pytest.mark.parametrize("name", FILES)
def test_querysets_of_the_async_backend(name):
    folder = Path(__file__).parent / "async_backend"
    settings = "tests.engines.async_backend.settings"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *(f"--ds={settings}", str(folder / f"{name}.py")),
        ],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": f"{os.environ['DATABASE_URL']}_{name}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_every_file_is_run():
    folder = Path(__file__).parent / "async_backend"
    tests = {path.stem for path in folder.glob("*.py") if "\ndef test_" in path.read_text()}
    assert tests == set(FILES)
