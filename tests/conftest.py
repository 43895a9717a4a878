"""Fixtures and hooks that every test uses."""

import os

import hypothesis
import pytest

from atemplates import placement
from atemplates.resolve import others
from tests.event_loop import LoopBesideTheTest
from tests.rendering import Rendering

# A run of the suite tries the same examples each time, so that a change is judged by what it does;
# looking for new ones is what scripts/fuzz is for.
hypothesis.settings.register_profile("suite", derandomize=True, deadline=None, database=None)
hypothesis.settings.register_profile("fuzz", deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


def pytest_asyncio_loop_factories(config, item):
    return {"beside_the_test": LoopBesideTheTest}


@pytest.fixture(scope="session")
def render():
    """Return what renders a template in every way; see `Rendering.__call__`."""
    return Rendering()


@pytest.fixture(autouse=True)
def nothing_learned(monkeypatch):
    """Begin each test as a new process, in which nothing is slow however busy the machine is.

    Tests about time set the limits themselves.
    """
    placement.RECORDS.clear()
    monkeypatch.setattr(placement, "QUICK", float("inf"))
    monkeypatch.setattr(others, "BUDGET", float("inf"))
