"""scripts/check: what must not get into a wheel or an sdist, and what must."""

import tarfile
import zipfile

import pytest
from archives import SDIST_MUST_HAVE, WHEEL_MUST_HAVE, unexpected_in_sdist, unexpected_in_wheel

LICENCE = "atemplates-0.1.0.dist-info/licenses/LICENSE"
GOOD_WHEEL = [*WHEEL_MUST_HAVE, "atemplates/engines/django.py", LICENCE]


@pytest.fixture
def wheel(tmp_path):
    def make(names):
        file = tmp_path / "atemplates-0.1.0-py3-none-any.whl"
        with zipfile.ZipFile(file, "w") as archive:
            for name in names:
                archive.writestr(name, "")
        return file

    return make


@pytest.fixture
def sdist(tmp_path):
    def make(names):
        file = tmp_path / "atemplates-0.1.0.tar.gz"
        with tarfile.open(file, "w:gz") as archive:
            for name in names:
                archive.addfile(tarfile.TarInfo(f"atemplates-0.1.0/{name}"))
        return file

    return make


def test_a_wheel_of_the_package_alone_is_right(wheel):
    assert unexpected_in_wheel(wheel(GOOD_WHEEL)) == []


@pytest.mark.parametrize(
    "name",
    [
        "tests/__init__.py",
        "engines/django.py",
        "tags/flow.py",
        "README.md",
        "atemplates/__pycache__/errors.cpython-311.pyc",
        "atemplates/demo.sqlite3",
        "atemplates/notes",
    ],
)
def test_anything_else_in_a_wheel_is_named(wheel, name):
    (complaint,) = unexpected_in_wheel(wheel([*GOOD_WHEEL, name]))
    assert complaint.startswith(name)


@pytest.mark.parametrize("name", [*WHEEL_MUST_HAVE, LICENCE])
def test_what_a_wheel_must_have_is_missed(wheel, name):
    (complaint,) = unexpected_in_wheel(wheel([each for each in GOOD_WHEEL if each != name]))
    assert "missing" in complaint


def test_an_sdist_of_sources_is_right(sdist):
    assert unexpected_in_sdist(sdist([*SDIST_MUST_HAVE, "docs/guide.md"])) == []


@pytest.mark.parametrize(
    "name", ["example/db.sqlite3", "tests/__pycache__/x.py", ".venv/test-py3.11/stamp"]
)
def test_what_was_generated_is_named_in_an_sdist(sdist, name):
    (complaint,) = unexpected_in_sdist(sdist([*SDIST_MUST_HAVE, name]))
    assert complaint == f"{name} is generated"


def test_what_an_sdist_must_have_is_missed(sdist):
    assert unexpected_in_sdist(sdist(SDIST_MUST_HAVE[1:])) == [f"{SDIST_MUST_HAVE[0]} is missing"]
