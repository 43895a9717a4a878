"""Attributes that Python sets on objects from outside of their classes."""

import sys
from types import ModuleType

import pytest

from atemplates.lint.attributes_set import ANY_ON_REQUESTS, set_from_outside

NAME = "_".join(("an", "extra"))
"""In two parts: this file is a loaded module, too."""
OWN = [
    "request.EXTRA = 1",
    "request.EXTRA: int = 1",
    "for row in rows:\n    row.EXTRA = 1",
    "rows[0].EXTRA = 1",
    "self.object.EXTRA = 1",
    "view.request.EXTRA |= 1",
    "setattr(book, 'EXTRA', 1)",
    'setattr(self.request, "EXTRA", 1)',
]
OTHERS = ["request.EXTRA = 1", "self.request.EXTRA = 1", "setattr(request, 'EXTRA', 1)"]
NONE = [
    "self.EXTRA = 1",
    "cls.EXTRA = 1",
    "if request.EXTRA == 1: pass",
    "print(request.EXTRA)",
    "EXTRA = 1",
    "request.EXTRAs = 1",
    "call(EXTRA=1)",
]


@pytest.fixture
def found(tmp_path, monkeypatch):
    """Say what is found where a module of the site, or of an installed package, has a source."""

    def look(source, folder):
        file = tmp_path / folder / "sets_one.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source.replace("EXTRA", NAME).replace("SETS", "setattr"))
        module = ModuleType("sets_one")
        module.__file__ = str(file)
        monkeypatch.setitem(sys.modules, "sets_one", module)
        return set_from_outside([NAME, "a_name_that_nobody_has"]) - {ANY_ON_REQUESTS} == {NAME}

    return look


@pytest.mark.parametrize("source", OWN)
def test_in_the_sites_own_code_the_object_may_be_anything(found, source):
    assert found(source, "site")


@pytest.mark.parametrize("source", OTHERS)
def test_a_package_may_set_something_on_a_request(found, source):
    assert found(source, "site-packages/package")


@pytest.mark.parametrize("source", sorted({*OWN} - {*OTHERS} - {*OWN[-1:], OWN[1], OWN[5]}))
def test_what_packages_set_on_other_objects_says_nothing(found, source):
    assert not found(source, "site-packages/package")


@pytest.mark.parametrize("folder", ["site", "site-packages/package"])
def test_an_attribute_whose_name_is_not_written_may_be_any(found, folder):
    found("SETS(self.request, name, 1)", folder)
    assert ANY_ON_REQUESTS in set_from_outside([NAME])
    found("SETS(book, name, 1)", folder)
    assert ANY_ON_REQUESTS not in set_from_outside([NAME])


@pytest.mark.parametrize("folder", ["site", "site-packages/package"])
@pytest.mark.parametrize("source", NONE)
def test_what_sets_nothing_from_outside(found, source, folder):
    assert not found(source, folder)
