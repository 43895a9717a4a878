"""Rows that are committed, so that every connection sees them."""

import pytest

from tests.testapp.models import Region


@pytest.fixture
def regions(transactional_db):
    """Three regions, of which the first has the others as its parts."""
    world = Region.objects.create(name="World")
    Region.objects.create(name="Africa", parent=world)
    Region.objects.create(name="Asia", parent=world)
    return world
