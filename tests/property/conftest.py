"""What the property tests share: a loop that stays, and the addresses for ``{% url %}``."""

import asyncio

import pytest
from django.contrib.auth.models import Group
from django.test import override_settings


@pytest.fixture(scope="module")
def loop():
    """A loop for a whole module: each example would pay for one of its own."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


@pytest.fixture
def urls():
    with override_settings(ROOT_URLCONF="tests.property.urls"):
        yield


@pytest.fixture
def a_group(db):
    """What the objects of `keeping` ask for."""
    Group.objects.create(name="g")
