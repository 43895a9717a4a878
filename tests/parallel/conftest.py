"""Rows that are committed, so that every connection sees them."""

import pytest

from atemplates.parallel import workers
from tests.testapp.models import Region


@pytest.fixture
def regions(transactional_db):
    """Three regions, of which the first has the others as its parts."""
    world = Region.objects.create(name="World")
    Region.objects.create(name="Africa", parent=world)
    Region.objects.create(name="Asia", parent=world)
    return world


@pytest.fixture(autouse=True)
def as_many_workers_as_usual(monkeypatch):
    """Forget what the engines of other tests have allowed; with few workers, few loads are many."""
    monkeypatch.setattr(workers, "_allowed", [])
    monkeypatch.setattr(workers, "USUAL_WORKERS", 4)
